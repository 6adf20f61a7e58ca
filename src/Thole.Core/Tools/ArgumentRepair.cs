using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Thole.Core.Tools;

/// <summary>
/// The slips that models make and that have only one reading: a number in quotes, a list that was written as text. Names are
/// never guessed. What comes out is checked like anything else.
/// </summary>
internal static class ArgumentRepair
{
    private static readonly JsonElement s_null = JsonElement.Parse("null");

    /// <summary>The JSON inside a markdown fence; null where there is no fence around the whole.</summary>
    public static string? Unfence(string text)
    {
        var trimmed = text.AsSpan().Trim();
        if (trimmed is not ['`', '`', '`', .., '`', '`', '`'])
        {
            return null;
        }

        var start = trimmed.IndexOf('\n');
        return start < 0 || start > trimmed.Length - 4 ? null : trimmed[(start + 1)..^3].ToString();
    }

    /// <summary>The value as <paramref name="schema"/> wants it, as far as that can be had without guessing.</summary>
    public static JsonNode Repair(JsonElement sent, SchemaNode schema)
    {
        var root = Node(sent);
        if (root is JsonValue && sent.ValueKind == JsonValueKind.String && Unpack(sent.GetString()!) is JsonObject whole)
        {
            root = whole;
        }

        return Repair(root, schema) ?? new JsonObject();
    }

    private static JsonNode? Repair(JsonNode? value, SchemaNode schema)
    {
        schema = Meant(schema);
        var kind = value?.GetValueKind() ?? JsonValueKind.Null;
        if (!Accepts(schema, kind, value))
        {
            value = Convert(value, kind, schema);
        }

        switch (value)
        {
            case JsonObject properties when schema.Properties is not []:
                RepairProperties(properties, schema);
                break;
            case JsonArray items when schema.Items is { } itemSchema:
                for (var index = 0; index < items.Count; index++)
                {
                    var repaired = Repair(items[index], itemSchema);
                    if (!ReferenceEquals(repaired, items[index]))
                    {
                        items[index] = repaired;
                    }
                }

                break;
            default:
                break;
        }

        return value;
    }

    private static void RepairProperties(JsonObject properties, SchemaNode schema)
    {
        foreach (var (name, node) in schema.Properties)
        {
            if (!properties.TryGetPropertyValue(name, out var value))
            {
                continue;
            }

            if (value is null && !schema.Required.Contains(name) && node.Validate(s_null, length: 0) is not null)
            {
                properties.Remove(name);
                continue;
            }

            var repaired = Repair(value, node);
            if (!ReferenceEquals(repaired, value))
            {
                properties[name] = repaired;
            }
        }
    }

    private static JsonNode? Convert(JsonNode? value, JsonValueKind kind, SchemaNode schema)
    {
        if (kind == JsonValueKind.String)
        {
            var text = value!.GetValue<string>();
            if (schema.Accepts(JsonTypes.Integer | JsonTypes.Number) && Number(text, schema) is { } number)
            {
                return number;
            }

            if (schema.Accepts(JsonTypes.Boolean) && bool.TryParse(text, out var flag))
            {
                return JsonValue.Create(flag);
            }

            if (schema.Accepts(JsonTypes.Array | JsonTypes.Object))
            {
                var unpacked = Unpack(text);
                if (
                    unpacked is JsonArray
                        ? schema.Accepts(JsonTypes.Array)
                        : unpacked is not null && schema.Accepts(JsonTypes.Object)
                )
                {
                    return unpacked;
                }

                // Broken JSON must not become the only element of a list.
                if (unpacked is null && text.AsSpan().TrimStart() is ['[' or '{', ..])
                {
                    return value;
                }
            }
        }
        else if (kind == JsonValueKind.Number && schema.Accepts(JsonTypes.Integer) && Whole(value!) is { } whole)
        {
            return whole;
        }

        if (kind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False && schema.Accepts(JsonTypes.String))
        {
            return JsonValue.Create(value!.ToJsonString());
        }

        return kind != JsonValueKind.Null && kind != JsonValueKind.Array && schema.Accepts(JsonTypes.Array)
            ? new JsonArray(value!.DeepClone())
            : value;
    }

    // Follows references, and the union of a type with null that optional parameters are often written as.
    private static SchemaNode Meant(SchemaNode schema)
    {
        for (var step = 0; step < 32; step++)
        {
            var union = schema.AnyOf is [] ? schema.OneOf : schema.AnyOf;
            var next = schema.Reference ?? OnlyChoice(union);
            if (schema.Types != JsonTypes.None || next is null)
            {
                break;
            }

            schema = next;
        }

        return schema;
    }

    private static SchemaNode? OnlyChoice(SchemaNode[] union)
    {
        SchemaNode? only = null;
        foreach (var choice in union)
        {
            if (choice.Types == JsonTypes.Null)
            {
                continue;
            }

            if (only is not null)
            {
                return null;
            }

            only = choice;
        }

        return only;
    }

    private static bool Accepts(SchemaNode schema, JsonValueKind kind, JsonNode? value) =>
        kind switch
        {
            JsonValueKind.Object => schema.Accepts(JsonTypes.Object),
            JsonValueKind.Array => schema.Accepts(JsonTypes.Array),
            JsonValueKind.String => schema.Accepts(JsonTypes.String),
            JsonValueKind.True or JsonValueKind.False => schema.Accepts(JsonTypes.Boolean),
            JsonValueKind.Number => schema.Accepts(JsonTypes.Number)
                || (
                    schema.Accepts(JsonTypes.Integer) && long.TryParse(value!.ToJsonString(), CultureInfo.InvariantCulture, out _)
                ),
            _ => schema.Accepts(JsonTypes.Null),
        };

    private static JsonValue? Number(string text, SchemaNode schema)
    {
        // JSON's own grammar decides what a number is: no "+1", no "0x10", no "1,000".
        if (text.Length > 40 || !ArgumentSchema.TryParse(text, out var parsed, out _) || parsed.ValueKind != JsonValueKind.Number)
        {
            return null;
        }

        var number = JsonValue.Create(parsed);
        return Accepts(schema, JsonValueKind.Number, number) ? number : Whole(number!);
    }

    // 5.0 and 1e2 are whole numbers to the standard, and not to those who read an int.
    private static JsonValue? Whole(JsonNode number) =>
        double.TryParse(number.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
        && Math.Abs(value) <= 1L << 53
        && double.IsInteger(value)
            ? JsonValue.Create((long)value)
            : null;

    private static JsonNode? Unpack(string text) =>
        text.AsSpan().TrimStart() is ['[' or '{', ..] && ArgumentSchema.TryParse(text, out var inner, out _) ? Node(inner) : null;

    private static JsonNode? Node(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => JsonObject.Create(element),
            JsonValueKind.Array => JsonArray.Create(element),
            _ => JsonValue.Create(element),
        };
}
