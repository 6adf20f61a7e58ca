using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Permissions;

/// <summary>Votes on an open question, through the door.</summary>
public sealed class ElectionSpecs
{
    private static readonly Election s_consensus = new(VotePolicy.Consensus, Quorum: 2, ["ann", "bob", "cid"]);

    [Fact]
    public async Task A_question_says_who_decides_it_and_the_majority_does()
    {
        var tool = new TestTool("rm", "gone");
        await using var session = await AskingAsync(tool, static (_, _) => s_consensus);
        var call = await session.AskedAsync();
        Assert.Equal(s_consensus, session.Status.Questions.Single().Request.Election);

        var first = await session.AnswerAsync(call, by: "ann/phone");
        var second = await session.AnswerAsync(call, allow: false, by: "bob");
        Assert.Equal([("ann", true), ("bob", false)], Votes(session));
        await session.AnswerAsync(call, by: "cid");
        await session.UntilAsync<TurnEnded>();

        Assert.Equal((null, null), (first.Refusal, second.Refusal));
        var answered = session.Log.Envelopes.Single(envelope => envelope.Event is PermissionAnswered);
        Assert.Equal(new Actor("cid"), answered.Actor);
        Assert.Equal(1, tool.Runs);
        Assert.Empty(session.Status.Questions);
    }

    [Fact]
    public async Task A_vote_that_does_not_count_is_recorded_said_to_whoever_cast_it_and_settles_nothing()
    {
        var tool = new TestTool("rm", "gone");
        await using var session = await AskingAsync(tool, static (_, _) => s_consensus);
        var call = await session.AskedAsync();

        var receipt = await session.AnswerAsync(call, by: "dan");

        var refused = session.Log.Envelopes.Single(envelope => envelope.Event is VoteRefused);
        Assert.Equal(new Receipt(refused.Sequence, null, refused.Sequence, "not_a_voter"), receipt);
        Assert.Equal(new Actor("dan"), refused.Actor);
        Assert.Empty(Votes(session));
        Assert.Equal(call, session.Status.Questions.Single().Call.Id);
        Assert.Equal(0, tool.Runs);
    }

    [Fact]
    public async Task Who_decides_is_asked_of_the_session_and_of_whoever_began_the_turn()
    {
        List<(SessionId Session, Actor Asker)> asked = [];
        var model = new ScriptedModel()
            .Step(step => step.Call("rm"))
            .Step(step => step.Text("one"))
            .Step(step => step.Call("rm"))
            .Step(step => step.Text("two"));
        await using var session = await TestSession.OpenAsync(
            model,
            [new TestTool("rm", "gone")],
            new TestOptions
            {
                Verdict = Verdict.Ask,
                Elect = (id, asker) =>
                {
                    asked.Add((id, asker));
                    return new Election(VotePolicy.Designated, 1, [], asker.Identity);
                },
            }
        );

        await session.SubmitAsync(Prompt("p1"), new Actor("ann/desk"));
        await session.SubmitAsync(Prompt("p2"), new Actor("bob")); // it waits, and is bob's all the same
        var first = await session.AskedAsync();
        Assert.Equal("designated_mismatch", (await session.AnswerAsync(first, by: "bob")).Refusal);
        await session.AnswerAsync(first, by: "ann");
        var second = await session.AskedAsync(times: 2);
        Assert.Equal("designated_mismatch", (await session.AnswerAsync(second, by: "ann")).Refusal);
        await session.AnswerAsync(second, by: "bob");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal([(session.Id, new Actor("ann/desk")), (session.Id, new Actor("bob"))], asked);
    }

    [Fact]
    public async Task An_election_is_fixed_when_it_is_asked_and_its_votes_outlive_the_process()
    {
        var voters = s_consensus;
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool, (_, _) => voters, new SessionRules(KeepsQuestions: true));
        var call = await first.AskedAsync();
        await first.AnswerAsync(call, by: "ann");

        voters = new Election(VotePolicy.FirstResponder, 1, []);
        await using var next = await first.RestartAsync(new ScriptedModel().Step(step => step.Text("done")));

