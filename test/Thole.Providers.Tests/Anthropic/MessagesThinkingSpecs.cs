using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Anthropic;
using static Thole.Providers.Tests.Anthropic.MessagesAsked;

namespace Thole.Providers.Tests.Anthropic;

/// <summary>How a model is told to think, and how its thoughts go back to it.</summary>
public sealed class MessagesThinkingSpecs
{
    private const string Ours = "anthropic/scripted";

    [Fact]
    public async Task Thoughts_calls_and_text_go_back_to_their_model_unchanged_and_in_their_order()
    {
        var said = await AskAsync(
            Begin(),
            Thinking(0, "First 😀.", "sig-1+/="),
            Text(1, "I look. "),
            Start(2, """{"type":"redacted_thinking","data":"hidden=="}"""),
            Stop(2),
            Call(3, "toolu_1", "read_file", """{\"path\":""", """ \"a\"}"""),
            Thinking(4, "Second.", "sig-2"),
            Text(5, "And there. "),
            Call(6, "toolu_2", "list_directory"),
            End("tool_use")
        );

        Assert.Equal(
            """
            [{"type":"thinking","thinking":"First \uD83D\uDE00.","signature":"sig-1+/="},{"type":"text","text":"I look. "},{"type":"redacted_thinking","data":"hidden=="},{"type":"tool_use","id":"toolu_1","name":"read_file","input":{"path": "a"}},{"type":"thinking","thinking":"Second.","signature":"sig-2"},{"type":"text","text":"And there. "},{"type":"tool_use","id":"toolu_2","name":"list_directory","input":{}}]
            """,
            await SentBackAsync(said)
        );
        var kept = said.Finished!.ProviderData!.Value.GetRawText();
        Assert.DoesNotContain("First", kept);
        Assert.DoesNotContain("there", kept);
        Assert.DoesNotContain("path", kept);
    }

    [Fact]
    public async Task Thoughts_stay_from_other_models()
    {
        var said = await AskAsync(Begin(), Thinking(0, "Hm.", "sig"), Text(1, "So."), Text(2, " Or so."), End());

        Assert.Equal("""[{"type":"text","text":"So. Or so."}]""", await SentBackAsync(said, "anthropic/other"));
        Assert.Equal("""[{"type":"text","text":"So. Or so."}]""", await SentBackAsync(said, "openai/scripted"));
    }

    [Fact]
    public async Task A_thought_without_words_goes_back_and_what_is_said_plainly_keeps_nothing()
    {
        var hidden = await AskAsync(
            Begin(),
            Start(0, """{"type":"thinking","thinking":"","signature":""}"""),
            Delta(0, """{"type":"signature_delta","signature":"sig"}"""),
            Stop(0),
            Text(1, "So."),
            End()
        );
        var plain = await AskAsync(Begin(), Text(0, "So."), Call(1, "toolu_1", "one"), End("tool_use"));

        Assert.Equal(
            """[{"type":"thinking","thinking":"","signature":"sig"},{"type":"text","text":"So."}]""",
            await SentBackAsync(hidden)
        );
        Assert.Null(plain.Finished!.ProviderData);
    }

    [Fact]
    public async Task A_thought_that_was_cut_or_ends_the_message_does_not_go_back()
    {
        var cut = await AskAsync(
            Begin(),
            Text(0, "So. "),
            Start(1, """{"type":"thinking","thinking":""}"""),
            Delta(1, """{"type":"thinking_delta","thinking":"Wait"}"""),
            Stop(1),
            End("max_tokens")
        );
        var last = await AskAsync(Begin(), Text(0, "So. "), Thinking(1, "Done.", "sig"), End());
        var alone = await AskAsync(Begin(), Thinking(0, "Done.", "sig"), End());

        Assert.Equal("""[{"type":"text","text":"So."}]""", await SentBackAsync(cut));
        Assert.Equal("""[{"type":"text","text":"So."}]""", await SentBackAsync(last));
        Assert.Single(await MessagesAsync(User("Go."), Item(alone, Ours), User("On.")));
    }

