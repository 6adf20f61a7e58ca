using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.Providers.Tests.Google;

/// <summary>What goes out, to the byte.</summary>
public sealed class GeminiRequestSpecs
{
    private const string Schema = """{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}""";

    private static readonly ToolCall s_read = new(new CallId("c1"), "read_file", """{"path":"a.cs"}""", "id_1");
    private static readonly ToolCall s_list = new(new CallId("c2"), "list_directory", "{}");

    [Fact]
    public async Task The_body_of_a_request_is_exactly_this()
    {
        var body = await GeminiAsked.BodyAsync(
            [
                new UserItem(1, [new TextContent("Fix \"it\", naïve 😀\n<b>")]),
                new AssistantItem(2, "I look.", "Hm.", [s_read, s_list], "gemini/scripted", null),
                new ResultItem(3, s_read.Id, "id_1", "read_file", CallOutcome.Succeeded, ToolResult.Ok("1\tclass A;")),
                new ResultItem(4, s_list.Id, null, "list_directory", CallOutcome.Failed, ToolResult.Failed("no", "No src.")),
                new NoteItem(5, "src/AGENTS.md", "Be kind."),
                new AssistantItem(6, "Done.", "", [], "gemini/scripted", null),
                new UserItem(7, [new TextContent("Thanks."), new ImageContent("image/png", new BlobId("blob"))]),
            ],
            options: GeminiAsked.Options with
            {
                MaxOutput = 32_000,
            },
            tools:
            [
                new ToolDefinition("read_file", "Reads.", Schema),
                new ToolDefinition("stop", "Stops.", """{"type":"object","properties":{}}"""),
            ]
        );

        Assert.Equal(
            """
            {"systemInstruction":{"parts":[{"text":"You are a test."}]},"tools":[{"functionDeclarations":[{"name":"read_file","description":"Reads.","parametersJsonSchema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}},{"name":"stop","description":"Stops."}]}],"generationConfig":{"maxOutputTokens":32000},"contents":[{"role":"user","parts":[{"text":"Fix \"it\", naïve \uD83D\uDE00\n<b>"}]},{"role":"model","parts":[{"text":"I look."},{"functionCall":{"id":"id_1","name":"read_file","args":{"path":"a.cs"}}},{"functionCall":{"name":"list_directory","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"id_1","name":"read_file","response":{"output":"1\tclass A;"}}},{"functionResponse":{"name":"list_directory","response":{"error":"No src."}}},{"text":"<system-reminder source=\"src/AGENTS.md\">\nBe kind.\n</system-reminder>"}]},{"role":"model","parts":[{"text":"Done."}]},{"role":"user","parts":[{"text":"Thanks."},{"inlineData":{"mimeType":"image/png","data":"AQID"}}]}]}
            """,
            body
        );
    }

    [Fact]
    public async Task Each_step_begins_with_the_bytes_of_the_step_before()
    {
        List<ContextItem> items = [new UserItem(1, [new TextContent("Go.")])];
        var before = await GeminiAsked.BodyAsync(items, "gemini-3-pro-preview");
        for (var step = 0; step < 5; step++)
        {
            var call = new ToolCall(new CallId($"c{step}"), "read_file", "{}");
            items.Add(new AssistantItem(10 + step, "", "", [call], "openai/gpt-5", null));
            items.Add(new ResultItem(20 + step, call.Id, null, "read_file", CallOutcome.Succeeded, ToolResult.Ok("x")));
            items.Add(new NoteItem(30 + step, "note", "found on the way"));
            var now = await GeminiAsked.BodyAsync(items, "gemini-3-pro-preview");

            Assert.StartsWith(before[..^"]}]}".Length], now, StringComparison.Ordinal);
            Assert.Equal(now, await GeminiAsked.BodyAsync([.. items], "gemini-3-pro-preview"));
            before = now;
        }
    }

