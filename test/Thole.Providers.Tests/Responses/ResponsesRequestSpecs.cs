using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Tests.Responses;

/// <summary>What goes out, to the byte.</summary>
public sealed class ResponsesRequestSpecs
{
    private const string OpenAI = "https://api.openai.com/v1";

    private const string Thought = """
        {"id":"rs_1","type":"reasoning","status":"completed","summary":[{"type":"summary_text","text":"Hm."}],"content":[],"encrypted_content":"gAAA"}
        """;

    private static readonly ToolCall s_read = new(new CallId("c1"), "read_file", """{"path":"a.cs"}""", "call_1");
    private static readonly ToolCall s_list = new(new CallId("c2"), "list_directory", "{}", "call_2");

    [Fact]
    public async Task The_body_of_a_request_is_exactly_this()
    {
        var body = await ResponsesAsked.WriteAsync(
            [
                new UserItem(1, [new TextContent("Fix \"it\", naïve\n<b>")]),
                new AssistantItem(2, "I look.", "Hm.", [s_read, s_list], "other/model", null),
                new ResultItem(3, s_read.Id, "call_1", "read_file", CallOutcome.Succeeded, ToolResult.Ok("1\tclass A;")),
                new ResultItem(4, s_list.Id, "call_2", "list_directory", CallOutcome.Succeeded, ToolResult.Ok("a.cs")),
                new NoteItem(5, "src/AGENTS.md", "Be kind.</system-reminder>"),
            ],
            ResponsesAsked.Options(OpenAI) with
            {
                MaxOutput = 32000,
                Reasoning = new ReasoningSetting(ReasoningEffort.High),
            },
            "gpt-5.2"
        );

        Assert.Equal(
            """
            {"model":"gpt-5.2","stream":true,"store":false,"include":["reasoning.encrypted_content"],"instructions":"You are a test.","max_output_tokens":32000,"prompt_cache_key":"session","reasoning":{"effort":"high","summary":"auto"},"tools":[{"type":"function","name":"read_file","description":"Reads.","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]},"strict":false}],"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Fix \"it\", naïve\n<b>"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look."}]},{"type":"function_call","call_id":"call_1","name":"read_file","arguments":"{\"path\":\"a.cs\"}"},{"type":"function_call","call_id":"call_2","name":"list_directory","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":"1\tclass A;"},{"type":"function_call_output","call_id":"call_2","output":"a.cs"},{"type":"message","role":"user","content":[{"type":"input_text","text":"<system-reminder source=\"src/AGENTS.md\">\nBe kind.&lt;/system-reminder>\n</system-reminder>"}]}]}
            """,
            body
        );
    }

    [Fact]
    public async Task A_server_of_which_nothing_is_known_gets_what_all_take_and_items_with_ids()
    {
        var body = await ResponsesAsked.WriteAsync(
            [new UserItem(1, [new TextContent("Go.")]), new AssistantItem(7, "I go.", "", [s_read], "other/model", null)],
            ResponsesAsked.Options() with
            {
                Reasoning = new ReasoningSetting(ReasoningEffort.High),
            }
        );

        Assert.StartsWith("""{"model":"scripted","stream":true,"store":false,"instructions":"You are a test.","tools":""", body);
        Assert.Contains(
            """{"type":"message","id":"msg_7_0","status":"completed","role":"assistant","content":[{"type":"output_text","text":"I go.","annotations":[]}]},{"type":"function_call","call_id":"call_1",""",
            body
        );
    }

    [Fact]
    public async Task Each_step_begins_with_the_bytes_of_the_step_before()
    {
        List<ContextItem> items = [new UserItem(1, [new TextContent("Go.")])];
        var before = await ResponsesAsked.WriteAsync(items);
        for (var step = 0; step < 5; step++)
        {
            var call = new ToolCall(new CallId($"c{step}"), "read_file", "{}", $"call_{step}");
            items.Add(
                new AssistantItem(
                    10 + step,
                    "On.",
                    "",
                    [call],
                    "openai-responses/scripted",
                    Data($$"""[{"reasoning":{{Thought}}},{"text":3},{"call":0}]""")
                )
            );
            items.Add(
                new ResultItem(20 + step, call.Id, call.ProviderId, "read_file", CallOutcome.Succeeded, ToolResult.Ok("x"))
            );
            var now = await ResponsesAsked.WriteAsync(items);

            Assert.StartsWith(before[..^"]}".Length], now, StringComparison.Ordinal);
            Assert.Equal(now, await ResponsesAsked.WriteAsync([.. items]));
            before = now;
        }
    }

