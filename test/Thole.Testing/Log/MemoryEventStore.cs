using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Testing.Log;

/// <summary>Logs in memory that outlive the sessions that write them: open one again and it is as after a restart.</summary>
public sealed class MemoryEventStore : IEventStore
{
    private readonly Dictionary<SessionId, MemoryEventLog> _logs = [];

    public MemoryEventLog this[SessionId session] => _logs[session];

    /// <summary>An opening waits for this.</summary>
    public Task Opening { get; set; } = Task.CompletedTask;

    /// <summary>How often an existing log was opened.</summary>
    public int Opened { get; private set; }

    public IEventLog Create(SessionId session) => _logs[session] = new MemoryEventLog();

    public async ValueTask<IEventLog> OpenAsync(SessionId session, CancellationToken cancellationToken)
    {
        await Opening.WaitAsync(cancellationToken);
        Opened++;
        return _logs.TryGetValue(session, out var log)
            ? log
            : throw new RefusedException("session_not_found", $"There is no session {session}.");
    }
}

public sealed class MemoryEventLog : IEventLog
{
    private readonly Lock _gate = new();
    private readonly List<Envelope> _events = [];
    private readonly Dictionary<BlobId, byte[]> _blobs = [];
    private Snapshot? _snapshot;

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

    public LogRecovered? Recovery => null;

    /// <summary>How many batches were appended durably.</summary>
    public int Flushes { get; private set; }

    public int Batches { get; private set; }

    /// <summary>From now on every append fails with this.</summary>
    public Exception? Broken { get; set; }

    /// <summary>From now on no blob is taken.</summary>
    public Exception? NoRoomForBlobs { get; set; }

    /// <summary>From now on no snapshot is taken.</summary>
    public Exception? NoRoomForSnapshots { get; set; }

    /// <summary>How often whoever held it let it go.</summary>
    public int Closed { get; private set; }

    public IReadOnlyList<SessionEvent> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events.Select(envelope => envelope.Event)];
            }
        }
    }

    public ValueTask AppendAsync(IReadOnlyList<Envelope> batch, bool durable, CancellationToken cancellationToken)
    {
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
        }

        return ValueTask.CompletedTask;
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

    public ValueTask DisposeAsync()
    {
        Closed++;
        return ValueTask.CompletedTask;
    }
}
