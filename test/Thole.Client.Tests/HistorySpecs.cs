using System.Globalization;
using System.Text;
using Thole.Protocol;
using static Thole.Client.Tests.FakeEvents;

namespace Thole.Client.Tests;

/// <summary>Whatever becomes of connections, what a reader gets is 1 to N: no gap, no duplicate, nothing changed.</summary>
public sealed class HistorySpecs
{
    private static readonly int s_histories = Environment.GetEnvironmentVariable("THOLE_LONG") is "1" ? 10_000 : 400;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_union_of_what_a_reader_gets_is_all_of_it_once_and_in_order()
    {
        var first = Environment.GetEnvironmentVariable("THOLE_SEED") is { } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Environment.TickCount;
        History history = null!;
        await using var daemon = new FakeDaemon(request => history.Answer(request));
        var time = new InstantTime();
        using var client = daemon.Connect(time);
        for (var seed = first; seed < first + s_histories; seed++)
        {
            history = new History(new Random(seed));
            try
            {
                var after = history.Begin;
                var read = await client
                    .Runtime.ReadAsync(new SessionId("s"), after, Now)
                    .TakeAsync(history.Count - (int)after)
                    .WaitAsync(TimeSpan.FromSeconds(60), Now);
                Assert.Equal(Enumerable.Range((int)after + 1, history.Count - (int)after).Select(n => (long)n), read.Numbers());
                Assert.All(read, one => Assert.Equal(history.Text(one.Sequence), ((TextPiece)one.Event).Text));
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                Assert.Fail($"THOLE_SEED={seed}: {failed.Message}");
            }
        }
    }

    /// <summary>A log, and a daemon that serves it as badly as daemons, networks and what lies between can.</summary>
    private sealed class History
    {
        private const string Letters = "aé\n\r\t\"\\{}船😀:data \u2028\u0000";

        private readonly Lock _lock = new();
        private readonly Random _random;
        private readonly string[] _texts;

        public History(Random random)
        {
            _random = random;
            _texts =
            [
                .. Enumerable
                    .Range(0, random.Next(1, 60))
                    .Select(_ =>
                        string.Concat(
                            Enumerable.Range(0, random.Next(40)).Select(_ => Letters.EnumerateRunes().ElementAt(random.Next(16)))
                        )
                    ),
            ];
            Begin = random.Next(4) == 0 ? random.Next(Count) : 0;
        }

        public int Count => _texts.Length;

        public long Begin { get; }

        public string Text(long number) => _texts[number - 1];

        public FakeAnswer? Answer(FakeRequest request)
        {
            lock (_lock)
            {
                switch (_random.Next(10))
                {
                    case 0:
                        return null;
                    case 1:
                        return FakeAnswer.Refusal(503, "daemon_draining", headers: "Retry-After: 1\r\n");
                    default:
                        var whole = FakeAnswer.Stream(Events(request.After!.Value), isChunked: _random.Next(3) > 0);
                        return _random.Next(3) == 0
                            ? whole
                            : whole with
                            {
                                CutAt = _random.Next(whole.Bytes.Length),
                                IsReset = _random.Next(2) == 0,
                            };
                }
            }
        }

        private string Events(long after)
        {
            var from = Math.Max(0, after - (_random.Next(4) == 0 ? _random.Next(5) : 0)); // a few that it has
            var to = Math.Min(Count, from + _random.Next(1, 20));
            var events = new StringBuilder("retry: 3000\n\n");
            for (var number = from + 1; number <= to; number++)
            {
                events.Append(Piece(number, Text(number)));
                switch (_random.Next(12))
                {
                    case 0:
                        events.Append(Heartbeat);
                        break;
                    case 1:
                        events.Append(Status(number));
                        break;
                    case 2:
                        events.Append("event: slow\ndata: {\"behind\":300,\"after\":1}\n\n");
                        break;
                    case 3 when number > from + 1:
                        events.Append(Piece(number - 1, Text(number - 1))); // once more
                        break;
                }
            }

            return (_random.Next(3) == 0 ? events.Append(Goodbye("writer_idle_timeout", to)) : events).ToString();
        }
    }
}