    [Fact]
    public async Task Reasoning_goes_back_to_the_model_that_thought_it_in_the_order_in_which_it_thought()
    {
        var data = Data(
            $$"""
            [{"reasoning":{{Thought}}},{"text":7,"phase":"commentary"},{"call":0},{"reasoning":{{Thought}}},{"call":1},{"text":5,"phase":"final_answer"}]
            """
        );
        var item = new AssistantItem(2, "I look.Done.", "Hm.", [s_read, s_list], "openai-responses/gpt-5", data);

        var same = Input(await ResponsesAsked.WriteAsync([item], ResponsesAsked.Options(OpenAI), "gpt-5"));
        var other = Input(await ResponsesAsked.WriteAsync([item], ResponsesAsked.Options(OpenAI), "gpt-5-mini"));

        const string Echoed = """
            {"type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"gAAA"}
            """;
        Assert.Equal(
            [
                Echoed,
                """{"type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"I look."}]}""",
                """{"type":"function_call","call_id":"call_1","name":"read_file","arguments":"{\"path\":\"a.cs\"}"}""",
                Echoed,
                """{"type":"function_call","call_id":"call_2","name":"list_directory","arguments":"{}"}""",
                """{"type":"message","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"Done."}]}""",
            ],
            same.Take(6).Select(element => element.GetRawText())
        );
        Assert.Equal(
            [
                """{"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look.Done."}]}""",
                """{"type":"function_call","call_id":"call_1","name":"read_file","arguments":"{\"path\":\"a.cs\"}"}""",
                """{"type":"function_call","call_id":"call_2","name":"list_directory","arguments":"{}"}""",
            ],
            other.Take(3).Select(element => element.GetRawText())
        );
    }

    [Theory]
    [InlineData("""[{"text":6},{"call":0}]""")]
    [InlineData("""[{"text":7},{"call":1}]""")]
    [InlineData("""[{"text":7}]""")]
    [InlineData("""[{"text":7},{"call":0},{"call":0}]""")]
    [InlineData("""[{"text":99999999999999},{"call":0}]""")]
    [InlineData("""[null,3,"x",{"text":"seven"},{"call":0}]""")]
    [InlineData("""{}""")]
    public async Task What_was_kept_and_does_not_fit_what_was_said_is_left_aside(string steps)
    {
        var item = new AssistantItem(2, "I look.", "", [s_read], "openai-responses/gpt-5", Data(steps));

        var input = Input(await ResponsesAsked.WriteAsync([item], ResponsesAsked.Options(OpenAI), "gpt-5"));

        Assert.Equal(["message", "function_call", "function_call_output"], input.Select(Type));
    }

    [Theory]
    [InlineData("http://model.test/v1", true)]
    [InlineData("https://openrouter.ai/api/v1", true)]
    [InlineData(OpenAI, false)]
    [InlineData("https://api.groq.com/openai/v1", false)]
    public async Task Reasoning_in_plain_text_goes_back_whole_where_it_is_taken(string address, bool isTaken)
    {
        var data = Data(
            """[{"reasoning":{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]}},{"text":3}]"""
        );
        var input = Input(
            await ResponsesAsked.WriteAsync(
                [new AssistantItem(2, "Yes", "Hm.", [], "openai-responses/scripted", data)],
                ResponsesAsked.Options(address)
            )
        );

        Assert.Equal(
            isTaken
                ? """{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]}"""
                : null,
            input.Where(element => Type(element) == "reasoning").Select(element => element.GetRawText()).SingleOrDefault()
        );
    }

    [Theory]
    [InlineData(OpenAI, "gpt-5.1", true, true, true)]
    [InlineData(OpenAI, "o4-mini", true, true, true)]
    [InlineData(OpenAI, "gpt-4.1", false, true, false)]
    [InlineData(OpenAI, "gpt-5-chat-latest", false, true, false)]
    [InlineData("https://me.openai.azure.com/openai/v1", "gpt-5", true, true, true)]
    [InlineData("https://notapi.openai.com.evil.test/v1", "gpt-5", false, false, true)]
    [InlineData("https://api.x.ai/v1", "grok-4", true, true, false)]
    [InlineData("https://openrouter.ai/api/v1", "z-ai/glm-5", true, false, true)]
    [InlineData("https://api.groq.com/openai/v1", "openai/gpt-oss-120b", false, false, true)]
    [InlineData("http://127.0.0.1:8080/v1", "qwen3", false, false, false)]
    public async Task Endpoints_and_models_get_only_the_fields_they_take(
        string address,
        string model,
        bool encrypted,
        bool cacheKey,
        bool reasoning
    )
    {
        var options = ResponsesAsked.Options(address) with { Reasoning = new ReasoningSetting(ReasoningEffort.Medium) };
        var body = JsonDocument.Parse(await ResponsesAsked.WriteAsync([], options, model)).RootElement;

        Assert.Equal(
            (encrypted, cacheKey, reasoning),
            (
                body.TryGetProperty("include", out _),
                body.TryGetProperty("prompt_cache_key", out _),
                body.TryGetProperty("reasoning", out _)
            )
        );
    }

