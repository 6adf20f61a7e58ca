using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Thole.EndToEnd.Tests.OpenApi;

/// <summary>Makes requests out of an OpenAPI document: what it describes, what is nearly that, and what is not at all.</summary>
internal sealed class RequestMaker(JsonElement document, SchemaCheck schemas, Random random, IReadOnlyList<string> sessions)
{
    private static readonly string[] s_texts =
    [
        "",
        " ",
        "a",
        "a.txt",
        "../a.txt",
        "/etc/passwd",
        "..%2f..%2fetc",
        ".git/config",
        "src/",
        "**/*.cs",
        "[",
        "{a,b",
        "-rf",
        "--output=x",
        "HEAD",
        "0",
        "-1",
        "99999999999999999999",
        "1e9",
        "null",
        "true",
        "plan",
        "default",
        "thread",
        "selected",
        "\u0000",
        "\r\nX-Injected: 1",
        "\u202e\u200b\ud83d\ude80",
        "naïve 船",
        "$(id)",
        "';--",
        "../../../../../../proc/self/environ",
        new('x', 5_000),
    ];

    public HttpRequestMessage Make(string method, string path, JsonElement operation)
    {
        var target = new StringBuilder(path);
        List<string> query = [];
        var request = new HttpRequestMessage { Method = new HttpMethod(method.ToUpperInvariant()) };
        foreach (var parameter in Parameters(operation))
        {
            var name = parameter.GetProperty("name").GetString()!;
            switch (parameter.GetProperty("in").GetString())
            {
                case "path":
                    target.Replace($"{{{name}}}", Uri.EscapeDataString(PathValue(name)));
                    break;
                case "query" when random.Next(3) > 0:
                    query.Add($"{name}={Uri.EscapeDataString(Scalar(parameter.GetProperty("schema")))}");
                    break;
                case "header" when random.Next(3) > 0:
                    request.Headers.TryAddWithoutValidation(name, Header(Scalar(parameter.GetProperty("schema"))));
                    break;
            }
        }

        request.RequestUri = new Uri(target + (query is [] ? "" : "?" + string.Join('&', query)), UriKind.Relative);
        if (operation.TryGetProperty("requestBody", out var body) && random.Next(12) > 0)
        {
            request.Content = Body(body);
        }

        return request;
    }

    private static IEnumerable<JsonElement> Parameters(JsonElement operation) =>
        operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : [];

    private HttpContent Body(JsonElement body)
    {
        var content = body.GetProperty("content").EnumerateObject().First();
        if (content.Name is not "application/json")
        {
            var bytes = new byte[random.Next(2_000)];
            random.NextBytes(bytes);
            return new ByteArrayContent(bytes) { Headers = { ContentType = new(content.Name) } };
        }

        var text = random.Next(10) switch
        {
            0 => Broken(),
            _ => Value(content.Value.GetProperty("schema"), depth: 0)?.ToJsonString() ?? "null",
        };
        return new StringContent(text, new UTF8Encoding(false)) { Headers = { ContentType = new("application/json") } };
    }

    private string Broken() =>
        random.Next(6) switch
        {
            0 => "{",
            1 => "[]",
            2 => "{\"a\":1,\"a\":2}",
            3 => "\"\\ud800\"",
            4 => string.Concat(Enumerable.Repeat("[", 2_000)),
            _ => "{} {}",
        };

    private string PathValue(string name) =>
        name is "id" && random.Next(4) > 0 ? Pick(sessions)
        : name is "request" && random.Next(2) == 0 ? $"{Pick(sessions)}.call_{random.Next(3)}"
        : Pick(s_texts) is { Length: > 0 } text ? text
        : "x";

    private static string Header(string text) => string.Concat(text.Where(character => character is >= ' ' and < '\u007f'));

    private string Scalar(JsonElement schema)
    {
        if (random.Next(4) == 0)
        {
            return Pick(s_texts);
        }

        if (schema.TryGetProperty("enum", out var words))
        {
            return Pick([.. words.EnumerateArray().Select(word => word.ToString())]);
        }

        var types = schema.TryGetProperty("type", out var type) ? type.ToString() : "string";
        return types.Contains("integer", StringComparison.Ordinal) ? $"{random.Next(-2, 3_000)}"
            : types.Contains("boolean", StringComparison.Ordinal) ? Pick(["true", "false", "1", ""])
            : Pick(s_texts);
    }

    /// <summary>A value that fits, with something in it that may not.</summary>
    private JsonNode? Value(JsonElement schema, int depth)
    {
        if (depth > 6 || random.Next(15) == 0)
        {
            return random.Next(5) switch
            {
                0 => null,
                1 => JsonValue.Create(random.Next(-5, 5_000)),
                2 => new JsonArray(),
                3 => new JsonObject(),
                _ => JsonValue.Create(Pick(s_texts)),
            };
        }

        if (schema.ValueKind is not JsonValueKind.Object)
        {
            return random.Next(3) switch
            {
                0 => new JsonArray(new JsonObject { ["type"] = "text", ["text"] = Pick(s_texts) }),
                1 => new JsonObject { ["outcome"] = "selected", ["optionId"] = Pick(["proceed_once", "cancel", "other"]) },
                _ => JsonValue.Create(Pick(s_texts)),
            };
        }

        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Value(schemas.Resolve(reference.GetString()!), depth + 1);
        }

        foreach (var union in (string[])["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(union, out var alternatives))
            {
                return Value(Pick([.. alternatives.EnumerateArray()]), depth + 1);
            }
        }

        if (schema.TryGetProperty("const", out var only))
        {
            return JsonNode.Parse(only.GetRawText());
        }

        if (schema.TryGetProperty("enum", out var words))
        {
            return JsonNode.Parse(Pick([.. words.EnumerateArray()]).GetRawText());
        }

        var types = schema.TryGetProperty("type", out var type) ? type.ToString() : "";
        return types.Contains("object", StringComparison.Ordinal) || schema.TryGetProperty("properties", out _)
                ? Object(schema, depth)
            : types.Contains("array", StringComparison.Ordinal) ? Array(schema, depth)
            : types.Contains("integer", StringComparison.Ordinal) || types.Contains("number", StringComparison.Ordinal)
                ? JsonValue.Create(random.NextInt64(-2, 1L << random.Next(1, 62)))
            : types.Contains("boolean", StringComparison.Ordinal) ? JsonValue.Create(random.Next(2) == 0)
            : JsonValue.Create(Pick(s_texts));
    }

    private JsonObject Object(JsonElement schema, int depth)
    {
        var made = new JsonObject();
        if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject().Where(_ => random.Next(5) > 0))
            {
                made[property.Name] = Value(property.Value, depth + 1);
            }
        }

        if (random.Next(10) == 0)
        {
            made["unheardOf"] = Pick(s_texts);
        }

        return made;
    }

    private JsonArray Array(JsonElement schema, int depth)
    {
        var items = schema.TryGetProperty("items", out var given) ? given : default;
        return [.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(items, depth + 1))];
    }

    private T Pick<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>Every operation of the document.</summary>
    public IEnumerable<(string Method, string Path, JsonElement Operation)> Operations() =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        where operation.Value.TryGetProperty("operationId", out _)
        select (operation.Name, path.Name, operation.Value);
}
