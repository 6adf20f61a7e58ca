using Thole.Core.Permissions;
using Thole.Core.Turns;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>The rules of a session, free of time, tasks and I/O: a state and a command in, events out.</summary>
internal static class Decisions
{
    private const int LongestName = 256;

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

    /// <exception cref="RefusedException">The command asks for what cannot be; nothing happens.</exception>
    public static IReadOnlyList<SessionEvent> Decide(
        SessionState state,
        Command command,
        Actor actor,
        SessionRules rules,
        Func<TurnId> newTurn
    ) =>
        command switch
        {
            Prompt(var id, var content) when IsKnown(state, id, content) => [], // sent again: it was accepted, once
            Steer(var id, var content) when IsKnown(state, id, content) => [],
            Prompt or Steer when state.IsClosed => throw new RefusedException(
                "session_not_found",
                "The session was closed; load it to go on with it."
            ),
            Prompt(var id, var content) first when state.Turn is null =>
            [
                new TurnStarted(newTurn(), id, content) { Deadline = first.Deadline },
            ],
            Steer(var id, var content) when state.Turn is null => [new TurnStarted(newTurn(), id, content)],
            Prompt or Steer when state.Waiting.Count + state.Steering.Count >= rules.MostWaiting => throw new RefusedException(
                "prompt_queue_full",
                $"{rules.MostWaiting} prompts wait in this session already; wait for one to end, or withdraw one."
            ),
            Prompt(var id, var content) next => [new PromptQueued(id, content) { Deadline = next.Deadline }],
            Steer(var id, var content) => [new SteeringReceived(id, content)],
            Withdraw(var id) when state.Waiting.Concat(state.Steering).Any(waiting => waiting.Prompt == id) =>
            [
                new PromptWithdrawn(id),
            ],
            AnswerPermission answer when state.Asked.FirstOrDefault(open => open.Call.Id == answer.Call) is { } open =>
                Ballot.Cast(answer, open.Question!.Request.Election, open.Cast, actor) is { } voted ? [voted] : [],
            Interrupt(var turn) when turn == state.Turn && !state.IsInterrupted => Interrupt(state, turn),
            SelectModel(var model) when model != state.Context.Model => [new ModelSelected(model)],
            SelectApprovalMode(var mode, var granted) when mode != state.ApprovalMode =>
            [
                new ApprovalModeSelected(mode, state.ApprovalMode, granted),
            ],
            RenameSession { Name.Length: > LongestName } => throw new RefusedException(
                "invalid_metadata",
                $"A session's name has at most {LongestName} characters."
            ),
            RenameSession(var name) when name != state.Name => [new SessionRenamed(name)],
            CloseSession when !state.IsClosed => Close(state),
            ReopenSession when state.IsClosed => [new SessionReopened()],
            _ => [], // an answer to a settled question, an interrupt of a finished turn: late, therefore harmless
        };

    /// <summary>A question that no vote can decide any more is taken away: its call does not run.</summary>
    public static IEnumerable<SessionEvent> Settle(SessionState state) =>
        from open in state.Asked
        let why = Ballot.Stuck(open.Question!.Request.Election, open.Cast)
        where why is not null
        from unasked in Unask([open], why)
        select unasked;

    /// <summary>As soon as nothing runs, what waited longest starts: first what was said to a turn that ended before it heard it.</summary>
    public static (TurnStarted Started, Actor Asker)? Continue(SessionState state, Func<TurnId> newTurn) =>
        state is { Turn: null, IsClosed: false } && state.Steering.Concat(state.Waiting).FirstOrDefault() is { } next
            ? (new TurnStarted(newTurn(), next.Prompt, next.Content, next.At) { Deadline = next.Deadline }, next.Asker)
            : null;

    /// <summary>
    /// Closes every open call before the turn, so that no request to a model ever lacks a result. What had started and has no
    /// result may have happened, or half of it: that is said, and nothing is repeated.
    /// </summary>
    public static IReadOnlyList<SessionEvent> EndTurn(SessionState state, TurnEnd end)
    {
        if (state.Running is not { } running)
        {
            return [];
        }

        return
        [
            .. Unask(state.Asked, "The turn ended before it was answered."),
            .. state.CallsInOrder.Select(Close),
            new TurnEnded(
                running.Turn,
                end.Outcome,
                end.Message,
                running.Prompt,
                HadWaited: running.QueuedAt is not null,
                end.ProcessEnded,
                end.DeadlinePassed
            ),
        ];
    }

