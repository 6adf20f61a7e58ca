using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Protocol;

namespace Thole.Core.Tools;

/// <summary>
/// Checks what a model sent as arguments against a JSON Schema, and repairs what can be repaired without guessing. Says what is
/// wrong in the words that users of such products know: <c>params must have required property 'file_path'</c>.
/// </summary>
public sealed class ArgumentSchema
{
    private const string HalfPair = "the arguments hold half of a surrogate pair: send whole characters";
    private const int MaxLength = 8 * 1024 * 1024;

    // One depth for all that outsiders send: beyond it recursive readers further on would be at risk.
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    private readonly string _schema;
    private SchemaNode? _root;

    private ArgumentSchema(string schema) => _schema = schema;

    /// <summary>Keeps the text; it is read at the first check. A schema that is no JSON lets every object pass.</summary>
    public static ArgumentSchema Parse(string schema) => new(schema);

    /// <summary>Never throws, whatever <paramref name="arguments"/> holds.</summary>
    /// <returns>The arguments, repaired; or null and one sentence for the model that says what is wrong.</returns>
    public (JsonNode? Arguments, string? Problem) Check(string arguments)
    {
        if (arguments.Length > MaxLength)
        {
            return (null, $"the arguments are longer than {MaxLength} characters: do it in several calls");
        }

        var root = _root ??= SchemaNode.Compile(_schema);
        if (!TryParse(arguments, out var sent, out var malformed))
        {
            var unwrapped = arguments.AsSpan().Trim().IsEmpty ? "{}" : ArgumentRepair.Unfence(arguments);
            if (unwrapped is null || !TryParse(unwrapped, out sent, out malformed))
            {
                return (null, malformed);
            }
        }

        if (sent.ValueKind == JsonValueKind.Object)
        {
            if (root.Validate(sent, arguments.Length) is null)
            {
                return (JsonObject.Create(sent), null);
            }
        }
        else if (sent.ValueKind == JsonValueKind.Null)
        {
            sent = JsonElement.Parse("{}");
        }

        return Repaired(sent, root, arguments.Length);
    }

    private static (JsonNode? Arguments, string? Problem) Repaired(JsonElement sent, SchemaNode root, int length)
    {
        var repaired = ArgumentRepair.Repair(sent, root);

        // Parsed anew, because a repair may have unpacked text that is too deep or says a name twice.
        if (!TryParse(repaired.ToJsonString(), out var again, out var malformed))
        {
            return (null, malformed);
        }

        if (again.ValueKind != JsonValueKind.Object)
        {
            return (null, "params must be object");
        }

        return root.Validate(again, length) is { } problem ? (null, problem.ToString()) : (JsonObject.Create(again), null);
    }

    internal static bool TryParse(string text, out JsonElement element, out string problem)
    {
        element = default;
        try
        {
            problem = HasLoneSurrogate(text) ? HalfPair : "";
            element = problem.Length == 0 ? JsonElement.Parse(text, s_strict) : default;
        }
        catch (JsonException malformed)
        {
            problem = $"the arguments must be one JSON object: {TerminalText.EscapeLine(malformed.Message)}";
        }
        catch (ArgumentException)
        {
            // What the UTF-8 encoder says of a lone surrogate.
            problem = HalfPair;
        }

        return problem.Length == 0;
    }

    // The parser accepts "\ud800" and every later reader throws on it.
    internal static bool HasLoneSurrogate(string text)
    {
        for (var from = text.IndexOf(@"\ud", StringComparison.OrdinalIgnoreCase); from >= 0; )
        {
            var isHigh = IsEscape(text, from, "89ab");
            if (!IsEscaped(text, from) && (isHigh ? !IsEscape(text, from + 6, "cdef") : IsEscape(text, from, "cdef")))
            {
                return true;
            }

            var next = from + (isHigh && !IsEscaped(text, from) ? 12 : 2);
            from = next < text.Length ? text.IndexOf(@"\ud", next, StringComparison.OrdinalIgnoreCase) : -1;
        }

        return false;
    }

    private static bool IsEscape(string text, int at, string thirdDigits) =>
        at + 6 <= text.Length
        && text[at] == '\\'
        && text[at + 1] == 'u'
        && text[at + 2] is 'd' or 'D'
        && thirdDigits.Contains(char.ToLowerInvariant(text[at + 3]));

    // Whether the backslash is itself the second of a pair.
    private static bool IsEscaped(string text, int at)
    {
        var before = 0;
        while (at - before - 1 >= 0 && text[at - before - 1] == '\\')
        {
            before++;
        }

        return before % 2 == 1;
    }
}
