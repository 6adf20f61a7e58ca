using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>A prompt that was given so much time and no more: what runs is stopped, and it is said why.</summary>
public sealed class DeadlineSpecs
{
    private static readonly TimeSpan s_given = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_turn_that_runs_when_its_time_is_over_is_stopped_and_says_so()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Text("so far").Hang()));
        await SendAsync(session, "p1", session.Time.GetUtcNow() + s_given);
        await session.UntilAsync<TextPiece>();

        session.Time.Advance(s_given);
        await session.UntilAsync<TurnEnded>();

        var ended = Ended(session, "p1");
        Assert.Equal((TurnOutcome.LimitReached, true, false), (ended.Outcome, ended.DeadlinePassed, ended.ProcessEnded));
        Assert.Equal("The time that the prompt was given is over.", ended.Message);
        Assert.Empty(session.Log.Events.OfType<InterruptRequested>());
    }

    [Fact]
    public async Task A_turn_that_ends_in_time_is_left_alone_and_so_is_the_next()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel()
            .Step(step => step.Text("one"))
            .Step(step => step.Text("two ").Wait(gate.Task).Text("three"));
        await using var session = await TestSession.OpenAsync(model);
        await SendAsync(session, "p1", session.Time.GetUtcNow() + s_given);
        await session.UntilAsync<TurnEnded>();
        await SendAsync(session, "p2", deadline: null);

        session.Time.Advance(s_given + s_given);
        gate.SetResult();
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(
            (TurnOutcome.Completed, TurnOutcome.Completed),
            (Ended(session, "p1").Outcome, Ended(session, "p2").Outcome)
        );
    }

    [Fact]
    public async Task The_time_runs_while_the_prompt_waits_and_one_that_waited_too_long_asks_no_model()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel()
            .Step(step => step.Text("one ").Wait(gate.Task).Text("end"))
            .Step(step => step.Text("three"));
        await using var session = await TestSession.OpenAsync(model);
        await SendAsync(session, "p1", deadline: null);
        await SendAsync(session, "p2", session.Time.GetUtcNow() + s_given);
        await SendAsync(session, "p3", session.Time.GetUtcNow() + (4 * s_given));

        session.Time.Advance(s_given);
        gate.SetResult();
        await session.UntilAsync<TurnEnded>(times: 3);

        Assert.True(Ended(session, "p2") is { DeadlinePassed: true, HadWaited: true });
        Assert.Equal(TurnOutcome.Completed, Ended(session, "p3").Outcome);
        Assert.Equal(2, model.Requests.Count);
    }

    [Fact]
    public async Task A_question_that_waits_for_a_person_ends_with_its_turn()
    {
        await using var session = await AskingAsync();
        await session.AskedAsync();

        session.Time.Advance(s_given);
        await session.UntilAsync<TurnEnded>();

        Assert.True(Ended(session, "p1").DeadlinePassed);
        Assert.True(session.Log.Events.OfType<PermissionAnswered>().Single().Cancelled);
        Assert.Equal(CallOutcome.NotStarted, session.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_time_runs_on_while_no_process_does(bool kill)
    {
        await using var first = await AskingAsync();
        await first.AskedAsync();
        var model = new ScriptedModel();
        if (!kill)
        {
            await first.DisposeAsync();
        }

        first.Time.Advance(s_given);
        await using var next = kill ? await first.KillAsync(model) : await first.RestartAsync(model);
        await next.UntilAsync<TurnEnded>();

        Assert.True(Ended(next, "p1").DeadlinePassed);
        Assert.Empty(model.Requests);
    }

    [Fact]
    public async Task After_a_restart_what_is_left_of_the_time_is_as_long_as_it_was()
    {
        await using var first = await AskingAsync();
        await first.AskedAsync();
        await first.DisposeAsync();
        first.Time.Advance(s_given / 2);
        await using var next = await first.RestartAsync(new ScriptedModel());
        await next.Time.TimersAsync(1, TestContext.Current.CancellationToken);
        Assert.Empty(next.Log.Events.OfType<TurnEnded>());

        next.Time.Advance(s_given / 2);
        await next.UntilAsync<TurnEnded>();

        Assert.True(Ended(next, "p1").DeadlinePassed);
    }

    [Fact]
    public async Task A_prompt_that_is_sent_again_keeps_the_deadline_that_it_had()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Text("so far").Hang()));
        var deadline = session.Time.GetUtcNow() + s_given;
        await SendAsync(session, "p1", deadline);
        await session.UntilAsync<TextPiece>();

        await SendAsync(session, "p1", deadline + s_given);
        Assert.Equal(deadline, session.Status.Turn!.Deadline);
        session.Time.Advance(s_given);
        await session.UntilAsync<TurnEnded>();

        Assert.True(Ended(session, "p1").DeadlinePassed);
    }

    [Fact]
    public async Task An_end_that_nobody_will_see_is_no_end()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Text("done")));

        await SendAsync(session, "p1", DateTimeOffset.MaxValue);
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(TurnOutcome.Completed, Ended(session, "p1").Outcome);
    }

    private static async Task<TestSession> AskingAsync()
    {
        var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(step => step.Call("rm")),
            [new TestTool("rm", "gone")],
            new TestOptions { Verdict = Verdict.Ask, Rules = new SessionRules(KeepsQuestions: true) }
        );
        await SendAsync(session, "p1", session.Time.GetUtcNow() + s_given);
        return session;
    }

    private static Task<Receipt> SendAsync(TestSession session, string id, DateTimeOffset? deadline) =>
        session.SubmitAsync(new Prompt(new PromptId(id), [new TextContent(id)]) { Deadline = deadline });

    private static TurnEnded Ended(TestSession session, string prompt) =>
        session.Log.Events.OfType<TurnEnded>().Single(ended => ended.Prompt == new PromptId(prompt));
}
