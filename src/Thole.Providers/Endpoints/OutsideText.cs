using System.Net;
using System.Text;

namespace Thole.Providers.Endpoints;

/// <summary>Makes one harmless line of what a server said: no markup, no terminal codes, no characters that hide or reorder text.</summary>
internal static class OutsideText
{
    public static string ToLine(string text, int maxLength)
    {
        if (text.AsSpan().TrimStart().StartsWith('<'))
        {
            text = WebUtility.HtmlDecode(WithoutMarkup(text));
        }

        var line = new StringBuilder();
        for (var at = 0; at < text.Length && line.Length <= maxLength; at++)
        {
            if (text[at] == '\e')
            {
                at = EndOfTerminalCode(text, at);
            }
            else if (IsHarmless(text[at]))
            {
                line.Append(text[at]);
            }
            else if (line is { Length: > 0 } && line[^1] != ' ')
            {
                line.Append(' ');
            }
        }

        var trimmed = line.ToString().Trim();
        return trimmed.Length <= maxLength ? trimmed : $"{trimmed[..(maxLength - 1)].TrimEnd()}…";
    }

    private static bool IsHarmless(char letter) =>
        !char.IsControl(letter)
        && letter
            is not ' '
                and not (>= '\u200B' and <= '\u200F')
                and not (>= '\u2028' and <= '\u202E')
                and not (>= '\u2060' and <= '\u206F')
                and not '\uFEFF';

    private static int EndOfTerminalCode(string text, int escape)
    {
        var at = escape + 1;
        if (at >= text.Length || text[at] is not ('[' or ']' or 'P' or 'X' or '^' or '_'))
        {
            return at;
        }

        var isControl = text[at] == '[';
        for (at++; at < text.Length; at++)
        {
            if (isControl ? text[at] is >= '@' and <= '~' : text[at] is '\a')
            {
                return at;
            }

            if (!isControl && text[at] == '\e')
            {
                return at + 1; // ESC \ ends a string
            }
        }

        return at;
    }

    private static string WithoutMarkup(string html)
    {
        var text = new StringBuilder();
        for (var at = 0; at < html.Length; )
        {
            if (html[at] != '<')
            {
                text.Append(html[at++]);
                continue;
            }

            foreach (var silent in (ReadOnlySpan<string>)["script", "style", "head"])
            {
                if (html.AsSpan(at + 1).StartsWith(silent, StringComparison.OrdinalIgnoreCase))
                {
                    var closing = html.IndexOf($"</{silent}", at, StringComparison.OrdinalIgnoreCase);
                    at = closing < 0 ? html.Length - 1 : closing;
                }
            }

            var end = html.IndexOf('>', at);
            at = end < 0 ? html.Length : end + 1;
            text.Append(' ');
        }

        return text.ToString();
    }
}
