using System.Globalization;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Repositories;

/// <summary>Reads what <c>git diff</c> prints: the list of files with their numbers, and the hunks of one file.</summary>
internal static class GitDiffText
{
    private const int NumberedFields = 3;

    /// <summary>Reads <c>--raw --numstat -z</c>: first a state for each file, then its numbers.</summary>
    public static List<ChangedFile> Files(string printed)
    {
        HashSet<string> deleted = new(StringComparer.Ordinal);
        List<ChangedFile> files = [];
        var fields = printed.Split('\0');
        for (var at = 0; at + 1 < fields.Length; at++)
        {
            if (fields[at].StartsWith(':'))
            {
                var state = fields[at][(fields[at].LastIndexOf(' ') + 1)..];
                at += state is ['R' or 'C', ..] ? 2 : 1;
                if (state is "D" && at < fields.Length)
                {
                    deleted.Add(fields[at]);
                }
            }
            else if (fields[at].Split('\t', NumberedFields) is [var added, var removed, var path])
            {
                string? oldPath = null;
                if (path.Length == 0 && at + 2 < fields.Length)
                {
                    (oldPath, path) = (fields[at + 1], fields[at + 2]);
                    at += 2;
                }

                files.Add(
                    new ChangedFile(
                        path,
                        oldPath,
                        Number(added),
                        Number(removed),
                        IsBinary: added is "-",
                        IsUntracked: false,
                        deleted.Contains(path),
                        Truncated: false
                    )
                );
            }
        }

        return files;
    }

    /// <summary>Reads the patch of one file, up to so many lines.</summary>
    public static (IReadOnlyList<FileHunk> Hunks, bool IsCut) Hunks(string patch, bool isCut, int mostLines)
    {
        List<FileHunk> hunks = [];
        List<string> lines = [];
        var (oldLeft, newLeft, count) = (0, 0, 0);
        var end = isCut ? patch.LastIndexOf('\n') : patch.Length;
        foreach (var range in patch.AsSpan(0, Math.Max(0, end)).Split('\n'))
        {
            var line = patch.AsSpan()[range];
            if (oldLeft > 0 || newLeft > 0 || (lines.Count > 0 && line.StartsWith('\\')))
            {
                if (count == mostLines)
                {
                    return (hunks, true);
                }

                count++;
                lines.Add(line.ToString());
                oldLeft -= line is [' ' or '-', ..] ? 1 : 0;
                newLeft -= line is [' ' or '+', ..] ? 1 : 0;
            }
            else if (ReadHeader(line) is { } header)
            {
                lines = [];
                hunks.Add(header with { Lines = lines });
                (oldLeft, newLeft) = (header.OldLines, header.NewLines);
            }
            else if (hunks.Count > 0 && line.StartsWith("diff "))
            {
                break; // of another file: the path was that of a folder
            }
        }

        return (hunks, isCut);
    }

    /// <summary>@@ -1,2 +3,4 @@ what it is in; a count of one is left out.</summary>
    private static FileHunk? ReadHeader(ReadOnlySpan<char> line)
    {
        if (!line.StartsWith("@@ -") || line[4..].IndexOf(" @@") is not (> 0 and var end))
        {
            return null;
        }

        var ranges = line.Slice(4, end).ToString().Split(" +");
        return ranges is [var old, var now] && Range(old) is var (oldStart, oldCount) && Range(now) is var (newStart, newCount)
            ? new FileHunk(oldStart, oldCount, newStart, newCount, [])
            : null;
    }

    private static (int Start, int Count)? Range(string text)
    {
        var comma = text.IndexOf(',', StringComparison.Ordinal);
        return
            int.TryParse(comma < 0 ? text : text[..comma], NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            && int.TryParse(comma < 0 ? "1" : text[(comma + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? (start, count)
            : null;
    }

    // A dash stands for a binary file.
    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
