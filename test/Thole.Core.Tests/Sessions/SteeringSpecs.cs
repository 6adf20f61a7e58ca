using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>What is said to a turn while it runs.</summary>
public sealed class SteeringSpecs
{
    [Fact]
    public async Task The_model_is_shown_before_its_next_step_what_was_said_to_the_turn()
    {
        var work = new Work();
        var model = new ScriptedModel().Step(step => step.Call("work")).Step(step => step.Text("I hear."));
        await using var session = await work.BeginAsync(model);

        var receipt = await session.SteerAsync("s1", "use tabs");
        Assert.Equal("use tabs", Said(Assert.Single(session.Status.Steering).Content));
        await session.SteerAsync("s2", "and be brief");
        work.Done();
        await session.UntilAsync<TurnEnded>();

        Assert.Equal((receipt.First, null), (receipt.Sequence, receipt.Turn));
        Assert.Equal(["go", "use tabs", "and be brief"], Prompts(model.Requests[1]));
        Assert.IsType<ResultItem>(model.Requests[1].Items[^3]); // after the result of the call that ran meanwhile
        var taken = session.Log.Events.OfType<SteeringTaken>().Single(); // together, once
        Assert.Equal(["s1", "s2"], taken.Messages.Select(message => message.Prompt.Value));
        Assert.Empty(session.Status.Steering);
    }

    [Fact]
    public async Task What_was_taken_belongs_to_its_turn_and_has_no_end_of_its_own()
    {
        var work = new Work();
        var model = new ScriptedModel().Step(step => step.Call("work")).Step(step => step.Text("I hear."));
        await using var session = await work.BeginAsync(model);
        await session.SteerAsync("s1", "use tabs");
        work.Done();
        await session.UntilAsync<TurnEnded>();
        model.Step(step => step.Text("next"));

        await session.PromptAsync("next");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(["p1", "p2"], Ended(session));
        Assert.Equal(
            session.Log.Events.OfType<TurnStarted>().First().Turn,
            session.Log.Events.OfType<SteeringTaken>().Single().Turn
        );
    }

    [Fact]
    public async Task What_is_said_while_the_model_speaks_its_last_word_is_answered_in_the_same_turn()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel().Step(step => step.Text("done").Wait(gate.Task)).Step(step => step.Text("You are right."));
        await using var session = await TestSession.OpenAsync(model);
        await session.PromptAsync("go");
        await session.UntilAsync<TextPiece>();

