namespace Thole.Core.Log;

/// <summary>Reads rows and makes sure that each is the one that was written after the one before.</summary>
internal sealed class ChainReader(LogFile file)
{
    /// <summary>The next rows in (<paramref name="after"/>, <paramref name="through"/>]; fewer than there are where they are many.</summary>
    /// <exception cref="LogException">A row is not what was written.</exception>
    public IReadOnlyList<EventRow> Page(long after, long through)
    {
        var rows = file.Page(after, through);
        if (rows is [])
        {
            return rows;
        }

        Check(Before(rows[0].Number), rows);
        return rows;
    }

    public IReadOnlyList<EventRow> Backwards(long before, int count)
    {
        var rows = file.Backwards(before, count);
        if (rows is [])
        {
            return rows;
        }

        Check(Before(rows[0].Number), rows);
        return rows;
    }

    /// <summary>
    /// Whether the log from there to its end is what was written. Not only to the number that the tree says is the last: a damaged
    /// tree tells one story forwards and another backwards.
    /// </summary>
    public bool IsIntact(long after, long last)
    {
        try
        {
            while (Page(after, long.MaxValue) is [.., var row])
            {
                after = row.Number;
            }

            return after == last;
        }
        catch (LogException)
        {
            return false;
        }
    }

    private EventRow? Before(long number) => number > 1 ? file.LastThrough(number - 1) : null;

    private void Check(EventRow? before, IReadOnlyList<EventRow> rows)
    {
        var previous = before is null ? EventRow.Root : before.Hash;
        var last = before?.Number ?? 0;
        foreach (var row in rows)
        {
            var isNext = row.Number == last + 1 || LogRecovery.Explains(row, last);
            if (!isNext || !row.Follows(previous))
            {
                throw LogErrors.Damaged(file.Path, last);
            }

            previous = row.Hash;
            last = row.Number;
        }
    }
}
