using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Tests.OpenAI;

/// <summary>What one host wants and another refuses.</summary>
public sealed class ChatQuirkSpecs
{
    private static readonly ReasoningSetting s_off = new(IsOff: true);

    [Theory]
    [InlineData("https://api.openai.com/v1", "gpt-5", ReasoningEffort.Max, null, "\"reasoning_effort\":\"xhigh\"")]
    [InlineData("https://api.mistral.ai/v1", "m", ReasoningEffort.XHigh, null, "\"reasoning_effort\":\"high\"")]
    [InlineData("https://openrouter.ai/api/v1", "m", ReasoningEffort.Low, null, "\"reasoning\":{\"effort\":\"low\"}")]
    [InlineData("https://openrouter.ai/api/v1", "m", ReasoningEffort.Low, 9L, "\"reasoning\":{\"max_tokens\":9}")]
    [InlineData("https://dashscope.aliyuncs.com/v1", "m", null, 9L, "\"enable_thinking\":true,\"thinking_budget\":9")]
    [InlineData("https://dashscope-intl.aliyuncs.com/v1", "m", null, null, "\"enable_thinking\":true,")]
    [InlineData("https://api-inference.modelscope.cn/v1", "m", null, null, "\"enable_thinking\":true,")]
    [InlineData(
        "https://api.deepseek.com",
        "m",
        ReasoningEffort.Low,
        null,
        "\"thinking\":{\"type\":\"enabled\"},\"reasoning_effort\":\"high\""
    )]
    [InlineData("https://api.z.ai/api/paas/v4", "m", null, null, "\"thinking\":{\"type\":\"enabled\"},")]
    [InlineData("http://127.0.0.1:8000/v1", "m", ReasoningEffort.Medium, null, "\"reasoning_effort\":\"medium\"")]
    public async Task How_much_to_think_is_said_in_the_words_of_the_host(
        string address,
        string model,
        ReasoningEffort? effort,
        long? budget,
        string said
    )
    {
        Assert.Contains(said, await WriteAsync(address, model, new ReasoningSetting(effort, budget)));
    }

    [Theory]
    [InlineData("https://api.openai.com/v1", "\"reasoning_effort\":\"none\"")]
    [InlineData("https://openrouter.ai/api/v1", "\"reasoning\":{\"enabled\":false}")]
    [InlineData("https://dashscope.aliyuncs.com/v1", "\"enable_thinking\":false")]
    [InlineData("https://api.deepseek.com", "\"thinking\":{\"type\":\"disabled\"}")]
    public async Task And_so_is_that_it_should_not_think_at_all(string address, string said) =>
        Assert.Contains(said, await WriteAsync(address, "m", s_off));

    [Theory]
    [InlineData("https://api.mistral.ai/v1")] // has no word for it
    [InlineData("https://evil.test/dashscope.aliyuncs.com/v1?modelscope.cn")] // only a host is a host
    public async Task A_host_that_has_no_word_for_it_is_told_nothing(string address)
    {
        var body = await WriteAsync(address, "m", s_off);

        Assert.DoesNotContain("enable_thinking", body);
        Assert.DoesNotContain("thinking", body);
    }

    [Fact]
    public async Task What_the_user_sets_for_the_body_is_not_said_twice()
    {
        using var sampling = JsonDocument.Parse("""{"temperature":0.2,"enable_thinking":false,"max_tokens":7}""");
        using var extra = JsonDocument.Parse("""{"temperature":0.9}""");
        var options = ChatAsked.Options(new Uri("https://dashscope.aliyuncs.com/v1")) with
        {
            MaxOutput = 100,
            Reasoning = new ReasoningSetting(),
            Sampling = sampling.RootElement,
            ExtraBody = extra.RootElement,
        };

        var body = JsonDocument.Parse(await WriteAsync(options, "m")).RootElement;

        Assert.Equal(0.9, body.GetProperty("temperature").GetDouble());
        Assert.False(body.GetProperty("enable_thinking").GetBoolean());
        Assert.Equal(7, body.GetProperty("max_tokens").GetInt32());
        Assert.Equal(body.EnumerateObject().Count(), body.EnumerateObject().Select(field => field.Name).Distinct().Count());
    }

    [Fact]
    public async Task Where_a_cache_must_be_marked_the_system_and_the_end_are()
    {
        var dashScope = ChatAsked.Options(new Uri("https://dashscope.aliyuncs.com/v1"));
        var call = new ToolCall(new CallId("c1"), "read_file", "{}", "call_1");
        ContextItem[] items =
        [
            new UserItem(1, [new TextContent("Go.")]),
            new AssistantItem(2, "", "", [call], "openai/m", null),
            new ResultItem(3, call.Id, "call_1", "read_file", CallOutcome.Succeeded, ToolResult.Ok("class A;")),
        ];

        var body = await WriteAsync(dashScope, "m", items);

        const string mark = "\"cache_control\":{\"type\":\"ephemeral\"}";
        Assert.Contains($$"""[{"type":"text","text":"You are a test.",{{mark}}}]""", body);
        Assert.Contains($$"""[{"type":"text","text":"class A;",{{mark}}}]""", body);
        Assert.Contains("\"content\":\"Go.\"", body);
        Assert.DoesNotContain("cache_control", await WriteAsync(dashScope with { CacheControl = false }, "m", items));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Reasoning_in_a_tag_at_the_beginning_is_reasoning(int size)
    {
        Assert.Equal(
            ("Hm. <b> </thin", "Yes, </think> too."),
            Take("\n <think>Hm. <b> </thin</think>\n\nYes, </think> too.", size)
        );
        Assert.Equal(("", "Yes. <think>no</think>"), Take("Yes. <think>no</think>", size));
        Assert.Equal(("", " <thin"), Take(" <thin", size));
        Assert.Equal(("never closed </thi", ""), Take("<think>never closed </thi", size));
        Assert.Equal(("", ""), Take("<think></think>\n", size));
    }

    [Fact]
    public async Task Reasoning_that_came_in_a_tag_goes_back_in_one_to_the_same_model()
    {
        using var data = JsonDocument.Parse("""{"reasoning_field":"<think>"}""");
        AssistantItem Said(string by) => new(1, "Yes.", "Hm.", [], by, data.RootElement);
        var options = ChatAsked.Options(new Uri("https://api.minimax.io/v1"));

        Assert.Contains("\"content\":\"<think>Hm.</think>\\n\\nYes.\"", await WriteAsync(options, "m", [Said("openai/m")]));
        Assert.Contains("\"content\":\"Yes.\"", await WriteAsync(options, "m", [Said("openai/other")]));
    }

    private static (string, string) Take(string text, int size)
    {
        var (tag, reasoning, said) = (new ThinkTag(), new StringBuilder(), new StringBuilder());
        foreach (var piece in text.Chunk(size).Select(letters => new string(letters)))
        {
            Say(tag.Take(piece));
        }

        Say(tag.Take("", isLast: true));
        return (reasoning.ToString(), said.ToString());

        void Say((string Reasoning, string Text) taken)
        {
            reasoning.Append(taken.Reasoning);
            said.Append(taken.Text);
        }
    }

    private static Task<string> WriteAsync(string address, string model, ReasoningSetting reasoning) =>
        WriteAsync(ChatAsked.Options(new Uri(address)) with { Reasoning = reasoning }, model);

    private static async Task<string> WriteAsync(EndpointOptions options, string model, params ContextItem[] items)
    {
        var output = new PooledBuffer();
        await ChatWire
            .Speak(options, model)
            .WriteAsync(Asked.Request(items) with { Model = model }, output, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(output.Written.Span);
    }
}
