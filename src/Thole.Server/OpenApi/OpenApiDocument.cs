using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Protocol;

namespace Thole.Server.OpenApi;

/// <summary>The OpenAPI 3.1 description of a table of operations: the same table, the same bytes.</summary>
internal static class OpenApiDocument
{
    private static readonly string[] s_methods = ["GET", "PUT", "POST", "DELETE", "PATCH"];
    private static readonly int[] s_commonErrors = [400, 401, 403, 404, 413, 415, 429, 500];

    public static byte[] Create(IReadOnlyList<Operation> operations, string version)
    {
        var book = new SchemaBook();
        var paths = new JsonObject();
        var statuses = new SortedSet<int>(s_commonErrors) { 408 };
        foreach (
            var path in operations
                .GroupBy(operation => operation.Path, StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
        )
        {
            var item = new JsonObject();
            foreach (var operation in path.OrderBy(operation => Array.IndexOf(s_methods, operation.Method)))
            {
                statuses.UnionWith(operation.Errors);
                item[operation.Method.ToLowerInvariant()] = Describe(operation, book);
            }

            paths[path.Key] = item;
        }

        book.Add("Error", ErrorSchema());
        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Thole daemon",
                ["version"] = version,
                ["description"] = "Sessions of a coding agent over one workspace, for any client.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["identifier"] = "Apache-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(Bearer()),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "A token of the daemon's owner, or one that 'thole token issue' printed.",
                    },
                },
                ["responses"] = new JsonObject(
                    statuses.Select(status => KeyValuePair.Create($"Error{status}", (JsonNode?)ErrorAnswer(status)))
                ),
                ["schemas"] = book.ToJson(),
            },
        };
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            document.WriteTo(writer);
        }

        return stream.ToArray();
    }

    private static JsonObject Describe(Operation operation, SchemaBook book)
    {
        var described = new JsonObject
        {
            ["operationId"] = operation.Name,
            ["tags"] = new JsonArray(Tag(operation)),
            ["summary"] = operation.Summary,
            ["x-thole-scopes"] = new JsonArray([.. ScopeWords.Of(operation.Scope).Select(word => (JsonNode)word)]),
        };
        if (operation.IsAnonymous)
        {
            described["security"] = new JsonArray(new JsonObject(), Bearer());
        }

        JsonNode[] parameters =
        [
            .. Placeholders(operation).Select(DescribePlaceholder),
            .. operation.Parameters.Select(Describe),
        ];
        if (parameters is not [])
        {
            described["parameters"] = new JsonArray(parameters);
        }

        if (operation.Request is { } request)
        {
            var schema = book.Use(request);
            described["requestBody"] = new JsonObject
            {
                ["required"] = book.HasRequired(request),
                ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = schema } },
            };
        }
        else if (operation.RawBodyLimit is not null)
        {
            described["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject { ["application/octet-stream"] = new JsonObject() },
            };
        }

        described["responses"] = Answers(operation, book);
        return described;
    }

    private static JsonObject Answers(Operation operation, SchemaBook book)
    {
        var good = new JsonObject { ["description"] = operation.Kind is ReplyKind.None ? "Done." : operation.Summary };
        IReadOnlyList<string> media = operation.Kind switch
        {
            ReplyKind.None => [],
            ReplyKind.EventStream => ["text/event-stream"],
            ReplyKind.Bytes => operation.MediaTypes,
            _ => ["application/json"],
        };
        var schema = operation.Kind switch
        {
            ReplyKind.None or ReplyKind.Bytes => null,
            ReplyKind.EventStream => new JsonObject { ["type"] = "string" },
            _ => Reply(operation, book),
        };
        if (media is not [])
        {
            good["content"] = new JsonObject(
                media.Select(type =>
                    KeyValuePair.Create(
                        type,
                        (JsonNode?)(schema is null ? [] : new JsonObject { ["schema"] = schema.DeepClone() })
                    )
                )
            );
        }

        var answers = new JsonObject();
        if (operation.OtherStatus is { } other)
        {
            answers[$"{other}"] = good.DeepClone();
        }

        var errors = s_commonErrors.Concat(operation.Errors);
        if (operation.Request is not null || operation.RawBodyLimit is not null)
        {
            errors = errors.Append(408);
        }

        foreach (var status in errors.Append(operation.Status).Distinct().Order())
        {
            answers[$"{status}"] =
                status == operation.Status ? good : new JsonObject { ["$ref"] = $"#/components/responses/Error{status}" };
        }

        return answers;
    }

    private static JsonNode Reply(Operation operation, SchemaBook book)
    {
        var reply = operation.Reply is { } type ? book.Use(type) : new JsonObject { ["type"] = "object" };
        return operation.Head is { } head ? new JsonObject { ["allOf"] = new JsonArray(head.Schema(), reply) } : reply;
    }

    private static JsonNode DescribePlaceholder(string name) =>
        new JsonObject
        {
            ["name"] = name,
            ["in"] = "path",
            ["required"] = true,
            ["schema"] = new JsonObject { ["type"] = "string", ["minLength"] = 1 },
        };

    private static JsonNode Describe(Parameter parameter)
    {
        var schema = new JsonObject
        {
            ["type"] = parameter.Type switch
            {
                ParameterType.Integer => "integer",
                ParameterType.Flag => "boolean",
                _ => "string",
            },
        };
        Set("minimum", parameter.Least);
        Set("maximum", parameter.Most);
        Set("maxLength", parameter.Length);
        if (parameter.Words is not [])
        {
            schema["enum"] = new JsonArray([.. parameter.Words.Select(word => (JsonNode)word)]);
        }

        return new JsonObject
        {
            ["name"] = parameter.Name,
            ["in"] = parameter.Place is ParameterPlace.Header ? "header" : "query",
            ["description"] = parameter.Description,
            ["required"] = parameter.IsRequired,
            ["schema"] = schema,
        };

        void Set(string name, long? value)
        {
            if (value is { } number)
            {
                schema[name] = number;
            }
        }
    }

    private static IEnumerable<string> Placeholders(Operation operation) =>
        operation.Path.Split('/').Where(segment => segment is ['{', .., '}']).Select(segment => segment[1..^1]);

    /// <summary>The first segment of the path: what it is about.</summary>
    private static string Tag(Operation operation) => operation.Path.Split('/')[1].Split('.')[0];

    private static JsonObject Bearer() => new() { ["bearer"] = new JsonArray() };

    private static JsonObject ErrorSchema() =>
        new()
        {
            ["type"] = "object",
            ["description"] = "What went wrong; some codes have further members.",
            ["required"] = new JsonArray("error", "code"),
            ["properties"] = new JsonObject
            {
                ["error"] = new JsonObject { ["type"] = "string", ["description"] = "One sentence, with the cure." },
                ["code"] = new JsonObject { ["type"] = "string", ["description"] = "A word that does not change." },
            },
        };

    private static JsonObject ErrorAnswer(int status)
    {
        var answer = new JsonObject
        {
            ["description"] = Meaning(status),
            ["content"] = new JsonObject
            {
                ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Error" } },
            },
        };
        if (status is 429 or 503)
        {
            answer["headers"] = new JsonObject
            {
                ["Retry-After"] = new JsonObject
                {
                    ["description"] = "Seconds to wait.",
                    ["schema"] = new JsonObject { ["type"] = "integer" },
                },
            };
        }

        return answer;
    }

    private static string Meaning(int status) =>
        status switch
        {
            400 => "The request is not well-formed, or does not fit.",
            401 => "There is no token, or not a right one.",
            403 => "The token may not do that, or a web page asks that may not.",
            404 => "There is no such thing.",
            408 => "The body came too slowly.",
            409 => "It cannot be as things stand.",
            410 => "It is gone.",
            413 => "The body is too large.",
            415 => "The body is not JSON.",
            422 => "It is understood, and cannot be done.",
            429 => "Too often; wait.",
            503 => "Not now; wait.",
            _ => "A defect of ours.",
        };
}
