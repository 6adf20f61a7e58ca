namespace Thole.Core.Workspaces;

/// <summary>Lines as a diff sees them: each with its newline, the last perhaps without one.</summary>
public static class LineSpans
{
    public static List<string> Split(string text)
    {
        var lines = new List<string>();
        for (var start = 0; start < text.Length; )
        {
            var newline = text.IndexOf('\n', start);
            var end = newline < 0 ? text.Length : newline + 1;
            lines.Add(text[start..end]);
            start = end;
        }

        return lines;
    }

    public static int Count(ReadOnlySpan<char> text) => text.Count('\n') + (text.IsEmpty || text[^1] is '\n' ? 0 : 1);
}
