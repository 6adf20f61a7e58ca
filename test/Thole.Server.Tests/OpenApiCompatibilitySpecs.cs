using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Server.OpenApi;

namespace Thole.Server.Tests;

/// <summary>
/// The documents in test/golden are what clients were written against. An operation may grow and may not change under them; what must change
/// gets a path of its own. A new release adds its document: it is what <c>/openapi.json</c> says.
/// </summary>
public sealed class OpenApiCompatibilitySpecs
{
    public static TheoryData<string> Released { get; } =
    [
        .. Directory
            .EnumerateFiles(Golden(), "openapi.json", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Golden(), file)),
    ];

    [Theory]
    [MemberData(nameof(Released))]
    public void No_released_operation_has_changed_for_those_who_use_it(string file) =>
        Assert.Empty(new OpenApiCompatibility(Read(file), Now()).Breaks());

    [Fact]
    public void What_breaks_a_client_is_seen()
    {
        var old = Now();

        Assert.NotEmpty(Breaks(old, now => now["paths"]!.AsObject().Remove("/session")));
        Assert.NotEmpty(Breaks(old, now => Schema(now, "PromptAccepted")["properties"]!.AsObject().Remove("promptId")));
        Assert.NotEmpty(Breaks(old, now => Schema(now, "PromptRequest")["required"] = new JsonArray("deadline")));
        Assert.NotEmpty(Breaks(old, now => Schema(now, "HeartbeatReply")["properties"]!["lastSeenAt"]!["type"] = "string"));
        Assert.NotEmpty(
            Breaks(old, now => now["paths"]!["/session/{id}/prompt"]!["post"]!["x-thole-scopes"] = new JsonArray("administer"))
        );
    }

    [Fact]
    public void What_breaks_none_is_allowed()
    {
        var old = Now();

        Assert.Empty(Breaks(old, _ => { }));
        Assert.Empty(Breaks(old, now => now["paths"]!["/new"] = new JsonObject()));
        Assert.Empty(
            Breaks(old, now => Schema(now, "PromptAccepted")["properties"]!["more"] = new JsonObject { ["type"] = "string" })
        );
        Assert.Empty(
            Breaks(old, now => Schema(now, "PromptRequest")["properties"]!["more"] = new JsonObject { ["type"] = "string" })
        );
    }

    private static IReadOnlyList<string> Breaks(JsonElement old, Action<JsonNode> change)
    {
        var now = JsonNode.Parse(old.GetRawText())!;
        change(now);
        return new OpenApiCompatibility(old, JsonElement.Parse(now.ToJsonString())).Breaks();
    }

    private static JsonNode Schema(JsonNode document, string name) => document["components"]!["schemas"]![name]!;

    private static JsonElement Now() => JsonElement.Parse(OpenApiDocument.Create(Nobody.Operations(), "0.1.0"));

    private static JsonElement Read(string file) => JsonElement.Parse(File.ReadAllBytes(Path.Join(Golden(), file)));

    private static string Golden()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(folder.FullName, "Thole.slnx")))
        {
            folder = folder.Parent!;
        }

        return Path.Join(folder.FullName, "test", "golden");
    }
}
