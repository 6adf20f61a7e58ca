namespace Thole.Core.Tools;

/// <summary>Cuts what is too long for a model to its beginning and its end, and says how much is missing.</summary>
public static class OutputText
{
    /// <returns>
    /// The text as it is; or its head and tail, cut at lines where lines are not too long themselves, never inside a character,
    /// with a line between that counts what was left out. The marker comes on top of the limits.
    /// </returns>
    public static (string Shown, bool WasCut) HeadAndTail(string text, int maxCharacters, int maxLines)
    {
        if (text.Length <= maxCharacters && CountLines(text) <= maxLines)
        {
            return (text, false);
        }

        var head = HeadEnd(text, maxCharacters / 2, maxLines / 2);
        var tail = TailStart(text, maxCharacters - (maxCharacters / 2), maxLines - (maxLines / 2));
        if (tail <= head)
        {
            return (text, false);
        }

        var between = text.AsSpan(head, tail - head);
        var before = head == 0 || text[head - 1] == '\n' ? "" : "\n";
        return (
            $"{text[..head]}{before}[... {between.Length:N0} characters in {CountLines(between):N0} lines left out ...]\n{text[tail..]}",
            true
        );
    }

    private static int CountLines(ReadOnlySpan<char> text) => text.Count('\n') + (text.EndsWith('\n') || text.IsEmpty ? 0 : 1);

    private static int HeadEnd(string text, int maxCharacters, int maxLines)
    {
        var end = 0;
        for (var lines = 0; lines < maxLines && end < text.Length; lines++)
        {
            var next = text.IndexOf('\n', end) is >= 0 and var found ? found + 1 : text.Length;
            if (next > maxCharacters)
            {
                // Half a line is worth showing only where whole ones would show little.
                return end >= maxCharacters / 2 ? end : NotInside(text, maxCharacters, -1);
            }

            end = next;
        }

        return end;
    }

    private static int TailStart(string text, int maxCharacters, int maxLines)
    {
        var start = text.Length;
        for (var lines = 0; lines < maxLines && start > 0; lines++)
        {
            var next = start < 2 ? 0 : text.LastIndexOf('\n', start - 2) + 1;
            if (text.Length - next > maxCharacters)
            {
                return text.Length - start >= maxCharacters / 2 ? start : NotInside(text, text.Length - maxCharacters, +1);
            }

            start = next;
        }

        return start;
    }

    private static int NotInside(string text, int at, int step) =>
        at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) && char.IsHighSurrogate(text[at - 1]) ? at + step : at;
}
