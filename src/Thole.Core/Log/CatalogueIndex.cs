using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>The index file: a row a session, and every prompt and message for the full-text search.</summary>
internal sealed class CatalogueIndex : IDisposable
{
    // A dot is in no session id, so that this name is nobody's log; the number is the form of the tables: another form, another file.
    private const string FileName = "catalogue.3.db";

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS sessions(id TEXT PRIMARY KEY, workspace TEXT NOT NULL, title TEXT, prompted TEXT, model TEXT,
            created INTEGER NOT NULL, updated INTEGER NOT NULL, turns INTEGER NOT NULL, read INTEGER NOT NULL, counted INTEGER NOT NULL, problem TEXT,
            running INTEGER NOT NULL, waiting INTEGER NOT NULL, bytes INTEGER NOT NULL, changed INTEGER NOT NULL,
            pending_bytes INTEGER NOT NULL, pending_changed INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS newest ON sessions(updated);
        CREATE VIRTUAL TABLE IF NOT EXISTS said USING fts5(text, session UNINDEXED, number UNINDEXED,
            tokenize = 'unicode61 remove_diacritics 2');
        """;

    private const string Columns =
        "id, workspace, title, model, created, updated, turns, read, problem, running, waiting, bytes, changed, pending_bytes, pending_changed, prompted, counted";

    private readonly Database _database;

    private CatalogueIndex(Database database) => _database = database;

    public static CatalogueIndex Open(LogFolder folder)
    {
        var path = Path.Join(folder.Path, FileName);
        if (!File.Exists(path))
        {
            if (!Directory.Exists(folder.Path))
            {
                return Prepare(Database.OpenInMemory()); // no sessions, and none are made by asking
            }

            using (LogFolder.CreateFile(path, FileMode.OpenOrCreate)) { }
        }

        return Prepare(Database.Open(path));
    }

    public static CatalogueIndex OpenAnew(LogFolder folder, Exception broken)
    {
        if (broken is DatabaseException { IsCorrupt: true })
        {
            try
            {
                foreach (var end in (string[])["-wal", "-shm", ""])
                {
                    File.Delete(Path.Join(folder.Path, FileName + end));
                }

                return Open(folder);
            }
            catch (Exception refused) when (refused is DatabaseException or IOException or UnauthorizedAccessException) { }
        }

        return Prepare(Database.OpenInMemory());
    }

    public void Write(Action work) => _database.Transact(work);

    public Dictionary<string, LogStamp> Stamps()
    {
        var stamps = new Dictionary<string, LogStamp>(StringComparer.Ordinal);
        var statement = _database.Prepare("SELECT id, bytes, changed, pending_bytes, pending_changed FROM sessions");
        while (statement.Step())
        {
            stamps[statement.Text(0)] = new LogStamp(
                statement.Number(1),
                statement.Number(2),
                statement.Number(3),
                statement.Number(4)
            );
        }

        statement.Reset();
        return stamps;
    }

    public IReadOnlyList<SessionSummary> List(string? workspace, int limit)
    {
        // A session without an event was never acknowledged to anybody.
        var statement = _database
            .Prepare(
                $"SELECT {Columns} FROM sessions WHERE (?1 IS NULL OR workspace = ?1) AND (read > 0 OR problem IS NOT NULL) "
                    + "ORDER BY updated DESC, id LIMIT ?2"
            )
            .Bind(1, workspace)
            .Bind(2, limit);
        var sessions = new List<SessionSummary>();
        while (statement.Step())
        {
            sessions.Add(Row(statement).Summary);
        }

        statement.Reset();
        return sessions;
    }

    public SessionSummary? Find(string id) =>
        Entry(id) is { } entry && (entry.Read > 0 || entry.Summary.Problem is not null) ? entry.Summary : null;

    /// <summary>What is known of a log, and through which number it has been read.</summary>
    public CatalogueEntry? Entry(string id)
    {
        var statement = _database.Prepare($"SELECT {Columns} FROM sessions WHERE id = ?1").Bind(1, id);
        CatalogueEntry? entry = statement.Step() ? Row(statement) : null;
        statement.Reset();
        return entry;
    }

    public void Set(CatalogueEntry entry, LogStamp stamp)
    {
        var session = entry.Summary;
        _database
            .Prepare(
                $"INSERT OR REPLACE INTO sessions({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
            )
            .Bind(1, session.Id.Value)
            .Bind(2, session.Workspace)
            .Bind(3, session.Title)
            .Bind(4, session.Model)
            .Bind(5, session.CreatedAt.UtcTicks)
            .Bind(6, session.UpdatedAt.UtcTicks)
            .Bind(7, session.Turns)
            .Bind(8, entry.Read)
            .Bind(9, session.Problem)
            .Bind(10, entry.IsRunning ? 1 : 0)
            .Bind(11, entry.Waiting)
            .Bind(12, stamp.Bytes)
            .Bind(13, stamp.Changed)
            .Bind(14, stamp.PendingBytes)
            .Bind(15, stamp.PendingChanged)
            .Bind(16, entry.Prompted)
            .Bind(17, entry.Counted)
            .Run();
    }

    public void Add(string id, long number, string text) =>
        _database
            .Prepare("INSERT INTO said(text, session, number) VALUES(?1, ?2, ?3)")
            .Bind(1, text)
            .Bind(2, id)
            .Bind(3, number)
            .Run();

    public void Forget(string id)
    {
        _database.Prepare("DELETE FROM said WHERE session = ?1").Bind(1, id).Run();
        _database.Prepare("DELETE FROM sessions WHERE id = ?1").Bind(1, id).Run();
    }

    public IReadOnlyList<SearchHit> Search(string words, int limit)
    {
        // Quoted, so that nothing a person types is a query language; each word may go on after what was typed.
        var query = string.Join(
            ' ',
            words
                .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                .Select(word => $"\"{word.Replace("\"", "\"\"", StringComparison.Ordinal)}\"*")
        );
        if (query.Length == 0)
        {
            return [];
        }

        var statement = _database
            .Prepare(
                "SELECT session, number, snippet(said, 0, '', '', '…', 24) FROM said JOIN sessions ON id = session "
                    + "WHERE said MATCH ?1 ORDER BY updated DESC, session, number DESC LIMIT ?2"
            )
            .Bind(1, query)
            .Bind(2, limit);
        var hits = new List<SearchHit>();
        while (statement.Step())
        {
            hits.Add(new SearchHit(new SessionId(statement.Text(0)), statement.Number(1), statement.Text(2)));
        }

        statement.Reset();
        return hits;
    }

    public void Dispose() => _database.Dispose();

    private static CatalogueIndex Prepare(Database database)
    {
        try
        {
            // Never synced: a lost index is read from the logs again.
            database.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-1024");
            database.Execute(Schema);
            return new CatalogueIndex(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static CatalogueEntry Row(Statement row) =>
        new(
            new SessionSummary(
                new SessionId(row.Text(0)),
                row.Text(1),
                row.OptionalText(2),
                row.OptionalText(3),
                new DateTimeOffset(row.Number(4), TimeSpan.Zero),
                new DateTimeOffset(row.Number(5), TimeSpan.Zero),
                (int)row.Number(6),
                row.Number(11) + row.Number(13),
                row.OptionalText(8),
                row.Number(9) > 0 || row.Number(10) > 0
            ),
            row.Number(7),
            row.Number(9) > 0,
            (int)row.Number(10),
            row.OptionalText(15),
            row.Number(16)
        );
}

/// <summary>
/// A session in the index; <paramref name="Read"/> is the number through which its log has been read, <paramref name="Prompted"/> the title
/// that its first prompt gives it where it has no name. <paramref name="Counted"/> is the number through which <paramref name="Waiting"/>
/// counts: further than was read for good where a message had not ended.
/// </summary>
internal sealed record CatalogueEntry(
    SessionSummary Summary,
    long Read,
    bool IsRunning = false,
    int Waiting = 0,
    string? Prompted = null,
    long Counted = 0
);
