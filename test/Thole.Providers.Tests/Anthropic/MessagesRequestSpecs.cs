using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using static Thole.Providers.Tests.Anthropic.MessagesAsked;

namespace Thole.Providers.Tests.Anthropic;

/// <summary>What goes out, to the byte.</summary>
public sealed class MessagesRequestSpecs
{
    private static readonly ToolCall s_read = new(new CallId("c1"), "read_file", """{"path":"a.cs"}""", "toolu_1");
    private static readonly ToolCall s_list = new(new CallId("c2"), "list_directory", "{}", "toolu_2");

    [Fact]
    public async Task The_body_of_a_request_is_exactly_this()
    {
        var body = await WriteAsync(
            [
                User("Fix \"it\", naïve 😀\n<b>"),
                new AssistantItem(2, "I look. ", "Hm.", [s_read, s_list], "other/model", null),
                Result(s_read, "1\tclass A;"),
                new ResultItem(4, s_list.Id, "toolu_2", "list_directory", CallOutcome.Failed, ToolResult.Failed("x", "No src.")),
                new NoteItem(5, "src/AGENTS.md", "Be kind."),
            ],
            Options with
            {
                MaxOutput = 32000,
            }
        );

        Assert.Equal(
            """
            {"model":"scripted","stream":true,"max_tokens":32000,"tools":[{"name":"list_directory","description":"Lists.","input_schema":{}},{"name":"read_file","description":"Reads.","input_schema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]},"cache_control":{"type":"ephemeral"}}],"system":[{"type":"text","text":"You are a test.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"Fix \"it\", naïve \uD83D\uDE00\n<b>","cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":[{"type":"text","text":"I look. "},{"type":"tool_use","id":"toolu_1","name":"read_file","input":{"path":"a.cs"}},{"type":"tool_use","id":"toolu_2","name":"list_directory","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"1\tclass A;"},{"type":"tool_result","tool_use_id":"toolu_2","content":"No src.","is_error":true},{"type":"text","text":"<system-reminder source=\"src/AGENTS.md\">\nBe kind.\n</system-reminder>","cache_control":{"type":"ephemeral"}}]}]}
            """,
            body
        );
    }

    [Fact]
    public async Task Each_step_begins_with_the_bytes_of_the_step_before_but_for_the_marks_of_the_cache()
    {
        List<ContextItem> items = [User("Go.")];
        var before = await WriteAsync(items);
        for (var step = 0; step < 5; step++)
        {
            var call = new ToolCall(new CallId($"c{step}"), "read_file", "{}", $"toolu_{step}");
            items.Add(new AssistantItem(10 + step, "", "", [call], "anthropic/scripted", null));
            items.Add(Result(call, "x"));
            var now = await WriteAsync(items);

            Assert.StartsWith(before[..^"]}".Length], now, StringComparison.Ordinal);
            Assert.Equal(now, await WriteAsync([.. items]));
            before = now;
        }
    }

    [Fact]
    public async Task At_most_four_places_are_marked_and_the_last_of_one_step_is_marked_in_the_next()
    {
        List<ContextItem> items = [User("Go.")];
        var last = "";
        for (var step = 0; step < 5; step++)
        {
            var body = await BodyAsync(items, Options);
            var marked = body.GetProperty("messages")
                .EnumerateArray()
                .SelectMany(message => message.GetProperty("content").EnumerateArray())
                .Where(block => block.TryGetProperty("cache_control", out _))
                .Select(block => block.GetRawText())
                .ToList();

            Assert.Equal(step == 0 ? 1 : 2, marked.Count);
            Assert.True(step == 0 || marked[0] == last, "what the step before wrote to the cache is not read from it");
            Assert.Equal(marked.Count + 2, body.GetRawText().Split("cache_control").Length - 1);
            last = marked[^1];
            var call = new ToolCall(new CallId($"c{step}"), "read_file", "{}", $"toolu_{step}");
            items.Add(new AssistantItem(10 + step, "", "", [call], "anthropic/scripted", null));
            items.Add(Result(call, $"result {step}"));
        }
    }

    [Fact]
    public async Task What_follows_each_other_on_one_side_is_one_message_and_results_come_first()
    {
        var messages = await MessagesAsync(
            User("One."),
            new NoteItem(1, "note", "Two."),
            new AssistantItem(2, "", "thought and said nothing", [], "other/model", null),
            new AssistantItem(2, " \n", "", [], "other/model", null),
            User("Three."),
            new AssistantItem(3, "A. ", "", [], "other/model", null),
            new AssistantItem(3, "B. \n", "", [s_read], "other/model", null),
            new NoteItem(4, "note", "found on the way"),
            Result(s_read, "class A;"),
            User("Four.")
        );

        Assert.Equal(["user", "assistant", "user"], messages.Select(message => message.GetProperty("role").GetString()));
        Assert.Equal(
            ["One.", "<system-reminder source=\"note\">\nTwo.\n</system-reminder>", "Three."],
            Blocks(messages[0]).Select(block => block.GetProperty("text").GetString())
        );
        Assert.Equal(["text", "text", "tool_use"], Blocks(messages[1]).Select(Type));
        Assert.Equal(["tool_result", "text", "text"], Blocks(messages[2]).Select(Type));
    }

