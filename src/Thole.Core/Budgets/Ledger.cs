using Thole.Core.Log;

namespace Thole.Core.Budgets;

/// <summary>
/// What the user's models have used: one file for all processes, in which a request is reserved before it goes out and settled after
/// it. A reservation that nobody settles, because its process died, counts for good: the provider may have counted it, too.
/// Nothing is opened before the first request.
/// </summary>
/// <param name="path">Made where it is missing, for this user alone.</param>
public sealed class Ledger(string path, TimeProvider time) : IDisposable
{
    /// <summary>How many days each request keeps a row of its own.</summary>
    private const int DaysInDetail = 62;

    private readonly Lock _lock = new();
    private readonly Queue<Action<LedgerTable>> _owed = new();
    private SharedFile? _file;
    private LedgerTable? _table;

    /// <summary>Lets a request through, or says which budget does not. Without caps it always goes through, written down or not.</summary>
    /// <exception cref="LogException">There are caps, and nobody can tell what is left of them.</exception>
    internal Shortage? Reserve(Charge expected, IReadOnlyList<Cap> caps, out Reservation reservation)
    {
        var asked = new Reservation(0, time.GetUtcNow(), Today, expected);
        Shortage? shortage = null;
        lock (_lock)
        {
            if (
                !TryWrite(durable: caps is not [], table => shortage = Reserve(table, ref asked, caps), out var refused)
                && caps is not []
            )
            {
                throw refused!;
            }
        }

        reservation = asked;
        return shortage;
    }

    /// <summary>What it came to. Where it cannot be written now, the reservation stands, and it is written with the next that can.</summary>
    internal void Settle(Reservation reservation, Charge actual, ChargeState state) =>
        Owe(table => table.Settle(reservation, actual, state));

    /// <summary>It was not used at all.</summary>
    internal void Release(Reservation reservation) => Owe(table => table.Release(reservation));

    /// <summary>Where it went. Opens nothing that is not there.</summary>
    /// <param name="since">The first day that counts; null for all.</param>
    /// <exception cref="LogException">It cannot be read.</exception>
    public LedgerReport Report(UsageBy by, DateOnly? since, IReadOnlyList<Cap> caps)
    {
        var today = Reservation.OfNobody(time.GetUtcNow(), Today);
        var daily = caps.Where(static cap => cap.Scope is BudgetScope.Day);
        try
        {
            using var database = SharedFile.OpenForReading(path, LedgerTable.Format);
            if (database is null)
            {
                return new LedgerReport([], [.. daily.Select(static cap => new BudgetBalance(cap, 0, 0))], []);
            }

            var (table, from) = (new LedgerTable(database), since?.DayNumber ?? 0);
            return new LedgerReport(
                table.Rows(by, from),
                [
                    .. daily.Select(cap => new BudgetBalance(
                        cap,
                        table.Used(cap, today) ?? 0,
                        table.Used(cap, today, onlyReserved: true) ?? 0
                    )),
                ],
                table.Losses(from)
            );
        }
        catch (Exception refused) when (IsRefusal(refused))
        {
            throw Explain(refused);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_owed.Count > 0)
            {
                TryWrite(durable: false, static _ => { }, out _);
            }

            Close();
        }
    }

    private int Today => DateOnly.FromDateTime(time.GetLocalNow().DateTime).DayNumber;

    private static Shortage? Reserve(LedgerTable table, ref Reservation asked, IReadOnlyList<Cap> caps)
    {
        foreach (var cap in caps)
        {
            if (table.Used(cap, asked) is { } used && used >= cap.Most)
            {
                return new Shortage(cap, used, table.Used(cap, asked, onlyReserved: true) ?? 0);
            }
        }

        asked = asked with { Id = table.Insert(asked, asked.Expected, ChargeState.Reserved) };
        return null;
    }

    private void Owe(Action<LedgerTable> debt)
    {
        lock (_lock)
        {
            _owed.Enqueue(debt);
            TryWrite(durable: false, static _ => { }, out _);
        }
    }

    /// <summary>One transaction with what is owed. False where the file does not take it; the debts stay then.</summary>
    private bool TryWrite(bool durable, Action<LedgerTable> work, out LogException? refused)
    {
        refused = null;
        try
        {
            WriteOnce(durable, work);
            return true;
        }
        catch (DatabaseException damaged) when (damaged.IsCorrupt)
        {
            refused = Replace(damaged);
        }
        catch (Exception failed) when (IsRefusal(failed))
        {
            refused = Explain(failed);
        }

        // A file that failed once is opened anew the next time: where the disk was full, or the file was moved, it is another one.
        Close();
        return false;
    }

    private void WriteOnce(bool durable, Action<LedgerTable> work)
    {
        var table = Open();
        table.Write(
            durable,
            () =>
            {
                foreach (var debt in _owed)
                {
                    debt(table);
                }

                work(table);
            }
        );
        _owed.Clear();
    }

    private LedgerTable Open()
    {
        if (_file is { IsInPlace: false })
        {
            Close();
        }

        if (_table is null)
        {
            _file = SharedFile.Open(path, LedgerTable.Format, LedgerTable.Schema);
            _table = new LedgerTable(_file.Database);
            _table.Fold(Today - DaysInDetail);
        }

        return _table;
    }

    private void Close()
    {
        _file?.Dispose();
        (_file, _table) = (null, null);
    }

    /// <summary>A new file in the damaged one's place, with what can be read of it. That something may be missing is said once, and kept.</summary>
    private LogException Replace(DatabaseException damaged)
    {
        Close();
        try
        {
            if (SharedFile.PutAside(path, LedgerTable.Format, LedgerTable.Probe, time) is not { } aside)
            {
                return new LogException($"The ledger '{path}' was damaged, and another process has made a new one: try again.");
            }

            var kept = 0L;
            var table = Open();
            table.Write(
                durable: true,
                () =>
                {
                    using var old = TryOpen(aside);
                    kept = old is null ? 0 : table.Salvage(old);
                    table.AddLoss(time.GetUtcNow(), Today, kept, aside);
                }
            );
            return new LogException(
                $"The ledger '{path}' was damaged, and lies at '{aside}' now: {kept} of its rows could be read and count on, what others said is not "
                    + "counted. Look at 'thole usage', lower the budget by what is missing, and go on with the next prompt.",
                damaged
            );
        }
        catch (Exception refused) when (IsRefusal(refused))
        {
            return refused as LogException ?? Explain(refused);
        }
    }

    private static Database? TryOpen(string aside)
    {
        try
        {
            return Database.Open(aside);
        }
        catch (DatabaseException)
        {
            return null;
        }
    }

    private static bool IsRefusal(Exception exception) =>
        exception is DatabaseException or LogException or IOException or UnauthorizedAccessException;

    private LogException Explain(Exception refused) =>
        refused switch
        {
            LogException said => said,
            DatabaseException { IsFull: true } => new LogException(
                $"The disk is full: the ledger '{path}' takes no reservation, and with a budget nothing is sent without one. Free some space and go on.",
                refused
            ),
            DatabaseException { IsCorrupt: true } => new LogException(
                $"The ledger '{path}' is damaged ({refused.Message}): the next request to a model puts it aside and keeps what can be read.",
                refused
            ),
            _ => new LogException(
                $"The ledger '{path}' cannot be used ({refused.Message.TrimEnd('.')}): check its permissions and the disk, or take the budgets out of the settings.",
                refused
            ),
        };
}
