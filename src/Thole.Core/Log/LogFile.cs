using System.Security.Cryptography;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>
/// The tables of a log and the sentences that read and write them; knows neither leases nor recovery. Not safe for two threads at
/// once: its owner takes care.
/// </summary>
internal sealed class LogFile : IDisposable
{
    private const int Format = 1;
    private const int PageEvents = 256;
    private const int PageBytes = 1 << 20;

    // The write-ahead file is emptied at about 4 MB; a commit writes some three pages and its content.
    private const int CheckpointBytes = 4 << 20;
    private const int CommitBytes = 3 * 4096;

    // One table a kind of thing, each with an integer key: the salvage finds rows again by their shape, in whatever page they lie.
    // `opening` repeats the first event, without which a session does not know its workspace.
    private const string Schema = """
        CREATE TABLE meta(key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, value TEXT);
        CREATE TABLE opening(number INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL,
            actor TEXT NOT NULL, payload TEXT NOT NULL, hash BLOB NOT NULL);
        CREATE TABLE events(number INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL,
            actor TEXT NOT NULL, payload TEXT NOT NULL, hash BLOB NOT NULL);
        CREATE TABLE blobs(key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
        CREATE TABLE snapshot(key INTEGER PRIMARY KEY, number INTEGER NOT NULL, version INTEGER NOT NULL,
            state BLOB NOT NULL, hash BLOB NOT NULL);
        """;

    private const string Columns = "number, at, type, version, actor, payload, hash";

    private readonly Database _database;
    private bool _syncs;
    private long _sinceCheckpoint;

    private LogFile(Database database, string path)
    {
        _database = database;
        Path = path;
    }

    public string Path { get; }

    /// <summary>Opens what is there; an empty file has no tables yet (<see cref="IsEmpty"/>).</summary>
    public static LogFile Open(string path, bool forWriting)
    {
        try
        {
            return Open(Database.Open(path), path, forWriting);
        }
        catch (DatabaseException refused) when (!forWriting && !refused.IsCorrupt && !HasPending(path))
        {
            // Reading a WAL database makes a file beside it, which a full or read-only disk does not take. A log that was closed
            // needs none.
            return Open(Database.OpenUnchanging(path), path, forWriting);
        }
    }

    private static bool HasPending(string path) => new FileInfo($"{path}-wal") is { Exists: true, Length: > 0 };

