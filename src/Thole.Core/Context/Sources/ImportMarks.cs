namespace Thole.Core.Context.Sources;

/// <summary>Finds <c>@path</c> in Markdown, outside of fenced blocks and code spans, in one pass over the lines.</summary>
internal static class ImportMarks
{
    /// <returns>Where each <c>@</c> stands, and the path behind it.</returns>
    public static List<(int Start, string Path)> In(string text)
    {
        List<(int, string)> found = [];
        var fence = "";
        for (var start = 0; start < text.Length; )
        {
            var end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end;
            var mark = Fence(text.AsSpan(start, end - start));
            if (fence.Length > 0)
            {
                var closes =
                    mark.StartsWith(fence, StringComparison.Ordinal)
                    && text.AsSpan(start, end - start).Trim().Length == mark.Length;
                fence = closes ? "" : fence;
            }
            else if (mark.Length > 0)
            {
                fence = mark;
            }
            else
            {
                InLine(text, start, end, found);
            }

            start = end + 1;
        }

        return found;
    }

    private static string Fence(ReadOnlySpan<char> line)
    {
        var mark = line.TrimStart();
        if (mark is not (['`', '`', '`', ..] or ['~', '~', '~', ..]))
        {
            return "";
        }

        var length = mark.IndexOfAnyExcept(mark[0]);
        return mark[..(length < 0 ? mark.Length : length)].ToString();
    }

    private static void InLine(string text, int start, int end, List<(int Start, string Path)> found)
    {
        for (var at = start; at < end; at++)
        {
            if (text[at] == '`')
            {
                at = AfterSpan(text, at, end) - 1;
            }
            else if (text[at] == '@' && (at == start || char.IsWhiteSpace(text[at - 1]) || text[at - 1] is '('))
            {
                var length = 0;
                while (
                    at + 1 + length < end
                    && !char.IsWhiteSpace(text[at + 1 + length])
                    && text[at + 1 + length] is not ('`' or '@')
                )
                {
                    length++;
                }

                var path = text.AsSpan(at + 1, length).TrimEnd(".,;:!?)\"'").ToString();
                if (path.Length > 0)
                {
                    found.Add((at, path));
                }
            }
        }
    }

    // A span ends at the next run of as many backticks; without one the run is only text.
    private static int AfterSpan(string text, int at, int end)
    {
        var length = Run(text, at, end);
        for (var next = at + length; next < end; )
        {
            if (text[next] != '`')
            {
                next++;
                continue;
            }

            var run = Run(text, next, end);
            next += run;
            if (run == length)
            {
                return next;
            }
        }

        return at + length;
    }

    private static int Run(string text, int at, int end)
    {
        var run = at;
        while (run < end && text[run] == '`')
        {
            run++;
        }

        return run - at;
    }
}
