using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Testing.Log;

/// <summary>A log in the hands of one session: nobody else gets it meanwhile, and whoever let it go has nothing more to do with it.</summary>
internal sealed class HeldLog(MemoryEventLog log) : IEventLog
{
    private int _isClosed;

    public long Latest => log.Latest;

    public long Next => log.Next;

    public LogRecovered? Recovery => log.Recovery;

    private MemoryEventLog Log
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed) > 0, this);
            return log;
        }
    }

    public ValueTask AppendAsync(IReadOnlyList<Envelope> batch, bool durable, CancellationToken cancellationToken) =>
        Log.AppendAsync(batch, durable, cancellationToken);

    public IAsyncEnumerable<Envelope> ReadAsync(long after, long through, CancellationToken cancellationToken) =>
        Log.ReadAsync(after, through, cancellationToken);

    public ValueTask<IReadOnlyList<Envelope>> ReadBackwardsAsync(long before, int count, CancellationToken cancellationToken) =>
        Log.ReadBackwardsAsync(before, count, cancellationToken);

    public ValueTask<Snapshot?> ReadSnapshotAsync(CancellationToken cancellationToken) =>
        Log.ReadSnapshotAsync(cancellationToken);

    public ValueTask WriteSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        Log.WriteSnapshotAsync(snapshot, cancellationToken);

    public ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Log.StoreAsync(content, cancellationToken);

    public ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken) =>
        Log.ReadBlobAsync(blob, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            await log.LetGoAsync();
        }
    }
}