    [Fact]
    public async Task Images_of_results_follow_all_results_in_the_same_content()
    {
        var images = ToolResult.Ok("an image") with
        {
            Images = [new ImageContent("image/png", new BlobId("blob")), new ImageContent("image/png", new BlobId("gone"))],
        };
        var contents = await GeminiAsked.ContentsAsync([
            new UserItem(1, [new TextContent("Look.")]),
            new UserItem(1, [new TextContent("")]),
            new AssistantItem(2, "", "", [s_read, s_list], "openai/x", null),
            new ResultItem(3, s_read.Id, null, "read_file", CallOutcome.Succeeded, images),
            new UserItem(4, [new TextContent("And?")]),
            new ResultItem(5, s_list.Id, null, "list_directory", CallOutcome.Succeeded, ToolResult.Ok("a.cs")),
        ]);

        Assert.Equal(
            [
                """user [{"text":"Look."}]""",
                """model [{"functionCall":{"name":"read_file","args":{"path":"a.cs"}}},{"functionCall":{"name":"list_directory","args":{}}}]""",
                """user [{"functionResponse":{"name":"read_file","response":{"output":"an image"}}},{"functionResponse":{"name":"list_directory","response":{"output":"a.cs"}}},{"text":"Images of the tool results above:"},{"inlineData":{"mimeType":"image/png","data":"AQID"}},{"text":"[an image (image/png) that is no longer there]"},{"text":"And?"}]""",
            ],
            contents
        );
    }

    [Fact]
    public async Task An_answer_that_said_nothing_leaves_no_content_without_parts()
    {
        var contents = await GeminiAsked.ContentsAsync([
            new UserItem(1, [new TextContent("One.")]),
            new AssistantItem(2, "", "Hm.", [], "gemini/scripted", null),
            new UserItem(3, [new TextContent("Two.")]),
        ]);

        Assert.Equal(["""user [{"text":"One."},{"text":"Two."}]"""], contents);
    }

    [Fact]
    public async Task Ids_go_back_as_they_came_and_one_that_repeats_gives_way_on_both_sides()
    {
        ToolCall[] calls = [new(new CallId("c1"), "one", "{}", "same"), new(new CallId("c2"), "two", "{}", "same")];
        var contents = await GeminiAsked.ContentsAsync([
            new UserItem(1, [new TextContent("Go.")]),
            new AssistantItem(2, "", "", calls, "gemini/scripted", null),
        ]);

        Assert.Equal(["same", "c2"], Find(contents[1], "id"));
        Assert.Equal(["same", "c2"], Find(contents[2], "id"));
    }

    [Theory]
    [InlineData("read_file", """{"a":1}""", "read_file", """{"a":1}""")]
    [InlineData("", "", "unnamed", "{}")]
    [InlineData("1st-tool", "{\"a\":", "_1st-tool", "{}")]
    [InlineData("rm -rf /", "[1]", "rm_-rf__", "{}")]
    public async Task A_call_that_was_wrong_is_sent_back_in_a_form_that_is_taken(
        string name,
        string arguments,
        string wireName,
        string wireArguments
    )
    {
        var contents = await GeminiAsked.ContentsAsync([
            new UserItem(1, [new TextContent("Go.")]),
            new AssistantItem(2, "", "", [new ToolCall(new CallId("c1"), name, arguments)], "gemini/scripted", null),
        ]);

        Assert.Equal($$$"""model [{"functionCall":{"name":"{{{wireName}}}","args":{{{wireArguments}}}}}]""", contents[1]);
        Assert.Contains($"\"functionResponse\":{{\"name\":\"{wireName}\"", contents[2]);
    }

