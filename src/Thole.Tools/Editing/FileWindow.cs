using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Editing;

/// <summary>The lines of a file that fit into one answer.</summary>
/// <param name="Seen">The lines that were shown whole.</param>
/// <param name="First">Counted from 1; the window is empty where <paramref name="Last"/> is less.</param>
internal sealed record FileWindow(string Text, int First, int Last, IReadOnlyList<LineRange> Seen)
{
    public const int MaxLines = 2000;
    public const int MaxCharacters = 25_000;

    /// <summary>A longer line is cut, says so, and does not count as seen.</summary>
    public const int MaxLineCharacters = 10_000;

    /// <param name="offset">The first line, counted from 0.</param>
    public static FileWindow Open(string text, int offset, int limit)
    {
        var window = new StringBuilder();
        var seen = new List<LineRange>();
        var (number, last) = (0, offset);
        for (var start = 0; start < text.Length && last < offset + limit; number++)
        {
            var newline = text.IndexOf('\n', start);
            var end = newline < 0 ? text.Length : newline + 1;
            if (number >= offset)
            {
                var line = text.AsSpan(start, end - start).TrimEnd('\n');
                var cut = line.Length > MaxLineCharacters;
                var shown = Math.Min(line.Length, MaxLineCharacters) + 1;
                if (window.Length > 0 && window.Length + shown > MaxCharacters)
                {
                    break;
                }

                window.Append(cut ? Cut(line.ToString()) : line).Append(newline < 0 ? "" : "\n");
                last = number + 1;
                if (!cut)
                {
                    Extend(seen, last);
                }
            }

            start = end;
        }

        return new FileWindow(window.ToString(), offset + 1, last, seen);
    }

    public static string Cut(string line) =>
        line.Length <= MaxLineCharacters
            ? line
            // Never between the halves of a surrogate pair.
            : line[..(char.IsHighSurrogate(line[MaxLineCharacters - 1]) ? MaxLineCharacters - 1 : MaxLineCharacters)]
                + $"… [line cut: {line.Length} characters]";

    public static void Extend(List<LineRange> seen, int line)
    {
        if (seen is [.., var range] && range.Last == line - 1)
        {
            seen[^1] = range with { Last = line };
        }
        else
        {
            seen.Add(new LineRange(line, line));
        }
    }
}
