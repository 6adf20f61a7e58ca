using System.Text.Json;

namespace Thole.EndToEnd.Tests.OpenApi;

/// <summary>Whether a value fits a schema of the document: as much of JSON Schema as the document uses.</summary>
internal sealed class SchemaCheck(JsonElement document)
{
    /// <returns>What does not fit and where; null where all does.</returns>
    public string? Complaint(JsonElement value, JsonElement schema, string at = "$")
    {
        if (schema.ValueKind is JsonValueKind.True)
        {
            return null;
        }

        if (schema.ValueKind is not JsonValueKind.Object)
        {
            return $"{at}: nothing is allowed here";
        }

        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Complaint(value, Resolve(reference.GetString()!), at);
        }

        if (Alternatives(schema) is { Count: > 0 } alternatives)
        {
            var complaints = alternatives.Select(one => Complaint(value, one, at)).ToList();
            return complaints.Any(complaint => complaint is null) ? null : complaints[0];
        }

        if (schema.TryGetProperty("type", out var types) && !Texts(types).Any(type => IsOf(value, type)))
        {
            return $"{at}: a {value.ValueKind} is none of {types}";
        }

        if (
            schema.TryGetProperty("enum", out var words)
            && !words.EnumerateArray().Any(word => JsonElement.DeepEquals(word, value))
        )
        {
            return $"{at}: {value} is none of {words}";
        }

        return value.ValueKind switch
        {
            JsonValueKind.Object => ObjectComplaint(value, schema, at),
            JsonValueKind.Array when schema.TryGetProperty("items", out var items) => value
                .EnumerateArray()
                .Select((item, index) => Complaint(item, items, $"{at}[{index}]"))
                .FirstOrDefault(complaint => complaint is not null),
            _ => null,
        };
    }

    public JsonElement Resolve(string reference)
    {
        var place = document;
        foreach (var name in reference.Split('/')[1..])
        {
            place = place.GetProperty(name);
        }

        return place;
    }

    private string? ObjectComplaint(JsonElement value, JsonElement schema, string at)
    {
        if (
            schema.TryGetProperty("required", out var required)
            && Texts(required).FirstOrDefault(name => !value.TryGetProperty(name, out _)) is { } missing
        )
        {
            return $"{at}: {missing} is missing";
        }

        foreach (var member in value.EnumerateObject())
        {
            var complaint =
                schema.TryGetProperty("properties", out var known) && known.TryGetProperty(member.Name, out var its)
                    ? Complaint(member.Value, its, $"{at}.{member.Name}")
                : schema.TryGetProperty("additionalProperties", out var others)
                    ? Complaint(member.Value, others, $"{at}.{member.Name}")
                : null;
            if (complaint is not null)
            {
                return complaint;
            }
        }

        return null;
    }

    private static List<JsonElement> Alternatives(JsonElement schema) =>
        [
            .. schema.TryGetProperty("anyOf", out var any) ? any.EnumerateArray() : default,
            .. schema.TryGetProperty("oneOf", out var one) ? one.EnumerateArray() : default,
        ];

    private static IEnumerable<string> Texts(JsonElement element) =>
        element.ValueKind is JsonValueKind.Array
            ? element.EnumerateArray().Select(item => item.GetString()!)
            : [element.GetString()!];

    private static bool IsOf(JsonElement value, string type) =>
        (type, value.ValueKind) switch
        {
            ("object", JsonValueKind.Object) => true,
            ("array", JsonValueKind.Array) => true,
            ("string", JsonValueKind.String) => true,
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            ("null", JsonValueKind.Null) => true,
            ("number", JsonValueKind.Number) => true,
            ("integer", JsonValueKind.Number) => value.TryGetInt64(out _),
            _ => false,
        };
}
