using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Testing.Log;

/// <summary>
/// Logs in memory that outlive the sessions that write them: open one again and it is as after a restart. As on a disk, one
/// session holds a log, and nobody else gets it before it was let go.
/// </summary>
public sealed class MemoryEventStore : IEventStore
{
    private readonly ConcurrentDictionary<SessionId, MemoryEventLog> _logs = new();

    public MemoryEventLog this[SessionId session] => _logs[session];

    public IReadOnlyCollection<SessionId> Sessions => [.. _logs.Keys];

    /// <summary>An opening waits for this.</summary>
    public Task Opening { get; set; } = Task.CompletedTask;

    /// <summary>How often an existing log was opened.</summary>
    public int Opened { get; private set; }

    public bool Exists(SessionId session) => _logs.ContainsKey(session);

    public IEventLog Create(SessionId session)
    {
        var log = new MemoryEventLog();
        log.TryTake();
        if (!_logs.TryAdd(session, log))
        {
            throw new LogException($"There is a log of {session} already: a new session needs a name of its own.");
        }

        return new HeldLog(log);
    }

    public async ValueTask<IEventLog> OpenAsync(SessionId session, CancellationToken cancellationToken)
    {
        await Opening.WaitAsync(cancellationToken);
        Opened++;
        if (!_logs.TryGetValue(session, out var log))
        {
            throw new RefusedException("session_not_found", $"There is no session {session}.");
        }

        return log.TryTake()
            ? new HeldLog(log)
            : throw new RefusedException("session_in_use", $"The session {session} is open elsewhere.");
    }

    /// <summary>Adds a log that simply ends, as a process leaves it that died.</summary>
    public MemoryEventLog Leave(SessionId session, params IReadOnlyList<SessionEvent> events) =>
        _logs[session] = new MemoryEventLog(
            events.Select((happened, index) => new Envelope(index + 1, default, Actor.Runtime, happened))
        );

    /// <summary>What is left when the process dies now: every log as far as it was written, held by nobody.</summary>
    public MemoryEventStore Killed()
    {
        var left = new MemoryEventStore();
        foreach (var (session, log) in _logs)
        {
            left._logs[session] = log.Copy();
        }

        return left;
    }
}

public sealed class MemoryEventLog
{
    private readonly Lock _gate = new();
    private readonly List<Envelope> _events;
    private readonly Dictionary<BlobId, byte[]> _blobs = [];
    private Snapshot? _snapshot;
    private bool _isHeld;

    internal MemoryEventLog(params IEnumerable<Envelope> events) => _events = [.. events];

    public long Latest
    {
        get
        {
            lock (_gate)
            {
                return _events is [.., var last] ? last.Sequence : 0;
            }
        }
    }

    public long Next => Latest + 1;

    /// <summary>What the next who opens it is told was lost.</summary>
    public LogRecovered? Recovery { get; set; }

    /// <summary>How many batches were appended durably.</summary>
    public int Flushes { get; private set; }

    public int Batches { get; private set; }

    /// <summary>Every append waits for this: what is sent meanwhile is decided together.</summary>
    public Func<Task> Writing { get; set; } = static () => Task.CompletedTask;

    /// <summary>Whoever lets it go waits for this, and holds it until then.</summary>
    public Func<Task> Closing { get; set; } = static () => Task.CompletedTask;

    /// <summary>From now on every append fails with this.</summary>
    public Exception? Broken { get; set; }

    /// <summary>From now on no blob is taken.</summary>
    public Exception? NoRoomForBlobs { get; set; }

    /// <summary>From now on no snapshot is taken.</summary>
    public Exception? NoRoomForSnapshots { get; set; }

    /// <summary>How often whoever held it let it go.</summary>
    public int Closed { get; private set; }

    public IReadOnlyList<SessionEvent> Events => [.. Envelopes.Select(envelope => envelope.Event)];

    public IReadOnlyList<Envelope> Envelopes
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    public async ValueTask AppendAsync(IReadOnlyList<Envelope> batch, bool durable, CancellationToken cancellationToken)
    {
        await Writing();
        if (Broken is not null)
        {
            throw Broken;
        }

        lock (_gate)
        {
            if (batch[0].Sequence != Next)
            {
                throw new ArgumentException($"{batch[0].Sequence} does not follow {Latest}.", nameof(batch));
            }

            _events.AddRange(batch);
            Batches++;
            Flushes += durable ? 1 : 0;
            Recovery = null;
        }
    }

    public async IAsyncEnumerable<Envelope> ReadAsync(
        long after,
        long through,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        Envelope[] found;
        lock (_gate)
        {
            found = [.. _events.Where(envelope => envelope.Sequence > after && envelope.Sequence <= through)];
        }

        foreach (var envelope in found)
        {
            await Task.Yield();
            yield return envelope;
        }
    }

    public ValueTask<IReadOnlyList<Envelope>> ReadBackwardsAsync(long before, int count, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return new([.. _events.Where(envelope => envelope.Sequence < before).TakeLast(count)]);
        }
    }

    public ValueTask<Snapshot?> ReadSnapshotAsync(CancellationToken cancellationToken) => new(_snapshot);

    public ValueTask WriteSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        _snapshot = NoRoomForSnapshots is null ? snapshot : throw NoRoomForSnapshots;
        return ValueTask.CompletedTask;
    }

    public ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (NoRoomForBlobs is not null)
        {
            throw NoRoomForBlobs;
        }

        var blob = new BlobId(Convert.ToHexStringLower(SHA256.HashData(content.Span)));
        lock (_gate)
        {
            _blobs[blob] = content.ToArray();
        }

        return new(blob);
    }

    public ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return new(_blobs.GetValueOrDefault(blob));
        }
    }

    internal bool TryTake()
    {
        lock (_gate)
        {
            return !_isHeld && (_isHeld = true);
        }
    }

    internal async ValueTask LetGoAsync()
    {
        await Closing();
        lock (_gate)
        {
            Closed++;
            _isHeld = false;
        }
    }

    internal MemoryEventLog Copy()
    {
        lock (_gate)
        {
            var copy = new MemoryEventLog(_events) { _snapshot = _snapshot, Recovery = Recovery };
            foreach (var (blob, content) in _blobs)
            {
                copy._blobs[blob] = content;
            }

            return copy;
        }
    }
}
