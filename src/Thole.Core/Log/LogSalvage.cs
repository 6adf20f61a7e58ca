using System.Text.Json;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>
/// Makes a new log of everything in a damaged one that can be shown to be what was written. Numbers are kept; where events are lost, an
/// event in their place says so; the damaged file is kept aside. Its caller holds the lease.
/// </summary>
/// <param name="mark">The newest number that was written, as it is known beside the log: a file that lost its end does not tell.</param>
internal sealed class LogSalvage(LogFolder folder, SessionId session, TimeProvider time, long mark)
{
    private const int Batch = 1_000;
    private const int Told = 10;

    private readonly EventCodec _codec = new(EventUpgrades.All);
    private readonly List<string> _lost = [];
    private readonly Dictionary<BlobId, long> _named = [];

    public void Run()
    {
        var damaged = folder.Log(session);
        var draft = folder.Draft(session);
        foreach (var left in (string[])[draft, $"{draft}-wal", $"{draft}-shm"])
        {
            File.Delete(left);
        }

        using (var scan = new PageScan(damaged, $"{damaged}-wal"))
        {
            if (!TryWrite(scan, draft))
            {
                throw LogErrors.Hopeless(damaged, session);
            }
        }

        // Its name says that the new log is whole; what follows can be done again from here.
        File.Move(draft, folder.Salvaged(session), overwrite: true);
        folder.Sync();
        FinishSwap(folder, session);
    }

    /// <summary>Puts a salvaged log in its place, also where a crash had cut that short.</summary>
    public static void FinishSwap(LogFolder folder, SessionId session)
    {
        var salvaged = folder.Salvaged(session);
        if (!File.Exists(salvaged))
        {
            return;
        }

        var log = folder.Log(session);
        var aside = Aside(log);

        // The write-ahead file first: it must never be found beside a log that it does not belong to.
        if (File.Exists($"{log}-wal"))
        {
            File.Move($"{log}-wal", $"{aside}-wal", overwrite: true);
        }

        if (File.Exists(log))
        {
            File.Move(log, aside);
        }

        File.Delete($"{log}-shm");
        File.Move(salvaged, log);
        folder.Sync();
    }

    private static string Aside(string log)
    {
        var copies = 1;
        while (File.Exists($"{log}.damaged-{copies}"))
        {
            copies++;
        }

        return $"{log}.damaged-{copies}";
    }

    private bool TryWrite(PageScan scan, string draft)
    {
        using var rows = Rows(scan).GetEnumerator();
        if (!rows.MoveNext())
        {
            return false;
        }

        var head = EventRow.Root.ToArray();
        using var file = LogFile.Create(
            draft,
            file =>
            {
                file.Add(Chain(rows.Current, ref head), opening: true);
                file.Add(rows.Current with { Hash = head });
            }
        );

        var isMore = true;
        while (isMore)
        {
            file.Write(
                durable: false,
                () =>
                {
                    for (var written = 0; written < Batch && (isMore = rows.MoveNext()); written++)
                    {
                        file.Add(Chain(rows.Current, ref head));
                    }
                }
            );
        }

        foreach (var place in scan.Blobs)
        {
            if (
                scan.ReadBlob(place) is var (id, content)
                && new BlobId(Convert.ToHexStringLower(id)) is var blob
                && LogFile.Matches(blob, content)
            )
            {
                file.Write(durable: false, () => file.AddBlob(blob, content));
                _named.Remove(blob);
            }
        }

        file.Write(durable: true, () => file.SetMeta(SqliteEventLog.Lost, Message()));
        return true;
    }

    private EventRow Chain(EventRow row, ref byte[] head)
    {
        head = row.ComputeHash(head);
        foreach (var blob in BlobReferences.Of(_codec.Decode(row).Event))
        {
            _named.TryAdd(blob, row.Number);
        }

        return row with
        {
            Hash = head,
        };
    }