    [Fact]
    public async Task Tools_of_the_endpoint_go_back_with_their_results_or_not_at_all()
    {
        var said = await AskAsync(
            Begin(),
            Start(0, """{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{}}"""),
            Delta(0, """{"type":"input_json_delta","partial_json":"{\"query\":\"x\"}"}"""),
            Stop(0),
            Start(1, """{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[{"encrypted_content":"e"}]}"""),
            Stop(1),
            Text(2, "Found."),
            Start(3, """{"type":"server_tool_use","id":"srv_2","name":"web_search","input":{}}"""),
            Stop(3),
            Start(4, """{"type":"fallback","from":{"model":"x"}}"""),
            Stop(4),
            End()
        );

        Assert.Empty(said.Calls);
        Assert.Equal(
            """
            [{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"query":"x"}},{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[{"encrypted_content":"e"}]},{"type":"text","text":"Found."}]
            """,
            await SentBackAsync(said)
        );
    }

    [Theory]
    [InlineData("""{"content":[{"type":"text","length":99}]}""")]
    [InlineData("""{"content":[{"type":"text","length":-1}]}""")]
    [InlineData("""{"content":[{"type":"tool_use"}]}""")]
    [InlineData("""{"content":[{"type":"never"}]}""")]
    [InlineData("""{"content":[7]}""")]
    [InlineData("""{"reasoning_field":"reasoning"}""")]
    [InlineData("[]")]
    public async Task A_layout_that_does_not_fit_is_passed_over(string layout)
    {
        var item = new AssistantItem(1, "So.", "Hm.", [], Ours, JsonDocument.Parse(layout).RootElement);

        var messages = await MessagesAsync(User("Go."), item, User("On."));

        Assert.Equal("""[{"type":"text","text":"So."}]""", messages[1].GetProperty("content").GetRawText());
    }

