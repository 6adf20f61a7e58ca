using System.Globalization;

namespace Thole.Core.Log;

/// <summary>
/// A SQLite file that several processes write at once: made where it is missing, for this user alone, and put aside where it is
/// damaged. Whoever has it open looks before each use whether it is still the one of that name.
/// </summary>
internal sealed class SharedFile : IDisposable
{
    private readonly DateTime _made;

    private SharedFile(Database database, string path, DateTime made) => (Database, Path, _made) = (database, path, made);

    public Database Database { get; }

    public string Path { get; }

    /// <summary>False once another process has put it aside, or somebody has deleted it.</summary>
    // By name alone: opening the file and closing it again would drop SQLite's locks of this process (see SessionLease).
    public bool IsInPlace => File.GetCreationTimeUtc(Path) == _made;

    /// <param name="format">The number of the form of the tables, from 1; a file with a higher one is refused.</param>
    public static SharedFile Open(string path, int format, string schema)
    {
        var folder = new LogFolder(System.IO.Path.GetDirectoryName(path)!);
        folder.Create();
        if (!File.Exists(path))
        {
            try
            {
                using (LogFolder.CreateFile(path)) { }

                folder.Sync();
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another process was quicker.
            }
        }

        var made = File.GetCreationTimeUtc(path);
        var database = Database.Open(path);
        try
        {
            database.Execute("PRAGMA cache_size=-256; PRAGMA synchronous=FULL");
            if (CheckFormat(database, path, format) == 0)
            {
                database.Transact(() =>
                {
                    if (Pragma(database, "user_version") == 0)
                    {
                        database.Execute(schema);
                        database.Execute($"PRAGMA user_version={format}");
                    }
                });
            }

            UseWriteAhead(database);
            return new SharedFile(database, path, made);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>For questions. Null where there is no such file, or nothing in it yet.</summary>
    public static Database? OpenForReading(string path, int format)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        Database? database = null;
        try
        {
            database = Database.Open(path);
            if (CheckFormat(database, path, format) > 0)
            {
                database.Execute("PRAGMA query_only=1");
                return database;
            }
        }
        catch (DatabaseException refused) when (!refused.IsCorrupt && !File.Exists($"{path}-wal"))
        {
            database?.Dispose();
            return Database.OpenUnchanging(path); // a disk that takes no file beside it
        }
        catch
        {
            database?.Dispose();
            throw;
        }

        database.Dispose();
        return null;
    }

    /// <summary>
    /// Moves a damaged file out of the way, with what was not yet moved into it. Null where it is sound: then another process has
    /// done so before.
    /// </summary>
    /// <param name="probe">A question that a file with all its tables answers.</param>
    /// <returns>Where it lies now.</returns>
    public static string? PutAside(string path, int format, string probe, TimeProvider time)
    {
        // Two who both found damage must not put aside each other's new file.
        using var lease =
            SessionLease.TryTake($"{path}.lease")
            ?? throw new LogException($"'{path}' is damaged, and another process is making a new one: try again.");
        if (!File.Exists(path) || IsSound(path, format, probe))
        {
            return null;
        }

        var aside = $"{path}.damaged-{time.GetUtcNow().ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture)}";
        // The file itself goes last: SQLite deletes a write-ahead file that lies beside an empty database, which the next one is.
        foreach (var end in (string[])["-wal", "-shm", ""])
        {
            if (File.Exists(path + end))
            {
                File.Move(path + end, aside + end);
            }
        }

        return aside;
    }

    public void Dispose() => Database.Dispose();

    private static bool IsSound(string path, int format, string probe)
    {
        try
        {
            using var database = Database.Open(path);
            if (Pragma(database, "page_count") == 0)
            {
                return true; // made a moment ago
            }

            database.Execute(probe);
            var check = database.Prepare("PRAGMA integrity_check(1)");
            return check.Step() && check.Text(0) is "ok" && Pragma(database, "user_version") == format;
        }
        catch (DatabaseException damaged) when (damaged.IsCorrupt)
        {
            return false;
        }
    }

    /// <summary>Readers and a writer do not wait for each other then. Whoever comes while another uses the file leaves it to the next.</summary>
    private static void UseWriteAhead(Database database)
    {
        try
        {
            database.Execute("PRAGMA journal_mode=WAL");
        }
        catch (DatabaseException held) when (held.IsBusy) { }
    }

    private static long CheckFormat(Database database, string path, int format)
    {
        var found = Pragma(database, "user_version");
        return found <= format
            ? found
            : throw new LogException(
                $"'{path}' was written by a newer Thole (format {found}, this one knows {format}): use that version."
            );
    }

    private static long Pragma(Database database, string name)
    {
        var statement = database.Prepare($"PRAGMA {name}");
        var value = statement.Step() ? statement.Number(0) : 0;
        statement.Reset();
        return value;
    }
}
