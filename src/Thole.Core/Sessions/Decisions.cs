using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>The rules of a session, free of time, tasks and I/O: a state and a command in, events out.</summary>
internal static class Decisions
{
    /// <exception cref="RefusedException">The session works on another directory.</exception>
    public static void CheckWorkspace(SessionId id, SessionState state, string workspace)
    {
        if (state.Workspace is { Length: > 0 } ours && ours != workspace)
        {
            throw new RefusedException(
                "workspace_mismatch",
                $"The session {id} belongs to {ours}; start thole there to go on with it."
            );
        }
    }

    public static IReadOnlyList<SessionEvent> Decide(SessionState state, Command command, Func<TurnId> newTurn) =>
        command switch
        {
            Prompt prompt when state.Prompts.Contains(prompt.Id) => [], // sent again: it was accepted, once
            Prompt prompt when state.Turn is null => [new TurnStarted(newTurn(), prompt.Id, prompt.Content)],
            Prompt prompt => [new PromptQueued(prompt.Id, prompt.Content)],
            AnswerPermission answer when state.Questions.Contains(answer.Call) =>
            [
                new PermissionAnswered(answer.Call, answer.Allow, answer.Answers, answer.Reason),
            ],
            Interrupt interrupt when interrupt.Turn == state.Turn && !state.IsInterrupted =>
            [
                new InterruptRequested(interrupt.Turn),
            ],
            SelectModel select when select.Model != state.Context.Model => [new ModelSelected(select.Model)],
            SelectApprovalMode select when select.Mode != state.ApprovalMode => [new ApprovalModeSelected(select.Mode)],
            _ => [], // an answer to a settled question, an interrupt of a finished turn: late, therefore harmless
        };

    /// <summary>The prompt that waited longest starts as soon as nothing runs.</summary>
    public static IReadOnlyList<SessionEvent> Continue(SessionState state, Func<TurnId> newTurn) =>
        state is { Turn: null, Waiting: [var next, ..] } ? [new TurnStarted(newTurn(), next.Prompt, next.Content)] : [];

    /// <summary>
    /// Closes every open call before the turn, so that no request to a model ever lacks a result. What had started and has no
    /// result may have happened, or half of it: that is said, and nothing is repeated.
    /// </summary>
    public static IReadOnlyList<SessionEvent> EndTurn(SessionState state, TurnOutcome outcome, string? message)
    {
        if (state.Turn is not { } turn)
        {
            return [];
        }

        return
        [
            .. state
                .OpenCalls.Values.OrderBy(open => open.Call.Id.Value.Length)
                .ThenBy(open => open.Call.Id.Value, StringComparer.Ordinal)
                .Select(Close),
            new TurnEnded(turn, outcome, message),
        ];
    }

    private static CallCompleted Close(OpenCall open) =>
        open.Started
            ? new CallCompleted(
                open.Call.Id,
                CallOutcome.Unknown,
                ToolResult.Failed(
                    ToolErrors.Unknown,
                    "This call started, and its end was never recorded. Whether it took effect, wholly or in part, is not known, and it was not "
                        + "repeated. Look at the state of things before you decide whether to do it again."
                )
            )
            : new CallCompleted(
                open.Call.Id,
                CallOutcome.NotStarted,
                ToolResult.Failed(ToolErrors.Interrupted, "This call did not start: the turn ended first.")
            );
}
