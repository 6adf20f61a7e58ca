using System.Text;
using Thole.Core.Workspaces;

namespace Thole.Tools.Editing;

/// <summary>
/// Finds what a model meant to replace, from the exact text down to ever more tolerant readings (docs/tools.md). A rung is
/// taken only where it has one candidate; two candidates are never chosen between. What matched is always the file's own text.
/// </summary>
internal static class MatchLadder
{
    /// <returns>The matches of the first rung that has any: none, the one, or several that only <c>replace_all</c> may take.</returns>
    public static IReadOnlyList<TextChange> Find(string text, string wanted, string replacement)
    {
        var exact = Occurrences(text, wanted, replacement);
        if (exact.Count > 0)
        {
            return exact;
        }

        // Every character becomes exactly one other, so that places in the normal form are places in the text.
        var normal = Normalize(text);
        var normalWanted = Normalize(wanted);
        var typographic = Occurrences(normal, normalWanted, replacement);
        if (typographic.Count > 0)
        {
            return typographic;
        }

        var lines = LineSpans.Split(normal);
        var trimmedEnd = LineMatches(lines, normalWanted, replacement, static line => line.TrimEnd(), text, reindent: false);
        if (trimmedEnd.Count > 0)
        {
            return trimmedEnd;
        }

        var trimmed = LineMatches(lines, normalWanted, replacement, static line => line.Trim(), text, reindent: true);
        if (trimmed.Count > 0)
        {
            return trimmed;
        }

        var shorter = WithoutLastEmptyLine(normalWanted);
        return shorter is null
            ? []
            : LineMatches(
                lines,
                shorter,
                WithoutLastEmptyLine(replacement) ?? replacement,
                static line => line.Trim(),
                text,
                reindent: true
            );
    }

    private static List<TextChange> Occurrences(string text, string wanted, string replacement)
    {
        var found = new List<TextChange>();
        for (var at = text.IndexOf(wanted, StringComparison.Ordinal); at >= 0; )
        {
            found.Add(new TextChange(at, wanted.Length, replacement));
            at = text.IndexOf(wanted, at + wanted.Length, StringComparison.Ordinal);
        }

        return found;
    }

    private static List<TextChange> LineMatches(
        List<string> lines,
        string wanted,
        string replacement,
        Func<string, string> reading,
        string text,
        bool reindent
    )
    {
        var wantedLines = LineSpans.Split(wanted);
        var read = wantedLines.ConvertAll(line => reading(line));

        // A needle of blank lines alone would match anywhere.
        if (read.TrueForAll(static line => line.Length == 0))
        {
            return [];
        }

        var readLines = lines.ConvertAll(line => reading(line));
        var found = new List<TextChange>();
        var start = 0;
        for (var first = 0; first + read.Count <= lines.Count; first++)
        {
            if (Matches(readLines, first, read))
            {
                var length = 0;
                for (var line = first; line < first + read.Count; line++)
                {
                    length += lines[line].Length;
                }

                // A needle that does not name its last newline does not take it.
                if (!wanted.EndsWith('\n') && lines[first + read.Count - 1].EndsWith('\n'))
                {
                    length--;
                }

                var matched = text.Substring(start, length);
                // Nor does it give one to a last line that has none.
                var given =
                    wanted.EndsWith('\n') && !matched.EndsWith('\n') && replacement.EndsWith('\n')
                        ? replacement[..^1]
                        : replacement;
                found.Add(new TextChange(start, length, reindent ? Reindent(given, wantedLines, matched) : given));
                for (var line = first; line < first + read.Count; line++)
                {
                    start += lines[line].Length;
                }

                first += read.Count - 1;
            }
            else
            {
                start += lines[first].Length;
            }
        }

        return found;
    }

    private static bool Matches(List<string> lines, int first, List<string> wanted)
    {
        for (var index = 0; index < wanted.Count; index++)
        {
            if (!string.Equals(lines[first + index], wanted[index], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Gives each new line the indentation that the file has where the model believed another. The first line that is not
    /// blank says what one stands for the other.
    /// </summary>
    private static string Reindent(string replacement, List<string> wantedLines, string matched)
    {
        var matchedLines = LineSpans.Split(matched);
        var index = wantedLines.FindIndex(static line => !string.IsNullOrWhiteSpace(line));
        var (believed, actual) = (Indentation(wantedLines[index]), Indentation(matchedLines[index]));
        var result = new StringBuilder();
        foreach (var line in LineSpans.Split(replacement))
        {
            var known = wantedLines.FindIndex(wanted =>
                string.Equals(wanted.TrimEnd(), line.TrimEnd(), StringComparison.Ordinal)
            );
            if (string.IsNullOrWhiteSpace(line))
            {
                result.Append(line);
            }
            else if (known >= 0 && known < matchedLines.Count)
            {
                // The same line as before: it keeps exactly the indentation that the file has.
                result.Append(Indentation(matchedLines[known])).Append(line.AsSpan(Indentation(line).Length));
            }
            else if (line.StartsWith(believed, StringComparison.Ordinal))
            {
                result.Append(actual).Append(line.AsSpan(believed.Length));
            }
            else
            {
                // Less indented than the first line: as much less than the file's.
                var less = believed.Length - Indentation(line).Length;
                result.Append(actual.AsSpan(0, Math.Max(0, actual.Length - less))).Append(line.AsSpan(Indentation(line).Length));
            }
        }

        return result.ToString();
    }

    private static string Indentation(string line) => line[..(line.Length - line.TrimStart(' ', '\t').Length)];

    private static string? WithoutLastEmptyLine(string text)
    {
        var trimmed = text.TrimEnd(' ', '\t');
        return trimmed.EndsWith('\n') && trimmed.Length > 1 ? trimmed[..^1] : null;
    }

    private static string Normalize(string text) =>
        string.Create(
            text.Length,
            text,
            static (span, source) =>
            {
                for (var index = 0; index < span.Length; index++)
                {
                    span[index] = source[index] switch
                    {
                        >= '\u2010' and <= '\u2015' or '\u2212' => '-',
                        '\u2018' or '\u2019' or '\u201A' or '\u201B' or '\u2032' => '\'',
                        '\u201C' or '\u201D' or '\u201E' or '\u201F' or '\u2033' => '"',
                        '\u00A0' or (>= '\u2000' and <= '\u200A') or '\u202F' or '\u205F' or '\u3000' => ' ',
                        var other => other,
                    };
                }
            }
        );
}
