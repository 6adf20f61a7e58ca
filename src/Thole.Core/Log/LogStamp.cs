using System.IO.Enumeration;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>What a folder tells of a log without opening it: where it is unchanged, so is the log.</summary>
internal readonly record struct LogStamp(long Bytes, long Changed, long PendingBytes, long PendingChanged)
{
    public long Size => Bytes + PendingBytes;

    /// <summary>The stamps of all logs whose id begins so, by id.</summary>
    public static Dictionary<string, LogStamp> All(LogFolder folder, string prefix = "")
    {
        var stamps = new Dictionary<string, LogStamp>(StringComparer.Ordinal);
        if (!Directory.Exists(folder.Path))
        {
            return stamps;
        }

        var pending = new List<(string Id, long Bytes, long Changed)>();
        var files = new FileSystemEnumerable<(string Name, long Length, long Changed)>(
            folder.Path,
            static (ref entry) => (entry.FileName.ToString(), entry.Length, entry.LastWriteTimeUtc.UtcTicks)
        )
        {
            ShouldIncludePredicate = (ref entry) =>
                !entry.IsDirectory
                && entry.FileName.StartsWith(prefix, StringComparison.Ordinal)
                && (
                    entry.FileName.EndsWith(".db", StringComparison.Ordinal)
                    || entry.FileName.EndsWith(".db-wal", StringComparison.Ordinal)
                ),
        };
        foreach (var (name, length, changed) in files)
        {
            var isPending = name.EndsWith("-wal", StringComparison.Ordinal);
            var id = name[..^(isPending ? ".db-wal".Length : ".db".Length)];
            if (!LogFolder.IsValid(new SessionId(id)))
            {
                continue;
            }

            if (isPending)
            {
                pending.Add((id, length, changed));
            }
            else
            {
                stamps[id] = new LogStamp(length, changed, 0, 0);
            }
        }

        foreach (var (id, bytes, changed) in pending)
        {
            if (stamps.TryGetValue(id, out var stamp))
            {
                stamps[id] = stamp with { PendingBytes = bytes, PendingChanged = changed };
            }
        }

        return stamps;
    }
}
