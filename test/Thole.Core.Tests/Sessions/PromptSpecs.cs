using Thole.Core.Sessions;
using Thole.Protocol;
using Thole.Testing.Log;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>Prompts that wait, come twice, are taken back, or are too many.</summary>
public sealed class PromptSpecs
{
    [Fact]
    public async Task A_prompt_that_is_sent_again_runs_once_whenever_it_comes()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel().Step(step => step.Wait(gate.Task).Text("one")).Step(step => step.Text("two"));
        await using var session = await TestSession.OpenAsync(model);
        var first = await SendAsync(session, "a", "one");
        var second = await SendAsync(session, "b", "two");

        var running = await SendAsync(session, "a", "one");
        var waiting = await SendAsync(session, "b", "two");
        gate.SetResult();
        await session.UntilAsync<TurnEnded>(times: 2);
        var ended = await SendAsync(session, "b", "two");
        await using var next = await session.RestartAsync(new ScriptedModel());
        var later = await SendAsync(next, "a", "one");

        Assert.Equal((first.First, null), (running.First, running.Turn)); // it began no turn: it had
        Assert.Equal((second.First, second.First), (waiting.First, ended.First));
        Assert.Equal(first.First, later.First);
        Assert.Equal(2, next.Log.Events.OfType<TurnStarted>().Count());
    }

    [Fact]
    public async Task A_prompt_id_that_was_used_for_another_text_is_refused()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Otherwise(step => step.Text("ok")));
        await SendAsync(session, "a", "one");
        await session.UntilAsync<TurnEnded>();

        var refused = await Assert.ThrowsAsync<RefusedException>(() => SendAsync(session, "a", "two"));

        Assert.Equal("prompt_conflict", refused.Reason);
        Assert.Single(session.Log.Events.OfType<TurnStarted>());
    }

    [Fact]
    public async Task The_same_prompt_from_many_clients_at_once_is_one()
    {
        for (var round = 0; round < 100; round++)
        {
            var model = new ScriptedModel().Otherwise(step => step.Text("ok"));
            await using var session = await TestSession.OpenAsync(model);

            var receipts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => SendAsync(session, "a", "one"))));
            await session.UntilAsync<TurnEnded>();

            Assert.Single(receipts.Select(receipt => receipt.First).Distinct());
            Assert.Single(receipts, receipt => receipt.Turn is not null);
            Assert.Single(session.Log.Events.OfType<TurnStarted>());
        }
    }

    [Fact]
    public async Task A_prompt_that_was_taken_back_before_its_turn_does_not_run_and_is_not_accepted_again()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel().Step(step => step.Wait(gate.Task).Text("one")).Step(step => step.Text("three"));
        await using var session = await TestSession.OpenAsync(model);
        await SendAsync(session, "a", "one");
        var second = await SendAsync(session, "b", "two");
        await SendAsync(session, "c", "three");

        var withdrawn = await session.SubmitAsync(new Withdraw(new PromptId("b")));
        var running = await session.SubmitAsync(new Withdraw(new PromptId("a")));
        var unknown = await session.SubmitAsync(new Withdraw(new PromptId("x")));
        var again = await SendAsync(session, "b", "two");
        gate.SetResult();
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.True(withdrawn.First > 0);
        Assert.Equal((0, 0), (running.First, unknown.First));
        Assert.Equal(second.First, again.First);
        Assert.Equal(["a", "c"], session.Log.Events.OfType<TurnStarted>().Select(turn => turn.Prompt.Value));
        Assert.Empty(session.Status.Waiting);
    }

    [Fact]
    public async Task No_more_wait_than_may_and_one_that_is_taken_back_makes_room()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel().Step(step => step.Wait(gate.Task).Text("ok")).Otherwise(step => step.Text("ok"));
        var options = new TestOptions { Rules = new SessionRules(MostWaiting: 2) };
        await using var session = await TestSession.OpenAsync(model, options: options);
        await SendAsync(session, "a", "one");
        await SendAsync(session, "b", "two");
        await session.SteerAsync("s", "this too");

        Assert.Equal("prompt_queue_full", (await Refused(() => SendAsync(session, "c", "three"))).Reason);
        Assert.Equal("prompt_queue_full", (await Refused(() => session.SteerAsync("t", "and this"))).Reason);
        await SendAsync(session, "b", "two"); // it waits already
        await session.SubmitAsync(new Withdraw(new PromptId("b")));
        await SendAsync(session, "c", "three");
        gate.SetResult();
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(["a", "c"], session.Log.Events.OfType<TurnStarted>().Select(turn => turn.Prompt.Value));
    }

    [Fact]
    public async Task A_prompt_that_waits_when_a_loss_is_told_runs_to_its_end()
    {
        var id = new SessionId("lost");
        var store = new MemoryEventStore();
        var log = store.Leave(
            id,
            new SessionOpened(id, "/workspace", "test/model", ApprovalMode.Default, "test"),
            new TurnStarted(new TurnId("t"), new PromptId("a"), [new TextContent("one")]),
            new PromptQueued(new PromptId("b"), [new TextContent("two")]),
            new TurnEnded(new TurnId("t"), TurnOutcome.Interrupted, "The turn was interrupted.", new PromptId("a"))
        );
        log.Recovery = new LogRecovered(4, "The machine stopped.");

        await using var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(step => step.Text("two")),
            store: store,
            session: id
        );
        var ended = (TurnEnded)(await session.UntilAsync<TurnEnded>(times: 2))[^1].Event;

        Assert.Equal((TurnOutcome.Completed, "b"), (ended.Outcome, ended.Prompt?.Value));
    }

    private static Task<Receipt> SendAsync(TestSession session, string id, string text) =>
        session.SubmitAsync(new Prompt(new PromptId(id), [new TextContent(text)]));

    private static Task<RefusedException> Refused(Func<Task> asked) => Assert.ThrowsAsync<RefusedException>(asked);
}
