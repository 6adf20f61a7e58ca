namespace Thole.Client;

/// <summary>When to try again, and when no more: longer and longer waits, none of them the same for two clients.</summary>
internal sealed class Attempts(ClientOptions options, TimeSpan patience)
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestAsked = TimeSpan.FromSeconds(30);

    private int _failed;
    private long _failingSince;

    /// <summary>The longest wait that nobody asked for.</summary>
    public TimeSpan Longest { get; set; } = TimeSpan.FromSeconds(3);

    public void Succeed() => _failed = 0;

    /// <param name="asked">How long the daemon said to wait.</param>
    /// <param name="cancellationToken">Nobody waits any more.</param>
    /// <returns>False where the patience is over.</returns>
    public async Task<bool> WaitAsync(TimeSpan? asked, CancellationToken cancellationToken)
    {
        if (_failed == 0)
        {
            _failingSince = options.Time.GetTimestamp();
        }

        var steps = Math.Min(_failed++, 16);
        var most = Math.Min(s_first.TotalMilliseconds * (1 << steps), Longest.TotalMilliseconds);
        var wait = TimeSpan.FromMilliseconds(most * (1 + options.Jitter()) / 2);
        if (asked > wait)
        {
            wait = asked.Value < s_longestAsked ? asked.Value : s_longestAsked;
        }

        if (patience != Timeout.InfiniteTimeSpan && options.Time.GetElapsedTime(_failingSince) + wait > patience)
        {
            return false;
        }

        await Task.Delay(wait, options.Time, cancellationToken);
        return true;
    }
}
