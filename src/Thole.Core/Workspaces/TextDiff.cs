using System.Text;

namespace Thole.Core.Workspaces;

/// <summary>What changed between two texts, line by line: Myers' shortest edit script, bounded in time and memory.</summary>
public static class TextDiff
{
    private const int Context = 3;

    // Work is about edits times lines, and memory grows with the square of the edits.
    private const int MaxEdits = 1500;
    private const long MaxWork = 50_000_000;

    /// <summary>
    /// The differing stretches, in order. Lines count from 0. Where the texts have little in common, one stretch covers
    /// everything between their common beginning and end.
    /// </summary>
    public static IReadOnlyList<LineChange> Compare(IReadOnlyList<string> oldLines, IReadOnlyList<string> newLines)
    {
        var prefix = 0;
        var shorter = Math.Min(oldLines.Count, newLines.Count);
        while (prefix < shorter && string.Equals(oldLines[prefix], newLines[prefix], StringComparison.Ordinal))
        {
            prefix++;
        }

        var suffix = 0;
        while (
            suffix < shorter - prefix && string.Equals(oldLines[^(suffix + 1)], newLines[^(suffix + 1)], StringComparison.Ordinal)
        )
        {
            suffix++;
        }

        var (oldCount, newCount) = (oldLines.Count - prefix - suffix, newLines.Count - prefix - suffix);
        if (oldCount == 0 && newCount == 0)
        {
            return [];
        }

        var whole = new LineChange(prefix, oldCount, prefix, newCount);
        if (oldCount == 0 || newCount == 0)
        {
            return [whole];
        }

        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var left = Number(oldLines, prefix, oldCount, numbers);
        var right = Number(newLines, prefix, newCount, numbers);
        return ShortestScript(left, right, prefix) ?? [whole];
    }

    /// <summary>A patch that <c>git apply</c> takes; empty where nothing changed.</summary>
    /// <param name="oldText">Null where the file is new.</param>
    /// <param name="newText">Null where the file is gone.</param>
    public static string Unified(string path, string? oldText, string? newText)
    {
        var oldLines = LineSpans.Split(oldText ?? "");
        var newLines = LineSpans.Split(newText ?? "");
        var changes = Compare(oldLines, newLines);
        if (changes.Count == 0 && oldText is not null && newText is not null)
        {
            return "";
        }

        var (oldName, newName) = (Quote("a/" + path), Quote("b/" + path));
        var patch = new StringBuilder($"diff --git {oldName} {newName}\n");
        patch.Append(
            oldText is null ? "new file mode 100644\n"
            : newText is null ? "deleted file mode 100644\n"
            : ""
        );
        if (changes.Count == 0)
        {
            return patch.ToString();
        }

        // git ends a name that holds a space with a tab, because what follows a name in this line may be a date.
        patch.Append(
            $"--- {(oldText is null ? "/dev/null" : oldName)}{(oldText is not null && path.Contains(' ') ? "\t" : "")}\n"
        );
        patch.Append(
            $"+++ {(newText is null ? "/dev/null" : newName)}{(newText is not null && path.Contains(' ') ? "\t" : "")}\n"
        );
        for (var first = 0; first < changes.Count; )
        {
            var last = first;
            while (last + 1 < changes.Count && changes[last + 1].OldStart - changes[last].OldEnd <= Context * 2)
            {
                last++;
            }

            AppendHunk(patch, oldLines, newLines, changes, first, last);
            first = last + 1;
        }

        return patch.ToString();
    }

    private static void AppendHunk(
        StringBuilder patch,
        List<string> oldLines,
        List<string> newLines,
        IReadOnlyList<LineChange> changes,
        int first,
        int last
    )
    {
        var before = Math.Min(Context, changes[first].OldStart);
        var after = Math.Min(Context, oldLines.Count - changes[last].OldEnd);
        var oldStart = changes[first].OldStart - before;
        var newStart = changes[first].NewStart - before;
        var oldCount = changes[last].OldEnd + after - oldStart;
        var newCount = changes[last].NewEnd + after - newStart;
        patch.Append($"@@ -{Range(oldStart, oldCount)} +{Range(newStart, newCount)} @@\n");
        var position = oldStart;
        for (var index = first; index <= last; index++)
        {
            var change = changes[index];
            Append(' ', oldLines, position, change.OldStart);
            Append('-', oldLines, change.OldStart, change.OldEnd);
            Append('+', newLines, change.NewStart, change.NewEnd);
            position = change.OldEnd;
        }

        Append(' ', oldLines, position, position + after);

        void Append(char mark, List<string> lines, int from, int to)
        {
            for (var line = from; line < to; line++)
            {
                patch.Append(mark).Append(lines[line]);
                if (!lines[line].EndsWith('\n'))
                {
                    patch.Append("\n\\ No newline at end of file\n");
                }
            }
        }
    }