    [Theory]
    [InlineData("""{"type":"object"}""", false)]
    [InlineData("""{"type":"object","properties":{},"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{}}}""", true)]
    [InlineData("""{"type":"object","additionalProperties":{"type":"string"}}""", true)]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"type":"object"}}}""", true)]
    public async Task A_schema_without_properties_is_left_out(string schema, bool isSent)
    {
        var body = await GeminiAsked.BodyAsync([], tools: [new ToolDefinition("x", "X.", schema)]);

        Assert.Equal(isSent, body.Contains($"\"parametersJsonSchema\":{schema}", StringComparison.Ordinal));
        Assert.Equal(isSent, body.Contains("parametersJsonSchema", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_user_sets_stands_beside_ours_in_the_configuration_and_over_it()
    {
        using var sampling = JsonDocument.Parse("""{"temperature":0.2,"topP":0.9}""");
        using var extra = JsonDocument.Parse(
            """{"generationConfig":{"temperature":0.7,"maxOutputTokens":5},"safetySettings":[],"systemInstruction":{"parts":[{"text":"Mine."}]}}"""
        );

        var body = await GeminiAsked.BodyAsync(
            [],
            "gemini-2.5-pro",
            GeminiAsked.Options with
            {
                MaxOutput = 9,
                Sampling = sampling.RootElement,
                ExtraBody = extra.RootElement,
            }
        );

        Assert.Equal(
            """
            {"generationConfig":{"thinkingConfig":{"includeThoughts":true},"temperature":0.7,"topP":0.9,"maxOutputTokens":5},"safetySettings":[],"systemInstruction":{"parts":[{"text":"Mine."}]},"contents":[]}
            """,
            body
        );
    }

    [Theory]
    [InlineData("https://g.test", "gemini-2.5-pro", "https://g.test/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test/", "models/x", "https://g.test/v1beta/models/x:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test/v1beta/", "tunedModels/x", "https://g.test/v1beta/tunedModels/x:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test/v1", "x", "https://g.test/v1/models/x:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test/v1/gw/google", "x", "https://g.test/v1/gw/google/v1beta/models/x:streamGenerateContent?alt=sse")]
    [InlineData(
        "https://g.test/v1/models/x:streamGenerateContent",
        "x",
        "https://g.test/v1/models/x:streamGenerateContent?alt=sse"
    )]
    [InlineData("https://u:p@g.test/v1?a=1", "x", "https://g.test/v1/models/x:streamGenerateContent?a=1&alt=sse")]
    [InlineData("https://g.test/v1?alt=json", "x", "https://g.test/v1/models/x:streamGenerateContent?alt=json")]
    [InlineData("https://g.test", "../../v9/x", "https://g.test/v1beta/models/..%2F..%2Fv9%2Fx:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test", "models/../x", "https://g.test/v1beta/models/..%2Fx:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test", "tunedModels/../x", "https://g.test/v1beta/tunedModels/..%2Fx:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test", "..", "https://g.test/v1beta/models/..:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test", "..\\x", "https://g.test/v1beta/models/..%5Cx:streamGenerateContent?alt=sse")]
    [InlineData("https://g.test", "%2e%2e/x", "https://g.test/v1beta/models/%252e%252e%2Fx:streamGenerateContent?alt=sse")]
    [InlineData(
        "https://g.test",
        "x:delete?a#b",
        "https://g.test/v1beta/models/x%3Adelete%3Fa%23b:streamGenerateContent?alt=sse"
    )]
    [InlineData(
        "https://g.test",
        "a@evil.test\r\nX: y",
        "https://g.test/v1beta/models/a%40evil.test%0D%0AX%3A%20y:streamGenerateContent?alt=sse"
    )]
    public void A_model_is_one_segment_of_the_path_whatever_it_is_called(string address, string model, string expected)
    {
        var options = GeminiAsked.Asking.Options(new Uri(address));
        var wire = Thole.Providers.Google.GeminiProvider.Definition.Wire(options, model);

        Assert.Equal(expected, wire.Address(Asked.Request() with { Model = model }).AbsoluteUri);
    }

    [Fact]
    public async Task The_key_goes_in_its_own_header_and_nowhere_else()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Done());

        var asked = await GeminiAsked.Asking.AskAsync(server);

        Assert.Equal("Hi.", asked.Text);
        var request = server.Requests[0];
        Assert.Equal("/v1/models/scripted:streamGenerateContent?alt=sse", request.Path);
        Assert.Equal(Asked.Key, request.Headers["x-goog-api-key"]);
        Assert.DoesNotContain("Authorization", request.Headers.Keys);
    }

    private static IEnumerable<string?> Find(string content, string name)
    {
        using var parsed = JsonDocument.Parse(content[content.IndexOf('[')..]);
        return
        [
            .. parsed
                .RootElement.EnumerateArray()
                .Select(part => part.EnumerateObject().First().Value)
                .Select(call => call.GetProperty(name).GetString()),
        ];
    }
}