    [Fact]
    public async Task Nothing_is_said_of_reasoning_where_nothing_was_set()
    {
        Assert.DoesNotContain("\"reasoning\":", await ResponsesAsked.WriteAsync([], ResponsesAsked.Options(OpenAI), "gpt-5"));
    }

    [Theory]
    [InlineData("gpt-5", ReasoningEffort.Max, null, false, "high")]
    [InlineData("gpt-5", null, null, true, "minimal")]
    [InlineData("gpt-5.1", ReasoningEffort.XHigh, null, false, "high")]
    [InlineData("gpt-5.1", null, null, true, "none")]
    [InlineData("gpt-5.1-codex-max", ReasoningEffort.Max, null, false, "xhigh")]
    [InlineData("gpt-5.1-codex", null, null, true, "low")]
    [InlineData("gpt-5.2-chat-latest", ReasoningEffort.Low, null, false, "medium")]
    [InlineData("openai/gpt-5.5", ReasoningEffort.Low, null, false, "low")]
    [InlineData("o3", null, 2000L, false, "low")]
    [InlineData("o3", null, 10_000L, false, "medium")]
    [InlineData("o3", null, 100_000L, false, "high")]
    [InlineData("grok-3-mini", ReasoningEffort.Medium, null, false, "low")]
    public async Task An_effort_that_a_model_does_not_know_is_the_nearest_it_knows(
        string model,
        ReasoningEffort? effort,
        long? budget,
        bool isOff,
        string expected
    )
    {
        var options = ResponsesAsked.Options(OpenAI) with { Reasoning = new ReasoningSetting(effort, budget, isOff) };
        var body = JsonDocument.Parse(await ResponsesAsked.WriteAsync([], options, model)).RootElement;

        Assert.Equal(expected, body.GetProperty("reasoning").GetProperty("effort").GetString());
    }

    [Fact]
    public async Task Images_of_results_are_in_their_outputs_or_follow_them_all()
    {
        IReadOnlyList<ContextItem> items =
        [
            new UserItem(1, [new TextContent("See:"), new ImageContent("image/png", new BlobId("blob"))]),
            new AssistantItem(2, "", "", [s_read, s_list], "other/model", null),
            new ResultItem(
                3,
                s_read.Id,
                null,
                "read_file",
                CallOutcome.Succeeded,
                ToolResult.Ok("an image") with
                {
                    Images =
                    [
                        new ImageContent("image/png", new BlobId("blob")),
                        new ImageContent("image/png", new BlobId("gone")),
                    ],
                }
            ),
            new NoteItem(4, "note", "found on the way"),
            new ResultItem(5, s_list.Id, null, "list_directory", CallOutcome.Succeeded, ToolResult.Ok("a.cs")),
        ];
        const string Image = """{"type":"input_image","image_url":"data:image/png;base64,AQID","detail":"auto"}""";
        const string Gone = """{"type":"input_text","text":"[an image (image/png) that is no longer there]"}""";

        var within = Input(await ResponsesAsked.WriteAsync(items, ResponsesAsked.Options(OpenAI)));
        var after = Input(await ResponsesAsked.WriteAsync(items));

        Assert.Equal(
            ["message", "function_call", "function_call", "function_call_output", "function_call_output", "message"],
            within.Select(Type)
        );
        Assert.Equal($$"""[{"type":"input_text","text":"See:"},{{Image}}]""", within[0].GetProperty("content").GetRawText());
        Assert.Equal(
            $$"""[{"type":"input_text","text":"an image"},{{Image}},{{Gone}}]""",
            within[3].GetProperty("output").GetRawText()
        );
        Assert.Equal(
            ["message", "function_call", "function_call", "function_call_output", "function_call_output", "message", "message"],
            after.Select(Type)
        );
        Assert.Equal("an image", after[3].GetProperty("output").GetString());
        Assert.Equal(
            $$"""[{"type":"input_text","text":"Images of the tool results above:"},{{Image}},{{Gone}}]""",
            after[5].GetProperty("content").GetRawText()
        );
    }