    private static LogFile Open(Database database, string path, bool forWriting)
    {
        var file = new LogFile(database, path);
        try
        {
            file._database.Execute(
                forWriting
                    ? "PRAGMA cache_size=-256; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=0"
                    : "PRAGMA cache_size=-256; PRAGMA query_only=1"
            );
            var format = file.Pragma("user_version");
            return format <= Format
                ? file
                : throw new LogException(
                    $"The log '{path}' was written by a newer Thole (format {format}, this one knows {Format}): open it with that version."
                );
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A new log with its first rows, in a file that does not exist yet.</summary>
    public static LogFile Create(string path, Action<LogFile> first)
    {
        using (LogFolder.CreateFile(path)) { }

        var file = new LogFile(Database.Open(path), path);
        try
        {
            // WAL mode is a fact of the file's first page, and the one page that is written without a WAL to recover it from: a journal
            // in memory is enough, because until the first commit there is nothing to lose.
            file._database.Execute(
                "PRAGMA page_size=4096; PRAGMA cache_size=-256; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=FULL; "
                    + "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=0"
            );
            file._syncs = true;
            file._database.Transact(() =>
            {
                file._database.Execute(Schema);
                file._database.Execute($"PRAGMA user_version={Format}");
                first(file);
            });
            return file;
        }
        catch
        {
            file.Dispose();
            foreach (var left in (string[])[path, $"{path}-wal", $"{path}-shm"])
            {
                File.Delete(left);
            }

            throw;
        }
    }

    /// <summary>Made, and its first event never written: such a session was never acknowledged to anybody.</summary>
    public bool IsEmpty => Pragma("user_version") == 0 && Pragma("page_count") <= 1;

    /// <summary>
    /// One transaction. <paramref name="durable"/> syncs it and with it every earlier one: they lie before it in the same
    /// write-ahead file, and recovery takes that file from the front, so that a blob is never younger than the event that names it.
    /// </summary>
    public void Write(bool durable, Action work)
    {
        if (durable != _syncs)
        {
            _database.Execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
            _syncs = durable;
        }

        _database.Transact(work);
        _sinceCheckpoint += CommitBytes;
        if (_sinceCheckpoint >= CheckpointBytes)
        {
            Checkpoint();
        }
    }

    public void Add(EventRow row, bool opening = false)
    {
        _database
            .Prepare(
                opening
                    ? $"INSERT INTO opening({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                    : $"INSERT INTO events({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            )
            .Bind(1, row.Number)
            .Bind(2, row.At)
            .Bind(3, row.Type)
            .Bind(4, row.Version)
            .Bind(5, row.Actor)
            .BindText(6, row.Payload)
            .BindBlob(7, row.Hash)
            .Run();
        _sinceCheckpoint += row.Payload.Length;
    }

    public EventRow? Last() => One($"SELECT {Columns} FROM events ORDER BY number DESC LIMIT 1", 0);

    public EventRow? LastThrough(long number) =>
        One($"SELECT {Columns} FROM events WHERE number <= ?1 ORDER BY number DESC LIMIT 1", number);

    /// <summary>The next rows in (<paramref name="after"/>, <paramref name="through"/>]; as many as are good to hold at once.</summary>
    public IReadOnlyList<EventRow> Page(long after, long through)
    {
        var statement = _database
            .Prepare($"SELECT {Columns} FROM events WHERE number > ?1 AND number <= ?2 ORDER BY number")
            .Bind(1, after)
            .Bind(2, through);
        var rows = new List<EventRow>();
        for (var bytes = 0; rows.Count < PageEvents && bytes < PageBytes && statement.Step(); bytes += rows[^1].Payload.Length)
        {
            rows.Add(Row(statement));
        }

        statement.Reset();
        return rows;
    }

    /// <summary>The last rows below a number, oldest first.</summary>
    public IReadOnlyList<EventRow> Backwards(long before, int count)
    {
        var statement = _database
            .Prepare($"SELECT {Columns} FROM events WHERE number < ?1 ORDER BY number DESC LIMIT ?2")
            .Bind(1, before)
            .Bind(2, count);
        var rows = new List<EventRow>();
        while (statement.Step())
        {
            rows.Add(Row(statement));
        }

        statement.Reset();
        rows.Reverse();
        return rows;
    }

    public string? Meta(string name)
    {
        var statement = _database.Prepare("SELECT value FROM meta WHERE name = ?1").Bind(1, name);
        var value = statement.Step() ? statement.OptionalText(0) : null;
        statement.Reset();
        return value;
    }

    public void SetMeta(string name, string? value) =>
        _database
            .Prepare("INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value")
            .Bind(1, name)
            .Bind(2, value)
            .Run();

    public void AddBlob(BlobId blob, ReadOnlySpan<byte> content)
    {
        _database
            .Prepare("INSERT INTO blobs(id, content) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING")
            .BindBlob(1, Convert.FromHexString(blob.Value))
            .BindBlob(2, content)
            .Run();
        _sinceCheckpoint += content.Length;
    }

    /// <summary>The bytes as they lie there, unchecked; null where there are none of that name.</summary>
    public byte[]? Blob(BlobId blob)
    {
        var statement = _database
            .Prepare("SELECT content FROM blobs WHERE id = ?1")
            .BindBlob(1, Convert.FromHexString(blob.Value));
        var content = statement.Step() ? statement.Bytes(0).ToArray() : null;
        statement.Reset();
        return content;
    }

    /// <summary>The blob with the smallest key after that one.</summary>
    public (long Key, BlobId Id, byte[] Content)? BlobAfter(long key)
    {
        var statement = _database.Prepare("SELECT key, id, content FROM blobs WHERE key > ?1 ORDER BY key LIMIT 1").Bind(1, key);
        (long, BlobId, byte[])? blob = statement.Step()
            ? (statement.Number(0), new BlobId(Convert.ToHexStringLower(statement.Bytes(1))), statement.Bytes(2).ToArray())
            : null;
        statement.Reset();
        return blob;
    }

    public void SetSnapshot(Snapshot snapshot) =>
        _database
            .Prepare("INSERT OR REPLACE INTO snapshot(key, number, version, state, hash) VALUES(1, ?1, ?2, ?3, ?4)")
            .Bind(1, snapshot.Sequence)
            .Bind(2, snapshot.Version)
            .BindBlob(3, snapshot.State.Span)
            .BindBlob(4, SnapshotHash(snapshot))
            .Run();

    /// <summary>Null where there is none, or one that is not what was written.</summary>
    public Snapshot? Snapshot()
    {
        var statement = _database.Prepare("SELECT number, version, state, hash FROM snapshot WHERE key = 1");
        if (!statement.Step())
        {
            statement.Reset();
            return null;
        }

        var snapshot = new Snapshot(statement.Number(0), (int)statement.Number(1), statement.Bytes(2).ToArray());
        var isIntact = statement.Bytes(3).SequenceEqual(SnapshotHash(snapshot));
        statement.Reset();
        return isIntact ? snapshot : null;
    }

    /// <summary>What SQLite's own examination of the file says; empty where it is content.</summary>
    public IReadOnlyList<string> Examine()
    {
        var statement = _database.Prepare("PRAGMA quick_check(10)");
        var problems = new List<string>();
        while (statement.Step())
        {
            problems.Add(statement.Text(0));
        }

        statement.Reset();
        return problems is ["ok"] ? [] : problems;
    }

    /// <summary>One state of the log for several reads, whatever its writer does meanwhile.</summary>
    public void Freeze() => _database.Execute("BEGIN");

    public void Dispose() => _database.Dispose();

    public static bool Matches(BlobId blob, ReadOnlySpan<byte> content) =>
        string.Equals(Convert.ToHexStringLower(SHA256.HashData(content)), blob.Value, StringComparison.Ordinal);

    /// <summary>
    /// By ourselves, because SQLite's own passes over a sync that fails there, and the next one, which succeeds, would then vouch for pages
    /// that the kernel has dropped. What fails for another reason (no space) is tried again later: the write-ahead file has it all.
    /// </summary>
    private void Checkpoint()
    {
        _sinceCheckpoint = 0;
        try
        {
            _database.Checkpoint();
        }
        catch (DatabaseException refused) when (!refused.IsFailedSync) { }
    }

    private static byte[] SnapshotHash(Snapshot snapshot)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes($"{snapshot.Sequence}:{snapshot.Version}:"));
        hash.AppendData(snapshot.State.Span);
        return hash.GetHashAndReset();
    }

    private EventRow? One(string sql, long number)
    {
        var statement = _database.Prepare(sql);
        if (number > 0)
        {
            statement.Bind(1, number);
        }

        var row = statement.Step() ? Row(statement) : null;
        statement.Reset();
        return row;
    }

    private static EventRow Row(Statement statement) =>
        new(
            statement.Number(0),
            statement.Number(1),
            statement.Text(2),
            (int)statement.Number(3),
            statement.Text(4),
            statement.Bytes(5).ToArray(),
            statement.Bytes(6).ToArray()
        );

    private long Pragma(string name) => Scalar($"PRAGMA {name}");

    private long Scalar(string sql)
    {
        var statement = _database.Prepare(sql);
        var value = statement.Step() ? statement.Number(0) : 0;
        statement.Reset();
        return value;
    }
}
