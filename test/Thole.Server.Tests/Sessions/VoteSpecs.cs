using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing;

namespace Thole.Server.Tests.Sessions;

/// <summary>Questions over HTTP: who may answer, what becomes of the answer, and what whoever did not decide is told.</summary>
public sealed class VoteSpecs
{
    [Fact]
    public async Task Of_two_who_answer_at_once_one_decides_and_the_other_is_told_who_did_and_what()
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var (ann, bob) = (host.Options.Tokens.Issue("ann"), host.Options.Tokens.Issue("bob"));
        var allowed = 0;
        for (var round = 0; round < 200; round++)
        {
            var session = await host.OpenAsync();
            var request = await host.AskAsync(session);
            var says = round % 2 == 0;

            var votes = await Task.WhenAll(
                Task.Run(() => host.VoteAsync(session, request, says, ann)),
                Task.Run(() => host.VoteAsync(session, request, !says, bob))
            );

            var (won, lost) = votes[0].Status == 200 ? (0, 1) : (1, 0);
            votes[won].Expect(200);
            votes[lost].Expect(404);
            Assert.Equal("permission_not_pending", votes[lost].Code);
            Assert.Equal(won == 0 ? "ann" : "bob", votes[lost].Text("decidedBy"));
            var isAllowed = won == 0 ? says : !says;
            Assert.Equal(isAllowed ? "proceed_once" : "cancel", votes[lost].Text("decision"));
            Assert.Equal(session.Value, votes[lost].Text("sessionId"));
            await host.ToTurnEndAsync(session);
            allowed += isAllowed ? 1 : 0;
            Assert.Single(host.Events(session), envelope => envelope.Event is PermissionAnswered);
        }

