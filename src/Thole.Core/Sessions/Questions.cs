using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>Those in this process who wait for a person's answer. That a question is open is in the log; who waits for it is not.</summary>
internal sealed class Questions(TimeProvider time, TimeSpan? patience)
{
    /// <summary>A timer takes no more than 49 days, and knows nothing of a clock that is set.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);

    private readonly Dictionary<CallId, TaskCompletionSource<PermissionAnswered>> _waiting = [];

    /// <summary>
    /// The answer may have come while nobody waited: before a restart, or between two of them. To a turn that is being interrupted
    /// no answer matters any more: its token ends the wait.
    /// </summary>
    public void Await(AskLetter letter, SessionState state)
    {
        if (!state.IsInterrupted && state.OpenCalls.GetValueOrDefault(letter.Asked.Call)?.Answer is { } given)
        {
            letter.Answer.TrySetResult(given);
        }
        else
        {
            _waiting[letter.Asked.Call] = letter.Answer;
        }
    }

    public void Settle(PermissionAnswered answered)
    {
        if (_waiting.Remove(answered.Call, out var waiting))
        {
            waiting.TrySetResult(answered);
        }
    }

    public void Clear() => _waiting.Clear();

    /// <summary>Null where an answer came in time, counted from when it was asked first; else why there is none.</summary>
    public async Task<string?> UnansweredAsync(CallId call, SessionState state, Task answer, CancellationToken cancellationToken)
    {
        if (patience is not { } longest || state.OpenCalls.GetValueOrDefault(call)?.Question is not { } asked)
        {
            return null;
        }

        while (!answer.IsCompleted && asked.At + longest - time.GetUtcNow() is var left && left > TimeSpan.Zero)
        {
            await answer
                .WaitAsync(left < s_longestWait ? left : s_longestWait, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return answer.IsCompleted ? null : $"Nobody answered within {longest.TotalSeconds:0} seconds.";
    }
}
