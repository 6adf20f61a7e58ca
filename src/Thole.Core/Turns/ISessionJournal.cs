using Thole.Core.Context;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Turns;

/// <summary>What a running turn sees of its session.</summary>
internal interface ISessionView
{
    SessionId Id { get; }

    TurnId Turn { get; }

    /// <summary>The workspace: absolute, links resolved.</summary>
    string Root { get; }

    ContextState Context { get; }

    ApprovalMode ApprovalMode { get; }

    /// <summary>The step that was begun last; 0 before the first of this turn.</summary>
    int Step { get; }

    /// <summary>Calls without a result: where a turn goes on that waited for a person in an earlier process, there are some at its beginning.</summary>
    IReadOnlyList<PendingCall> OpenCalls { get; }

    /// <summary>Something was said to the turn since its last step.</summary>
    bool HasSteering { get; }

    /// <summary>The hands of this session.</summary>
    ToolContext Hands { get; }
}

/// <summary>What a running turn has written down, and asks of people.</summary>
internal interface ISessionJournal : ISessionView
{
    /// <summary>Names for the next calls, never used before in this session.</summary>
    IReadOnlyList<CallId> NewCalls(int count);

    /// <summary>Written in one piece, and durable where one of the facts must be. Takes no token: a fact cannot be cancelled.</summary>
    ValueTask RecordAsync(params IReadOnlyList<SessionEvent> happened);

    /// <summary>Adds what was said to the context.</summary>
    ValueTask TakeSteeringAsync();

    /// <summary>Asks whoever answers for this session, and waits.</summary>
    ValueTask<PermissionAnswered> AskAsync(PermissionRequested question, CancellationToken cancellationToken);

    /// <summary>Takes the question of that call away, where it is open.</summary>
    ValueTask UnaskAsync(CallId call, string reason);
}

/// <summary>
/// A call that has no result. With a <paramref name="Problem"/> it must not run; where a person <paramref name="WasAsked"/>, the
/// person decides, whatever a policy says by now.
/// </summary>
internal sealed record PendingCall(ToolCall Call, string? Problem = null, bool WasAsked = false);

/// <summary>How a turn ended. <paramref name="Message"/> is one sentence, unless it completed.</summary>
/// <param name="ProcessEnded">Nobody asked for the end.</param>
/// <param name="DeadlinePassed">The time that its prompt was given is over.</param>
internal sealed record TurnEnd(
    TurnOutcome Outcome,
    string? Message = null,
    bool ProcessEnded = false,
    bool DeadlinePassed = false
)
{
    public static TurnEnd Completed { get; } = new(TurnOutcome.Completed);

    public static TurnEnd OfLostProcess { get; } =
        new(TurnOutcome.Interrupted, "The process ended during this turn.", ProcessEnded: true);

    public static TurnEnd OfInterrupt { get; } = new(TurnOutcome.Interrupted, "The turn was interrupted.");

    public static TurnEnd OfDeadline { get; } =
        new(TurnOutcome.LimitReached, "The time that the prompt was given is over.", DeadlinePassed: true);

    /// <summary>A log that cannot be read or written says so itself; anything else is a defect of ours.</summary>
    public static TurnEnd OfDefect(Exception exception) =>
        new(
            TurnOutcome.Failed,
            exception is Log.LogException
                ? exception.Message
                : $"A defect of ours ended the turn: {exception.GetType().Name}: {exception.Message}"
        );
}
