using System.Text;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.TextCalls;

/// <summary>Arguments that a model wrote as JSON.</summary>
internal static class JsonArguments
{
    public const string Malformed = "The arguments of this call are no JSON object: make it again.";

    /// <summary>Null for what is no JSON. Text that is no Unicode is no reason to fail: half a letter is replaced.</summary>
    public static JsonElement? Parse(string text)
    {
        try
        {
            using var parsed = JsonDocument.Parse(Encoding.UTF8.GetBytes(text));
            return parsed.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The object that the arguments are: no model means a text with an object in it.</summary>
    public static string? Of(JsonElement? arguments) =>
        arguments switch
        {
            null => "{}",
            { ValueKind: JsonValueKind.Object } whole => whole.GetRawText(),
            { ValueKind: JsonValueKind.String } text when Parse(text.Text()) is { ValueKind: JsonValueKind.Object } inner =>
                inner.GetRawText(),
            _ => null,
        };

    /// <summary>The same of arguments in their own text.</summary>
    public static string? Of(string text) =>
        string.IsNullOrWhiteSpace(text) ? "{}"
        : Parse(text) is { } parsed ? Of(parsed)
        : null;
}
