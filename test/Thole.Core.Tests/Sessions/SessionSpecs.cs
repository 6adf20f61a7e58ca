using System.Text.Json;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

public sealed class SessionSpecs
{
    [Fact]
    public async Task A_prompt_runs_until_the_model_asks_for_nothing()
    {
        var model = new ScriptedModel().Step(step => step.Call("echo", """{"a":1}""")).Step(step => step.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [new TestTool("echo", "hi")]);

        await session.PromptAsync("go");

        Assert.Equal(
            [
                "TurnStarted",
                "MessageCompleted",
                "CallRequested",
                "CallStarted",
                "CallCompleted",
                "TextPiece",
                "MessageCompleted",
                "TurnEnded",
            ],
            await session.NamesUntilAsync<TurnEnded>()
        );
    }

    [Fact]
    public async Task The_model_is_shown_what_happened_in_order()
    {
        var model = new ScriptedModel().Step(step => step.Text("I look.").Call("echo")).Step(step => step.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [new TestTool("echo", "hi")]);

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        var items = model.Requests[1].Items;
        Assert.Equal("You are tested.", model.Requests[1].System);
        Assert.Equal("go", Assert.IsType<TextContent>(Assert.Single(Assert.IsType<UserItem>(items[0]).Content)).Text);
        var said = Assert.IsType<AssistantItem>(items[1]);
        Assert.Equal(("I look.", "echo"), (said.Text, Assert.Single(said.Calls).Tool));
        Assert.Equal("hi", Assert.IsType<ResultItem>(items[2]).Result.Text);
    }

    [Fact]
    public async Task A_second_prompt_waits_for_the_first()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel().Step(step => step.Wait(gate.Task).Text("one")).Step(step => step.Text("two"));
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("first");
        await session.PromptAsync("second");
        gate.SetResult();

