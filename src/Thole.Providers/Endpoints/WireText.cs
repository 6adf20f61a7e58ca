using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Endpoints;

/// <summary>What all wires have in common in how things are written.</summary>
internal static class WireText
{
    /// <summary>
    /// Bodies are read by JSON parsers, not pasted into HTML: escaping quotes and letters beyond ASCII would only make them longer.
    /// </summary>
    public static JsonWriterOptions Compact { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What stands for a piece where only text can stand.</summary>
    public static string Of(Content piece) =>
        piece switch
        {
            TextContent text => text.Text,
            MediaContent media => $"[{MediaTypes.WordsFor(media.MediaType)} ({media.MediaType}) that is no longer there]",
            DiffContent diff => diff.UnifiedDiff,
            TerminalContent terminal => $"$ {terminal.Command}\n{terminal.Output}",
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    /// <summary>Models invent names that endpoints refuse to hear again.</summary>
    public static string Name(string name)
    {
        if (name.Length is > 0 and <= 64 && name.All(IsOfName))
        {
            return name;
        }

        var allowed = new StringBuilder();
        foreach (var letter in name.Take(64))
        {
            allowed.Append(IsOfName(letter) ? letter : '_');
        }

        return allowed.Length > 0 ? allowed.ToString() : "unnamed";
    }

    /// <summary>
    /// The arguments of a past call, as a JSON object. Servers parse them, and fail on what is none: what the model wrote wrongly is
    /// explained by the result, not by sending it back.
    /// </summary>
    public static string Arguments(ToolCall call) => IsObject(call.Arguments) ? call.Arguments : "{}";

    private static bool IsOfName(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.';

    private static bool IsObject(string arguments)
    {
        try
        {
            using var parsed = JsonDocument.Parse(arguments);
            return parsed.RootElement.ValueKind is JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
