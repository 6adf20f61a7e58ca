using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// Which facts must survive a power cut before anybody hears of them: what was acknowledged, and what comes before an effect.
/// Everything else is covered by the next of these, and a piece that is lost with the power was never acknowledged.
/// </summary>
internal static class Durability
{
    public static bool IsNeeded(SessionEvent happened) =>
        happened
            is not (
                StepStarted
                or TextPiece
                or ReasoningPiece
                or MessageCompleted
                or CallRequested
                or ContextAdded
                or FileSeen
                or AttemptFailed
                or CompactionFailed
            );
}
