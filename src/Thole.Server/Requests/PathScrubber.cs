using System.Buffers;
using System.Text;

namespace Thole.Server.Requests;

/// <summary>Takes absolute paths out of sentences that go to clients: their last segment is enough to know what is meant.</summary>
internal sealed class PathScrubber(IReadOnlyList<string> folders)
{
    private static readonly SearchValues<char> s_ends = SearchValues.Create(" \t\r\n'\"`,;)]}>");

    // Longest first: a folder within another is named whole.
    private readonly string[] _folders =
    [
        .. folders
            .Select(Path.TrimEndingDirectorySeparator)
            .Where(folder => folder.Length > 1)
            .OrderByDescending(folder => folder.Length),
    ];

    public string Scrub(string text)
    {
        foreach (var folder in _folders)
        {
            text = text.Replace(folder, Path.GetFileName(folder), StringComparison.Ordinal);
        }

        var scrubbed = new StringBuilder(text.Length);
        var index = 0;
        while (index < text.Length)
        {
            var end = EndOfPath(text, index);
            if (end == index)
            {
                scrubbed.Append(text[index++]);
                continue;
            }

            var path = text.AsSpan(index, end - index).TrimEnd("/\\.:,");
            scrubbed.Append(path[(path.LastIndexOfAny('/', '\\') + 1)..]);
            index += Math.Max(path.Length, 1);
        }

        return scrubbed.ToString();
    }

    /// <summary>Where the path that begins here ends; the beginning itself where none does.</summary>
    private static int EndOfPath(string text, int start)
    {
        var before = start == 0 ? ' ' : text[start - 1];
        var isPath =
            !char.IsLetterOrDigit(before)
            && before is not ('/' or '\\' or '.' or '_' or '-' or '~' or ':')
            && (
                (text[start] == '/' && start + 1 < text.Length && !char.IsWhiteSpace(text[start + 1]))
                || (
                    start + 2 < text.Length
                    && char.IsAsciiLetter(text[start])
                    && text[start + 1] == ':'
                    && text[start + 2] is '\\' or '/'
                )
                || text.AsSpan(start).StartsWith(@"\\")
            );
        if (!isPath)
        {
            return start;
        }

        // In quotes a path may have spaces.
        var length = before is '\'' or '"' or '`' ? text.AsSpan(start).IndexOf(before) : text.AsSpan(start).IndexOfAny(s_ends);
        return length < 0 ? text.Length : start + length;
    }
}
