using SQLitePCL;

namespace Thole.Core.Log;

/// <summary>
/// One connection to one SQLite file. Straight on the C interface: error codes arrive unmixed, statements are prepared once, and
/// nothing of ADO.NET is loaded on the way to the first prompt.
/// </summary>
internal sealed class Database : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly Dictionary<string, Statement> _statements = new(StringComparer.Ordinal);

    static Database() => Batteries_V2.Init();

    private Database(sqlite3 handle) => _handle = handle;

    /// <summary>Opens an existing file, or an empty one that its caller has just made with the right permissions.</summary>
    public static Database Open(string path) => Open(path, raw.SQLITE_OPEN_READWRITE);

    /// <summary>Opens for reading a file that nobody changes meanwhile: without locks, and without a file beside it.</summary>
    public static Database OpenUnchanging(string path)
    {
        var escaped = new Uri(path).AbsolutePath.Replace("?", "%3f", StringComparison.Ordinal);
        return Open($"file://{escaped}?immutable=1", raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI);
    }

    private static Database Open(string path, int flags)
    {
        var code = raw.sqlite3_open_v2(path, out var handle, flags | raw.SQLITE_OPEN_NOMUTEX, null);
        if (code != raw.SQLITE_OK)
        {
            var message = raw.sqlite3_errmsg(handle).utf8_to_string();
            var extended = raw.sqlite3_extended_errcode(handle);
            handle.Dispose();
            throw new DatabaseException(extended, message);
        }

        // A reader in another process may hold the file for the moment in which it recovers or leaves.
        _ = raw.sqlite3_busy_timeout(handle, 5_000);
        _ = raw.sqlite3_extended_result_codes(handle, 1);
        return new Database(handle);
    }

    public static Database OpenInMemory()
    {
        _ = raw.sqlite3_open(":memory:", out var handle);
        return new Database(handle);
    }

    /// <summary>Runs statements that are used once; <see cref="Prepare"/> is for the others.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>The statement of that text, made once a connection, reset and without old values.</summary>
    public Statement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var prepared));
            statement = new Statement(this, prepared);
            _statements.Add(sql, statement);
        }

        statement.Reset();
        return statement;
    }

    /// <summary>All or nothing; a failure leaves no transaction open.</summary>
    public void Transact(Action work)
    {
        Prepare("BEGIN IMMEDIATE").Run();
        try
        {
            work();
            Prepare("COMMIT").Run();
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    /// <summary>Moves what the write-ahead file holds into the database, as far as no reader needs it where it is.</summary>
    public void Checkpoint()
    {
        var code = raw.sqlite3_wal_checkpoint_v2(_handle, null, raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);
        if (code != raw.SQLITE_BUSY)
        {
            Check(code);
        }
    }

    public void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw new DatabaseException(raw.sqlite3_extended_errcode(_handle), raw.sqlite3_errmsg(_handle).utf8_to_string());
        }
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _handle.Dispose();
    }

    private void RollBack()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Reset();
        }

        // SQLite has often rolled back by itself; where it has not, a failure to do so leaves nothing to add to the first error.
        if (raw.sqlite3_get_autocommit(_handle) == 0)
        {
            _ = raw.sqlite3_exec(_handle, "ROLLBACK");
        }
    }
}

/// <summary>What SQLite said no to.</summary>
internal sealed class DatabaseException(int code, string message) : Exception($"{message} (SQLite {code})")
{
    public int Code { get; } = code;

    private int Primary => Code & 0xff;

    /// <summary>
    /// The bytes are not what SQLite wrote, or end too soon. A missing table is the same thing: every file of ours has all of them.
    /// </summary>
    public bool IsCorrupt =>
        Code is raw.SQLITE_IOERR_SHORT_READ
        || Primary is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_ERROR or raw.SQLITE_MISMATCH;

    /// <summary>Also where there is no room for the file through which readers and writers find each other.</summary>
    public bool IsFull => Primary is raw.SQLITE_FULL || Code is raw.SQLITE_IOERR_SHMSIZE;

    /// <summary>Another connection holds the file, and has for longer than we wait.</summary>
    public bool IsBusy => Primary is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    /// <summary>After a failed sync the kernel may have dropped what it could not write: a later success proves nothing.</summary>
    public bool IsFailedSync =>
        Code is raw.SQLITE_IOERR_FSYNC or raw.SQLITE_IOERR_DIR_FSYNC or raw.SQLITE_IOERR_CLOSE or raw.SQLITE_IOERR_DIR_CLOSE;
}