        Assert.Equal(
            [
                "TurnStarted",
                "PromptQueued",
                "TextPiece",
                "MessageCompleted",
                "TurnEnded",
                "TurnStarted",
                "TextPiece",
                "MessageCompleted",
                "TurnEnded",
            ],
            await session.NamesUntilAsync<TurnEnded>(times: 2)
        );
    }

    [Fact]
    public async Task An_interrupt_while_a_question_is_open_closes_the_call_and_the_turn()
    {
        var model = new ScriptedModel().Step(step => step.Call("echo"));
        await using var session = await TestSession.OpenAsync(
            model,
            [new TestTool("echo", "hi")],
            new TestOptions { Verdict = Verdict.Ask }
        );

        var turn = (await session.PromptAsync("go")).Turn!.Value;
        await session.UntilAsync<PermissionRequested>();
        await session.SubmitAsync(new Interrupt(turn));

        Assert.Equal(
            [
                "TurnStarted",
                "MessageCompleted",
                "CallRequested",
                "PermissionRequested",
                "InterruptRequested",
                "PermissionAnswered",
                "CallCompleted",
                "TurnEnded",
            ],
            await session.NamesUntilAsync<TurnEnded>()
        );
        Assert.Equal(CallOutcome.NotStarted, session.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Fact]
    public async Task A_late_interrupt_does_not_touch_the_next_turn()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel().Step(step => step.Text("one")).Step(step => step.Wait(gate.Task).Text("two"));
        await using var session = await TestSession.OpenAsync(model);
        var finished = (await session.PromptAsync("first")).Turn!.Value;
        await session.UntilAsync<TurnEnded>();

        await session.PromptAsync("second");
        await session.SubmitAsync(new Interrupt(finished));
        gate.SetResult();

        var events = await session.UntilAsync<TurnEnded>(times: 2);
        Assert.DoesNotContain(events, envelope => envelope.Event is InterruptRequested);
        Assert.Equal(TurnOutcome.Completed, Assert.IsType<TurnEnded>(events[^1].Event).Outcome);
    }

    [Fact]
    public async Task An_interrupted_message_is_kept_as_far_as_it_came()
    {
        var model = new ScriptedModel().Step(step => step.Text("half a").Hang()).Step(step => step.Text("whole"));
        await using var session = await TestSession.OpenAsync(model);
        var turn = (await session.PromptAsync("go")).Turn!.Value;
        await session.UntilAsync<TextPiece>();

        await session.SubmitAsync(new Interrupt(turn));
        await session.UntilAsync<TurnEnded>();
        await session.PromptAsync("again");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal("half a", model.Requests[1].Items.OfType<AssistantItem>().Single().Text);
    }

    [Fact]
    public async Task A_reader_that_comes_back_misses_nothing_and_sees_nothing_twice()
    {
        var model = new ScriptedModel().Step(step => step.Text("one")).Step(step => step.Text("two"));
        await using var session = await TestSession.OpenAsync(model);
        await session.PromptAsync("first");
        var first = await session.UntilAsync<TurnEnded>();
        await session.PromptAsync("second");

        var rest = await session.UntilAsync<TurnEnded>(after: first[^1].Sequence);

        var all = first.Concat(rest).Select(envelope => envelope.Sequence).ToArray();
        Assert.Equal(Enumerable.Range(1, all.Length).Select(number => (long)number), all);
    }

    [Fact]
    public async Task A_session_that_died_inside_a_turn_wakes_with_the_turn_closed_and_says_what_is_unknown()
    {
        var store = new Testing.Log.MemoryEventStore();
        var id = new SessionId("died");
        SessionEvent[] left =
        [
            new SessionOpened(id, "/workspace", "test/model", ApprovalMode.Default, "test"),
            new TurnStarted(new TurnId("t"), new PromptId("p"), [new TextContent("go")]),
            new StepStarted(new TurnId("t"), 1, "test/model"),
            new MessageCompleted("done", new Usage()),
            new CallRequested(new ToolCall(new CallId("call_1"), "shell", "{}"), ToolKind.Execute, "shell"),
            new CallStarted(new CallId("call_1")),
        ];
        store.Leave(id, left);
        var tool = new TestTool("shell", "done");
        var model = new ScriptedModel().Step(step => step.Text("I look first."));

        await using var session = await TestSession.OpenAsync(model, [tool], store: store, session: id);
        await session.PromptAsync("go on");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(0, tool.Runs);
        var told = model.Requests[0].Items.OfType<ResultItem>().Single();
        Assert.Equal((CallOutcome.Unknown, ToolErrors.Unknown), (told.Outcome, told.Result.Error));
        Assert.Contains("not known", told.Result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_that_waited_when_the_process_died_runs_at_the_next_start()
    {
        var model = new ScriptedModel().Step(step => step.Hang());
        var died = await TestSession.OpenAsync(model);
        await died.PromptAsync("first");
        await died.PromptAsync("second");

        await using var session = await died.KillAsync(new ScriptedModel().Step(step => step.Text("two")));

        var ended = (await session.UntilAsync<TurnEnded>(times: 2)).Select(envelope => envelope.Event).OfType<TurnEnded>();
        Assert.Equal([TurnOutcome.Interrupted, TurnOutcome.Completed], ended.Select(end => end.Outcome));
    }

    [Fact]
    public async Task The_log_replays_to_the_same_state_with_and_without_a_snapshot()
    {
        var model = new ScriptedModel().Otherwise(step => step.Text("answer").Reasoning("thought"));
        await using var session = await TestSession.OpenAsync(model);
        for (var turn = 1; turn <= 120; turn++)
        {
            await session.PromptAsync($"prompt {turn}");
            await session.UntilAsync<TurnEnded>(turn);
        }

        var snapshot = await session.Log.ReadSnapshotAsync(CancellationToken.None);
        Assert.NotNull(snapshot);
        var fromSnapshot = JsonSerializer.Deserialize(snapshot.State.Span, CoreJson.Default.SessionState)!;
        var folded = SessionState.Empty;
        await foreach (var envelope in session.Log.ReadAsync(0, long.MaxValue, CancellationToken.None))
        {
            folded = folded.Apply(envelope);
            if (envelope.Sequence > snapshot.Sequence)
            {
                fromSnapshot = fromSnapshot.Apply(envelope);
            }
        }

        Assert.Equal(
            JsonSerializer.Serialize(folded with { Prompts = folded.Prompts.Clear() }, CoreJson.Default.SessionState),
            JsonSerializer.Serialize(fromSnapshot with { Prompts = fromSnapshot.Prompts.Clear() }, CoreJson.Default.SessionState)
        );
        Assert.Equal(folded.Prompts.Keys.Order(PromptOrder), fromSnapshot.Prompts.Keys.Order(PromptOrder));
    }

    [Fact]
    public async Task Nothing_is_acknowledged_that_the_log_did_not_take()
    {
        var model = new ScriptedModel().Otherwise(step => step.Text("never"));
        await using var session = await TestSession.OpenAsync(model);
        session.Log.Broken = new LogException("The disk is full; make room and go on.");

        var refused = await Assert.ThrowsAsync<RefusedException>(() => session.PromptAsync("go"));

        Assert.Equal("session_unwritable", refused.Reason);
        Assert.Contains("make room", refused.Message, StringComparison.Ordinal);
        Assert.Empty(model.Requests);
        await Assert.ThrowsAsync<RefusedException>(() => session.PromptAsync("again"));
    }

    [Fact]
    public async Task A_log_that_breaks_during_a_turn_ends_the_turn_and_tells_the_readers()
    {
        var gate = new TaskCompletionSource();
        var tool = new TestTool("echo", "hi");
        var model = new ScriptedModel().Step(step => step.Wait(gate.Task).Call("echo"));
        await using var session = await TestSession.OpenAsync(model, [tool]);
        await session.PromptAsync("go");
        await session.UntilAsync<StepStarted>();

        session.Log.Broken = new LogException("full");
        gate.SetResult();

        await Assert.ThrowsAsync<RefusedException>(() => session.UntilAsync<TurnEnded>());
        Assert.Equal(0, tool.Runs); // no intent on disk, no effect
    }

    [Fact]
    public async Task A_session_of_another_workspace_is_refused_and_not_opened()
    {
        var model = new ScriptedModel().Otherwise(step => step.Text("x"));
        await using var one = await TestSession.OpenAsync(model);

        var refused = await Assert.ThrowsAsync<RefusedException>(() =>
            TestSession.OpenAsync(
                model,
                options: new TestOptions { Workspace = "/elsewhere" },
                store: one.Store.Killed(),
                session: one.Id
            )
        );

        Assert.Equal("workspace_mismatch", refused.Reason);
    }

    [Fact]
    public async Task A_defect_in_a_tool_ends_the_turn_and_not_the_session()
    {
        var model = new ScriptedModel().Step(step => step.Call("broken")).Step(step => step.Text("still here"));
        await using var session = await TestSession.OpenAsync(
            model,
            [new TestTool("broken", (_, _) => throw new InvalidOperationException("a bug"))]
        );

        await session.PromptAsync("go");
        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event);
        await session.PromptAsync("again");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(TurnOutcome.Failed, end.Outcome);
        Assert.Contains("a bug", end.Message, StringComparison.Ordinal);
        Assert.Equal(CallOutcome.Unknown, session.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Fact]
    public async Task Many_clients_at_once_are_heard_in_one_order_and_every_reader_sees_it()
    {
        for (var run = 0; run < 100; run++)
        {
            var model = new ScriptedModel().Otherwise(step => step.Text("ok"));
            await using var session = await TestSession.OpenAsync(model);
            var readers = Enumerable.Range(0, 4).Select(_ => session.UntilAsync<TurnEnded>(times: 10)).ToArray();

            await Task.WhenAll(Enumerable.Range(0, 10).Select(number => session.PromptAsync($"{number}")));

            var seen = await Task.WhenAll(readers);
            Assert.All(seen, one => Assert.Equal(seen[0].Select(e => e.Sequence), one.Select(e => e.Sequence)));
            Assert.Equal(Enumerable.Range(1, seen[0].Count).Select(n => (long)n), seen[0].Select(e => e.Sequence));
            Assert.Equal(10, model.Requests.Count);
        }
    }

    private static Comparer<PromptId> PromptOrder { get; } =
        Comparer<PromptId>.Create((one, other) => string.CompareOrdinal(one.Value, other.Value));
}
