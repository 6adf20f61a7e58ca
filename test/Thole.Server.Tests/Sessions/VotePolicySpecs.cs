using System.Net;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;

namespace Thole.Server.Tests.Sessions;

/// <summary>Who decides, by each policy, and that identities are counted and not connections.</summary>
public sealed class VotePolicySpecs
{
    [Fact]
    public async Task Where_whoever_sent_the_prompt_decides_nobody_else_does_and_from_any_of_their_clients()
    {
        var (host, effects) = await StartAsync(VotePolicy.Designated);
        await using var _ = host;
        var (ann, bob) = (host.Options.Tokens.Issue("ann"), host.Options.Tokens.Issue("bob"));
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session, ann);

        foreach (var token in (string[])[bob, TestTokens.Owner])
        {
            var refused = await host.VoteAsync(session, request, token: token);
            Assert.Equal((403, "permission_forbidden"), (refused.Status, refused.Code));
            Assert.Equal("designated_mismatch", refused.Text("reason"));
        }

        Assert.Equal(0, effects.Count);
        var loaded = await host.SendAsync(new Request("POST", $"/session/{session}/load") { Body = "{}", Token = ann });
        var vote = new Request("POST", $"/session/{session}/permission/{request}")
        {
            Body = TestHost.VoteBody(allow: true),
            Token = ann,
            Headers = [("X-Qwen-Client-Id", loaded.Expect(200).Text("clientId")!)],
        };
        (await host.SendAsync(vote)).Expect(200);
        var frames = await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);
        var forbidden = frames.Where(frame => frame.Is("permission_forbidden")).ToList();
        Assert.Equal(["bob", "owner"], forbidden.Select(frame => frame.Data.GetProperty("identity").GetString()));
        Assert.All(forbidden, frame => Assert.NotNull(frame.Id)); // every vote is recorded
    }

    [Fact]
    public async Task A_majority_is_one_of_identities_and_ten_windows_of_one_have_one_vote()
    {
        var (host, effects) = await StartAsync(VotePolicy.Consensus);
        await using var _ = host;
        string[] tokens = [.. ((string[])["ann", "bob", "cid"]).Select(name => host.Options.Tokens.Issue(name))];
        var session = await host.OpenAsync();
        await host.AttendAsync(session, tokens);
        List<SseTape> windows = [];
        List<string> clients = [];
        for (var number = 0; number < 10; number++)
        {
            var loaded = await host.SendAsync(new Request("POST", $"/session/{session}/load") { Body = "{}", Token = tokens[0] });
            clients.Add(loaded.Expect(200).Text("clientId")!);
            windows.Add(await host.TapeAsync(Window(tokens[0], clients[^1])));
        }

        var request = await host.AskAsync(session, tokens[1]);
        foreach (var client in clients)
        {
            var vote = new Request("POST", $"/session/{session}/permission/{request}")
            {
                Body = TestHost.VoteBody(allow: true),
                Token = tokens[0],
                Headers = [("X-Qwen-Client-Id", client)],
            };
            (await host.SendAsync(vote)).Expect(200);
        }

        Assert.Equal(0, effects.Count);
        Assert.Equal([("ann", true)], host.Live.Find(session)!.Questions[0].Votes.Select(vote => (vote.Key, vote.Value)));
        (await host.VoteAsync(session, request, token: tokens[1])).Expect(200);
        Assert.Equal(0, effects.Count);
        (await host.VoteAsync(session, request, token: tokens[2])).Expect(200);
        var frames = await host.ToTurnEndAsync(session);

        Assert.Equal(1, effects.Count);
        var asked = frames.First(frame => frame.Is("permission_request")).Data;
        Assert.Equal(("consensus", 3), (asked.GetProperty("policy").GetString(), asked.GetProperty("quorum").GetInt32()));
        Assert.Equal(
            [1, 2], // what is said again is not told again
            frames
                .Where(frame => frame.Is("permission_partial_vote"))
                .Select(frame => frame.Data.GetProperty("votesReceived").GetInt32())
        );
        foreach (var window in windows)
        {
            await window.DisposeAsync();
        }

        Request Window(string token, string client) =>
            new("GET", $"/session/{session}/events") { Token = token, Headers = [("X-Qwen-Client-Id", client)] };
    }

    [Fact]
    public async Task Nobody_joins_to_change_a_majority_and_whoever_may_only_watch_or_is_no_more_is_not_counted()
    {
        var (host, effects) = await StartAsync(VotePolicy.Consensus);
        await using var _ = host;
        var tokens = host.Options.Tokens;
        var (ann, bob, gone) = (tokens.Issue("ann"), tokens.Issue("bob"), tokens.Issue("gone"));
        var session = await host.OpenAsync();
        await host.AttendAsync(session, ann, bob, gone, tokens.Issue("watcher", Scope.Observe | Scope.Prompt));
        tokens.Revoke(gone);
        var request = await host.AskAsync(session, ann);

        var voters = host.Live.Find(session)!.Questions[0].Request.Election!.Voters;
        Assert.Equal(["ann", "bob", "owner"], voters);
        var late = await host.VoteAsync(session, request, token: tokens.Issue("dan"));
        Assert.Equal((403, "not_a_voter"), (late.Status, late.Text("reason")));
        (await host.VoteAsync(session, request, allow: false, ann)).Expect(200);
        (await host.VoteAsync(session, request, allow: false, ann)).Expect(200); // sent again: it was counted, once
        var changed = await host.VoteAsync(session, request, allow: true, ann); // the first one stands
        Assert.Equal((403, "permission_forbidden", "already_voted"), (changed.Status, changed.Code, changed.Text("reason")));
        (await host.VoteAsync(session, request, allow: true, bob)).Expect(200);
        Assert.Single(host.Live.Find(session)!.Questions);
        (await host.VoteAsync(session, request, allow: true)).Expect(200);
        await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);
    }

    [Fact]
    public async Task A_tie_is_told_to_everybody_as_cancelled_with_its_reason_in_the_log()
    {
        var (host, effects) = await StartAsync(VotePolicy.Consensus);
        await using var _ = host;
        var ann = host.Options.Tokens.Issue("ann");
        var session = await host.OpenAsync();
        await host.AttendAsync(session, ann);
        var request = await host.AskAsync(session);
        (await host.VoteAsync(session, request, allow: true)).Expect(200);

        (await host.VoteAsync(session, request, allow: false, ann)).Expect(200);

        var frames = await host.ToTurnEndAsync(session);
        Assert.Equal("turn_complete", frames[^1].Type);
        var resolved = frames.Single(frame => frame.Is("permission_resolved")).Data;
        Assert.Equal("cancelled", resolved.GetProperty("outcome").GetProperty("outcome").GetString());
        Assert.Equal("runtime", resolved.GetProperty("decidedBy").GetString());
        Assert.Equal(2, frames.Count(frame => frame.Is("permission_partial_vote")));
        var settled = host.Events(session).Select(envelope => envelope.Event).OfType<PermissionAnswered>().Single();
        Assert.Contains("1 for it, 1 against it", settled.Reason);
        Assert.Equal(0, effects.Count);
        var late = (await host.VoteAsync(session, request, allow: true, ann)).Expect(404);
        Assert.Equal(("runtime", "cancelled"), (late.Text("decidedBy"), late.Text("decision")));
    }

    [Fact]
    public async Task A_vote_counts_on_after_the_daemon_died()
    {
        var (host, effects) = await StartAsync(VotePolicy.Consensus);
        await using var _ = host;
        var (ann, bob) = (host.Options.Tokens.Issue("ann"), host.Options.Tokens.Issue("bob"));
        var session = await host.OpenAsync();
        await host.AttendAsync(session, ann, bob);
        var request = await host.AskAsync(session);
        (await host.VoteAsync(session, request, token: ann)).Expect(200);

        await host.RestartAsync(kill: true);

        (await host.VoteAsync(session, request, token: ann)).Expect(200);
        Assert.Equal(0, effects.Count);
        (await host.VoteAsync(session, request, token: bob)).Expect(200);
        await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);
    }

    [Theory]
    [InlineData("10.0.0.9", false)]
    [InlineData("::ffff:10.0.0.9", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.2", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    public async Task Where_only_this_machine_decides_nobody_else_does(string from, bool isHere)
    {
        var (host, effects) = await StartAsync(VotePolicy.LocalOnly);
        await using var _ = host;
        var session = await host.OpenAsync();
        var request = await host.AskAsync(session);
        var vote = new Request("POST", $"/session/{session}/permission/{request}")
        {
            Body = TestHost.VoteBody(allow: true),
            From = IPAddress.Parse(from),
        };

        var answer = await host.SendAsync(vote);

        if (!isHere)
        {
            Assert.Equal((403, "remote_not_allowed"), (answer.Status, answer.Text("reason")));
            Assert.Equal(0, effects.Count);
            answer = await host.VoteAsync(session, request);
        }

        answer.Expect(200);
        await host.ToTurnEndAsync(session);
        Assert.Equal(1, effects.Count);
    }

    [Theory]
    [InlineData(VotePolicy.Designated)]
    [InlineData(VotePolicy.Consensus)]
    [InlineData(VotePolicy.LocalOnly)]
    public async Task Anybody_who_may_approve_may_take_a_question_away(VotePolicy policy)
    {
        var (host, effects) = await StartAsync(policy);
        await using var _ = host;
        var (ann, bob) = (host.Options.Tokens.Issue("ann"), host.Options.Tokens.Issue("bob"));
        var session = await host.OpenAsync();
        await host.AttendAsync(session, ann);
        var request = await host.AskAsync(session, ann);
        var vote = new Request("POST", $"/session/{session}/permission/{request}")
        {
            Body = """{"outcome":{"outcome":"cancelled"}}""",
            Token = bob,
            From = IPAddress.Parse("10.0.0.9"),
        };

        (await host.SendAsync(vote)).Expect(200);

        var frames = await host.ToTurnEndAsync(session);
        var resolved = frames.Single(frame => frame.Is("permission_resolved")).Data;
        Assert.Equal("cancelled", resolved.GetProperty("outcome").GetProperty("outcome").GetString());
        Assert.Equal("bob", resolved.GetProperty("decidedBy").GetString());
        Assert.Equal(0, effects.Count);
    }

    private static Task<(TestHost Host, AskingHost.Counter Effects)> StartAsync(VotePolicy policy) =>
        AskingHost.StartAsync(sessions => sessions with { PermissionPolicy = policy });
}