        Assert.Equal(allowed, effects.Count);
    }

    [Theory]
    [InlineData(true, "proceed_once")]
    [InlineData(false, "cancel")]
    public async Task Everybody_sees_who_decided_what(bool allow, string option)
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session);

        (await host.VoteAsync(session, request, allow, host.Options.Tokens.Issue("ann"))).Expect(200);

        var frames = await host.ToTurnEndAsync(session);
        var resolved = Assert.Single(frames, frame => frame.Is("permission_resolved")).Data;
        Assert.Equal(request, resolved.GetProperty("requestId").GetString());
        Assert.Equal(option, resolved.GetProperty("outcome").GetProperty("optionId").GetString());
        Assert.Equal("ann", resolved.GetProperty("decidedBy").GetString());
        Assert.Equal(allow ? 1 : 0, effects.Count);
    }

    [Fact]
    public async Task A_question_has_one_address_and_is_asked_for_at_two()
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var session = await host.OpenAsync();
        var other = await host.OpenAsync();
        var request = await host.AskAsync(session);
        var yes = TestHost.VoteBody(allow: true);

        (await host.SendAsync("POST", $"/session/{other}/permission/{request}", yes)).Expect(404);
        (await host.SendAsync("POST", $"/session/{session}/permission/{session}.call_99", yes)).Expect(404);
        (await host.SendAsync("POST", $"/permission/{other}.call_1", yes)).Expect(404);
        (await host.SendAsync("POST", "/permission/nonsense", yes)).Expect(404);
        Assert.Equal(0, effects.Count);

        (await host.SendAsync("POST", $"/permission/{request}", yes)).Expect(200);
        await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);
        var late = (await host.SendAsync("POST", $"/permission/{request}", yes)).Expect(404);
        Assert.Equal(("owner", "proceed_once"), (late.Text("decidedBy"), late.Text("decision")));
    }

    [Theory]
    [InlineData("""{"outcome":{"outcome":"selected","optionId":"proceed_always"}}""", "invalid_option_id")]
    [InlineData("""{"outcome":{"outcome":"selected","optionId":"PROCEED_ONCE"}}""", "invalid_option_id")]
    [InlineData("""{"outcome":{"outcome":"selected","optionId":""}}""", "invalid_outcome")]
    [InlineData("""{"outcome":{"outcome":"selected"}}""", "invalid_outcome")]
    [InlineData("""{"outcome":{"outcome":"selected","optionId":1}}""", "invalid_outcome")]
    [InlineData("""{"outcome":{"outcome":"allowed"}}""", "invalid_outcome")]
    [InlineData("""{"outcome":"selected"}""", "invalid_outcome")]
    [InlineData("""{"outcome":null}""", "invalid_outcome")]
    [InlineData("{}", "invalid_outcome")]
    public async Task A_vote_for_what_was_not_offered_is_none(string vote, string code)
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session);

        var answer = await host.SendAsync("POST", $"/session/{session}/permission/{request}", vote);

        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Single(host.Live.Find(session)!.Questions);
        (await host.VoteAsync(session, request)).Expect(200);
        await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);
    }

    [Fact]
    public async Task S63_a_vote_that_does_not_count_is_refused_and_written_down_with_the_client_that_cast_it()
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var ann = host.Options.Tokens.Issue("ann");
        var session = await host.OpenAsync();
        var other = await host.OpenAsync();
        var hers = await AttachAsync(host, other, ann);
        var ours = await AttachAsync(host, session, TestTokens.Owner);
        var request = await host.AskAsync(session);

        (string Client, string Token, string Request, int Status)[] votes =
        [
            ("client_of_nobody", ann, request, 400), // attached nowhere
            (hers, ann, request, 400), // to another session
            (ours, ann, request, 400), // it is somebody else's
            (ours, TestTokens.Owner, $"{session}.call_77", 404), // of another question
        ];
        foreach (var (client, token, asked, status) in votes)
        {
            host.Log.Clear();
            (await VoteAsync(client, token, asked)).Expect(status);
            Assert.Contains(client, Assert.Single(host.Log), StringComparison.Ordinal);
        }

        Assert.Equal(0, effects.Count);
        (await VoteAsync(ours, TestTokens.Owner, request)).Expect(200);
        host.Log.Clear();
        (await VoteAsync(ours, TestTokens.Owner, request)).Expect(404); // a second one, and late
        Assert.Contains(ours, Assert.Single(host.Log), StringComparison.Ordinal);
        await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);

        Task<Answer> VoteAsync(string client, string token, string asked) =>
            host.SendAsync(
                new Request("POST", $"/session/{session}/permission/{asked}")
                {
                    Body = TestHost.VoteBody(allow: true),
                    Token = token,
                    Headers = [("X-Qwen-Client-Id", client)],
                }
            );
    }

    [Fact]
    public async Task Whoever_may_only_watch_has_no_vote()
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session);

        foreach (var scopes in (Scope[])[Scope.Observe, Scope.Prompt, Scope.Observe | Scope.Prompt])
        {
            var answer = await host.VoteAsync(
                session,
                request,
                token: host.Options.Tokens.Issue($"watcher-{(int)scopes}", scopes)
            );
            Assert.Equal((403, "insufficient_scope"), (answer.Status, answer.Code));
        }

        Assert.Equal(0, effects.Count);
    }

    [Fact]
    public async Task A_question_that_nobody_answers_in_time_is_taken_away_and_the_turn_goes_on()
    {
        var time = new ManualTime();
        var (host, effects) = await AskingHost.StartAsync(options: all =>
            all with
            {
                Time = time,
                PermissionTimeout = TimeSpan.FromMinutes(5),
            }
        );
        await using var _ = host;
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session);
        await time.TimersAsync(2, TestHost.Cancelled); // of the house, of the question

        time.Advance(TimeSpan.FromMinutes(5));

        var frames = await host.ToTurnEndAsync(session);
        var resolved = Assert.Single(frames, frame => frame.Is("permission_resolved")).Data;
        Assert.Equal("cancelled", resolved.GetProperty("outcome").GetProperty("outcome").GetString());
        Assert.Equal("turn_complete", frames[^1].Type);
        Assert.Equal(0, effects.Count);
        var late = (await host.VoteAsync(session, request)).Expect(404);
        Assert.Equal(("runtime", "cancelled"), (late.Text("decidedBy"), late.Text("decision")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_question_survives_the_daemon_and_its_tool_runs_once(bool kill)
    {
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session);

        await host.RestartAsync(kill);
        await host.RestartAsync(!kill);

        await using var tape = await host.ReadAsync(session, after: 0);
        var snapshot = await tape.UntilAsync("session_snapshot");
        Assert.Equal("waiting", snapshot.Data.GetProperty("state").GetString());
        Assert.Equal(request, snapshot.Data.GetProperty("pendingPermissions")[0].GetString());
        (await host.VoteAsync(session, request)).Expect(200);
        await tape.UntilAsync("turn_complete");
        Assert.Equal(1, effects.Count);
        Assert.Single(tape.Numbered, frame => frame.Is("permission_request"));
    }

    [Fact]
    public async Task P5_whenever_the_daemon_dies_after_an_answer_the_tool_has_run_once_at_most()
    {
        var random = new Random(7);
        var (host, effects) = await AskingHost.StartAsync();
        await using var _ = host;
        for (var round = 0; round < 100; round++)
        {
            var session = await host.OpenAsync();
            var request = await host.AskAsync(session);
            var before = effects.Count;
            var vote = host.VoteAsync(session, request);
            for (var pause = random.Next(12); pause > 0; pause--)
            {
                await Task.Yield();
            }

            await host.RestartAsync(kill: true);
            var answer = await vote;
            if (answer.Status == 0)
            {
                answer = await host.VoteAsync(session, request); // not answered: asked again
            }

            Assert.True(answer.Status == 200 || answer is { Status: 404, Code: "permission_not_pending" }, $"{answer.Status}");
            var frames = await host.ToTurnEndAsync(session);
            Assert.InRange(effects.Count - before, 0, 1);
            Assert.Single(host.Events(session), envelope => envelope.Event is PermissionAnswered);
            Assert.True(
                effects.Count - before == 1 || frames[^1].Is("turn_error"),
                $"round {round}: it did not run, and the turn says {frames[^1].Text}"
            );
        }
    }

    private static async Task<string> AttachAsync(TestHost host, SessionId session, string token)
    {
        var loaded = await host.SendAsync(new Request("POST", $"/session/{session}/load") { Body = "{}", Token = token });
        return loaded.Expect(200).Text("clientId")!;
    }
}
