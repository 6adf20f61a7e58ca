using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>The time that a prompt was given. It is in the log, so that it is the same one after a restart.</summary>
internal static class Deadlines
{
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(40);

    /// <summary>Cancelled when the time of the turn is over, which may be now; without a deadline by nothing but its owner.</summary>
    public static CancellationTokenSource Begin(RunningTurn? turn, TimeProvider time)
    {
        if (turn?.Deadline is not { } deadline)
        {
            return new CancellationTokenSource();
        }

        // A timer takes no more than 49 days; who gives a turn more has given it no end that matters.
        var left = deadline - time.GetUtcNow();
        return left > s_longest
            ? new CancellationTokenSource()
            : new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
    }
}