        await session.SteerAsync("s1", "are you sure?");
        gate.SetResult();
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(["p1"], Ended(session));
        Assert.Equal(["go", "are you sure?"], Prompts(model.Requests[1]));
    }

    [Fact]
    public async Task Where_no_turn_runs_it_is_a_prompt()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Step(step => step.Text("hello")));

        var receipt = await session.SteerAsync("s1", "hello");
        await session.UntilAsync<TurnEnded>();

        Assert.NotNull(receipt.Turn);
        Assert.Equal(["s1"], Ended(session));
        Assert.Empty(session.Log.Events.OfType<SteeringReceived>());
    }

    [Fact]
    public async Task What_a_turn_did_not_hear_before_it_ended_begins_the_next_before_the_queue()
    {
        var work = new Work();
        var model = new ScriptedModel().Step(step => step.Call("work")).Otherwise(step => step.Text("ok"));
        await using var session = await work.BeginAsync(model, new TestOptions { MaxSteps = 1 });
        await session.PromptAsync("later");
        await session.SteerAsync("s1", "now");

        work.Done(); // the one step is spent
        await session.UntilAsync<TurnEnded>(times: 3);

        Assert.Equal(["p1", "s1", "p2"], Ended(session));
        Assert.Empty(session.Log.Events.OfType<SteeringTaken>());
        var started = session.Log.Events.OfType<TurnStarted>().Single(turn => turn.Prompt.Value is "s1");
        Assert.NotNull(started.QueuedAt);
        Assert.True(session.Log.Events.OfType<TurnEnded>().Single(turn => turn.Prompt?.Value is "s1").HadWaited);
    }

    [Fact]
    public async Task A_turn_that_is_being_stopped_hears_nothing_more_and_what_was_said_begins_the_next()
    {
        var work = new Work();
        var model = new ScriptedModel().Step(step => step.Call("work")).Otherwise(step => step.Text("ok"));
        await using var session = await work.BeginAsync(model);
        await session.SteerAsync("s1", "do it otherwise");

        await session.SubmitAsync(new Interrupt(session.Status.Turn!.Turn));
        work.Done(); // the tool is deaf to the interrupt, and comes back as if nothing were
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(["p1", "s1"], Ended(session));
        Assert.Empty(session.Log.Events.OfType<SteeringTaken>());
    }

    [Fact]
    public async Task What_a_closing_process_can_no_longer_answer_waits_for_the_next()
    {
        var work = new Work();
        await using var first = await work.BeginAsync(new ScriptedModel().Step(step => step.Call("work")));
        await first.SteerAsync("s1", "do it otherwise");

        var closing = first.DisposeAsync();
        await first.Time.TimersAsync(1, TestContext.Current.CancellationToken); // the call is being given its grace
        work.Done();
        await closing;
        var model = new ScriptedModel().Step(step => step.Text("ok"));
        await using var next = await first.RestartAsync(model);
        await next.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(["p1", "s1"], Ended(next));
        Assert.Equal(["go", "do it otherwise"], Prompts(model.Requests[0]));
    }

    [Fact]
    public async Task What_waited_for_a_step_when_the_process_died_begins_a_turn_in_the_next()
    {
        var work = new Work();
        await using var first = await work.BeginAsync(new ScriptedModel().Step(step => step.Call("work")));
        await first.SteerAsync("s1", "do it otherwise");

        await using var next = await first.KillAsync(new ScriptedModel().Step(step => step.Text("ok")));
        await next.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal(["p1", "s1"], Ended(next));
        work.Done();
    }

    [Fact]
    public async Task What_is_taken_back_before_its_step_is_never_shown()
    {
        var work = new Work();
        var model = new ScriptedModel().Step(step => step.Call("work")).Step(step => step.Text("ok"));
        await using var session = await work.BeginAsync(model);
        await session.SteerAsync("s1", "use tabs");
        await session.SteerAsync("s2", "be brief");

        var receipt = await session.SubmitAsync(new Withdraw(new PromptId("s1")));
        var again = await session.SubmitAsync(new Withdraw(new PromptId("s1")));
        work.Done();
        await session.UntilAsync<TurnEnded>();
        var late = await session.SubmitAsync(new Withdraw(new PromptId("s2")));

        Assert.True(receipt.First > 0);
        Assert.Equal((0, 0), (again.First, late.First)); // what was withdrawn or taken is not there to be taken back
        Assert.Equal(["go", "be brief"], Prompts(model.Requests[1]));
        Assert.Single(session.Log.Events.OfType<PromptWithdrawn>());
    }

    [Fact]
    public async Task Sent_again_it_is_known_and_the_receipt_names_where_it_was_accepted()
    {
        var work = new Work();
        var model = new ScriptedModel().Step(step => step.Call("work")).Step(step => step.Text("ok"));
        await using var session = await work.BeginAsync(model);
        var first = await session.SteerAsync("s1", "use tabs");

        var waiting = await session.SteerAsync("s1", "use tabs");
        var refused = await Assert.ThrowsAsync<RefusedException>(() => session.SteerAsync("s1", "use spaces"));
        work.Done();
        await session.UntilAsync<TurnEnded>();
        var over = await session.SteerAsync("s1", "use tabs");

        Assert.Equal((first.First, first.First), (waiting.First, over.First));
        Assert.Equal("prompt_conflict", refused.Reason);
        Assert.Single(session.Log.Events.OfType<SteeringReceived>());
        Assert.Equal(["p1"], Ended(session));
    }

    private static string[] Prompts(ModelRequest request) =>
        [.. request.Items.OfType<UserItem>().Select(item => Said(item.Content))];

    private static string Said(IReadOnlyList<Content> content) => Assert.IsType<TextContent>(Assert.Single(content)).Text;

    private static string[] Ended(TestSession session) =>
        [.. session.Log.Events.OfType<TurnEnded>().Select(turn => turn.Prompt!.Value.Value)];

    /// <summary>A turn in the middle of a call that ends when the test says so, and hears no interrupt.</summary>
    private sealed class Work
    {
        private readonly TaskCompletionSource<ToolResult> _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<TestSession> BeginAsync(ScriptedModel model, TestOptions? options = null)
        {
            var session = await TestSession.OpenAsync(model, [new TestTool("work", (_, _) => _gate.Task)], options);
            await session.PromptAsync("go");
            await session.UntilAsync<CallStarted>();
            return session;
        }

        public void Done() => _gate.SetResult(ToolResult.Ok("done"));
    }
}
