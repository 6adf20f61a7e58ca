using Thole.Core.Turns;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>What lies in a session's mailbox. <paramref name="Actor"/> is who it is from; null where each fact itself says.</summary>
internal abstract record Letter(Actor? Actor)
{
    /// <summary>Completes when the consequences are in the log, as durable as they must be.</summary>
    public TaskCompletionSource<Receipt> Handled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

internal sealed record SubmitLetter(Command Command, Actor From) : Letter(From);

internal sealed record RecordLetter(IReadOnlyList<SessionEvent> Happened, Actor? From = null) : Letter(From);

/// <summary>A turn that goes on in another process asks again: what was asked is not written twice, and may have its answer.</summary>
internal sealed record AskLetter(PermissionRequested Asked, TaskCompletionSource<PermissionAnswered> Answer)
    : Letter((Actor?)null);

/// <summary>Takes a question away that nobody has answered, in a person's stead.</summary>
internal sealed record UnaskLetter(CallId Call, string Reason) : Letter(Protocol.Actor.Runtime);

/// <summary>The turn takes what was said to it since its last step.</summary>
internal sealed record TakeSteeringLetter() : Letter((Actor?)null);

/// <summary>
/// The last one: what a client asks from now on is refused, no waiting prompt begins, and the turn that runs is interrupted,
/// or left as it is where it waits for a person and the log can wait as well. With <paramref name="OnlyIfResting"/> it is the last
/// one only where nothing runs or waits; with <paramref name="AfterTurn"/> the turn that runs may end first.
/// </summary>
internal sealed record CloseLetter(bool OnlyIfResting = false, bool AfterTurn = false) : Letter((Actor?)null);

internal sealed record EndTurnLetter(TurnEnd End) : Letter(Protocol.Actor.Runtime);
