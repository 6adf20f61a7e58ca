using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.TextCalls;

/// <summary>
/// Of which types the arguments of a tool are, by its schema: in text without quotes <c>5</c> may be a number or a word, and only
/// the schema knows.
/// </summary>
internal sealed class ArgumentTypes(IReadOnlyList<ToolDefinition> tools)
{
    private const int Deepest = 8;

    private readonly Dictionary<string, JsonElement?> _schemas = new(StringComparer.Ordinal);

    /// <summary>Whether an argument of that name may be there; for a tool that nobody knows, any may.</summary>
    public bool Has(string tool, string argument) =>
        SchemaOf(tool) is not { } schema || schema.Get("properties")?.Get(argument) is not null;

    /// <summary>Writes the value that a text stands for. Text that is of none of the types stays text, and the tool says so.</summary>
    /// <param name="isJsonElsewhere">Whether what the schema does not know is JSON, where it can be.</param>
    public void Write(Utf8JsonWriter json, string tool, string argument, string text, bool isJsonElsewhere)
    {
        HashSet<string> types = new(StringComparer.Ordinal);
        if (SchemaOf(tool) is { } schema && schema.Get("properties")?.Get(argument) is { } described)
        {
            Collect(schema, described, types, depth: 0);
        }

        if ((types.Count > 0 || isJsonElsewhere) && Value(text.Trim(), types) is { } value)
        {
            json.WriteRawValue(value);
        }
        else
        {
            json.WriteStringValue(text);
        }
    }

    private static string? Value(string text, HashSet<string> types)
    {
        var mayBeText = types.Contains("string");
        var written = text switch
        {
            // As the language writes them in which most models were trained to call tools.
            "True" or "TRUE" => "true",
            "False" or "FALSE" => "false",
            "None" or "NULL" or "Null" => "null",
            _ => text,
        };
        if (JsonArguments.Parse(written) is not { } parsed)
        {
            return null;
        }

        var isOfType = parsed.ValueKind switch
        {
            JsonValueKind.Null => types.Contains("null"),
            JsonValueKind.Object => types.Contains("object"),
            JsonValueKind.Array => types.Contains("array"),
            // Where a word may stand, what looks like another type is a word.
            JsonValueKind.True or JsonValueKind.False => !mayBeText && types.Contains("boolean"),
            JsonValueKind.Number => !mayBeText && (types.Contains("number") || types.Contains("integer")),
            // Quotes belong to the text, unless nothing but JSON can stand here.
            _ => false,
        };
        return isOfType || (types.Count == 0 && parsed.ValueKind is not JsonValueKind.String) ? written : null;
    }

    private static void Collect(JsonElement root, JsonElement schema, HashSet<string> types, int depth)
    {
        if (depth > Deepest || schema.ValueKind is not JsonValueKind.Object)
        {
            return;
        }

        switch (schema.Get("type"))
        {
            case { ValueKind: JsonValueKind.String } one:
                types.Add(one.Text());
                return;
            case { ValueKind: JsonValueKind.Array } several:
                types.UnionWith(
                    several.EnumerateArray().Where(type => type.ValueKind is JsonValueKind.String).Select(type => type.Text())
                );
                return;
        }

        foreach (var value in List(schema, "enum").Concat(schema.Get("const") is { } only ? [only] : []))
        {
            types.Add(TypeOf(value));
        }

        foreach (var choice in List(schema, "anyOf").Concat(List(schema, "oneOf")).Concat(List(schema, "allOf")))
        {
            Collect(root, choice, types, depth + 1);
        }

        // Only places in the schema itself: /$defs/Name.
        if (
            schema.GetText("$ref") is { } place
            && place.Split('/') is ["#", var shelf, var name]
            && root.Get(shelf)?.Get(name) is { } other
        )
        {
            Collect(root, other, types, depth + 1);
        }
    }

    private static JsonElement.ArrayEnumerator List(JsonElement schema, string name) =>
        schema.Get(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    private static string TypeOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.Number => "number",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Null => "null",
            JsonValueKind.Array => "array",
            _ => "object",
        };

    private JsonElement? SchemaOf(string tool)
    {
        if (!_schemas.TryGetValue(tool, out var schema))
        {
            schema = tools.FirstOrDefault(known => known.Name == tool) is { } found ? JsonArguments.Parse(found.Schema) : null;
            _schemas.Add(tool, schema);
        }

        return schema;
    }
}
