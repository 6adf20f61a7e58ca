namespace Thole.Client.Tests;

/// <summary>A clock on which every wait is over at once, except those for a daemon that is silent: these take for ever.</summary>
internal sealed class InstantTime : TimeProvider
{
    private static readonly TimeSpan s_silence = new ClientOptions().Silence;

    private readonly Lock _lock = new();
    private readonly List<TimeSpan> _waits = [];
    private long _now;

    /// <summary>How long was waited, wait by wait.</summary>
    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_lock)
            {
                return [.. _waits];
            }
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan && dueTime < s_silence)
        {
            lock (_lock)
            {
                _waits.Add(dueTime);
            }

            Interlocked.Add(ref _now, dueTime.Ticks);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }

        return new Never();
    }

    private sealed class Never : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() { }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
