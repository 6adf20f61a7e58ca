using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>Those in this process who wait for a person's answer. That a question is open is in the log; who waits for it is not.</summary>
internal sealed class Questions(TimeProvider time, TimeSpan? patience)
{
    private readonly Dictionary<CallId, TaskCompletionSource<PermissionAnswered>> _waiting = [];

    /// <summary>The answer may have come while nobody waited: before a restart, or between two of them.</summary>
    public void Await(AskLetter letter, SessionState state)
    {
        if (state.OpenCalls.GetValueOrDefault(letter.Asked.Call)?.Answer is { } given)
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

    /// <summary>Null where an answer came in time, counted from when it was asked first; else what to say in a person's stead.</summary>
    public async Task<AnswerPermission?> UnansweredAsync(
        CallId call,
        SessionState state,
        Task answer,
        CancellationToken cancellationToken
    )
    {
        if (patience is not { } longest || state.OpenCalls.GetValueOrDefault(call)?.Question is not { } asked)
        {
            return null;
        }

        var left = asked.At + longest - time.GetUtcNow();
        await answer
            .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return answer.IsCompleted
            ? null
            : new AnswerPermission(
                call,
                Allow: false,
                [],
                $"Nobody answered within {longest.TotalSeconds:0} seconds.",
                Cancels: true
            );
    }
}
