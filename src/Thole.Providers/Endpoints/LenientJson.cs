using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Thole.Providers.Endpoints;

/// <summary>Reads values that servers send in more shapes than they document.</summary>
internal static class LenientJson
{
    extension(JsonElement element)
    {
        /// <summary>The property where it is there and not null.</summary>
        public JsonElement? Get(string name) =>
            element.ValueKind is JsonValueKind.Object
            && element.TryGetProperty(name, out var value)
            && value.ValueKind is not JsonValueKind.Null
                ? value
                : null;

        /// <summary>The property where it is a string that is not empty.</summary>
        public string? GetText(string name) =>
            element.Get(name) is { ValueKind: JsonValueKind.String } value && value.Text() is { Length: > 0 } text ? text : null;

        /// <summary>Whether the property is that text; without making one of it, for what every chunk is asked.</summary>
        public bool Is(string name, ReadOnlySpan<byte> text) =>
            element.Get(name) is { ValueKind: JsonValueKind.String } value && value.ValueEquals(text);

        public long? GetNumber(string name) =>
            element.Get(name) switch
            {
                { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var whole) => whole,
                { ValueKind: JsonValueKind.Number } number when number.TryGetDouble(out var real) && Math.Abs(real) < 1e15 =>
                    (long)real,
                { ValueKind: JsonValueKind.String } text
                    when long.TryParse(text.GetString(), CultureInfo.InvariantCulture, out var parsed) => parsed,
                _ => null,
            };

        /// <summary>A string as it is, with half a surrogate pair kept, of which the other half comes in the next piece.</summary>
        public string Text()
        {
            try
            {
                return element.GetString()!;
            }
            catch (InvalidOperationException)
            {
                return Unescape(element.GetRawText().AsSpan(1..^1));
            }
        }
    }

    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var at = 0; at < raw.Length; at++)
        {
            if (raw[at] != '\\')
            {
                text.Append(raw[at]);
                continue;
            }

            at++;
            if (raw[at] == 'u')
            {
                text.Append(
                    (char)ushort.Parse(raw.Slice(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                );
                at += 4;
                continue;
            }

            text.Append(
                raw[at] switch
                {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\b',
                    'f' => '\f',
                    var same => same,
                }
            );
        }

        return text.ToString();
    }
}
