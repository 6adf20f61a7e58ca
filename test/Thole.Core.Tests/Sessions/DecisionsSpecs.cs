using Thole.Core.Sessions;
using Thole.Core.Turns;
using Thole.Protocol;

namespace Thole.Core.Tests.Sessions;

public sealed class DecisionsSpecs
{
    private static readonly TurnId s_turn = new("t1");
    private long _sequence;

    [Fact]
    public void A_prompt_to_an_idle_session_starts_a_turn() =>
        Assert.IsType<TurnStarted>(Assert.Single(Decide(SessionState.Empty, Prompt("p1"))));

    [Fact]
    public void A_prompt_to_a_busy_session_waits() => Assert.IsType<PromptQueued>(Assert.Single(Decide(Busy(), Prompt("p2"))));

    [Theory]
    [InlineData("p1")]
    [InlineData("p2")]
    public void A_prompt_that_is_sent_again_does_nothing(string id) =>
        Assert.Empty(Decide(Fold(Busy(), new PromptQueued(new PromptId("p2"), Prompt("p2").Content)), Prompt(id)));

    [Theory]
    [InlineData("p1")]
    [InlineData("p2")]
    public void A_prompt_id_stands_for_one_text(string id)
    {
        var state = Fold(Busy(), new PromptQueued(new PromptId("p2"), Prompt("p2").Content));

        var refused = Assert.Throws<RefusedException>(() =>
            Decide(state, new Prompt(new PromptId(id), [new TextContent("else")]))
        );

        Assert.Equal("prompt_conflict", refused.Reason);
    }

    [Fact]
    public void An_interrupt_names_its_turn()
    {
        Assert.IsType<InterruptRequested>(Assert.Single(Decide(Busy(), new Interrupt(s_turn))));
        Assert.Empty(Decide(Busy(), new Interrupt(new TurnId("t0"))));
        Assert.Empty(Decide(SessionState.Empty, new Interrupt(s_turn)));
    }

    [Fact]
    public void A_second_interrupt_of_the_same_turn_does_nothing() =>
        Assert.Empty(Decide(Fold(Busy(), new InterruptRequested(s_turn)), new Interrupt(s_turn)));

    [Fact]
    public void Only_an_open_question_can_be_answered()
    {
        var call = new CallId("c1");
        var asked = Fold(
            Busy(),
            new CallRequested(new ToolCall(call, "edit", "{}"), ToolKind.Edit, "Edit"),
            new PermissionRequested(call, "may it?", [])
        );

        Assert.IsType<PermissionAnswered>(Assert.Single(Decide(asked, new AnswerPermission(call, true, []))));
        Assert.Empty(Decide(asked, new AnswerPermission(new CallId("c2"), true, [])));
        Assert.Empty(Decide(Fold(asked, new PermissionAnswered(call, true, [])), new AnswerPermission(call, false, [])));
    }

    [Fact]
    public void Choosing_what_is_chosen_is_no_event()
    {
        var state = Fold(SessionState.Empty, new SessionOpened(new SessionId("s"), "/w", "a/b", ApprovalMode.Plan, "0"));

        Assert.Empty(Decide(state, new SelectModel("a/b")));
        Assert.Empty(Decide(state, new SelectApprovalMode(ApprovalMode.Plan)));
        Assert.IsType<ModelSelected>(Assert.Single(Decide(state, new SelectModel("a/c"))));
        Assert.IsType<ApprovalModeSelected>(Assert.Single(Decide(state, new SelectApprovalMode(ApprovalMode.Yolo))));
    }

    [Fact]
    public void A_turn_ends_with_every_call_closed_and_says_which_may_have_happened()
    {
        var state = Fold(
            Busy(),
            new CallRequested(new ToolCall(new CallId("call_2"), "write_file", "{}"), ToolKind.Edit, "Write"),
            new CallRequested(new ToolCall(new CallId("call_10"), "edit", "{}"), ToolKind.Edit, "Edit"),
            new CallStarted(new CallId("call_2"))
        );

        var ended = Decisions.EndTurn(state, new TurnEnd(TurnOutcome.Interrupted, "why"));

        Assert.Equal(
            [CallOutcome.Unknown, CallOutcome.NotStarted],
            ended.OfType<CallCompleted>().Select(completed => completed.Outcome)
        );
        Assert.Equal(new TurnEnded(s_turn, TurnOutcome.Interrupted, "why", new PromptId("p1")), ended[^1]);
        Assert.Empty(Fold(state, [.. ended]).OpenCalls);
    }

    [Fact]
    public void The_prompt_that_waited_longest_starts_next()
    {
        var state = Fold(
            Busy(),
            new PromptQueued(new PromptId("p2"), []),
            new PromptQueued(new PromptId("p3"), []),
            new TurnEnded(s_turn, TurnOutcome.Completed)
        );

        Assert.Equal(new PromptId("p2"), Decisions.Continue(state, NewTurn)?.Started.Prompt);
        Assert.Null(Decisions.Continue(Busy(), NewTurn));
    }

    private static IReadOnlyList<SessionEvent> Decide(SessionState state, Command command) =>
        Decisions.Decide(state, command, Actor.User, new SessionRules(), NewTurn);

    private static TurnId NewTurn() => s_turn;

    private static Prompt Prompt(string id) => new(new PromptId(id), [new TextContent("go")]);

    private SessionState Busy() => Fold(SessionState.Empty, new TurnStarted(s_turn, new PromptId("p1"), Prompt("p1").Content));

    private SessionState Fold(SessionState state, params IEnumerable<SessionEvent> events) =>
        events.Aggregate(state, (folded, happened) => folded.Apply(new Envelope(++_sequence, default, Actor.Runtime, happened)));
}
