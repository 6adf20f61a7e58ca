using System.Text;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>
/// How a note of the runtime looks in the user's place: <c>&lt;system-reminder source="AGENTS.md"&gt;</c>, the text on lines of its
/// own, <c>&lt;/system-reminder&gt;</c>. A text cannot close its frame or open another: its own tags of that name lose their bracket.
/// </summary>
internal static class NoteFrame
{
    private const string Tag = "system-reminder";

    public static string Around(NoteItem note) => $"<{Tag} source=\"{Attribute(note.Source)}\">\n{Body(note.Text)}\n</{Tag}>";

    private static string Body(string text) =>
        text.Replace($"</{Tag}", $"&lt;/{Tag}", StringComparison.OrdinalIgnoreCase)
            .Replace($"<{Tag}", $"&lt;{Tag}", StringComparison.OrdinalIgnoreCase);

    private static string Attribute(string source)
    {
        var safe = new StringBuilder(source.Length);
        foreach (var letter in source)
        {
            safe.Append(
                letter switch
                {
                    '"' => "&quot;",
                    '<' => "&lt;",
                    '>' => "&gt;",
                    '&' => "&amp;",
                    _ when char.IsControl(letter) => " ",
                    _ => letter.ToString(),
                }
            );
        }

        return safe.ToString();
    }
}
