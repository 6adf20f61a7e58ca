using System.Buffers;
using System.Collections.Concurrent;
using Thole.Protocol;
using Thole.Server.Routes;
using Thole.Server.Sessions;
using Thole.Server.Streams;
using Thole.Server.Tests.Hosting;

namespace Thole.Server.Tests.Streams;

/// <summary>
/// Whatever befalls a session, its readers and its daemon: together, what a reader got from one connection after the other is what
/// follows its first cursor, all of it, once, in order, and the same for everybody.
/// </summary>
public sealed class EventHistorySpecs
{
    private const string Daemon = "/session/{id}/events";
    private const string Native = "/v1/sessions/{id}/events";

    /// <summary>Thousands, in minutes.</summary>
    private static bool IsLong => Environment.GetEnvironmentVariable("THOLE_LONG") is "1";

    /// <summary>One history alone, to look at it.</summary>
    private static int? Only => int.TryParse(Environment.GetEnvironmentVariable("THOLE_SEED"), out var seed) ? seed : null;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public Task P6_readers_miss_nothing_and_get_nothing_twice() => TryAsync(0, IsLong ? 10_000 : 300, overSockets: false);

    [Fact]
    public Task P6_readers_miss_nothing_and_get_nothing_twice_over_sockets() =>
        TryAsync(1_000_000, IsLong ? 500 : 30, overSockets: true);

    [Fact]
    public async Task A_dialect_that_drops_one_event_is_noticed()
    {
        var noticed = 0;
        for (var seed = 0; seed < 5; seed++)
        {
            await using var history = await BeginAsync(seed, parts => [Leaking(parts)]);
            await history.RunAsync([Daemon, "/leak/{id}/events"], overSockets: false);
            var wrong = HistoryCheck.Check(history);

            Assert.All(wrong, one => Assert.Contains("/leak/", one, StringComparison.Ordinal));
            noticed += wrong.Count;
        }

        Assert.True(noticed >= 5, $"{noticed} were noticed");
    }

    [Fact]
    public async Task A_frame_that_is_lost_doubled_swapped_or_changed_is_noticed()
    {
        await using var history = await BeginAsync(1);
        await history.RunAsync([Daemon, Native], overSockets: false);
        Assert.Empty(HistoryCheck.Check(history));
        var (log, reader) = (history.Events, history.Readers[^1]);
        var got = reader.Got.ToList();
        Assert.True(got.Count > 3);

        Frame[][] lies =
        [
            [.. got[..1], .. got[2..]],
            [.. got[..2], .. got[1..]],
            [got[1], got[0], .. got[2..]],
            got[..^1].ToArray(),
            [.. got, got[^1] with { Id = got[^1].Id + 1 }],
        ];
        foreach (var lie in lies)
        {
            reader.Got.Clear();
            reader.Got.AddRange(lie);
            Assert.NotEmpty(HistoryCheck.Reader(reader, log));
        }

        Assert.NotEmpty(HistoryCheck.Same([.. got, got[2] with { Text = got[2].Text.Replace("\"", "'") }]));
    }

    private static async Task TryAsync(int first, int count, bool overSockets)
    {
        var failures = new ConcurrentQueue<string>();
        var seeds = Only is { } only ? [only] : Enumerable.Range(first, count);
        await Parallel.ForEachAsync(
            seeds,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Now },
            async (seed, _) =>
            {
                if (failures.Count > 5)
                {
                    return;
                }

                try
                {
                    await using var history = await BeginAsync(seed);
                    await history.RunAsync([Daemon, Native], overSockets).WaitAsync(TimeSpan.FromSeconds(90), Now);
                    foreach (var wrong in HistoryCheck.Check(history))
                    {
                        failures.Enqueue($"THOLE_SEED={seed}: {wrong}");
                    }
                }
                catch (Exception failed) when (failed is not OperationCanceledException)
                {
                    failures.Enqueue($"THOLE_SEED={seed}: {failed}");
                }
            }
        );
        Assert.True(failures.IsEmpty, string.Join(Environment.NewLine, failures));
    }

    private static Task<History> BeginAsync(int seed, Func<DaemonParts, IReadOnlyList<Operation>>? extra = null)
    {
        var options = new HostOptions();
        return History.BeginAsync(
            seed,
            options with
            {
                Sessions = options.Sessions with
                {
                    MaxPendingPrompts = 3,
                    ShutdownGrace = TimeSpan.FromMilliseconds(seed % 3 * 20),
                },
                Extra = extra ?? options.Extra,
            }
        );
    }

    private static Operation Leaking(DaemonParts parts)
    {
        var dialect = new Leak(new DaemonDialect(parts.Live));
        var attendance = new Attendance(parts.ClientKey, TimeSpan.FromMinutes(5), parts.Time, parts.NewId);
        var sessions = new SessionDirectory(parts, attendance);
        return new Operation("GET", "/leak/{id}/events", "leak", Scope.Observe, "Drops one event.")
        {
            Handle = async exchange =>
                await EventRoutes.StreamAsync(
                    exchange,
                    dialect,
                    parts,
                    await sessions.RequireAsync(new SessionId(exchange.Route("id")), exchange.Aborted),
                    sessions,
                    attendance,
                    new Bulletin(parts.Time)
                ),
            Kind = ReplyKind.EventStream,
            Parameters = EventRoutes.StreamParameters,
        };
    }

    /// <summary>Never says the third.</summary>
    private sealed class Leak(StreamDialect whole) : StreamDialect
    {
        public override void WriteWelcome(IBufferWriter<byte> output, Welcome welcome) => whole.WriteWelcome(output, welcome);

        public override void WriteSlow(IBufferWriter<byte> output, Lag lag) => whole.WriteSlow(output, lag);

        public override void WriteNews(IBufferWriter<byte> output, WorkspaceNews news, DateTimeOffset at, string? originator) =>
            whole.WriteNews(output, news, at, originator);

        public override void WriteGoodbye(IBufferWriter<byte> output, SessionId session, string reason, Lag lag) =>
            whole.WriteGoodbye(output, session, reason, lag);

        protected override void Write(IBufferWriter<byte> output, SessionId session, Envelope envelope)
        {
            if (envelope.Sequence != 3)
            {
                output.Write(whole.Of(session, envelope).Span);
            }
        }
    }
}
