using System.Globalization;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Recomputes everything about a log that can be recomputed, and names each event and blob that is not what was written.</summary>
internal sealed class LogVerification(LogFile file, SessionId session, long mark)
{
    private static readonly EventCodec s_codec = new(EventUpgrades.All);

    private readonly List<string> _problems = [];
    private readonly Dictionary<BlobId, long> _named = [];

    public VerifyReport Run()
    {
        long events = 0;
        long blobs = 0;
        string? head = null;
        try
        {
            file.Freeze();
            (events, head) = VerifyEvents();
            blobs = VerifyBlobs();
            _problems.AddRange(file.Examine().Select(problem => $"the file is damaged: {problem}"));
        }
        catch (DatabaseException damaged)
        {
            _problems.Add($"the file cannot be read further: {damaged.Message}");
        }

        return new VerifyReport(session, events, blobs, head, _problems);
    }

    private (long Events, string? Head) VerifyEvents()
    {
        var previous = EventRow.Root.ToArray();
        long last = 0;
        long events = 0;
        try
        {
            while (file.Page(last, long.MaxValue) is { Count: > 0 } rows)
            {
                foreach (var row in rows)
                {
                    Verify(row, last, previous);
                    (last, previous) = (row.Number, row.Hash);
                    events++;
                }
            }
        }
        catch (DatabaseException damaged)
        {
            _problems.Add($"after event {last} the log cannot be read: {damaged.Message}");
            return (events, null);
        }

        if (mark > last)
        {
            _problems.Add($"events {last + 1} to {mark} were written and are missing at the end");
        }

        return (events, events == 0 ? null : Convert.ToHexStringLower(previous));
    }

    private void Verify(EventRow row, long last, byte[] previous)
    {
        var isExplained = LogRecovery.Explains(row, last);
        if (row.Number != last + 1 && !isExplained)
        {
            _problems.Add(
                row.Number == last + 2
                    ? $"event {last + 1} is missing"
                    : string.Create(CultureInfo.InvariantCulture, $"events {last + 1} to {row.Number - 1} are missing")
            );
        }
        else if (!row.Follows(previous))
        {
            _problems.Add($"event {row.Number} is not what was written, or not in its place");
        }

        var happened = s_codec.Decode(row).Event;
        foreach (var blob in BlobReferences.Of(happened))
        {
            _named.TryAdd(blob, row.Number);
        }

        if (row.Number == 1 && happened is not SessionOpened)
        {
            _problems.Add("event 1 does not open a session");
        }

        if (happened is SessionOpened opened && opened.Session != session)
        {
            _problems.Add($"event {row.Number} opens another session, {TerminalText.EscapeLine(opened.Session.Value)}");
        }
    }

    private long VerifyBlobs()
    {
        long blobs = 0;
        long key = 0;
        while (file.BlobAfter(key) is { } blob)
        {
            blobs++;
            key = blob.Key;
            if (!LogFile.Matches(blob.Id, blob.Content))
            {
                var by = _named.TryGetValue(blob.Id, out var number) ? $", named by event {number}," : "";
                _problems.Add($"blob {blob.Id}{by} is not what was stored");
            }

            _named.Remove(blob.Id);
        }

        _problems.AddRange(
            _named.OrderBy(named => named.Value).Select(named => $"blob {named.Key}, named by event {named.Value}, is missing")
        );
        return blobs;
    }
}
