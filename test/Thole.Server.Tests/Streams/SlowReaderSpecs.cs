using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing;

namespace Thole.Server.Tests.Streams;

/// <summary>P14, S60: whoever reads slowly hurts only themselves, and whoever keeps up is never dropped.</summary>
public sealed class SlowReaderSpecs
{
    private const int Chunks = 20_000;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task S60_a_reader_that_never_reads_is_held_little_for_closed_in_time_and_resumes_without_a_loss()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(
            Scripts.Counting(Chunks),
            new HostOptions { Time = time, Window = 4_096 }
        );
        var session = await host.OpenAsync();
        await using var stuck = await host.ReadAsync(session, after: 0);
        await ReadByOthersAsync(host, session);

        var call = (MemoryCall)stuck.Call;
        Assert.InRange(call.Waiting, 1, 64 * 1024);
        Assert.False(call.Served.IsCompleted);
        await time.TimersAsync(4, Now); // of the house, of the token, of the heart, of its patience
        time.Advance(host.Options.Sessions.WriterTimeout);
        await time.TimersAsync(4, Now); // of its last chance
        time.Advance(TimeSpan.FromSeconds(2));
        await call.Served.WaitAsync(Now);
        Assert.True(call.IsCut);

        await ResumeAsync(host, session, stuck);
        Assert.Empty(host.Log);
    }

    [Fact]
    public async Task S60_one_that_reads_again_at_the_last_moment_hears_where_to_go_on()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(
            Scripts.Counting(Chunks),
            new HostOptions { Time = time, Window = 4_096 }
        );
        var session = await host.OpenAsync();
        await using var stuck = await host.ReadAsync(session, after: 0);
        await ReadByOthersAsync(host, session);

        await time.TimersAsync(4, Now);
        time.Advance(host.Options.Sessions.WriterTimeout);
        await stuck.ToEndAsync();

        var evicted = stuck.Frames[^1];
        Assert.Equal(("client_evicted", null), (evicted.Type, evicted.Id));
        Assert.Equal("writer_idle_timeout", evicted.Data.GetProperty("reason").GetString());
        Assert.Equal(stuck.Last, evicted.Data.GetProperty("droppedAfter").GetInt64());
        Assert.False(((MemoryCall)stuck.Call).IsCut);
        await ResumeAsync(host, session, stuck);
    }

    [Fact]
    public async Task A_reader_that_fell_behind_and_comes_back_is_warned_once_and_misses_nothing()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(
            Scripts.Counting(2_000),
            new HostOptions { Time = time, Window = 4_096 }
        );
        var session = await host.OpenAsync();
        await using var slow = await host.ReadAsync(session, after: 0);
        await ReadByOthersAsync(host, session);

        await time.TimersAsync(4, Now);
        time.Advance(TimeSpan.FromSeconds(1));
        await slow.UntilAsync("turn_complete");

        var warning = Assert.Single(slow.Frames, frame => frame.Is("slow_client_warning"));
        Assert.Null(warning.Id);
        Assert.Equal(256, warning.Data.GetProperty("maxQueued").GetInt32());
        Assert.True(warning.Data.GetProperty("queueSize").GetInt64() >= 192);
        Assert.DoesNotContain(slow.Frames, frame => frame.Is("client_evicted"));
        Assert.Equal(Numbers(host, session), slow.Numbered.Select(frame => frame.Id!.Value));
    }

    [Fact]
    public async Task P14_of_fifty_readers_that_keep_up_none_is_dropped_or_warned()
    {
        await using var host = await TestHost.StartAsync(Scripts.Counting(2_000));
        var session = await host.OpenAsync();
        var tapes = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(number =>
                    host.ReadAsync(
                        number % 2 == 0 ? $"/session/{session}/events" : $"/v1/sessions/{session}/events",
                        after: 0,
                        overSocket: true
                    )
                )
        );

        (await host.PromptAsync(session, "count")).Expect(202);
        await Task.WhenAll(tapes.Select(tape => Task.Run(() => tape.UntilAsync(IsEnd))));

        foreach (var tape in tapes)
        {
            Assert.Equal(Numbers(host, session), tape.Numbered.Select(frame => frame.Id!.Value));
            Assert.DoesNotContain(
                tape.Frames,
                frame => frame.Type is "slow_client_warning" or "client_evicted" or "slow" or "goodbye"
            );
            await tape.DisposeAsync();
        }
    }

    /// <summary>A whole turn while somebody is stuck; those who read get all of it.</summary>
    private static async Task ReadByOthersAsync(TestHost host, SessionId session, bool overSockets = false)
    {
        await using var daemon = await host.ReadAsync(session, after: 0, overSockets);
        await using var native = await host.ReadAsync($"/v1/sessions/{session}/events", after: 0, overSockets);
        (await host.PromptAsync(session, "count")).Expect(202);
        await Task.WhenAll(Task.Run(() => daemon.UntilAsync(IsEnd)), Task.Run(() => native.UntilAsync(IsEnd)));

        Assert.Equal(Numbers(host, session), daemon.Numbered.Select(frame => frame.Id!.Value));
        Assert.Equal(Numbers(host, session), native.Numbered.Select(frame => frame.Id!.Value));
    }

    /// <summary>What is still in a connection that was cut is read; then the cursor does the rest.</summary>
    private static async Task ResumeAsync(TestHost host, SessionId session, SseTape stuck)
    {
        await stuck.ToEndAsync();
        await using var back = await host.ReadAsync(session, stuck.Last ?? 0);
        await back.UntilAsync("session_snapshot");

        Assert.Equal(Numbers(host, session), stuck.Numbered.Concat(back.Numbered).Select(frame => frame.Id!.Value));
    }

    private static bool IsEnd(Frame frame) =>
        frame.Is("turn_complete") || (frame.Is("event") && frame.Text.Contains("\"turn_ended\"", StringComparison.Ordinal));

    private static IEnumerable<long> Numbers(TestHost host, SessionId session) =>
        host.Events(session).Select(envelope => envelope.Sequence);
}
