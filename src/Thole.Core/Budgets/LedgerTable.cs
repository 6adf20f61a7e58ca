using Thole.Core.Log;

namespace Thole.Core.Budgets;

/// <summary>The table of the ledger and the sentences that read and write it. A row is what a request used, or folded: what many did.</summary>
internal sealed class LedgerTable(Database database)
{
    public const int Format = 1;

    // Sums are made of the indexes alone. A day is counted at each request, and has thousands of rows at most.
    public const string Schema = """
        CREATE TABLE charges(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, day INTEGER NOT NULL, session TEXT, payer TEXT, run TEXT,
            model TEXT NOT NULL, role TEXT, requests INTEGER NOT NULL, state INTEGER NOT NULL,
            input INTEGER NOT NULL, cached INTEGER NOT NULL, output INTEGER NOT NULL, nanos INTEGER);
        CREATE INDEX by_day ON charges(day, input, output, nanos);
        CREATE INDEX by_payer ON charges(payer, input, output, nanos) WHERE payer IS NOT NULL;
        CREATE INDEX by_run ON charges(run, input, output, nanos) WHERE run IS NOT NULL;
        CREATE TABLE losses(at INTEGER NOT NULL, day INTEGER NOT NULL, kept INTEGER NOT NULL, aside TEXT NOT NULL);
        """;

    private const string Columns = "at, day, session, payer, run, model, role, requests, state, input, cached, output, nanos";

    /// <summary>What a file with all its tables answers.</summary>
    public const string Probe = $"SELECT {Columns} FROM charges LIMIT 1; SELECT at, day, kept, aside FROM losses LIMIT 1";

    private bool _isDurable = true;

    /// <summary>One transaction. What a budget counts on is synced: a power cut must not give back what was spent.</summary>
    public void Write(bool durable, Action work)
    {
        if (durable != _isDurable)
        {
            database.Execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
            _isDurable = durable;
        }

        database.Transact(work);
    }

    /// <summary>What was used and is reserved, of what that cap counts; null where the request is not within any such thing.</summary>
    public decimal? Used(Cap cap, Reservation asked, bool onlyReserved = false)
    {
        var payer = asked.Expected.Account?.Payer;
        if (payer is null && cap.Scope is not BudgetScope.Day)
        {
            return null;
        }

        var sum = cap.Unit is BudgetUnit.Tokens ? "SUM(input + output)" : "SUM(nanos)";
        var state = onlyReserved ? " AND state = 0" : "";
        var statement = cap.Scope switch
        {
            BudgetScope.Day => database.Prepare($"SELECT {sum} FROM charges WHERE day = ?1{state}").Bind(1, asked.Day),
            BudgetScope.Session => database
                .Prepare($"SELECT {sum} FROM charges WHERE payer = ?1{state}")
                .Bind(1, payer!.Session.Value),
            _ => database.Prepare($"SELECT {sum} FROM charges WHERE run = ?1{state}").Bind(1, Run(asked)),
        };
        var used = statement.Step() ? statement.Number(0) : 0;
        statement.Reset();
        return cap.Unit is BudgetUnit.Tokens ? used : Charge.FromNanos(used);
    }

    public long Insert(Reservation reservation, Charge charge, ChargeState state)
    {
        database
            .Prepare($"INSERT INTO charges({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12)")
            .Bind(1, reservation.At.UtcTicks)
            .Bind(2, reservation.Day)
            .Bind(3, charge.Account?.Session.Value)
            .Bind(4, charge.Account?.Payer.Session.Value)
            .Bind(5, Run(reservation))
            .Bind(6, charge.Model)
            .Bind(7, charge.Account?.Role)
            .Bind(8, (long)state)
            .Bind(9, charge.Input)
            .Bind(10, charge.Cached)
            .Bind(11, charge.Output)
            .Bind(12, charge.Nanos)
            .Run();
        return Number("SELECT last_insert_rowid()");
    }

    /// <summary>What a reservation came to. Where its row is gone, because the file is another by now, it is a row of its own.</summary>
    public void Settle(Reservation reservation, Charge charge, ChargeState state)
    {
        database
            .Prepare("UPDATE charges SET state = ?3, input = ?4, cached = ?5, output = ?6, nanos = ?7 WHERE id = ?1 AND at = ?2")
            .Bind(1, reservation.Id)
            .Bind(2, reservation.At.UtcTicks)
            .Bind(3, (long)state)
            .Bind(4, charge.Input)
            .Bind(5, charge.Cached)
            .Bind(6, charge.Output)
            .Bind(7, charge.Nanos)
            .Run();
        if (Number("SELECT changes()") == 0)
        {
            Insert(reservation, charge, state);
        }
    }

