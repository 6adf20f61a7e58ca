using System.Text;
using Thole.Core.Log;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing.Log;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>What a session does when its log refuses, and when it is opened, left and closed all at once.</summary>
public sealed class SessionAccidentSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_whose_whole_output_finds_no_room_has_its_outcome_all_the_same()
    {
        var model = new ScriptedModel().Step(step => step.Call("talk")).Step(step => step.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [new TestTool("talk", new string('x', 100_000))]);
        session.Log.NoRoomForBlobs = new LogException("The disk is full.");

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        var completed = session.Log.Events.OfType<CallCompleted>().Single();
        Assert.Equal((CallOutcome.Succeeded, null), (completed.Outcome, completed.Result.FullText));
        Assert.Contains("left out", completed.Result.Text);
        Assert.Equal(TurnOutcome.Completed, session.Log.Events.OfType<TurnEnded>().Single().Outcome);
    }

    [Fact]
    public async Task A_log_that_refuses_a_tool_ends_the_turn_with_its_own_sentence()
    {
        var model = new ScriptedModel().Step(step => step.Call("look"));
        var tool = new TestTool("look", (_, _) => throw new LogException("The disk is full: free some space."));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        var ended = session.Log.Events.OfType<TurnEnded>().Single();
        Assert.Equal((TurnOutcome.Failed, "The disk is full: free some space."), (ended.Outcome, ended.Message));
        Assert.Contains("its end was never recorded", session.Log.Events.OfType<CallCompleted>().Single().Result.Text);
    }

    [Fact]
    public async Task A_session_that_could_not_be_written_is_opened_anew_when_somebody_asks()
    {
        var model = new ScriptedModel().Step(step => step.Text("here I am"));
        await using var session = await TestSession.OpenAsync(model);
        session.Log.Broken = new LogException("The disk is full.");
        var refused = await Assert.ThrowsAsync<RefusedException>(() => session.PromptAsync("go"));
        Assert.Equal(("session_unwritable", "The disk is full."), (refused.Reason, refused.Message));

        session.Log.Broken = null;
        await session.OpenAgainAsync();
        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(1, session.Log.Closed);
        Assert.Equal(TurnOutcome.Completed, session.Log.Events.OfType<TurnEnded>().Single().Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_is_refused_leaves_the_log_free(bool isElsewhere)
    {
        var store = new MemoryEventStore();
        SessionId id;
        await using (var first = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Hang()), store: store))
        {
            id = first.Id;
            await first.PromptAsync("go");
            await first.UntilAsync<StepStarted>();
            store[id].Broken = new LogException("The disk is full."); // the turn stays open in the log
        }

        Assert.Equal(1, store[id].Closed);
        var options = new TestOptions { Workspace = isElsewhere ? "/elsewhere" : "/workspace" };
        await Assert.ThrowsAsync<RefusedException>(() =>
            TestSession.OpenAsync(new ScriptedModel(), options: options, store: store, session: id)
        );
        Assert.Equal(2, store[id].Closed);
    }

    [Fact]
    public async Task Whoever_leaves_while_a_session_opens_does_not_take_it_from_the_others()
    {
        var store = new MemoryEventStore();
        SessionId id;
        await using (var first = await TestSession.OpenAsync(new ScriptedModel(), store: store))
        {
            id = first.Id;
        }

        var gate = new TaskCompletionSource();
        store.Opening = gate.Task;
        await using var runtime = await TestSession.OpenAsync(new ScriptedModel(), store: store);
        using var leaving = new CancellationTokenSource();
        var request = new OpenSession
        {
            Workspace = "/workspace",
            Model = "test/model",
            Session = id,
        };
        var left = runtime.Door.OpenSessionAsync(request, leaving.Token).AsTask();
        var stayed = runtime.Door.OpenSessionAsync(request, Now).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        gate.SetResult();

        Assert.Equal(id, await stayed);
        Assert.Equal(1, store.Opened);
    }

    [Fact]
    public async Task An_opening_that_failed_after_everybody_had_left_is_not_remembered()
    {
        var store = new MemoryEventStore();
        SessionId id;
        await using (var first = await TestSession.OpenAsync(new ScriptedModel(), store: store))
        {
            id = first.Id;
        }

        await using var runtime = await TestSession.OpenAsync(new ScriptedModel(), store: store);
        var gate = new TaskCompletionSource();
        store.Opening = gate.Task;
        using var leaving = new CancellationTokenSource();
        var request = new OpenSession
        {
            Workspace = "/workspace",
            Model = "test/model",
            Session = id,
        };
        var left = runtime.Door.OpenSessionAsync(request, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        var asked = runtime.Door.SubmitAsync(id, new CloseSession(), Actor.User, Now).AsTask(); // hears when it has failed
        gate.SetException(new LogException("The disk is away."));
        await Assert.ThrowsAsync<LogException>(() => asked);
        store.Opening = Task.CompletedTask;

        Assert.Equal(id, await runtime.Door.OpenSessionAsync(request, Now));
    }

    [Fact]
    public async Task A_prompt_that_waits_when_the_session_closes_waits_for_the_next_who_opens_it()
    {
        var store = new MemoryEventStore();
        var model = new ScriptedModel().Step(step => step.Hang());
        SessionId id;
        await using (var first = await TestSession.OpenAsync(model, store: store))
        {
            id = first.Id;
            await first.PromptAsync("one");
            await first.UntilAsync<StepStarted>();
            await first.PromptAsync("two");
        }

        Assert.Single(model.Requests);
        Assert.Equal(TurnOutcome.Interrupted, store[id].Events.OfType<TurnEnded>().Single().Outcome);
        await using var next = await TestSession.OpenAsync(
            new ScriptedModel().Step(step => step.Text("two is done")),
            store: store,
            session: id
        );
        await next.SubmitAsync(new SelectApprovalMode(ApprovalMode.Yolo));
        var events = await next.UntilAsync<TurnEnded>(times: 2);
        Assert.Equal(TurnOutcome.Completed, Assert.IsType<TurnEnded>(events[^1].Event).Outcome);
    }

    [Fact]
    public async Task A_snapshot_of_another_form_or_version_is_passed_over()
    {
        foreach (
            var (version, text) in new[]
            {
                (SessionState.Version, """{"prompts":7}"""),
                (SessionState.Version, "null"),
                (SessionState.Version + 1, """{"workspace":"/lie"}"""),
            }
        )
        {
            var store = new MemoryEventStore();
            SessionId id;
            await using (var first = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Text("hi")), store: store))
            {
                id = first.Id;
                await first.PromptAsync("one");
                await first.UntilAsync<TurnEnded>();
            }

            await store[id].WriteSnapshotAsync(new Snapshot(store[id].Latest, version, Encoding.UTF8.GetBytes(text)), Now);
            var model = new ScriptedModel().Step(step => step.Text("still here"));
            await using var next = await TestSession.OpenAsync(model, store: store, session: id);
            await next.SubmitAsync(new Prompt(new PromptId("another"), [new TextContent("two")]));
            await next.UntilAsync<TurnEnded>(times: 2);

            Assert.Equal(3, model.Requests.Single().Items.Count);
        }
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_written_costs_nothing()
    {
        var model = new ScriptedModel().Step(step => step.Text("one")).Step(step => step.Text("two"));
        await using var session = await TestSession.OpenAsync(model);
        session.Log.NoRoomForSnapshots = new LogException("The disk is full.");
        for (var number = 0; number < 500; number++)
        {
            await session.SubmitAsync(new SelectModel($"test/{number}"));
        }

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();
        Assert.Null(await session.Log.ReadSnapshotAsync(Now));
    }

    [Fact]
    public async Task Closing_at_any_moment_leaves_a_log_that_goes_on()
    {
        for (var round = 0; round < 300; round++)
        {
            var store = new MemoryEventStore();
            var model = new ScriptedModel()
                .Step(step => step.Call("echo"))
                .Step(step => step.Text("done"))
                .Step(step => step.Text("done"));
            var session = await TestSession.OpenAsync(model, [new TestTool("echo", "hi")], store: store);
            var id = session.Id;
            var reading = ReadAsync(session.Door, id);
            Task[] prompts = [PromptAsync(session, "one"), PromptAsync(session, "two")];
            for (var spin = 0; spin < round % 30; spin++)
            {
                await Task.Yield();
            }

            await session.DisposeAsync();
            await Task.WhenAll([.. prompts, reading]);
            Assert.Equal(1, store[id].Closed);
            Assert.Equal(store[id].Events.OfType<TurnStarted>().Count(), store[id].Events.OfType<TurnEnded>().Count());
            Assert.Equal(
                store[id].Events.OfType<CallStarted>().Count(),
                store[id].Events.OfType<CallCompleted>().Count(call => call.Outcome is not CallOutcome.NotStarted)
            );
        }

        static async Task PromptAsync(TestSession session, string text)
        {
            try
            {
                await session.PromptAsync(text);
            }
            catch (RefusedException closed)
            {
                Assert.Contains(closed.Reason, (string[])["session_closed", "session_not_found"]);
            }
        }

        static async Task ReadAsync(IAgentRuntime door, SessionId id)
        {
            long last = 0;
            try
            {
                await foreach (var envelope in door.ReadAsync(id, 0, Now))
                {
                    Assert.Equal(++last, envelope.Sequence);
                }
            }
            catch (RefusedException closed)
            {
                Assert.Contains(closed.Reason, (string[])["session_closed", "session_not_found"]);
            }
        }
    }
}
