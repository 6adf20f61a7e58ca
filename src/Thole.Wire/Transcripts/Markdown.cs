using System.Text;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>Puts text that others wrote into Markdown so that it stays text: it can neither leave its block nor command a terminal.</summary>
internal static class Markdown
{
    /// <summary>A fenced block whose fence is longer than any run of backticks inside.</summary>
    public static string Fence(string text, string language = "")
    {
        var fence = new string('`', Math.Max(3, LongestRun(text) + 1));
        var safe = TerminalText.Escape(text).TrimEnd('\n');
        return $"{fence}{language}\n{safe}\n{fence}\n";
    }

    /// <summary>A code span on one line.</summary>
    public static string Code(string text)
    {
        var safe = TerminalText.EscapeLine(text);
        var ticks = new string('`', LongestRun(safe) + 1);
        return safe.StartsWith('`') || safe.EndsWith('`') || safe.Length == 0
            ? $"{ticks} {safe} {ticks}"
            : $"{ticks}{safe}{ticks}";
    }

    /// <summary>A quotation: what a person typed cannot pass for a heading of ours.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder();
        foreach (var line in TerminalText.Escape(text).TrimEnd('\n').EnumerateLines())
        {
            quoted.Append(line.IsEmpty ? ">" : "> ").Append(line).Append('\n');
        }

        return quoted.ToString();
    }

    /// <summary>Markdown that a model wrote, with the code block closed that it left open: else it would swallow all that follows.</summary>
    public static string Prose(string text)
    {
        var safe = TerminalText.Escape(text).TrimEnd('\n');
        var open = "";
        foreach (var line in safe.EnumerateLines())
        {
            var trimmed = line.TrimStart(' ');
            var mark =
                trimmed.StartsWith("```") ? '`'
                : trimmed.StartsWith("~~~") ? '~'
                : '\0';
            var run = mark == '\0' ? 0 : trimmed.Length - trimmed.TrimStart(mark).Length;
            if (open.Length == 0)
            {
                open = run > 0 && line.Length - trimmed.Length < 4 ? new string(mark, run) : "";
            }
            else if (run >= open.Length && mark == open[0] && trimmed[run..].Trim().IsEmpty)
            {
                open = "";
            }
        }

        return open.Length == 0 ? $"{safe}\n" : $"{safe}\n{open}\n";
    }

    private static int LongestRun(string text)
    {
        var longest = 0;
        var run = 0;
        foreach (var character in text)
        {
            run = character == '`' ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest;
    }
}