    private string Message()
    {
        var aside = Path.GetFileName(Aside(folder.Log(session)));
        IReadOnlyList<string> lost =
        [
            .. _lost,
            .. _named
                .OrderBy(named => named.Value)
                .Select(named => $"large output {named.Key.Value[..12]} of event {named.Value}"),
        ];
        return lost switch
        {
            [] => $"The log was damaged and has been rebuilt; no event was found missing. The damaged file is kept as '{aside}'.",
            { Count: <= Told } => $"The log was damaged; lost: {string.Join(", ", lost)}. The damaged file is kept as '{aside}'.",
            _ =>
                $"The log was damaged; lost: {string.Join(", ", lost.Take(Told))} and {lost.Count - Told} more. The damaged file is kept as '{aside}'.",
        };
    }

    /// <summary>The rows that hold, in order, with an event in each hole that says what it was.</summary>
    private IEnumerable<EventRow> Rows(PageScan scan)
    {
        // A stable sort: of several copies of one row the newest stays last.
        List<IGrouping<long, PageScan.Place>> numbers = [.. scan.Events.GroupBy(place => place.Key).OrderBy(group => group.Key)];
        byte[]? previous = EventRow.Root.ToArray();
        var isSure = true; // the hash before is that of a row that holds
        long last = 0;
        var next = numbers is [] ? [] : Load(scan, numbers[0]);
        for (var index = 0; index < numbers.Count; index++)
        {
            var candidates = next;
            next = index + 1 < numbers.Count ? Load(scan, numbers[index + 1]) : [];
            var isAdjacent = numbers[index].Key == last + 1;
            if (Choose(previous, isSure && isAdjacent, candidates, next) is not { } row)
            {
                previous = candidates is [var only] ? only.Hash : null;
                isSure = false;
                continue;
            }

            if (row.Number != last + 1 && !LogRecovery.Explains(row, last))
            {
                yield return Hole(last, row.Number);
            }

            (last, previous, isSure) = (row.Number, row.Hash, true);
            yield return row;
        }

        var found = numbers is [.., var newest] && newest.Key < last + LogRecovery.Stride ? newest.Key : last;
        if (mark > found && mark >= last + LogRecovery.Stride)
        {
            _lost.Add($"what came after event {last}"); // numbers were left out there, and nobody knows how many
        }
        else if (Math.Max(found, mark) is var end && end > last)
        {
            _lost.Add(Range(last + 1, end));
        }
    }

    /// <summary>
    /// The candidate that its neighbours vouch for: it follows the hash before; or only its own hash is damaged, and what comes next
    /// follows from its content; or nothing before it is left, and what comes next follows its hash.
    /// </summary>
    private static EventRow? Choose(byte[]? previous, bool isCertain, List<EventRow> candidates, List<EventRow> next)
    {
        if (previous is not null)
        {
            var following = candidates.FindAll(row => row.Follows(previous));
            if (following is not [])
            {
                return following.FindLast(row => next.Exists(after => after.Follows(row.Hash))) ?? following[^1];
            }

            foreach (var row in candidates)
            {
                var hash = row.ComputeHash(previous);
                if (next.Exists(after => after.Follows(hash)))
                {
                    return row with { Hash = hash };
                }
            }
        }

        return isCertain
            ? null
            : candidates.FindLast(row => IsJson(row.Payload) && next.Exists(after => after.Follows(row.Hash)));
    }

    private EventRow Hole(long last, long number)
    {
        var lost = Range(last + 1, number - 1);
        _lost.Add(lost);
        var message = number - last == 2 ? $"E{lost[1..]} was damaged and is lost." : $"E{lost[1..]} were damaged and are lost.";
        return _codec.Encode(
            new Envelope(number - 1, time.GetUtcNow(), Actor.Runtime, new LogRecovered(last, message)),
            EventRow.Root
        );
    }

    private static string Range(long first, long last) => first == last ? $"event {first}" : $"events {first} to {last}";

    private static List<EventRow> Load(PageScan scan, IEnumerable<PageScan.Place> places)
    {
        var rows = new List<EventRow>();
        foreach (var place in places)
        {
            if (scan.ReadEvent(place) is { } row && !rows.Exists(known => known.Hash.AsSpan().SequenceEqual(row.Hash)))
            {
                rows.Add(row);
            }
        }

        return rows;
    }

    private static bool IsJson(byte[] payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload);
            return reader.Read() && reader.TrySkip();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
