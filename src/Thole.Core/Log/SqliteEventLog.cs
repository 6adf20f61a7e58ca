using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>
/// The log of one session as its writer sees it. One connection, one lock: an append is some hundred microseconds, and readers
/// hold the lock for a page of rows, never while they wait.
/// </summary>
internal sealed class SqliteEventLog : IEventLog
{
    /// <summary>Set to 1 as the last thing that a log writes.</summary>
    public const string Clean = "clean";

    /// <summary>Under which start of the machine the log was last written.</summary>
    public const string Boot = "boot";

    /// <summary>What a salvage lost, until the event that says so is written.</summary>
    public const string Lost = "lost";

    private readonly Lock _lock = new();
    private readonly LogFolder _folder;
    private readonly SessionId _session;
    private readonly EventCodec _codec;
    private readonly Lazy<string?> _boot;
    private readonly Dictionary<BlobId, byte[]> _early = []; // stored before the first event made a file
    private readonly string _path;
    private SessionLease? _lease;
    private LogFile? _file;
    private LogException? _broken;
    private byte[] _head = EventRow.Root.ToArray();
    private bool _isMarkedOpen;
    private bool _isDisposed;
    private long _latest;

    /// <summary>A log for a new session.</summary>
    public SqliteEventLog(LogFolder folder, SessionId session, EventCodec codec, Lazy<string?> boot)
    {
        (_folder, _session, _codec, _boot, _path) = (folder, session, codec, boot, folder.Log(session));
        Next = 1;
    }

    /// <summary>The log of an existing session, examined by its store.</summary>
    public SqliteEventLog(
        LogFolder folder,
        SessionId session,
        EventCodec codec,
        Lazy<string?> boot,
        SessionLease lease,
        LogFile file
    )
        : this(folder, session, codec, boot)
    {
        (_lease, _file) = (lease, file);
        var last = file.Last()!;
        (_latest, _head) = (last.Number, last.Hash);

        // A copied or damaged lease is no reason to run out of numbers.
        var mark = lease.Mark < _latest + uint.MaxValue ? lease.Mark : 0;
        var stoppedWithMachine =
            file.Meta(Clean) is not "1"
            && (boot.Value is null || !string.Equals(file.Meta(Boot), boot.Value, StringComparison.Ordinal));
        var message =
            file.Meta(Lost)
            ?? (
                mark > _latest
                    ? $"Events {_latest + 1} to {mark} were written and are no longer there: the end of the log is lost."
                : stoppedWithMachine
                    ? "The machine stopped while the session was open: text that was still being streamed may be lost."
                : null
            );
        Recovery = message is null ? null : new LogRecovered(_latest, message);
        Next = message is null ? _latest + 1 : LogRecovery.NextAfter(Math.Max(_latest, mark));
    }

    public long Latest => Interlocked.Read(ref _latest);

    public long Next { get; private set; }

    public LogRecovered? Recovery { get; private set; }

    public ValueTask AppendAsync(IReadOnlyList<Envelope> batch, bool durable, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (batch is [])
        {
            return ValueTask.CompletedTask;
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Check(batch);
            if (_broken is not null)
            {
                throw _broken;
            }

            var rows = new EventRow[batch.Count];
            var head = _head;
            for (var index = 0; index < rows.Length; index++)
            {
                rows[index] = _codec.Encode(batch[index], head);
                head = rows[index].Hash;
            }

            _ = Guard(() => Write(rows, durable));
            _head = head;
            Recovery = null;
            Next = rows[^1].Number + 1;
            Interlocked.Exchange(ref _latest, rows[^1].Number);
            _lease!.Advance(rows[^1].Number);
        }

        return ValueTask.CompletedTask;
    }

    public async IAsyncEnumerable<Envelope> ReadAsync(
        long after,
        long through,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        through = Math.Min(through, Latest);
        while (after < through)
        {
            cancellationToken.ThrowIfCancellationRequested();
            IReadOnlyList<EventRow> rows;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                rows = Guard(() => new ChainReader(_file!).Page(after, through));
            }

            if (rows is [])
            {
                yield break;
            }

            foreach (var row in rows)
            {
                yield return _codec.Decode(row);
            }

            after = rows[^1].Number;
        }

