using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Thole.Protocol;
using Thole.Server.OpenApi;

namespace Thole.Server.Tests;

public sealed partial class OpenApiSpecs
{
    private static readonly IReadOnlyList<Operation> s_operations =
    [
        .. TestRoutes.All,
        Speaking("tree", TreeJson.Default.Tree, TreeJson.Default.Leaf),
        Speaking("summaries", TreeJson.Default.Leaf, ProtocolJson.Default.IReadOnlyListSessionSummary),
        Speaking("command", null, ProtocolJson.Default.Command),
        Speaking("envelope", null, ProtocolJson.Default.Envelope),
    ];

    [Fact]
    public async Task The_document_describes_every_operation_and_itself()
    {
        var all = OpenApiRoutes.With(s_operations, "1.2.3");
        await using var daemon = await TestDaemon.StartAsync([.. all]);

        var answer = await daemon.SendAsync("GET", "/openapi.json");

        var document = JsonElement.Parse(answer.Body);
        Assert.Equal("3.1.0", document.GetProperty("openapi").GetString());
        Assert.Equal("1.2.3", document.GetProperty("info").GetProperty("version").GetString());
        foreach (var operation in all)
        {
            var described = document
                .GetProperty("paths")
                .GetProperty(operation.Path)
                .GetProperty(operation.Method.ToLowerInvariant());
            Assert.Equal(operation.Name, described.GetProperty("operationId").GetString());
            Assert.Equal(operation.Summary, described.GetProperty("summary").GetString());
            var answers = described.GetProperty("responses").EnumerateObject().Select(answer => answer.Name).ToArray();
            Assert.Empty(new[] { $"{operation.Status}", "400", "401", "403", "404", "413", "415", "429", "500" }.Except(answers));
        }
    }

    [Fact]
    public void Every_reference_leads_somewhere_in_the_document()
    {
        var document = Document();
        var references = References(document).ToArray();

        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.StartsWith("#/components/", reference));
        Assert.All(
            references,
            reference =>
            {
                var place = document;
                foreach (var name in reference.Split('/')[1..])
                {
                    Assert.True(place.TryGetProperty(name, out place), reference);
                }
            }
        );
    }

    [Fact]
    public void The_same_table_in_another_order_makes_the_same_bytes()
    {
        var document = OpenApiDocument.Create(s_operations, "1");

        Assert.Equal(document, OpenApiDocument.Create([.. s_operations.Reverse()], "1"));
    }

    [Fact]
    public void A_type_stands_in_the_document_once_and_may_hold_itself()
    {
        var tree = Schema("Tree");

        Assert.Equal(["name"], Names(tree.GetProperty("required")));
        Assert.Equal(
            "#/components/schemas/Tree",
            Property(tree, "children").GetProperty("items").GetProperty("$ref").GetString()
        );
        Assert.Equal("#/components/schemas/Leaf", Property(tree, "leaf").GetProperty("anyOf")[0].GetProperty("$ref").GetString());
        Assert.Equal("null", Property(tree, "leaf").GetProperty("anyOf")[1].GetProperty("type").GetString());
    }

    [Fact]
    public void Ids_are_text_and_enums_are_words()
    {
        var leaf = Schema("Leaf");

        Assert.Equal("string", Property(leaf, "session").GetProperty("type").GetString());
        Assert.Equal(["default", "plan", "auto-edit", "yolo"], Names(Property(leaf, "mode").GetProperty("enum")));
        Assert.Equal(
            ["default", "plan", "auto-edit", "yolo", "null"],
            Property(leaf, "perhaps").GetProperty("enum").EnumerateArray().Select(word => word.GetString() ?? "null")
        );
    }

    [Fact]
    public void What_is_not_written_when_it_is_null_is_not_required()
    {
        Assert.DoesNotContain("perhaps", Names(Schema("Leaf").GetProperty("required")));
        Assert.Contains("mode", Names(Schema("Leaf").GetProperty("required")));
    }

    [Fact]
    public void A_family_of_records_says_how_they_are_told_apart()
    {
        var command = Schema("Command");
        var types = command
            .GetProperty("anyOf")
            .EnumerateArray()
            .Select(one => one.GetProperty("properties").GetProperty("type").GetProperty("const").GetString());

        Assert.Contains("prompt", types);
    }

    [Fact]
    public void Parameters_and_placeholders_are_described()
    {
        var list = Document().GetProperty("paths").GetProperty("/list").GetProperty("get").GetProperty("parameters");
        var session = Document().GetProperty("paths").GetProperty("/session/{id}").GetProperty("get").GetProperty("parameters");

        Assert.Equal(
            ["limit", "order", "X-Qwen-Client-Id"],
            list.EnumerateArray().Select(one => one.GetProperty("name").GetString())
        );
        Assert.Equal(100, list[0].GetProperty("schema").GetProperty("maximum").GetInt32());
        Assert.Equal(["newest", "oldest"], Names(list[1].GetProperty("schema").GetProperty("enum")));
        Assert.Equal(("id", "path"), (session[0].GetProperty("name").GetString(), session[0].GetProperty("in").GetString()));
    }

    [Fact]
    public void Only_the_health_probe_is_for_everybody()
    {
        var document = JsonElement.Parse(OpenApiDocument.Create([.. s_operations, HealthRoutes.Create(_ => default)], "1"));
        Assert.True(document.GetProperty("security")[0].TryGetProperty("bearer", out _));
        var open =
            from path in document.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            where operation.Value.TryGetProperty("security", out _)
            select path.Name;
        Assert.Equal(["/health"], open);
    }

    private static Operation Speaking(string name, JsonTypeInfo? request, JsonTypeInfo reply) =>
        new("POST", $"/{name}", name, Scope.Prompt, $"Speaks {name}.")
        {
            Request = request,
            Reply = reply,
            Errors = [409, 503],
            Handle = exchange => exchange.NoContentAsync(),
        };

    private static JsonElement Document() =>
        JsonElement.Parse(Encoding.UTF8.GetString(OpenApiDocument.Create(s_operations, "1")));

    private static JsonElement Schema(string name) =>
        Document().GetProperty("components").GetProperty("schemas").GetProperty(name);

    private static JsonElement Property(JsonElement schema, string name) => schema.GetProperty("properties").GetProperty(name);

    private static IEnumerable<string> Names(JsonElement list) => list.EnumerateArray().Select(name => name.GetString()!);

    internal static IEnumerable<string> References(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element
                .EnumerateObject()
                .SelectMany(member => member.Name is "$ref" ? [member.Value.GetString()!] : References(member.Value)),
            JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
            _ => [],
        };

    internal sealed record Tree(string Name, IReadOnlyList<Tree>? Children = null, Leaf? Leaf = null);

    internal sealed record Leaf(SessionId Session, ApprovalMode Mode, ApprovalMode? Perhaps);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false
    )]
    [JsonSerializable(typeof(Tree))]
    private sealed partial class TreeJson : JsonSerializerContext;
}