    /// <summary>
    /// A turn that waited for a person when its process ended still waits, and so does one whose answer nobody acted on. Any other
    /// is over: what a model or a tool was doing when the process died is not begun again by itself.
    /// </summary>
    public static bool GoesOn(SessionState state, SessionRules rules) =>
        rules.KeepsQuestions
        && state.Running is { IsInterrupted: false }
        && state.OpenCalls.Values.Any(open => open is { Question: not null, Started: false });

    /// <summary>What a process has to say of a session that another left: by which mode it works, before anything runs by it, and what becomes of the turn.</summary>
    public static IReadOnlyList<SessionEvent> TakeOver(SessionState state, ApprovalMode ours, SessionRules rules) =>
        [.. LimitMode(state, ours, rules), .. Resume(state, rules)];

    /// <summary>
    /// A mode that asks less than <paramref name="ours"/>, that of the process which opens the session, is a right that another process
    /// was given. It does not pass on, unless somebody chose it who may, and this is a process in which that stays.
    /// </summary>
    private static IReadOnlyList<SessionEvent> LimitMode(SessionState state, ApprovalMode ours, SessionRules rules) =>
        state.Latest > 0 // else there is none yet
        && state.ApprovalMode.IsLooserThan(ours)
        && !(rules.KeepsGrantedModes && state.IsModeGranted)
            ? [new ApprovalModeSelected(ours, state.ApprovalMode)]
            : [];

    /// <summary>What the next process has to say of the turn: how it ended, or, where it goes on, that of calls that had started nobody saw the end.</summary>
    private static IReadOnlyList<SessionEvent> Resume(SessionState state, SessionRules rules) =>
        GoesOn(state, rules)
            ? [.. state.CallsInOrder.Where(open => open.Started).Select(Close)]
            : EndTurn(state, TurnEnd.OfLostProcess);

    /// <summary>A turn that is being stopped takes nothing more: it would not answer, and the next one does.</summary>
    public static IReadOnlyList<SessionEvent> TakeSteering(SessionState state) =>
        state is { Running: { IsInterrupted: false, Turn: var turn }, Steering: [_, ..] said }
            ? [new SteeringTaken(turn, [.. said.Select(one => new SteeringReceived(one.Prompt, one.Content))])]
            : [];

    /// <summary>Takes the question of one call away, where it is open.</summary>
    public static IReadOnlyList<SessionEvent> Unask(SessionState state, CallId call, string reason) =>
        [.. Unask(state.Asked.Where(open => open.Call.Id == call), reason)];

    private static bool IsKnown(SessionState state, PromptId id, IReadOnlyList<Content> content) =>
        state.Prompts.TryGetValue(id, out var accepted)
        && (
            accepted.Said == AcceptedPrompt.Digest(content)
                ? true
                : throw new RefusedException(
                    "prompt_conflict",
                    $"The prompt id {id} was used for another text; send a new text under an id of its own."
                )
        );

    private static IReadOnlyList<SessionEvent> Interrupt(SessionState state, TurnId turn) =>
        [new InterruptRequested(turn, state.Running!.Prompt), .. Unask(state.Asked, "The turn was interrupted.")];

    private static IReadOnlyList<SessionEvent> Close(SessionState state) =>
        [
            .. state.Steering.Concat(state.Waiting).Select(waiting => new PromptWithdrawn(waiting.Prompt)),
            .. state is { Turn: { } turn, IsInterrupted: false } ? Interrupt(state, turn) : [],
            new SessionClosed(),
        ];

    /// <summary>No open question survives its turn.</summary>
    private static IEnumerable<SessionEvent> Unask(IEnumerable<OpenCall> asked, string reason) =>
        asked.Select(open => new PermissionAnswered(open.Call.Id, Allow: false, [], reason, Cancelled: true));

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

/// <summary>What the user set for every session of a runtime.</summary>
/// <param name="MostWaiting">Prompts and messages that may wait in a session.</param>
/// <param name="KeepsQuestions">A turn that waits for a person outlives the process; else it ends with it.</param>
/// <param name="PermissionTimeout">How long a question waits for a person; null for as long as the session lives.</param>
/// <param name="KeepsGrantedModes">A mode that somebody chose who may approve outlives the process; else each process begins with its own.</param>
public sealed record SessionRules(
    int MostWaiting = int.MaxValue,
    bool KeepsQuestions = false,
    TimeSpan? PermissionTimeout = null,
    bool KeepsGrantedModes = false
);
