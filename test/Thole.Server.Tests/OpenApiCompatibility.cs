using System.Text.Json;

namespace Thole.Server.Tests;

/// <summary>
/// What a client that was written for an older document may rely on: its operations are there, what it sends is taken, what it reads comes.
/// New operations, new members of answers and new optional parameters are no change for it.
/// </summary>
internal sealed class OpenApiCompatibility(JsonElement old, JsonElement now)
{
    private readonly List<string> _breaks = [];
    private readonly HashSet<(string, bool)> _seen = [];

    /// <summary>What would break it; empty where nothing would.</summary>
    public IReadOnlyList<string> Breaks()
    {
        foreach (var path in old.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var name = $"{operation.Name.ToUpperInvariant()} {path.Name}";
                if (
                    now.GetProperty("paths").TryGetProperty(path.Name, out var kept)
                    && kept.TryGetProperty(operation.Name, out var same)
                )
                {
                    CompareOperations(name, operation.Value, same);
                }
                else
                {
                    _breaks.Add($"{name} is gone");
                }
            }
        }

        return _breaks;
    }

    private void CompareOperations(string name, JsonElement before, JsonElement after)
    {
        Expect(Text(before, "operationId") == Text(after, "operationId"), $"{name} has another operationId");
        Expect(!Names(after, "x-thole-scopes").Except(Names(before, "x-thole-scopes")).Any(), $"{name} wants another scope");
        var parameters = Parameters(after).ToDictionary(Key, StringComparer.Ordinal);
        foreach (var parameter in Parameters(before))
        {
            Expect(parameters.ContainsKey(Key(parameter)), $"{name} has lost its parameter {Key(parameter)}");
        }

        var known = Parameters(before).Select(Key).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, parameter) in parameters)
        {
            Expect(known.Contains(key) || !IsRequired(parameter), $"{name} has a new required parameter {key}");
        }

        if (before.TryGetProperty("requestBody", out var body))
        {
            CompareContents(
                $"{name} request",
                body,
                after.TryGetProperty("requestBody", out var its) ? its : default,
                isRequest: true
            );
        }

        foreach (var answer in before.GetProperty("responses").EnumerateObject().Where(answer => answer.Name.StartsWith('2')))
        {
            if (after.GetProperty("responses").TryGetProperty(answer.Name, out var same))
            {
                CompareContents($"{name} {answer.Name}", answer.Value, same, isRequest: false);
            }
            else
            {
                _breaks.Add($"{name} answers no more with {answer.Name}");
            }
        }
    }

    private void CompareContents(string name, JsonElement before, JsonElement after, bool isRequest)
    {
        if (!before.TryGetProperty("content", out var contents))
        {
            return;
        }

        foreach (var content in contents.EnumerateObject())
        {
            if (
                after.ValueKind is JsonValueKind.Object
                && after.TryGetProperty("content", out var others)
                && others.TryGetProperty(content.Name, out var same)
            )
            {
                if (content.Value.TryGetProperty("schema", out var schema))
                {
                    CompareSchemas(name, schema, same.GetProperty("schema"), isRequest);
                }
            }
            else
            {
                _breaks.Add($"{name} has no {content.Name} any more");
            }
        }
    }

    private void CompareSchemas(string name, JsonElement before, JsonElement after, bool isRequest)
    {
        if (Text(before, "$ref") is { } reference)
        {
            if (!_seen.Add((reference, isRequest)))
            {
                return;
            }

            before = Resolve(old, reference);
        }

        after = Text(after, "$ref") is { } other ? Resolve(now, other) : after;
        if (before.ValueKind is not JsonValueKind.Object || after.ValueKind is not JsonValueKind.Object)
        {
            Expect(after.ValueKind is JsonValueKind.True || before.ValueKind == after.ValueKind, $"{name} is narrower");
            return;
        }

        var (had, has) = (Names(before, "type").ToHashSet(), Names(after, "type").ToHashSet());
        Expect(isRequest ? had.IsSubsetOf(has) : has.IsSubsetOf(had) || had.Count == 0, $"{name} has another type");
        var required = Names(after, "required").ToHashSet(StringComparer.Ordinal);
        var wasRequired = Names(before, "required").ToHashSet(StringComparer.Ordinal);
        Expect(
            isRequest ? required.IsSubsetOf(wasRequired) : wasRequired.IsSubsetOf(required),
            $"{name} {(isRequest ? "wants more" : "promises less")} than before"
        );
        if (before.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject())
            {
                if (after.TryGetProperty("properties", out var kept) && kept.TryGetProperty(property.Name, out var same))
                {
                    CompareSchemas($"{name}.{property.Name}", property.Value, same, isRequest);
                }
                else
                {
                    _breaks.Add($"{name}.{property.Name} is gone");
                }
            }
        }

        if (before.TryGetProperty("items", out var items) && after.TryGetProperty("items", out var others))
        {
            CompareSchemas($"{name}[]", items, others, isRequest);
        }

        if (isRequest && before.TryGetProperty("enum", out var words))
        {
            var taken = after.TryGetProperty("enum", out var now)
                ? now.EnumerateArray().Select(word => $"{word}").ToArray()
                : null;
            Expect(taken is null || words.EnumerateArray().All(word => taken.Contains($"{word}")), $"{name} takes fewer words");
        }
    }

    private void Expect(bool holds, string complaint)
    {
        if (!holds)
        {
            _breaks.Add(complaint);
        }
    }

    private static JsonElement Resolve(JsonElement document, string reference) =>
        reference.Split('/')[1..].Aggregate(document, static (place, name) => place.GetProperty(name));

    private static IEnumerable<JsonElement> Parameters(JsonElement operation) =>
        operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : [];

    private static string Key(JsonElement parameter) => $"{Text(parameter, "in")} {Text(parameter, "name")}";

    private static bool IsRequired(JsonElement parameter) =>
        parameter.TryGetProperty("required", out var required) && required.ValueKind is JsonValueKind.True;

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static IEnumerable<string> Names(JsonElement element, string name) =>
        !element.TryGetProperty(name, out var value) ? []
        : value.ValueKind is JsonValueKind.Array ? value.EnumerateArray().Select(item => item.GetString()!)
        : [value.GetString()!];
}
