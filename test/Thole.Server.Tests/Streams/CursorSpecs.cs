using Thole.Protocol;
using Thole.Server.Tests.Hosting;

namespace Thole.Server.Tests.Streams;

/// <summary>S61: a cursor is the number of an event of this session, and anything else is said to be none.</summary>
public sealed class CursorSpecs
{
    private static readonly string[] s_none =
    [
        "-1",
        "abc",
        "",
        "1.0",
        "+1",
        "0x1",
        "1e0",
        "1,2",
        "1 2",
        "\u0661",
        "9223372036854775808",
        "18446744073709551616",
        "00000000000000000000000000000000001",
        "undefined",
        "null",
        "NaN",
    ];

    public static TheoryData<string, string> Cursors =>
        new(
            from stream in (string[])["/session/{id}/events", "/v1/sessions/{id}/events"]
            from cursor in (string[])[.. s_none, "FUTURE", "OTHER"]
            select (stream, cursor)
        );

    [Theory]
    [MemberData(nameof(Cursors))]
    public async Task S61_a_cursor_from_nowhere_is_refused_and_never_taken_for_another(string stream, string cursor)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await TurnAsync(host, turns: 1);
        var latest = host.Events(session)[^1].Sequence;
        var other = await TurnAsync(host, turns: 2);
        var named = cursor switch
        {
            "FUTURE" => $"{latest + 1}",
            "OTHER" => $"{host.Events(other)[^1].Sequence}",
            _ => cursor,
        };

        var answer = await host.SendAsync(
            new Request("GET", stream.Replace("{id}", session.Value)) { Headers = [("Last-Event-ID", named)] },
            overSocket: true
        );

        Assert.Equal((400, "invalid_cursor"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("/session/{id}/events")]
    [InlineData("/v1/sessions/{id}/events")]
    public async Task S61_two_cursors_are_none(string stream)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await TurnAsync(host, turns: 1);

        var answer = await host.SendAsync(
            new Request("GET", stream.Replace("{id}", session.Value))
            {
                Headers = [("Last-Event-ID", "1"), ("Last-Event-ID", "2")],
            }
        );

        Assert.Equal((400, "invalid_cursor"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("/session/{id}/events")]
    [InlineData("/v1/sessions/{id}/events")]
    public async Task S61_a_cursor_of_another_epoch_is_refused_however_small_it_is(string stream)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await TurnAsync(host, turns: 1);
        var other = await TurnAsync(host, turns: 1);
        var request = new Request("GET", stream.Replace("{id}", session.Value));

        var answer = await host.SendAsync(
            request with
            {
                Headers = [("Last-Event-ID", "1"), ("X-Qwen-Event-Epoch", other.Value)],
            }
        );
        Assert.Equal((400, "invalid_cursor"), (answer.Status, answer.Code));

        await using var tape = await host.TapeAsync(
            request with
            {
                Headers = [("Last-Event-ID", "1"), ("X-Qwen-Event-Epoch", session.Value)],
            }
        );
        Assert.Equal(2, (await tape.UntilAsync(frame => frame.Id is not null)).Id);
        Assert.Equal(session.Value, tape.Call.Header("X-Qwen-Event-Epoch"));
    }

    [Fact]
    public async Task Zero_is_everything_and_then_the_state_is_told()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await TurnAsync(host, turns: 3);
        var latest = host.Events(session)[^1].Sequence;

        await using var tape = await host.ReadAsync(session, after: 0);
        var snapshot = await tape.UntilAsync("session_snapshot");

        Assert.Equal(host.Events(session).Select(envelope => envelope.Sequence), tape.Numbered.Select(frame => frame.Id!.Value));
        var complete = Assert.Single(tape.Frames, frame => frame.Is("replay_complete"));
        Assert.Null(complete.Id);
        Assert.Equal(latest, complete.Data.GetProperty("replayedCount").GetInt64());
        Assert.Equal(latest, complete.Data.GetProperty("lastReplayedEventId").GetInt64());
        Assert.Null(snapshot.Id);
        Assert.Equal("idle", snapshot.Data.GetProperty("state").GetString());
        Assert.Equal(latest, snapshot.Data.GetProperty("latestEventId").GetInt64());
    }

    [Fact]
    public async Task The_newest_number_replays_nothing_and_says_so()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await TurnAsync(host, turns: 1);

        await using var tape = await host.ReadAsync(session, host.Events(session)[^1].Sequence);
        await tape.UntilAsync("session_snapshot");