    public void Release(Reservation reservation) =>
        database
            .Prepare("DELETE FROM charges WHERE id = ?1 AND at = ?2")
            .Bind(1, reservation.Id)
            .Bind(2, reservation.At.UtcTicks)
            .Run();

    /// <summary>Adds up what is older than a day: a row a session, model and role is left of each. No run of then counts any more.</summary>
    public void Fold(int before)
    {
        if (Number($"SELECT EXISTS(SELECT 1 FROM charges WHERE day < {before} AND requests = 1 AND run IS NOT NULL)") == 0)
        {
            return;
        }

        Write(
            durable: true,
            () =>
            {
                database.Execute($"CREATE TEMP TABLE folded AS SELECT * FROM charges WHERE day < {before}");
                database.Execute($"DELETE FROM charges WHERE day < {before}");
                database.Execute(
                    $"""
                    INSERT INTO charges({Columns}) SELECT MIN(at), day, session, payer, NULL, model, role, SUM(requests), MAX(state, 1),
                        SUM(input), SUM(cached), SUM(output), SUM(nanos)
                        FROM folded GROUP BY day, session, payer, model, role, MAX(state, 1), nanos IS NULL
                    """
                );
                database.Execute("DROP TABLE folded");
            }
        );
    }

    /// <summary>Takes over what can still be read of a damaged one.</summary>
    /// <returns>How many rows.</returns>
    public long Salvage(Database damaged)
    {
        var kept = 0L;
        try
        {
            var row = damaged.Prepare($"SELECT {Columns} FROM charges ORDER BY id");
            while (row.Step())
            {
                var insert = database.Prepare(
                    $"INSERT INTO charges({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                );
                for (var column = 0; column < 13; column++)
                {
                    if (column is >= 2 and <= 6)
                    {
                        insert.Bind(column + 1, row.OptionalText(column));
                    }
                    else
                    {
                        insert.Bind(
                            column + 1,
                            column == 12 && row.OptionalText(column) is null ? (long?)null : row.Number(column)
                        );
                    }
                }

                insert.Run();
                kept++;
            }
        }
        catch (DatabaseException end) when (end.IsCorrupt)
        {
            // What lies beyond cannot be read.
        }

        return kept;
    }

    public void AddLoss(DateTimeOffset at, int day, long kept, string aside) =>
        database
            .Prepare("INSERT INTO losses(at, day, kept, aside) VALUES(?1, ?2, ?3, ?4)")
            .Bind(1, at.UtcTicks)
            .Bind(2, day)
            .Bind(3, kept)
            .Bind(4, aside)
            .Run();

    public IReadOnlyList<LedgerLoss> Losses(int since)
    {
        List<LedgerLoss> losses = [];
        var row = database.Prepare("SELECT at, kept, aside FROM losses WHERE day >= ?1 ORDER BY at").Bind(1, since);
        while (row.Step())
        {
            losses.Add(new LedgerLoss(new DateTimeOffset(row.Number(0), TimeSpan.Zero), row.Number(1), row.Text(2)));
        }

        row.Reset();
        return losses;
    }

    public IReadOnlyList<UsageRow> Rows(UsageBy by, int since)
    {
        var key = by switch
        {
            UsageBy.Model => "model",
            UsageBy.Session => "session",
            _ => "day",
        };
        var row = database
            .Prepare(
                $"""
                SELECT {key}, SUM(requests), SUM(input), SUM(cached), SUM(output), SUM(nanos),
                    SUM(CASE WHEN state = 2 THEN 0 ELSE requests END), SUM(CASE WHEN nanos IS NULL THEN requests ELSE 0 END)
                    FROM charges WHERE day >= ?1 GROUP BY {key} ORDER BY {(
                    by is UsageBy.Day ? "day" : "SUM(nanos) DESC, SUM(input) DESC"
                )}
                """
            )
            .Bind(1, since);
        List<UsageRow> rows = [];
        while (row.Step())
        {
            var text =
                by is UsageBy.Day
                    ? DateOnly.FromDayNumber((int)row.Number(0)).ToString("O", System.Globalization.CultureInfo.InvariantCulture)
                    : row.OptionalText(0);
            rows.Add(
                new UsageRow(
                    text,
                    row.Number(1),
                    row.Number(2),
                    row.Number(3),
                    row.Number(4),
                    Charge.FromNanos(row.Number(5)),
                    row.Number(6),
                    row.Number(7)
                )
            );
        }

        row.Reset();
        return rows;
    }

    private static string? Run(Reservation asked) =>
        asked.Expected.Account?.Payer is { } payer ? $"{payer.Session}/{payer.Turn}" : null;

    private long Number(string question)
    {
        var statement = database.Prepare(question);
        var number = statement.Step() ? statement.Number(0) : 0;
        statement.Reset();
        return number;
    }
}
