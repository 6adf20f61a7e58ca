using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// Tells readers that the log has grown, and how far it may be read: everything up to <see cref="Latest"/> has been applied.
/// The newest events are kept here so that readers who keep up never touch the disk; everybody else reads the log.
/// </summary>
internal sealed class Bell(long latest)
{
    private const int Kept = 256;

    /// <summary>How many a reader takes at once: it holds them until it comes back, however slow it is.</summary>
    private const int Taken = 32;

    private readonly Lock _gate = new();
    private readonly Envelope[] _recent = new Envelope[Kept];
    private long _count;
    private TaskCompletionSource _next = NewSource();
    private Exception? _closed;

    public long Latest { get; private set; } = latest;

    public void Ring(IReadOnlyList<Envelope> batch)
    {
        TaskCompletionSource ringing;
        lock (_gate)
        {
            foreach (var envelope in batch)
            {
                _recent[_count++ % Kept] = envelope;
            }

            Latest = batch[^1].Sequence;
            (ringing, _next) = (_next, NewSource());
        }

        ringing.SetResult();
    }

    /// <summary>No more will come: readers who have read all are told why.</summary>
    public void Close(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
            _next.TrySetException(reason);
            _ = _next.Task.Exception; // observed: there may be no reader
        }
    }

    /// <summary>Completes when there is something after <paramref name="after"/>.</summary>
    public Task WaitAsync(long after)
    {
        lock (_gate)
        {
            return Latest > after ? Task.CompletedTask
                : _closed is { } reason ? Task.FromException(reason)
                : _next.Task;
        }
    }

    /// <summary>What comes next after <paramref name="after"/>, if that is still kept here; else null: read the log.</summary>
    public IReadOnlyList<Envelope>? Recent(long after)
    {
        lock (_gate)
        {
            var index = Math.Max(0, _count - Kept);
            if (_count == 0 || _recent[index % Kept].Sequence is var oldest && oldest > after + 1)
            {
                return null;
            }

            // Numbers are dense but for the jumps after a power cut: hardly ever is the place another.
            var place = index + (after + 1 - oldest);
            index = place < _count && _recent[place % Kept].Sequence == after + 1 ? place : index;
            List<Envelope> found = [];
            for (; index < _count && found.Count < Taken; index++)
            {
                if (_recent[index % Kept] is var envelope && envelope.Sequence > after)
                {
                    found.Add(envelope);
                }
            }

            return found;
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