        Assert.Equal(["replay_complete", "session_snapshot"], tape.Frames.Select(frame => frame.Type));
        Assert.Equal(0, tape.Frames[0].Data.GetProperty("replayedCount").GetInt64());
    }

    [Fact]
    public async Task Without_a_cursor_only_what_follows_comes_and_no_state_unless_it_is_asked_for()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await TurnAsync(host, turns: 1);
        var latest = host.Events(session)[^1].Sequence;

        await using var bare = await host.ReadAsync(session);
        await using var told = await host.ReadAsync($"/session/{session}/events?snapshot=1");
        (await host.PromptAsync(session, "more")).Expect(202);

        Assert.Equal(latest + 1, (await bare.NextAsync())!.Id);
        Assert.Equal("session_snapshot", (await told.NextAsync())!.Type);
        Assert.Equal(latest + 1, (await told.NextAsync())!.Id);
    }

    [Fact]
    public async Task Whoever_comes_back_in_the_middle_of_a_turn_is_told_that_it_runs()
    {
        var gate = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(Scripts.Waiting(gate.Task));
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "go", "p1")).Expect(202);
        (await host.PromptAsync(session, "then", "p2")).Expect(202);

        await using var tape = await host.ReadAsync(session, after: 1);
        var snapshot = await tape.UntilAsync("session_snapshot");

        Assert.Equal("running", snapshot.Data.GetProperty("state").GetString());
        Assert.Equal("p1", snapshot.Data.GetProperty("promptId").GetString());
        Assert.Equal(1, snapshot.Data.GetProperty("queuedPrompts").GetInt32());
        Assert.Equal(0, snapshot.Data.GetProperty("pendingPermissions").GetArrayLength());
        gate.SetResult();
        await tape.UntilAsync("turn_complete");
    }

    [Fact]
    public async Task A_question_that_is_open_is_asked_again_of_everybody_who_comes_and_knows_it_or_not()
    {
        await using var host = await TestHost.StartAsync(
            Scripts.Calling("change"),
            new HostOptions { Tools = static _ => [new Testing.Sessions.TestTool("change", "changed")] }
        );
        var session = await host.OpenAsync();
        await using var first = await host.ReadAsync(session, after: 0);
        (await host.PromptAsync(session, "go")).Expect(202);
        var asked = await first.UntilAsync("permission_request");
        var request = asked.Data.GetProperty("requestId").GetString()!;

        await using var knows = await host.ReadAsync(session, asked.Id);
        await using var behind = await host.ReadAsync(session, asked.Id - 1);
        await using var live = await host.ReadAsync(session);

        var snapshot = await knows.UntilAsync("session_snapshot");
        Assert.Equal("waiting", snapshot.Data.GetProperty("state").GetString());
        Assert.Equal(request, snapshot.Data.GetProperty("pendingPermissions")[0].GetString());
        foreach (var tape in (SseTape[])[knows, live])
        {
            var again = await tape.UntilAsync("permission_request");
            Assert.Null(again.Id);
            Assert.Equal(request, again.Data.GetProperty("requestId").GetString());
            Assert.Equal("a", again.Data.GetProperty("toolCall").GetProperty("rawInput").GetProperty("path").GetString());
        }

        (await host.VoteAsync(session, request)).Expect(200);
        foreach (var tape in (SseTape[])[first, knows, behind, live])
        {
            await tape.UntilAsync("turn_complete");
            Assert.Single(tape.Frames, frame => frame.Is("permission_request"));
        }

        await using var late = await host.ReadAsync(session, asked.Id);
        await late.UntilAsync("session_snapshot");
        Assert.DoesNotContain(late.Frames, frame => frame.Is("permission_request"));
    }

    [Fact]
    public async Task A_number_that_is_no_number_is_never_a_defect_of_ours()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        foreach (var stream in (string[])["/session/{id}/events", "/v1/sessions/{id}/events"])
        {
            var target = stream.Replace("{id}", session.Value);
            foreach (var much in (string[])["abc", "-1", "0", "15", "2049", "99999999999999999999", ""])
            {
                var answer = await host.SendAsync(new Request("GET", $"{target}?maxQueued={much}"));
                Assert.Equal((400, "invalid_max_queued"), (answer.Status, answer.Code));
            }
        }

        Assert.Empty(host.Log);
    }

    /// <summary>A new session in which so many turns have ended.</summary>
    private static async Task<SessionId> TurnAsync(TestHost host, int turns)
    {
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        for (var turn = 0; turn < turns; turn++)
        {
            (await host.PromptAsync(session, "go")).Expect(202);
            await tape.UntilAsync("turn_complete");
        }

        return session;
    }
}