    // A range without lines names the line before it; one line goes without its count.
    private static string Range(int start, int count) =>
        count switch
        {
            0 => $"{start},0",
            1 => $"{start + 1}",
            _ => $"{start + 1},{count}",
        };

    private static string Quote(string path)
    {
        if (!path.AsSpan().ContainsAnyInRange('\0', '\u001f') && !path.AsSpan().ContainsAny('"', '\\', '\u007f'))
        {
            return path;
        }

        var quoted = new StringBuilder("\"");
        foreach (var character in path)
        {
            _ = character switch
            {
                '"' or '\\' => quoted.Append('\\').Append(character),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                < ' ' or '\u007f' => quoted.Append('\\').Append(Convert.ToString(character, 8).PadLeft(3, '0')),
                _ => quoted.Append(character),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static int[] Number(IReadOnlyList<string> lines, int start, int count, Dictionary<string, int> numbers)
    {
        var result = new int[count];
        for (var index = 0; index < count; index++)
        {
            var line = lines[start + index];
            if (!numbers.TryGetValue(line, out result[index]))
            {
                numbers.Add(line, result[index] = numbers.Count);
            }
        }

        return result;
    }

    /// <summary>Myers, "An O(ND) Difference Algorithm", 1986; null where it would take too long.</summary>
    private static List<LineChange>? ShortestScript(int[] left, int[] right, int offset)
    {
        var limit = (int)Math.Min(MaxEdits, Math.Max(64, MaxWork / (left.Length + right.Length)));
        limit = Math.Min(limit, left.Length + right.Length);
        var furthest = new int[2 * limit + 3];
        var trace = new List<int[]>();
        for (var edits = 0; edits <= limit; edits++)
        {
            trace.Add(furthest[(limit + 1 - edits)..(limit + 2 + edits)]);
            for (var diagonal = -edits; diagonal <= edits; diagonal += 2)
            {
                var center = limit + 1 + diagonal;
                var x =
                    diagonal == -edits || (diagonal != edits && furthest[center - 1] < furthest[center + 1])
                        ? furthest[center + 1]
                        : furthest[center - 1] + 1;
                var y = x - diagonal;
                while (x < left.Length && y < right.Length && left[x] == right[y])
                {
                    x++;
                    y++;
                }

                furthest[center] = x;
                if (x >= left.Length && y >= right.Length)
                {
                    return Backtrack(trace, left.Length, right.Length, offset);
                }
            }
        }

        return null;
    }

    private static List<LineChange> Backtrack(List<int[]> trace, int x, int y, int offset)
    {
        var changes = new List<LineChange>();
        for (var edits = trace.Count - 1; edits > 0; edits--)
        {
            // The state before this round, of which trace[edits] holds the diagonals -edits to edits.
            var furthest = trace[edits];
            var diagonal = x - y;
            var down =
                diagonal == -edits
                || (diagonal != edits && At(furthest, edits, diagonal - 1) < At(furthest, edits, diagonal + 1));
            var fromX = At(furthest, edits, down ? diagonal + 1 : diagonal - 1);
            var fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
            var step = down
                ? new LineChange(fromX + offset, 0, fromY + offset, 1)
                : new LineChange(fromX + offset, 1, fromY + offset, 0);
            if (changes is [.., var next] && step.OldEnd == next.OldStart && step.NewEnd == next.NewStart)
            {
                changes[^1] = new LineChange(
                    step.OldStart,
                    step.OldCount + next.OldCount,
                    step.NewStart,
                    step.NewCount + next.NewCount
                );
            }
            else
            {
                changes.Add(step);
            }

            (x, y) = (fromX, fromY);
        }

        changes.Reverse();
        return changes;
    }

    private static int At(int[] furthest, int edits, int diagonal) => furthest[diagonal + edits];
}

/// <summary>A stretch of old lines that became a stretch of new lines; one of them may be empty.</summary>
public readonly record struct LineChange(int OldStart, int OldCount, int NewStart, int NewCount)
{
    public int OldEnd => OldStart + OldCount;

    public int NewEnd => NewStart + NewCount;
}
