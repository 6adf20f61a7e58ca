using Thole.Protocol;

namespace Thole.Cli.Commands;

/// <summary>Lines in columns. What a cell holds may come from anybody: it is made harmless here.</summary>
internal static class Table
{
    public static void Write(TextWriter output, IReadOnlyList<IReadOnlyList<string>> rows, string indent = "")
    {
        IReadOnlyList<IReadOnlyList<string>> shown =
        [
            .. rows.Select(static row => (string[])[.. row.Select(TerminalText.EscapeLine)]),
        ];
        var columns = shown.Count == 0 ? 0 : shown.Max(static row => row.Count);
        int[] widths =
        [
            .. Enumerable.Range(0, columns).Select(column => shown.Max(row => column < row.Count ? row[column].Length : 0)),
        ];
        foreach (var row in shown)
        {
            output.WriteLine((indent + string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])))).TrimEnd());
        }
    }
}
