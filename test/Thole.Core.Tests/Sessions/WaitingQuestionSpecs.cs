using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>A turn that waits for a person goes on in the next process, where the rules keep questions.</summary>
public sealed class WaitingQuestionSpecs
{
    public enum End
    {
        Closed,
        Killed,
    }

    [Theory]
    [InlineData(End.Closed)]
    [InlineData(End.Killed)]
    public async Task The_answer_after_a_restart_runs_the_call_once(End end)
    {
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool);
        var call = await first.AskedAsync();
        var model = new ScriptedModel().Step(step => step.Text("done"));
        await using var next = await EndAsync(first, end, model);
        Assert.Equal(call, next.Status.Questions.Single().Call.Id);
        Assert.NotNull(next.Status.Turn);

        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(1, tool.Runs);
        Assert.Equal("gone", model.Requests.Single().Items.OfType<ResultItem>().Single().Result.Text);
        Assert.Equal(
            [
                nameof(SessionOpened),
                nameof(TurnStarted),
                nameof(ContextAdded),
                nameof(StepStarted),
                nameof(MessageCompleted),
                nameof(CallRequested),
                nameof(PermissionRequested), // asked once
                nameof(PermissionAnswered),
                nameof(CallStarted),
                nameof(CallCompleted),
                nameof(StepStarted),
                nameof(TextPiece),
                nameof(MessageCompleted),
                nameof(TurnEnded),
            ],
            next.Log.Events.Select(happened => happened.GetType().Name)
        );
        Assert.Equal([1, 2], next.Log.Events.OfType<StepStarted>().Select(step => step.Step));
        Assert.Equal(TurnOutcome.Completed, next.Log.Events.OfType<TurnEnded>().Single().Outcome);
    }

    [Fact]
    public async Task A_process_that_closes_writes_nothing_to_a_turn_that_waits()
    {
        await using var session = await AskingAsync(new TestTool("rm", "gone"));
        await session.AskedAsync();
        var before = session.Log.Latest;

        await session.DisposeAsync();

        Assert.Equal((before, 1), (session.Log.Latest, session.Log.Closed));
    }

    [Theory]
    [InlineData(End.Closed)]
    [InlineData(End.Killed)]
    public async Task A_question_outlives_any_number_of_processes(End end)
    {
        var tool = new TestTool("rm", "gone");
        var session = await AskingAsync(tool);
        var call = await session.AskedAsync();
        for (var process = 0; process < 5; process++)
        {
            session = await EndAsync(session, end, new ScriptedModel().Step(step => step.Text("done")));
        }

        await using var last = session;
        await last.AnswerAsync(call, allow: false);
        await last.UntilAsync<TurnEnded>();

        Assert.Equal(0, tool.Runs);
        Assert.Single(last.Log.Events.OfType<PermissionRequested>());
        Assert.Equal(CallOutcome.Refused, last.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_the_log_holds_and_nobody_acted_on_is_honoured_once(bool allow)
    {
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool);
        var call = await first.AskedAsync();
        await first.DisposeAsync();
        first.Store.Leave(first.Id, [.. first.Log.Events, new PermissionAnswered(call, allow, [], "said so")]);

        // The policy of the next process would not have asked: a person was, and answered.
        first.Options.Judge = static (_, _) => Verdict.Allow;
        var model = new ScriptedModel().Step(step => step.Text("done"));
        await using var next = await first.RestartAsync(model);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(allow ? 1 : 0, tool.Runs);
        Assert.Equal(allow ? "gone" : "said so", model.Requests.Single().Items.OfType<ResultItem>().Single().Result.Text);
        Assert.Single(next.Log.Events.OfType<PermissionRequested>());
        Assert.Single(next.Log.Events.OfType<PermissionAnswered>());
        Assert.Equal(TurnOutcome.Completed, next.Log.Events.OfType<TurnEnded>().Single().Outcome);
    }

    [Theory]
    [InlineData(Verdict.Allow)]
    [InlineData(Verdict.Deny)]
    public async Task What_was_asked_is_answered_by_a_person_whatever_the_policy_says_by_then(Verdict verdict)
    {
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool);
        var call = await first.AskedAsync();
        await first.DisposeAsync();

        first.Options.Judge = (_, _) => verdict;
        await using var next = await first.RestartAsync(new ScriptedModel().Step(step => step.Text("done")));
        await next.SubmitAsync(new RenameSession("still asking"));
        Assert.Equal(0, tool.Runs);
        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(1, tool.Runs);
        Assert.True(next.Log.Events.OfType<PermissionAnswered>().Single().Allow);
    }

    [Fact]
    public async Task An_answer_that_comes_the_moment_the_session_opens_is_not_lost()
    {
        for (var round = 0; round < 100; round++)
        {
            var tool = new TestTool("rm", "gone");
            await using var first = await AskingAsync(tool);
            var call = await first.AskedAsync();
            await using var next = await EndAsync(first, (End)(round % 2), new ScriptedModel().Step(step => step.Text("done")));

            await next.AnswerAsync(call); // perhaps before the turn waits for it again
            await next.UntilAsync<TurnEnded>();

            Assert.Equal(1, tool.Runs);
            Assert.Single(next.Log.Events.OfType<PermissionRequested>());
        }
    }

    [Fact]
    public async Task A_call_beside_the_question_that_had_started_is_unknown_and_not_repeated()
    {
        var never = new TaskCompletionSource<ToolResult>();
        var (slow, rm) = (new TestTool("slow", (_, _) => never.Task), new TestTool("rm", "gone"));
        await using var first = await AskingAsync([slow, rm], step => step.Call("slow").Call("rm"));
        var call = await first.AskedAsync();
        await first.UntilAsync<CallStarted>();
        var model = new ScriptedModel().Step(step => step.Text("done"));

        await using var next = await EndAsync(first, End.Killed, model);
        Assert.Equal(CallOutcome.Unknown, next.Log.Events.OfType<CallCompleted>().Single().Outcome); // told before anybody answers
        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal((1, 1), (slow.Runs, rm.Runs));
        Assert.Equal(
            [("slow", CallOutcome.Unknown), ("rm", CallOutcome.Succeeded)],
            model.Requests.Single().Items.OfType<ResultItem>().Select(result => (result.Tool, result.Outcome))
        );
        never.SetResult(ToolResult.Ok("too late"));
    }

    [Fact]
    public async Task A_turn_that_is_at_work_beside_its_question_ends_when_the_process_closes()
    {
        var slow = new TestTool(
            "slow",
            async (_, cancellationToken) =>
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return ToolResult.Ok("never");
            }
        );
        await using var first = await AskingAsync([slow, new TestTool("rm", "gone")], step => step.Call("slow").Call("rm"));
        await first.AskedAsync();
        await first.UntilAsync<CallStarted>();

        await first.DisposeAsync();

        Assert.Equal(TurnOutcome.Interrupted, Assert.IsType<TurnEnded>(first.Log.Events[^1]).Outcome);
        Assert.True(first.Log.Events.OfType<PermissionAnswered>().Single().Cancelled);
        Assert.Equal(
            [CallOutcome.Interrupted, CallOutcome.NotStarted],
            first.Log.Events.OfType<CallCompleted>().Select(completed => completed.Outcome)
        );
    }

    [Theory]
    [InlineData(End.Closed)]
    [InlineData(End.Killed)]
    public async Task A_call_that_waited_for_the_one_that_is_asked_about_runs_after_it(End end)
    {
        List<string> order = [];
        var (rm, tidy) = (Noting("rm"), Noting("tidy"));
        await using var first = await AskingAsync([rm, tidy], step => step.Call("rm").Call("tidy"));
        var call = await first.AskedAsync();
        await using var next = await EndAsync(first, end, new ScriptedModel().Step(step => step.Text("done")));

        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(["rm", "tidy"], order);
        Assert.All(next.Log.Events.OfType<CallCompleted>(), completed => Assert.Equal(CallOutcome.Succeeded, completed.Outcome));

        TestTool Noting(string name) =>
            new(
                name,
                (_, _) =>
                {
                    order.Add(name);
                    return Task.FromResult(ToolResult.Ok(name));
                }
            )
            {
                Touches = static _ => [Touch.Anything],
            };
    }

    [Fact]
    public async Task A_call_that_must_not_run_does_not_run_in_the_next_process_either()
    {
        var (rm, cut) = (new TestTool("rm", "gone"), new TestTool("cut", "ran"));
        await using var first = await AskingAsync([rm, cut], step => step.Call("rm").Call("cut", "{}", problem: "it was cut"));
        var call = await first.AskedAsync();
        await first.UntilAsync<CallCompleted>();
        await first.DisposeAsync();

        // The same log, had the process died before the second call had its outcome.
        first.Store.Leave(first.Id, [.. first.Log.Events.Where(happened => happened is not CallCompleted)]);
        var model = new ScriptedModel().Step(step => step.Text("done"));
        await using var next = await first.RestartAsync(model);
        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal((1, 0), (rm.Runs, cut.Runs));
        Assert.Equal(["gone", "it was cut"], model.Requests.Single().Items.OfType<ResultItem>().Select(one => one.Result.Text));
    }

    [Fact]
    public async Task Where_the_tool_is_gone_the_question_is_taken_away_and_the_model_is_told()
    {
        await using var first = await AskingAsync(new TestTool("rm", "gone"));
        var call = await first.AskedAsync();
        var model = new ScriptedModel().Step(step => step.Text("done"));

        await using var next = await first.RestartAsync(model, [new TestTool("other", "")]);
        await next.UntilAsync<TurnEnded>();

        var answered = next.Log.Events.OfType<PermissionAnswered>().Single();
        Assert.Equal((call, false, true), (answered.Call, answered.Allow, answered.Cancelled));
        Assert.Equal(ToolErrors.UnknownTool, model.Requests.Single().Items.OfType<ResultItem>().Single().Result.Error);
    }

    private static Task<TestSession> AskingAsync(TestTool tool) => AskingAsync([tool], step => step.Call("rm"));

    private static async Task<TestSession> AskingAsync(IReadOnlyList<TestTool> tools, Action<ScriptedStep> step)
    {
        var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(step),
            tools,
            new TestOptions
            {
                Judge = static (tool, _) => tool is "rm" ? Verdict.Ask : Verdict.Allow,
                Rules = new SessionRules(KeepsQuestions: true),
            }
        );
        await session.PromptAsync("go");
        return session;
    }

    private static Task<TestSession> EndAsync(TestSession session, End end, ScriptedModel model) =>
        end is End.Killed ? session.KillAsync(model) : session.RestartAsync(model);
}