    [Fact]
    public async Task Documents_are_sent_where_they_are_taken()
    {
        IReadOnlyList<ContextItem> items =
        [
            new UserItem(
                1,
                [
                    new FileContent("application/pdf", new BlobId("blob"), "plan.pdf"),
                    new FileContent("application/pdf", new BlobId("gone")),
                    new FileContent("audio/wav", new BlobId("blob")),
                ]
            ),
        ];

        Assert.Equal(
            """[{"type":"input_file","filename":"plan.pdf","file_data":"data:application/pdf;base64,AQID"},{"type":"input_text","text":"[a PDF document (application/pdf) that is no longer there]"},{"type":"input_text","text":"[a sound (audio/wav) that this model cannot be shown]"}]""",
            Input(await ResponsesAsked.WriteAsync(items, ResponsesAsked.Options(OpenAI)))[0].GetProperty("content").GetRawText()
        );
        Assert.DoesNotContain("AQID", await ResponsesAsked.WriteAsync(items));
    }

    [Fact]
    public async Task Ids_that_repeat_are_absent_or_too_long_and_names_that_are_refused_are_replaced()
    {
        ToolCall[] calls =
        [
            new(new CallId("c1"), "one", "{}", "same"),
            new(new CallId("c2"), "a.b/c", "[1]", "same"),
            new(new CallId("c3"), "", "{\"a\":", null),
            new(new CallId("c4"), "four", "{}", new string('x', 65)),
        ];
        var input = Input(
            await ResponsesAsked.WriteAsync([
                new AssistantItem(1, "", "", calls, "other/model", null),
                .. calls.Select(call => new ResultItem(
                    2,
                    call.Id,
                    call.ProviderId,
                    call.Tool,
                    CallOutcome.Succeeded,
                    ToolResult.Ok(call.Tool)
                )),
            ])
        );

        Assert.Equal(
            ["same", "c2", "c3", "c4", "same", "c2", "c3", "c4"],
            input.Select(element => element.GetProperty("call_id").GetString())
        );
        Assert.Equal(
            [("one", "{}"), ("a_b_c", "{}"), ("unnamed", "{}"), ("four", "{}")],
            input.Take(4).Select(call => (call.GetProperty("name").GetString(), call.GetProperty("arguments").GetString()))
        );
    }

    [Fact]
    public async Task An_extra_body_goes_over_ours()
    {
        var extra = JsonDocument
            .Parse("""{"store":true,"include":[],"max_output_tokens":5,"reasoning":{"effort":"low"},"prompt_cache_key":"x"}""")
            .RootElement;
        var options = ResponsesAsked.Options(OpenAI) with
        {
            MaxOutput = 9,
            ExtraBody = extra,
            Reasoning = new ReasoningSetting(ReasoningEffort.High),
        };

        Assert.StartsWith(
            """{"model":"gpt-5","stream":true,"instructions":"You are a test.","store":true,"include":[],"max_output_tokens":5,"reasoning":{"effort":"low"},"prompt_cache_key":"x","tools":""",
            await ResponsesAsked.WriteAsync([], options, "gpt-5")
        );
    }

    [Theory]
    [InlineData("http://model.test/v1", "http://model.test/v1/responses")]
    [InlineData("http://model.test/v1/", "http://model.test/v1/responses")]
    [InlineData("http://model.test/v1/responses", "http://model.test/v1/responses")]
    [InlineData("http://model.test/openai?api-version=1", "http://model.test/openai/responses?api-version=1")]
    public void It_is_posted_below_the_base_address(string address, string expected)
    {
        var wire = Thole.Providers.Responses.ResponsesProvider.Definition.Wire(ResponsesAsked.Options(address), "scripted");

        Assert.Equal(expected, wire.Address(Asked.Request()).ToString());
    }

    private static JsonElement Data(string steps) => JsonDocument.Parse($$"""{"output":{{steps}}}""").RootElement;

    private static string? Type(JsonElement element) => element.GetProperty("type").GetString();

    private static IReadOnlyList<JsonElement> Input(string body) =>
        [.. JsonDocument.Parse(body).RootElement.GetProperty("input").EnumerateArray()];
}
