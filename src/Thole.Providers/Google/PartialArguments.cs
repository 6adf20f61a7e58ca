using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>
/// Arguments that come leaf by leaf, each with its JSON path (<c>$.steps[0].name</c>), and long strings in several pieces. What comes
/// is outside text: paths may be nonsense, contradict each other, or ask for an array of a billion.
/// </summary>
internal sealed class PartialArguments
{
    private const int Deepest = 64;

    // Elements come in order; a gap is tolerated where something was left out, but is no way to fill our memory.
    private const int WidestGap = 64;

    private readonly OrderedDictionary<string, object?> _root = new(StringComparer.Ordinal);
    private string? _growing;

    /// <returns>False where the part cannot be understood: then the whole is not what was meant.</returns>
    public bool Add(JsonElement part)
    {
        if (part.GetText("jsonPath") is not { } path || Steps(path) is not { Count: > 0 } steps)
        {
            return false;
        }

        var isMore = _growing == path;
        _growing = part.Get("willContinue") is { ValueKind: JsonValueKind.True } ? path : null;
        return TryValue(part, out var value) && Set(_root, steps, value, isMore);
    }

    public override string ToString()
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, WireText.Compact))
        {
            Write(json, _root);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static bool TryValue(JsonElement part, out object? value)
    {
        value =
            part.Get("stringValue") is { ValueKind: JsonValueKind.String } text ? new StringBuilder(text.Text())
            : part.Get("numberValue") is { ValueKind: JsonValueKind.Number } number ? number.Clone()
            : part.Get("boolValue") is { ValueKind: JsonValueKind.True or JsonValueKind.False } truth ? truth.Clone()
            : null;
        return value is not null || part.ValueKind is JsonValueKind.Object && part.TryGetProperty("nullValue", out _);
    }

    private static bool Set(object root, List<object> steps, object? value, bool isMore)
    {
        var place = root;
        for (var at = 0; ; at++)
        {
            if (!TryGet(place, steps[at], out var found))
            {
                return false;
            }

            if (at == steps.Count - 1)
            {
                if (isMore && found is StringBuilder known && value is StringBuilder more)
                {
                    known.Append(more);
                    return true;
                }

                return Put(place, steps[at], value);
            }

            if (found is null)
            {
                found =
                    steps[at + 1] is int ? new List<object?>() : new OrderedDictionary<string, object?>(StringComparer.Ordinal);
                if (!Put(place, steps[at], found))
                {
                    return false;
                }
            }

            place = found;
        }
    }

    private static bool TryGet(object place, object step, out object? found)
    {
        found = null;
        switch (place, step)
        {
            case (OrderedDictionary<string, object?> fields, string name):
                found = fields.GetValueOrDefault(name);
                return true;
            case (List<object?> elements, int index):
                found = index < elements.Count ? elements[index] : null;
                return true;
            default:
                return false;
        }
    }

    private static bool Put(object place, object step, object? value)
    {
        switch (place, step)
        {
            case (OrderedDictionary<string, object?> fields, string name):
                fields[name] = value;
                return true;
            case (List<object?> elements, int index) when index - elements.Count <= WidestGap:
                while (elements.Count <= index)
                {
                    elements.Add(null);
                }

                elements[index] = value;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Names and numbers of a path that begins at the root; null where it is none.</summary>
    private static List<object>? Steps(string path)
    {
        if (path is not ['$', ..])
        {
            return null;
        }

        List<object> steps = [];
        for (var at = 1; at < path.Length; )
        {
            var step =
                path[at] == '.' ? Name(path, ref at)
                : path[at] == '[' ? Bracket(path, ref at)
                : null;
            if (step is null || steps.Count == Deepest)
            {
                return null;
            }

            steps.Add(step);
        }

        return steps;
    }

    private static string? Name(string path, ref int at)
    {
        var begin = ++at;
        while (at < path.Length && path[at] is not ('.' or '['))
        {
            at++;
        }

        return at > begin ? path[begin..at] : null;
    }

    private static object? Bracket(string path, ref int at)
    {
        at++;
        if (at < path.Length && path[at] is '\'' or '"')
        {
            return Quoted(path, ref at);
        }

        var end = path.IndexOf(']', at);
        if (end < 0 || !int.TryParse(path.AsSpan(at, end - at), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            return null;
        }

        at = end + 1;
        return index;
    }

    private static string? Quoted(string path, ref int at)
    {
        var quote = path[at++];
        var name = new StringBuilder();
        for (; at < path.Length && path[at] != quote; at++)
        {
            if (path[at] == '\\' && ++at == path.Length)
            {
                return null;
            }

            name.Append(path[at]);
        }

        if (at + 1 >= path.Length || path[at + 1] != ']')
        {
            return null;
        }

        at += 2;
        return name.ToString();
    }

    private static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case OrderedDictionary<string, object?> fields:
                json.WriteStartObject();
                foreach (var (name, field) in fields)
                {
                    json.WritePropertyName(name);
                    Write(json, field);
                }

                json.WriteEndObject();
                break;
            case List<object?> elements:
                json.WriteStartArray();
                foreach (var element in elements)
                {
                    Write(json, element);
                }

                json.WriteEndArray();
                break;
            case StringBuilder text:
                json.WriteStringValue(text.ToString());
                break;
            case JsonElement number:
                number.WriteTo(json);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }
}
