using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing;

namespace Thole.Server.Tests.Streams;

/// <summary>How long a stream lasts, and how many there may be.</summary>
public sealed class AttendingSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/session/{id}/events")]
    [InlineData("/v1/sessions/{id}/events")]
    public async Task A_stream_on_which_nothing_happens_shows_that_it_lives(string stream)
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), Options(time));
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(stream.Replace("{id}", session.Value), after: 0);
        await tape.UntilAsync(frame => frame.Is("session_snapshot") || frame.Is("status"));
        await time.TimersAsync(3, Now); // of the house, of the token, of the heart

        for (var beat = 0; beat < 4; beat++)
        {
            time.Advance(host.Options.Sessions.Heartbeat);
            Assert.Equal("heartbeat", (await tape.NextAsync())!.Text);
        }

        time.Advance(host.Options.Sessions.Heartbeat - TimeSpan.FromSeconds(1));
        (await host.PromptAsync(session, "go")).Expect(202);
        Assert.NotNull((await tape.NextAsync())!.Id); // no beat before its time
    }

    [Theory]
    [InlineData("/session/{id}/events", "stream_closed")]
    [InlineData("/v1/sessions/{id}/events", "goodbye")]
    public async Task A_token_that_is_revoked_ends_the_streams_it_had_opened_and_no_other(string stream, string goodbye)
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), Options(time));
        var session = await host.OpenAsync();
        var token = host.Options.Tokens.Issue("ann", Scope.Observe);
        var target = stream.Replace("{id}", session.Value);
        await using var hers = await host.TapeAsync(new Request("GET", $"{target}?snapshot") { Token = token });
        await hers.NextAsync();
        await using var ours = await host.ReadAsync(target, after: 0);

        host.Options.Tokens.Revoke(token);
        time.Advance(TimeSpan.FromSeconds(1));

        await hers.UntilAsync(goodbye);
        Assert.Null(await hers.NextAsync());
        Assert.Contains("token_revoked", hers.Frames[^1].Text, StringComparison.Ordinal);
        (await host.PromptAsync(session, "go")).Expect(202);
        await ours.UntilAsync(frame => frame.Id == 4);
        Assert.Equal(401, (await host.SendAsync(new Request("GET", target) { Token = token })).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_tells_every_reader_and_whoever_comes_back_goes_on_where_it_was(bool overSockets)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        await using var daemon = await host.ReadAsync(session, after: 0, overSockets);
        await using var native = await host.ReadAsync($"/v1/sessions/{session}/events", after: 0, overSockets);
        (await host.PromptAsync(session, "go")).Expect(202);
        await daemon.UntilAsync("turn_complete");
        await native.UntilAsync(frame => frame.Text.Contains("turn_ended", StringComparison.Ordinal));

        await host.RestartAsync();

        var evicted = await daemon.UntilAsync("stream_closed");
        Assert.Equal("daemon_shutdown", evicted.Data.GetProperty("reason").GetString());
        Assert.Equal(daemon.Last, evicted.Data.GetProperty("droppedAfter").GetInt64());
        Assert.Null(await daemon.NextAsync());
        var goodbye = await native.UntilAsync("goodbye");
        Assert.Equal(native.Last, goodbye.Json.GetProperty("after").GetInt64());
        Assert.Null(await native.NextAsync());

        await using var back = await host.ReadAsync(session, daemon.Last, overSockets);
        (await host.PromptAsync(session, "more")).Expect(202);
        Assert.Equal(daemon.Last + 1, (await back.UntilAsync(frame => frame.Id is not null)).Id);
        Assert.Empty(host.Log);
    }

    [Fact]
    public async Task The_sixty_fifth_reader_is_refused_until_another_leaves()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        var readers = new List<SseTape>();
        for (var number = 0; number < 64; number++)
        {
            readers.Add(await host.ReadAsync(session));
        }

        var refused = await host.SendAsync("GET", $"/session/{session}/events");
        Assert.Equal((429, "subscriber_limit_exceeded"), (refused.Status, refused.Code));
        Assert.Equal(64, refused.Json.GetProperty("limit").GetInt32());
        Assert.Equal("5", refused.Header("Retry-After"));
        Assert.Equal(429, (await host.SendAsync("GET", $"/v1/sessions/{session}/events")).Status);

        await readers[0].DisposeAsync();
        await using var next = await host.ReadAsync(session);
        Assert.Equal(200, next.Status);
        Assert.Equal(200, (await host.ReadAsync(await host.OpenAsync())).Status); // each session has its own
        foreach (var reader in readers)
        {
            await reader.DisposeAsync();
        }
    }

    [Fact]
    public async Task Of_readers_who_come_at_once_no_more_than_the_limit_get_in()
    {
        var options = new HostOptions();
        await using var host = await TestHost.StartAsync(
            Scripts.Saying(),
            options with
            {
                Sessions = options.Sessions with { MaxReadersPerSession = 8 },
            }
        );
        for (var round = 0; round < 50; round++)
        {
            var session = await host.OpenAsync();
            var tapes = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => Task.Run(() => host.ReadAsync(session))));

            Assert.Equal(8, tapes.Count(tape => tape.Status == 200));
            await Task.WhenAll(tapes.Select(tape => tape.DisposeAsync().AsTask()));
        }
    }

    [Fact]
    public async Task A_session_that_is_closed_ends_its_streams_with_the_word_for_it()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        await using var daemon = await host.ReadAsync(session, after: 0);
        await using var native = await host.ReadAsync($"/v1/sessions/{session}/events", after: 0);
        await native.UntilAsync("status");

        (await host.SendAsync("DELETE", $"/session/{session}")).Expect(204);

        Assert.Equal("session_closed", (await daemon.ToEndAsync())[^1].Type);
        Assert.Contains("session_closed", (await native.ToEndAsync())[^1].Text, StringComparison.Ordinal);
        (await host.SendAsync("GET", $"/session/{session}/events")).Expect(404);

        (await host.SendAsync("POST", $"/session/{session}/load", "{}")).Expect(200);
        await using var again = await host.ReadAsync(session, after: 0);
        await again.UntilAsync("session_snapshot");
        Assert.DoesNotContain(again.Frames, frame => frame.Is("session_closed")); // it is not: no reader may take it for the end
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_as_large_as_a_prompt_may_be_comes_whole(bool overSockets)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        var text = string.Concat(Enumerable.Range(0, 1_000_000).Select(number => $"{number}\n"));
        await using var live = await host.ReadAsync(session, after: 0, overSockets);
        await using var native = await host.ReadAsync($"/v1/sessions/{session}/events", after: 0, overSockets);
        var reading = Task.WhenAll(live.UntilAsync(frame => frame.Id == 2), native.UntilAsync(frame => frame.Id == 2));

        (await host.PromptAsync(session, text)).Expect(202);

        var frames = await reading;
        Assert.Equal(text, frames[0].Data.GetProperty("update").GetProperty("content").GetProperty("text").GetString());
        Assert.Equal(text, frames[1].Json.GetProperty("event").GetProperty("content")[0].GetProperty("text").GetString());
        await using var later = await host.ReadAsync(session, after: 1, overSockets);
        Assert.Equal(frames[0], await later.UntilAsync(frame => frame.Id == 2));
    }

    private static HostOptions Options(ManualTime time) => new() { Time = time };
}
