using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>
/// The events of one session: the only truth on disk. Everything else — catalogue, titles, snapshots — can be deleted and
/// rebuilt from it. One writer holds it; readers may come and go.
/// </summary>
public interface IEventLog : IBlobStore, IAsyncDisposable
{
    /// <summary>The number of the newest event; 0 for an empty log.</summary>
    long Latest { get; }

    /// <summary>
    /// The number that the next event must carry. Numbers are dense, except after an unclean stop of the machine, when
    /// numbers that somebody may have seen are skipped so that none is ever used twice.
    /// </summary>
    long Next { get; }

    /// <summary>
    /// What opening found lost, or null. Where it is set, it must be the first event that is appended; opening the log again
    /// before that tells it again.
    /// </summary>
    LogRecovered? Recovery { get; }

    /// <summary>
    /// Appends all or nothing. Returns when the batch is written and, where <paramref name="durable"/>, survives a power cut.
    /// </summary>
    /// <exception cref="ArgumentException">The numbers do not follow <see cref="Next"/>.</exception>
    /// <exception cref="LogException">The log could not be written (disk full, fsync failed): nothing of the batch is acknowledged.</exception>
    ValueTask AppendAsync(IReadOnlyList<Envelope> batch, bool durable, CancellationToken cancellationToken);

    /// <summary>Events with numbers in (<paramref name="after"/>, <paramref name="through"/>], oldest first.</summary>
    IAsyncEnumerable<Envelope> ReadAsync(long after, long through, CancellationToken cancellationToken);

    /// <summary>The last <paramref name="count"/> events with numbers below <paramref name="before"/>, oldest first.</summary>
    ValueTask<IReadOnlyList<Envelope>> ReadBackwardsAsync(long before, int count, CancellationToken cancellationToken);

    /// <summary>The newest snapshot of the session's state, or null. A snapshot is a shortcut, never the truth.</summary>
    ValueTask<Snapshot?> ReadSnapshotAsync(CancellationToken cancellationToken);

    /// <summary>Replaces the snapshot. Not synced: a lost snapshot costs time, nothing else.</summary>
    ValueTask WriteSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken);
}

/// <summary>The state after the event <paramref name="Sequence"/>, in the form <paramref name="Version"/> of the fold.</summary>
public sealed record Snapshot(long Sequence, int Version, ReadOnlyMemory<byte> State);

/// <summary>Where the logs of sessions are kept.</summary>
public interface IEventStore
{
    /// <summary>There is a log of that session, whether or not it can be read.</summary>
    bool Exists(SessionId session);

    /// <summary>A log for a new session. Nothing is on disk before its first event.</summary>
    IEventLog Create(SessionId session);

    /// <summary>Opens the log of an existing session for writing, recovering it where it must be.</summary>
    /// <exception cref="RefusedException"><c>session_not_found</c>, or <c>session_in_use</c> by another writer.</exception>
    /// <exception cref="LogException">It cannot be read, and the message says what to do.</exception>
    ValueTask<IEventLog> OpenAsync(SessionId session, CancellationToken cancellationToken);
}

/// <summary>Bytes beside the events, named by their SHA-256. Storing the same bytes twice keeps them once.</summary>
public interface IBlobStore
{
    /// <summary>Durable before any event that names the blob can be.</summary>
    ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Null where there is no such blob.</summary>
    ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken);
}

/// <summary>A log that cannot be read or written; the message is one sentence that names the cure.</summary>
public sealed class LogException(string message, Exception? inner = null) : Exception(message, inner);