        await ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Envelope>> ReadBackwardsAsync(long before, int count, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            IReadOnlyList<EventRow> rows = _file is null ? [] : Guard(() => new ChainReader(_file).Backwards(before, count));
            return ValueTask.FromResult<IReadOnlyList<Envelope>>([.. rows.Select(_codec.Decode)]);
        }
    }

    public ValueTask<Snapshot?> ReadSnapshotAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var snapshot = _file is null ? null : Guard(_file.Snapshot);
            return ValueTask.FromResult(snapshot?.Sequence <= _latest ? snapshot : null);
        }
    }

    public ValueTask WriteSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (snapshot.Sequence > _latest || _file is null)
            {
                throw new ArgumentException($"Event {snapshot.Sequence} has not happened yet.", nameof(snapshot));
            }

            _ = Guard(() =>
            {
                _file.Write(durable: false, () => _file.SetSnapshot(snapshot));
                return true;
            });
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var blob = new BlobId(Convert.ToHexStringLower(SHA256.HashData(content.Span)));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_file is null)
            {
                _early[blob] = content.ToArray();
            }
            else
            {
                // Not synced by itself: the commit of the event that will name it syncs the same file from its beginning.
                _ = Guard(() =>
                {
                    _file.Write(durable: false, () => _file.AddBlob(blob, content.Span));
                    return true;
                });
            }
        }

        return ValueTask.FromResult(blob);
    }

    public ValueTask<byte[]?> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var content = _file is null ? _early.GetValueOrDefault(blob) : Guard(() => _file.Blob(blob));
            return content is null || LogFile.Matches(blob, content)
                ? ValueTask.FromResult(content)
                : throw LogErrors.DamagedBlob(_path, blob);
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                Close();
            }
        }

        return ValueTask.CompletedTask;
    }

    private void Close()
    {
        try
        {
            if (_isMarkedOpen && _broken is null)
            {
                _file!.Write(durable: false, () => _file.SetMeta(Clean, "1"));
            }
        }
        catch (DatabaseException)
        {
            // Then it counts as an unclean stop, which costs a jump in the numbers and loses nothing.
        }
        finally
        {
            _file?.Dispose();
            _lease?.Dispose();
        }
    }

    private bool Write(EventRow[] rows, bool durable)
    {
        if (_file is null)
        {
            Create(rows);
            return true;
        }

        // The first write says that the log is open, and under which start of the machine, before anything may be lost.
        var first = !_isMarkedOpen;
        _file.Write(
            durable || first || LogRecovery.Crosses(rows[0].Number, rows[^1].Number),
            () =>
            {
                if (first)
                {
                    MarkOpen(_file);
                    _file.SetMeta(Lost, null);
                }

                foreach (var row in rows)
                {
                    _file.Add(row);
                }
            }
        );
        _isMarkedOpen = true;
        return true;
    }

    private void Create(EventRow[] rows)
    {
        _folder.Create();
        if (File.Exists(_path))
        {
            throw new LogException($"There is a log '{_path}' already: a new session needs a name of its own.");
        }

        _lease ??= SessionLease.TryTake(_folder.Lease(_session)) ?? throw LogErrors.InUse(_session);
        _file = LogFile.Create(
            _path,
            file =>
            {
                MarkOpen(file);
                foreach (var (blob, content) in _early)
                {
                    file.AddBlob(blob, content);
                }

                file.Add(rows[0], opening: true);
                foreach (var row in rows)
                {
                    file.Add(row);
                }
            }
        );
        _folder.Sync();
        _early.Clear();
        _isMarkedOpen = true;
    }

    private void MarkOpen(LogFile file)
    {
        file.SetMeta(Boot, _boot.Value);
        file.SetMeta(Clean, "0");
    }

    private void Check(IReadOnlyList<Envelope> batch)
    {
        for (var index = 0; index < batch.Count; index++)
        {
            if (batch[index].Sequence != Next + index)
            {
                throw new ArgumentException($"Event {batch[index].Sequence} came where {Next + index} is next.", nameof(batch));
            }
        }

        if (Recovery is not null && !Recovery.Equals(batch[0].Event))
        {
            throw new ArgumentException("The first event after a recovery is the one that tells of it.", nameof(batch));
        }
    }

    private T Guard<T>(Func<T> work)
    {
        try
        {
            return LogErrors.Translate(_path, work);
        }
        catch (LogException failure)
        {
            var cause = failure.InnerException as DatabaseException;
            if (cause is { IsFailedSync: true })
            {
                _broken = failure;
            }

            if (cause is { IsCorrupt: true } || failure.InnerException is null)
            {
                _lease?.Suspect();
            }

            throw;
        }
    }
}