        Assert.Equal(s_consensus.Voters, next.Status.Questions.Single().Request.Election!.Voters);
        Assert.Equal([("ann", true)], Votes(next));
        Assert.Equal("not_a_voter", (await next.AnswerAsync(call, by: "dan")).Refusal);
        await next.AnswerAsync(call, by: "bob");
        await next.UntilAsync<TurnEnded>();
        Assert.Equal(1, tool.Runs);
        Assert.Single(next.Log.Events.OfType<PermissionRequested>());
    }

    [Fact]
    public async Task A_vote_after_the_decision_is_late_and_changes_nothing()
    {
        var gate = new TaskCompletionSource<ToolResult>();
        await using var session = await AskingAsync(new TestTool("rm", (_, _) => gate.Task), static (_, _) => s_consensus);
        var call = await session.AskedAsync();
        await session.AnswerAsync(call, allow: false, by: "ann");
        var deciding = await session.AnswerAsync(call, allow: false, by: "bob");

        var late = await session.AnswerAsync(call, by: "cid");

        Assert.Equal((0, null), (late.First, late.Refusal));
        Assert.True(late.Sequence >= deciding.Sequence);
        Assert.Single(session.Log.Events.OfType<PermissionVoted>());
    }

    [Fact]
    public async Task Of_twenty_who_vote_at_once_one_decides_and_every_vote_is_counted_or_late()
    {
        string[] voters = [.. Enumerable.Range(0, 20).Select(number => $"voter{number}")];
        var election = new Election(VotePolicy.Consensus, Quorum: 11, voters);
        for (var round = 0; round < 200; round++)
        {
            var tool = new TestTool("rm", "gone");
            await using var session = await AskingAsync(tool, (_, _) => election);
            var call = await session.AskedAsync();
            var no = round % 10; // of twenty at least eleven say yes

            var receipts = await Task.WhenAll(
                voters.Select((voter, index) => Task.Run(() => session.AnswerAsync(call, index >= no, voter)))
            );
            await session.UntilAsync<TurnEnded>();

            var decided = session.Log.Envelopes.Single(envelope => envelope.Event is PermissionAnswered);
            Assert.True(((PermissionAnswered)decided.Event).Allow);
            Assert.Equal(1, tool.Runs);
            var votes = session.Log.Envelopes.Where(envelope => envelope.Event is PermissionVoted or PermissionAnswered).ToList();
            Assert.Equal(votes.Count, votes.Select(vote => vote.Actor.Identity).Distinct().Count());
            Assert.Equal(votes.Select(vote => vote.Sequence), receipts.Select(one => one.First).Where(one => one > 0).Order());
            Assert.All(receipts.Where(one => one.First == 0), late => Assert.True(late.Sequence >= decided.Sequence));
            Assert.DoesNotContain(session.Log.Events, happened => happened is VoteRefused);
        }
    }

    [Fact]
    public async Task A_tie_ends_the_question_with_the_last_vote_and_the_log_says_why()
    {
        var tool = new TestTool("rm", "gone");
        var election = new Election(VotePolicy.Consensus, Quorum: 2, ["ann", "bob"]);
        await using var session = await AskingAsync(tool, (_, _) => election);
        var call = await session.AskedAsync();

        await session.AnswerAsync(call, by: "ann");
        Assert.Single(session.Status.Questions);
        var last = await session.AnswerAsync(call, allow: false, by: "bob");
        await session.UntilAsync<TurnEnded>();

        Assert.Null(last.Refusal);
        Assert.Equal(
            ["ann", "bob"],
            session.Log.Envelopes.Where(envelope => envelope.Event is PermissionVoted).Select(envelope => envelope.Actor.Identity)
        );
        var settled = session.Log.Envelopes.Single(envelope => envelope.Event is PermissionAnswered);
        Assert.Equal(Actor.Runtime, settled.Actor); // nobody decided it
        var answer = (PermissionAnswered)settled.Event;
        Assert.Equal((false, true), (answer.Allow, answer.Cancelled));
        Assert.Contains("1 for it, 1 against it", answer.Reason);
        Assert.Equal(0, tool.Runs);
        Assert.Equal(CallOutcome.Refused, session.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Fact]
    public async Task A_vote_that_is_sent_again_is_acknowledged_as_the_first_time_and_written_once()
    {
        await using var session = await AskingAsync(new TestTool("rm", "gone"), static (_, _) => s_consensus);
        var call = await session.AskedAsync();

        var first = await session.AnswerAsync(call, by: "ann/desk");
        var again = await session.AnswerAsync(call, by: "ann/phone");
        var other = await session.AnswerAsync(call, allow: false, by: "ann/desk");

        Assert.Equal((first.First, null), (again.First, again.Refusal));
        Assert.Equal("already_voted", other.Refusal);
        Assert.Single(session.Log.Events.OfType<PermissionVoted>());
        Assert.Equal([("ann", true)], Votes(session));
    }

    [Fact]
    public async Task A_tie_that_an_earlier_process_left_open_ends_when_the_session_is_opened()
    {
        var tool = new TestTool("rm", "gone");
        var election = new Election(VotePolicy.Consensus, Quorum: 2, ["ann", "bob"]);
        await using var first = await AskingAsync(tool, (_, _) => election, new SessionRules(KeepsQuestions: true));
        var call = await first.AskedAsync();
        await first.AnswerAsync(call, by: "ann");
        var log = first.Log;
        await first.DisposeAsync();
        await log.AppendAsync(
            [new Envelope(log.Next, default, new Actor("bob"), new PermissionVoted(call, Allow: false, 1, 1, 2))],
            durable: true,
            TestContext.Current.CancellationToken
        );

        await using var next = await first.RestartAsync(new ScriptedModel().Step(step => step.Text("done")));
        await next.UntilAsync<TurnEnded>();

        Assert.True(next.Log.Events.OfType<PermissionAnswered>().Single().Cancelled);
        Assert.Equal(0, tool.Runs);
    }

    [Fact]
    public void Whoever_votes_how_often_and_for_what_each_has_one_vote_and_the_end_comes_with_the_vote_that_settles_it()
    {
        for (var seed = 0; seed < 5_000; seed++)
        {
            var random = new Random(seed);
            string[] voters = [.. Enumerable.Range(0, random.Next(1, 7)).Select(number => $"voter{number}")];
            var quorum = random.Next(1, voters.Length + 1);
            var vote = new Vote(new Election(VotePolicy.Consensus, quorum, voters));
            Dictionary<string, bool> counted = [];
            bool? outcome = null; // of the oracle
            var isStuck = false;
            for (var turn = 0; turn < 20; turn++)
            {
                var who = $"voter{random.Next(voters.Length + 2)}"; // some are none
                var allow = random.Next(2) == 0;
                var wasOpen = outcome is null && !isStuck;

                var happened = vote.Cast(new Actor($"{who}/window{random.Next(3)}"), allow);

                if (!wasOpen)
                {
                    Assert.True(happened is [], $"seed {seed}: it was settled");
                    continue;
                }

                if (!voters.Contains(who))
                {
                    Assert.True(happened is [VoteRefused { Reason: "not_a_voter" }], $"seed {seed}");
                    continue;
                }

                if (counted.TryGetValue(who, out var earlier))
                {
                    Assert.True(
                        allow == earlier ? happened is [] : happened is [VoteRefused { Reason: "already_voted" }],
                        $"seed {seed}: again"
                    );
                    continue;
                }

                counted.Add(who, allow);
                var (yes, no) = (counted.Values.Count(one => one), counted.Values.Count(one => !one));
                var left = voters.Length - counted.Count;
                outcome =
                    yes >= quorum ? true
                    : no >= quorum ? false
                    : null;
                isStuck = outcome is null && yes + left < quorum && no + left < quorum;
                var isAsItMustBe = happened switch
                {
                    [PermissionAnswered { Cancelled: false } answered] => answered.Allow == outcome,
                    [PermissionVoted voted] => outcome is null && !isStuck && Says(voted),
                    [PermissionVoted voted, PermissionAnswered { Allow: false, Cancelled: true, Reason.Length: > 0 }] => isStuck
                        && Says(voted),
                    _ => false,
                };
                Assert.True(isAsItMustBe, $"seed {seed}: {string.Join(", ", happened)}");
                Assert.Equal(outcome is null && !isStuck, vote.IsOpen);

                bool Says(PermissionVoted voted) =>
                    (voted.Allow, voted.Allowing, voted.Refusing, voted.Quorum) == (allow, yes, no, quorum);
            }

            foreach (var voter in voters)
            {
                vote.Cast(new Actor(voter), allow: seed % 2 == 0);
            }

            Assert.False(vote.IsOpen, $"seed {seed}: all have voted, and it is still open");
        }
    }

    /// <summary>The rules alone: a question, and those who vote on it.</summary>
    private sealed class Vote
    {
        private static readonly CallId s_call = new("call_1");
        private SessionState _state = SessionState.Empty;

        public Vote(Election election)
        {
            Write(new TurnStarted(new TurnId("t1"), new PromptId("p1"), []), Actor.User);
            Write(new CallRequested(new ToolCall(s_call, "rm", "{}"), ToolKind.Edit, "rm"), Actor.Model);
            Write(new PermissionRequested(s_call, "may it?", [], election), Actor.Runtime);
        }

        public bool IsOpen => _state.Asked.Any();

        public IReadOnlyList<SessionEvent> Cast(Actor by, bool allow)
        {
            var command = new AnswerPermission(s_call, allow, []);
            var voted = Decisions.Decide(_state, command, by, new SessionRules(), () => new TurnId("t2"));
            foreach (var happened in voted)
            {
                Write(happened, by);
            }

            var settled = Decisions.Settle(_state).ToList();
            settled.ForEach(happened => Write(happened, Actor.Runtime));
            return [.. voted, .. settled];
        }

        private void Write(SessionEvent happened, Actor by) =>
            _state = _state.Apply(new Envelope(_state.Latest + 1, default, by, happened));
    }

    private static async Task<TestSession> AskingAsync(TestTool tool, Elect elect, SessionRules? rules = null)
    {
        var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(step => step.Call("rm")).Step(step => step.Text("done")),
            [tool],
            new TestOptions
            {
                Verdict = Verdict.Ask,
                Elect = elect,
                Rules = rules ?? new SessionRules(),
            }
        );
        await session.PromptAsync("go");
        return session;
    }

    private static Prompt Prompt(string id) => new(new PromptId(id), [new TextContent("go")]);

    private static IEnumerable<(string, bool)> Votes(TestSession session) =>
        session
            .Status.Questions.Single()
            .Votes.Select(vote => (vote.Key, vote.Value))
            .OrderBy(vote => vote.Key, StringComparer.Ordinal);
}