    [Theory]
    // By a number of tokens, above which the limit of the answer lies.
    [InlineData("scripted", null, 9_000L, """"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":9000},"tools"""")]
    [InlineData(
        "scripted",
        "High",
        40_000L,
        """"max_tokens":72000,"thinking":{"type":"enabled","budget_tokens":40000},"output_config":{"effort":"high"},"tools""""
    )]
    [InlineData("scripted", null, 1L, """"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":1024},"tools"""")]
    // By effort alone.
    [InlineData("scripted", "XHigh", null, """"max_tokens":32000,"output_config":{"effort":"xhigh"},"tools"""")]
    [InlineData("claude-opus-4-5-20251101", "Max", null, """"max_tokens":32000,"output_config":{"effort":"high"},"tools"""")]
    // Models that know numbers only, or the effort only.
    [InlineData(
        "claude-sonnet-4-5",
        "Medium",
        null,
        """"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":10000},"tools""""
    )]
    [InlineData("claude-3-7-sonnet-latest", "Max", 5_000L, """"thinking":{"type":"enabled","budget_tokens":5000},"tools"""")]
    [InlineData("claude-opus-4.6", "XHigh", null, """"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"tools"""")]
    [InlineData(
        "vendor/claude-opus-4-7",
        "XHigh",
        9_000L,
        """"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"xhigh"},"tools""""
    )]
    [InlineData(
        "claude-of-tomorrow",
        null,
        9_000L,
        """"max_tokens":32000,"thinking":{"type":"adaptive","display":"summarized"},"tools""""
    )]
    public async Task A_model_is_told_to_think_in_the_words_that_it_takes(
        string model,
        string? effort,
        long? budget,
        string expected
    )
    {
        var set = new ReasoningSetting(effort is null ? null : Enum.Parse<ReasoningEffort>(effort), budget);

        Assert.Contains(expected, await WriteAsync([User("Go.")], Options with { Reasoning = set, MaxOutput = 32_000 }, model));
    }

    [Theory]
    [InlineData("scripted", """"max_tokens":32000,"thinking":{"type":"disabled"},"tools"""")]
    [InlineData("claude-opus-4-8", """"max_tokens":32000,"tools"""")]
    [InlineData("claude-opus-5-20260724", """"max_tokens":32000,"thinking":{"type":"disabled"},"tools"""")]
    [InlineData("claude-sonnet-5-5", """"max_tokens":32000,"thinking":{"type":"between_tools"},"tools"""")]
    [InlineData("claude-opus-5-5", """"max_tokens":32000,"output_config":{"effort":"low"},"tools"""")]
    public async Task A_model_is_told_not_to_think_or_as_little_as_it_can(string model, string expected)
    {
        var options = Options with { Reasoning = new ReasoningSetting(IsOff: true) };

        Assert.Contains(expected, await WriteAsync([User("Go.")], options, model));
    }

    [Fact]
    public async Task How_words_are_drawn_is_not_set_for_a_model_that_thinks()
    {
        var options = Options with
        {
            ExtraBody = JsonDocument.Parse("""{"top_k":5,"x":1}""").RootElement,
            Sampling = JsonDocument.Parse("""{"temperature":0.5,"y":1}""").RootElement,
        };

        Assert.Contains("temperature", await WriteAsync([User("Go.")], options));
        var thinking = await WriteAsync([User("Go.")], options with { Reasoning = new ReasoningSetting(Budget: 2_000) });
        Assert.DoesNotContain("temperature", thinking);
        Assert.DoesNotContain("top_k", thinking);
        Assert.Contains("\"y\":1,\"x\":1", thinking);
    }

    [Fact]
    public async Task What_the_user_wrote_of_thinking_holds_and_the_effort_is_announced_in_a_header()
    {
        var set = Options with { Reasoning = new ReasoningSetting(ReasoningEffort.Low, 2_000) };
        var own = set with { ExtraBody = JsonDocument.Parse("""{"thinking":{"type":"mine"},"output_config":{}}""").RootElement };

        Assert.Contains("\"thinking\":{\"type\":\"mine\"},\"output_config\":{},\"tools\"", await WriteAsync([User("Go.")], own));
        Assert.Equal(
            ["2023-06-01", "effort-2025-11-24"],
            new MessagesWire(set, "scripted").Headers.Select(header => header.Value)
        );
        Assert.Equal(["2023-06-01"], new MessagesWire(own, "scripted").Headers.Select(header => header.Value));
    }

    [Fact]
    public async Task A_turn_that_was_begun_without_a_thought_goes_on_without_a_budget()
    {
        var call = new ToolCall(new CallId("c1"), "read_file", "{}", "toolu_1");
        var options = Options with { Reasoning = new ReasoningSetting(Budget: 2_000) };
        List<ContextItem> items =
        [
            User("Go."),
            new AssistantItem(1, "I look.", "Hm.", [call], "other/model", null),
            Result(call, "x"),
            new NoteItem(2, "note", "x"),
        ];

        Assert.DoesNotContain("budget_tokens", await WriteAsync(items, options));
        items.Add(new AssistantItem(1, "Done.", "", [], "other/model", null));
        items.Add(User("And now?"));
        Assert.Contains("budget_tokens", await WriteAsync(items, options));
    }

    private static AssistantItem Item(Asked said, string model) =>
        new(
            2,
            said.Text,
            said.Reasoning,
            [
                .. said.Calls.Select(
                    (call, index) => new ToolCall(new CallId($"c{index}"), call.Name, call.Arguments, call.ProviderId)
                ),
            ],
            model,
            said.Finished!.ProviderData
        );

    private static async Task<string> SentBackAsync(Asked said, string model = Ours) =>
        (await MessagesAsync(User("Go."), Item(said, model), User("On.")))[1].GetProperty("content").GetRawText();
}
