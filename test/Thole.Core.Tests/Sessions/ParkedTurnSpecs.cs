using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>What else may be asked of a turn whose question an earlier process left open.</summary>
public sealed class ParkedTurnSpecs
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_waits_behind_the_turn_begins_when_it_has_ended(bool isKilled)
    {
        await using var first = await AskingAsync(new TestTool("rm", "gone"));
        var call = await first.AskedAsync();
        await first.PromptAsync("second");
        var model = new ScriptedModel().Otherwise(step => step.Text("ok"));
        await using var next = isKilled ? await first.KillAsync(model) : await first.RestartAsync(model);
        await next.PromptAsync("third");
        Assert.Equal(["p2", "p3"], next.Status.Waiting.Select(waiting => waiting.Prompt.Value));
        Assert.Empty(model.Requests);

        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>(times: 3);

        Assert.Equal(["p1", "p2", "p3"], next.Log.Events.OfType<TurnEnded>().Select(turn => turn.Prompt?.Value));
        Assert.All(next.Log.Events.OfType<TurnEnded>(), turn => Assert.Equal(TurnOutcome.Completed, turn.Outcome));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_questions_are_not_kept_the_turn_ends_and_the_next_begins(bool isKilled)
    {
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool, new SessionRules(KeepsQuestions: false));
        var call = await first.AskedAsync();
        await first.PromptAsync("second");
        var model = new ScriptedModel().Step(step => step.Text("ok"));
        await using var next = isKilled ? await first.KillAsync(model) : await first.RestartAsync(model);
        await next.UntilAsync<TurnEnded>(times: 2);

        var late = await next.AnswerAsync(call);

        Assert.Equal((0, 0), (late.First, tool.Runs));
        Assert.Equal(
            [TurnOutcome.Interrupted, TurnOutcome.Completed],
            next.Log.Events.OfType<TurnEnded>().Select(turn => turn.Outcome)
        );
        Assert.True(next.Log.Events.OfType<PermissionAnswered>().Single().Cancelled);
        Assert.Equal(CallOutcome.NotStarted, model.Requests.Single().Items.OfType<ResultItem>().Single().Outcome);
    }

    [Fact]
    public async Task An_interrupt_ends_it_and_the_call_did_not_start()
    {
        for (var round = 0; round < 50; round++) // the interrupt comes before or after the turn waits again
        {
            var tool = new TestTool("rm", "gone");
            await using var first = await AskingAsync(tool);
            await first.AskedAsync();
            await using var next = await first.RestartAsync(new ScriptedModel());

            await next.SubmitAsync(new Interrupt(next.Status.Turn!.Turn));
            await next.UntilAsync<TurnEnded>();

            Assert.Equal(0, tool.Runs);
            Assert.Equal(TurnOutcome.Interrupted, next.Log.Events.OfType<TurnEnded>().Single().Outcome);
            Assert.True(next.Log.Events.OfType<PermissionAnswered>().Single().Cancelled);
            Assert.Equal(CallOutcome.NotStarted, next.Log.Events.OfType<CallCompleted>().Single().Outcome);
        }
    }

    [Fact]
    public async Task A_turn_that_was_being_interrupted_when_the_process_died_is_over()
    {
        await using var first = await AskingAsync(new TestTool("rm", "gone"));
        var call = await first.AskedAsync();
        await first.DisposeAsync();
        first.Store.Leave(
            first.Id,
            [.. first.Log.Events, new InterruptRequested(first.Log.Events.OfType<TurnStarted>().Single().Turn)]
        );

        await using var next = await first.RestartAsync(new ScriptedModel());

        Assert.Equal((null, 0), (next.Status.Turn, next.Status.Questions.Count));
        Assert.Equal(TurnOutcome.Interrupted, next.Status.LastTurn?.Outcome);
        Assert.Equal(0, (await next.AnswerAsync(call)).First);
    }

    [Fact]
    public async Task Closing_the_session_ends_it_and_withdraws_what_waits()
    {
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool);
        var call = await first.AskedAsync();
        await first.PromptAsync("second");
        await using var next = await first.RestartAsync(new ScriptedModel());

        await next.SubmitAsync(new CloseSession());
        await next.UntilAsync<TurnEnded>();

        Assert.Equal((0, 0), (tool.Runs, (await next.AnswerAsync(call)).First));
        Assert.Equal(TurnOutcome.Interrupted, next.Status.LastTurn?.Outcome);
        Assert.Equal("p2", next.Log.Events.OfType<PromptWithdrawn>().Single().Prompt.Value);
        await using var later = await next.RestartAsync(new ScriptedModel());
        Assert.Equal((true, null), (later.Status.IsClosed, later.Status.Turn));
    }

    [Fact]
    public async Task Its_prompt_cannot_be_withdrawn_and_one_behind_it_can()
    {
        await using var first = await AskingAsync(new TestTool("rm", "gone"));
        var call = await first.AskedAsync();
        await first.PromptAsync("second");
        await using var next = await first.RestartAsync(new ScriptedModel().Step(step => step.Text("ok")));

        Assert.Equal(0, (await next.SubmitAsync(new Withdraw(new PromptId("p1")))).First);
        Assert.True((await next.SubmitAsync(new Withdraw(new PromptId("p2")))).First > 0);
        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal("p1", next.Log.Events.OfType<TurnStarted>().Single().Prompt.Value);
        Assert.Null(next.Status.Turn);
    }

    [Fact]
    public async Task What_is_said_to_it_is_shown_after_the_answer_whichever_process_heard_it()
    {
        await using var first = await AskingAsync(new TestTool("rm", "gone"));
        var call = await first.AskedAsync();
        await first.SteerAsync("s1", "carefully");
        var model = new ScriptedModel().Step(step => step.Text("ok"));
        await using var next = await first.RestartAsync(model);
        await next.SteerAsync("s2", "and slowly");

        await next.AnswerAsync(call);
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(
            ["go", "carefully", "and slowly"],
            model.Requests.Single().Items.OfType<UserItem>().Select(item => ((TextContent)item.Content[0]).Text)
        );
    }

    [Fact]
    public async Task Its_steps_are_counted_on()
    {
        await using var first = await AskingAsync(
            new TestTool("rm", "gone"),
            new SessionRules(KeepsQuestions: true),
            maxSteps: 2
        );
        await first.AskedAsync();
        var model = new ScriptedModel().Otherwise(step => step.Call("rm"));
        await using var next = await first.RestartAsync(model);

        await next.AnswerAsync(await next.AskedAsync());
        await next.AnswerAsync(await next.AskedAsync(times: 2));
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(TurnOutcome.LimitReached, next.Status.LastTurn?.Outcome);
        Assert.Single(model.Requests);
        Assert.Equal(2, next.Log.Events.OfType<CallRequested>().Select(requested => requested.Call.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_question_that_nobody_answers_in_time_is_taken_away()
    {
        var tool = new TestTool("rm", "gone");
        await using var session = await AskingAsync(tool, s_patient);
        await session.AskedAsync();
        await session.Time.TimersAsync(1, Now);

        session.Time.Advance(TimeSpan.FromMinutes(10));
        await session.UntilAsync<CallCompleted>();

        var answered = session.Log.Envelopes.Single(envelope => envelope.Event is PermissionAnswered);
        Assert.Equal(Actor.Runtime, answered.Actor);
        Assert.Equal((false, true, "Nobody answered within 600 seconds."), Outcome((PermissionAnswered)answered.Event));
        Assert.Equal(0, tool.Runs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_time_for_an_answer_counts_from_when_it_was_first_asked(bool isOverMeanwhile)
    {
        await using var first = await AskingAsync(new TestTool("rm", "gone"), s_patient);
        await first.AskedAsync();
        await first.Time.TimersAsync(1, Now);
        first.Time.Advance(TimeSpan.FromMinutes(6));
        await first.DisposeAsync();
        first.Time.Advance(TimeSpan.FromMinutes(isOverMeanwhile ? 60 : 3)); // nobody is there to notice
        await using var next = await first.RestartAsync(new ScriptedModel().Step(step => step.Text("ok")));
        if (!isOverMeanwhile)
        {
            await next.Time.TimersAsync(1, Now);
            Assert.Single(next.Status.Questions);
            next.Time.Advance(TimeSpan.FromMinutes(1));
        }

        await next.UntilAsync<TurnEnded>();

        Assert.True(next.Log.Events.OfType<PermissionAnswered>().Single().Cancelled);
        Assert.Equal(TurnOutcome.Completed, next.Status.LastTurn?.Outcome);
    }

    [Fact]
    public async Task An_answer_in_time_is_honoured_however_late_it_is_read()
    {
        var tool = new TestTool("rm", "gone");
        await using var first = await AskingAsync(tool, s_patient);
        var call = await first.AskedAsync();
        await first.DisposeAsync();
        first.Store.Leave(first.Id, [.. first.Log.Events, new PermissionAnswered(call, Allow: true, [])]);
        first.Time.Advance(TimeSpan.FromDays(3));

        await using var next = await first.RestartAsync(new ScriptedModel().Step(step => step.Text("ok")));
        await next.UntilAsync<TurnEnded>();

        Assert.Equal(1, tool.Runs);
    }

    [Fact]
    public async Task A_patience_longer_than_any_timer_is_kept()
    {
        var tool = new TestTool("rm", "gone");
        await using var session = await AskingAsync(tool, s_patient with { PermissionTimeout = TimeSpan.FromDays(365) });
        var call = await session.AskedAsync();
        await session.Time.TimersAsync(1, Now);
        session.Time.Advance(TimeSpan.FromDays(200));

        await session.AnswerAsync(call);
        await session.UntilAsync<CallCompleted>();

        Assert.Equal(1, tool.Runs);
    }

    [Fact]
    public async Task A_question_whose_time_runs_out_while_the_process_closes_leaves_no_turn_half_ended()
    {
        for (var round = 0; round < 100; round++)
        {
            await using var session = await AskingAsync(new TestTool("rm", "gone"), s_patient with { KeepsQuestions = false });
            await session.AskedAsync();
            await session.Time.TimersAsync(1, Now);

            // While something else is written, the end of the process comes first and the end of the patience behind it.
            var gate = new TaskCompletionSource();
            session.Log.Writing = () => gate.Task;
            var writing = session.SubmitAsync(new SelectModel("test/other"));
            var closing = session.DisposeAsync();
            session.Time.Advance(TimeSpan.FromMinutes(10));
            await Task.Yield();
            gate.SetResult();
            await writing;
            await closing;

            Assert.Equal(TurnOutcome.Interrupted, Assert.IsType<TurnEnded>(session.Log.Events[^1]).Outcome);
        }
    }

    private static readonly SessionRules s_patient = new(KeepsQuestions: true, PermissionTimeout: TimeSpan.FromMinutes(10));

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    private static (bool, bool, string?) Outcome(PermissionAnswered answered) =>
        (answered.Allow, answered.Cancelled, answered.Reason);

    private static async Task<TestSession> AskingAsync(TestTool tool, SessionRules? rules = null, int? maxSteps = null)
    {
        var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(step => step.Call("rm")).Otherwise(step => step.Text("ok")),
            [tool],
            new TestOptions
            {
                Verdict = Verdict.Ask,
                Rules = rules ?? new SessionRules(KeepsQuestions: true),
                MaxSteps = maxSteps,
            }
        );
        await session.PromptAsync("go");
        return session;
    }
}