    [Fact]
    public async Task Text_that_ends_a_message_of_the_model_ends_in_no_blank_and_a_user_says_never_nothing()
    {
        var messages = await MessagesAsync(User("  "), new AssistantItem(2, "So: \n", "", [], "other/model", null));

        Assert.Equal("(nothing)", Blocks(messages[0])[0].GetProperty("text").GetString());
        Assert.Equal("So:", Blocks(messages[1])[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task Ids_that_repeat_are_absent_or_hold_other_letters_are_replaced_by_ours_on_both_sides()
    {
        ToolCall[] calls =
        [
            new(new CallId("c1"), "one", "{}", "same"),
            new(new CallId("c2"), "two", "{}", "same"),
            new(new CallId("c3"), "three", "{}", null),
            new(new CallId("c4"), "four", "{}", "call:4|x"),
        ];
        var messages = await MessagesAsync([
            User("Go."),
            new AssistantItem(1, "", "", calls, "other/model", null),
            .. calls.Select(call => Result(call, call.Tool)),
        ]);

        string[] ids = ["same", "c2", "c3", "c4"];
        Assert.Equal(ids, Blocks(messages[1]).Select(block => block.GetProperty("id").GetString()));
        Assert.Equal(ids, Blocks(messages[2]).Select(block => block.GetProperty("tool_use_id").GetString()));
    }

    [Theory]
    [InlineData("read_file", """{"a":1}""", "read_file", """{"a":1}""")]
    [InlineData("", "", "unnamed", "{}")]
    [InlineData("a.b c", "{\"a\":", "a_b_c", "{}")]
    [InlineData("x", "[1]", "x", "{}")]
    public async Task A_call_that_was_wrong_is_sent_back_in_a_form_that_is_taken(
        string name,
        string arguments,
        string wireName,
        string wireArguments
    )
    {
        var messages = await MessagesAsync(
            User("Go."),
            new AssistantItem(1, "", "", [new ToolCall(new CallId("c1"), name, arguments)], "other/model", null)
        );

        var call = Blocks(messages[1])[0];
        Assert.Equal((wireName, wireArguments), (call.GetProperty("name").GetString(), call.GetProperty("input").GetRawText()));
    }

    [Fact]
    public async Task Images_are_sent_in_their_results_and_words_in_place_of_those_that_would_be_refused()
    {
        ImageContent[] images =
        [
            new("image/png", new BlobId("blob")),
            new("image/png", new BlobId("jpeg")),
            new("image/bmp", new BlobId("blob")),
            new("image/png", new BlobId("huge")),
            new("image/png", new BlobId("gone")),
            new("image/png", new BlobId("empty")),
        ];
        var failed = ToolResult.Failed("x", " ") with { Images = images };
        var messages = await MessagesAsync(
            User("Go."),
            new AssistantItem(2, "", "", [s_read, s_list], "other/model", null),
            new ResultItem(3, s_read.Id, null, "read_file", CallOutcome.Failed, failed),
            Result(s_list, "")
        );

        Assert.Equal(
            """
            [{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AQID"}},{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/4A=="}},{"type":"text","text":"[an image (image/bmp) that this model cannot be shown]"},{"type":"text","text":"[an image (image/png) that is too large to be shown]"},{"type":"text","text":"[an image (image/png) that is no longer there]"},{"type":"text","text":"[an image (image/png) that is no longer there]"}]},{"type":"tool_result","tool_use_id":"toolu_2"}]
            """,
            messages[2].GetProperty("content").GetRawText()
        );
    }

    [Fact]
    public async Task Fields_of_the_user_take_the_place_of_ours_and_a_limit_is_always_set()
    {
        var extra = JsonDocument.Parse("""{"max_tokens":7,"system":"mine","temperature":0.5,"metadata":{"user_id":"u"}}""");
        var body = await BodyAsync([User("Go.")], Options with { ExtraBody = extra.RootElement, MaxOutput = 5 });

        Assert.Equal(7, body.GetProperty("max_tokens").GetInt32());
        Assert.Equal("mine", body.GetProperty("system").GetString());
        Assert.Equal(0.5, body.GetProperty("temperature").GetDouble());
        Assert.Equal("u", body.GetProperty("metadata").GetProperty("user_id").GetString());
        Assert.Equal(32_000, (await BodyAsync([User("Go.")], Options)).GetProperty("max_tokens").GetInt32());
    }

    private static IReadOnlyList<JsonElement> Blocks(JsonElement message) => [.. message.GetProperty("content").EnumerateArray()];

    private static string? Type(JsonElement block) => block.GetProperty("type").GetString();
}
