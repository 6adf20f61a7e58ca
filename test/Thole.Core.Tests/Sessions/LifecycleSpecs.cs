using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>Sessions that are named, closed, reopened and put away.</summary>
public sealed class LifecycleSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_closed_session_takes_no_prompt_until_it_is_reopened()
    {
        var model = new ScriptedModel().Otherwise(step => step.Text("ok"));
        await using var session = await TestSession.OpenAsync(model);
        await session.PromptAsync("one");
        await session.UntilAsync<TurnEnded>();

        var closed = await session.SubmitAsync(new CloseSession());
        Assert.Equal(0, (await session.SubmitAsync(new CloseSession())).First);
        Assert.Equal("session_not_found", (await Refused(() => session.PromptAsync("two"))).Reason);
        Assert.Equal("session_not_found", (await Refused(() => session.SteerAsync("s", "two"))).Reason);
        await session.SubmitAsync(new SelectModel("test/other")); // it can still be looked after
        await using var next = await session.RestartAsync(model);
        Assert.True(next.Status.IsClosed);
        Assert.Equal("session_not_found", (await Refused(() => next.PromptAsync("two"))).Reason);
        await next.SubmitAsync(new ReopenSession());
        Assert.Equal(0, (await next.SubmitAsync(new ReopenSession())).First);
        await next.PromptAsync("three");
        await next.UntilAsync<TurnEnded>(times: 2);

        Assert.True(closed.First > 0);
        Assert.False(next.Status.IsClosed);
        Assert.Equal(
            [nameof(SessionClosed), nameof(SessionReopened)],
            next.Log.Events.Where(one => one is SessionClosed or SessionReopened).Select(one => one.GetType().Name)
        );
    }

    [Fact]
    public async Task To_close_a_session_withdraws_what_waits_and_stops_what_runs()
    {
        var model = new ScriptedModel().Step(step => step.Text("half").Hang()).Otherwise(step => step.Text("ok"));
        await using var session = await TestSession.OpenAsync(model);
        await session.PromptAsync("one");
        await session.UntilAsync<TextPiece>();
        await session.PromptAsync("two");
        await session.SteerAsync("s", "three");

        await session.SubmitAsync(new CloseSession());
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(TurnOutcome.Interrupted, session.Status.LastTurn?.Outcome);
        Assert.Equal(["s", "p2"], session.Log.Events.OfType<PromptWithdrawn>().Select(one => one.Prompt.Value));
        Assert.Equal((0, 0, null), (session.Status.Waiting.Count, session.Status.Steering.Count, session.Status.Turn));
        await session.SubmitAsync(new ReopenSession());
        Assert.Single(model.Requests); // nothing of it comes back
    }

    [Fact]
    public async Task A_session_has_the_name_it_was_given()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel());
        Assert.Null(session.Status.Name);

        await session.SubmitAsync(new RenameSession("the roof"));
        Assert.Equal(0, (await session.SubmitAsync(new RenameSession("the roof"))).First);
        Assert.Equal("the roof", session.Status.Name);
        Assert.Equal(
            "invalid_metadata",
            (await Refused(() => session.SubmitAsync(new RenameSession(new string('x', 257))))).Reason
        );
        await using var next = await session.RestartAsync(new ScriptedModel());
        Assert.Equal("the roof", next.Status.Name);
        await next.SubmitAsync(new RenameSession());

        Assert.Null(next.Status.Name);
        Assert.Equal(["the roof", null], next.Log.Events.OfType<SessionRenamed>().Select(renamed => renamed.Name));
    }

    [Fact]
    public async Task A_session_that_rests_is_put_away_and_found_as_it_was()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Otherwise(step => step.Text("ok")));
        await session.PromptAsync("one");
        await session.UntilAsync<TurnEnded>();
        await session.SubmitAsync(new RenameSession("the roof"));
        var before = session.Status;
        Assert.Equal(session.Id, Assert.Single(session.Live.All).Session);

        Assert.True(await session.Live.UnloadAsync(session.Id, Now));

        Assert.Equal(1, session.Log.Closed);
        Assert.Null(session.Live.Find(session.Id));
        Assert.Empty(session.Live.All);
        Assert.False(await session.Live.UnloadAsync(session.Id, Now));
        Assert.Equal("session_not_found", (await Refused(() => session.PromptAsync("two"))).Reason);
        await session.OpenAgainAsync();
        Assert.Equivalent(before, session.Status);
        await session.PromptAsync("two");
        await session.UntilAsync<TurnEnded>(times: 2);
    }

    [Fact]
    public async Task A_session_that_works_or_waits_is_not_put_away()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel()
            .Step(step => step.Call("ask"))
            .Step(step => step.Wait(gate.Task).Text("ok"))
            .Otherwise(step => step.Text("ok"));
        await using var session = await TestSession.OpenAsync(
            model,
            [new TestTool("ask", "yes")],
            new TestOptions { Verdict = Verdict.Ask, Rules = new SessionRules(KeepsQuestions: true) }
        );
        await session.PromptAsync("one");
        var call = await session.AskedAsync();
        Assert.False(await session.Live.UnloadAsync(session.Id, Now)); // it waits for a person
        await session.AnswerAsync(call);
        await session.UntilAsync<StepStarted>(times: 2);
        Assert.False(await session.Live.UnloadAsync(session.Id, Now)); // it works
        await session.PromptAsync("two");
        await session.SteerAsync("s", "three");
        Assert.False(await session.Live.UnloadAsync(session.Id, Now));

        gate.SetResult();
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(0, session.Log.Closed);
        Assert.Equal(["p1", "p2"], session.Log.Events.OfType<TurnEnded>().Select(turn => turn.Prompt?.Value));
        Assert.Single(session.Log.Events.OfType<SteeringTaken>());
        Assert.True(await session.Live.UnloadAsync(session.Id, Now));
    }

    [Fact]
    public async Task A_session_that_could_not_be_written_is_put_away_and_its_file_is_free()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel());
        session.Log.Broken = new Core.Log.LogException("The disk is full.");
        await Refused(() => session.PromptAsync("one"));

        Assert.True(await session.Live.UnloadAsync(session.Id, Now));

        Assert.Equal(1, session.Log.Closed);
        Assert.Empty(session.Live.All);
    }

    [Fact]
    public async Task Whoever_opens_a_session_that_is_being_put_away_waits_until_its_file_is_closed()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Otherwise(step => step.Text("ok")));
        var (reached, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        session.Log.Closing = async () =>
        {
            reached.TrySetResult();
            await gate.Task;
        };

        var unloading = Task.Run(async () => await session.Live.UnloadAsync(session.Id, Now), Now);
        await reached.Task.WaitAsync(Now);
        Task[] openings = [.. Enumerable.Range(0, 8).Select(_ => session.OpenAgainAsync())];
        var again = Task.Run(async () => await session.Live.UnloadAsync(session.Id, Now), Now);
        Assert.All(openings, opening => Assert.False(opening.IsCompleted));
        Assert.Equal("session_closed", (await Refused(() => session.PromptAsync("one"))).Reason);
        session.Log.Closing = static () => Task.CompletedTask;
        gate.SetResult();

        Assert.True(await unloading);
        await Task.WhenAll(openings);
        await again; // it found it closed, or closed what was opened: both are an answer
        await session.OpenAgainAsync();
        Assert.NotNull(session.Live.Find(session.Id));
        await session.PromptAsync("two");
        await session.UntilAsync<TurnEnded>();
    }

    [Fact]
    public async Task Whoever_opens_a_session_while_the_process_ends_is_refused_and_leaves_the_file_free()
    {
        var session = await TestSession.OpenAsync(new ScriptedModel());
        var (reached, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        session.Log.Closing = async () =>
        {
            reached.TrySetResult();
            await gate.Task;
        };

        var ending = Task.Run(async () => await session.DisposeAsync(), Now);
        await reached.Task.WaitAsync(Now);
        var opening = session.OpenAgainAsync();
        gate.SetResult();

        Assert.Equal("session_closed", (await Refused(() => opening)).Reason);
        await ending;
        Assert.Equal("session_closed", (await Refused(session.OpenAgainAsync)).Reason);
        await using var next = await session.RestartAsync(new ScriptedModel());
    }

    [Fact]
    public async Task A_tool_that_was_refused_something_ends_its_turn_and_no_more()
    {
        var tool = new TestTool("delegate", (_, _) => throw new RefusedException("prompt_queue_full", "Too many wait there."));
        var model = new ScriptedModel().Step(step => step.Call("delegate")).Step(step => step.Text("ok"));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("one");
        await session.PromptAsync("two");
        await session.UntilAsync<TurnEnded>(times: 2);

        var failed = session.Log.Events.OfType<TurnEnded>().First();
        Assert.Equal(TurnOutcome.Failed, failed.Outcome);
        Assert.Contains("Too many wait there.", failed.Message, StringComparison.Ordinal);
    }

    private static Task<RefusedException> Refused(Func<Task> asked) => Assert.ThrowsAsync<RefusedException>(asked);

    [Fact]
    public async Task A_new_session_has_the_id_that_its_client_chose_unless_there_is_one_of_it()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel());
        var chosen = new SessionId("0b5f7a52-4a5c-4d6e-8f1a-2b3c4d5e6f70");
        var open = new OpenSession
        {
            Workspace = session.Options.Workspace,
            NewSession = chosen,
            Model = "test/model",
        };

        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => OpenAsync(open))));
        var known = await OpenAsync(open with { NewSession = session.Id });
        await session.DisposeAsync();
        await using var next = await TestSession.OpenAsync(new ScriptedModel(), store: session.Store);
        var later = await Assert.ThrowsAsync<RefusedException>(async () =>
            await next.Door.OpenSessionAsync(open, CancellationToken.None)
        );

        Assert.Equal(Enumerable.Repeat("session_conflict", 7).Append(chosen.Value), all.Order(StringComparer.Ordinal).Reverse());
        Assert.Equal(("session_conflict", "session_conflict"), (known, later.Reason));

        async Task<string> OpenAsync(OpenSession request)
        {
            try
            {
                return (await session.Door.OpenSessionAsync(request, CancellationToken.None)).Value;
            }
            catch (RefusedException refused)
            {
                return refused.Reason;
            }
        }
    }
}
