using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Tests.Google;

/// <summary>Signatures go back on exactly the part they came with, to the model that made them, and to nobody else.</summary>
public sealed class GeminiSignatureSpecs
{
    private const string Model = "gemini-3-pro-preview";
    private const string Dummy = "skip_thought_signature_validator";

    private static readonly UserItem s_go = new(1, [new TextContent("Go.")]);

    [Fact]
    public async Task What_a_model_said_goes_back_in_its_parts_with_their_signatures()
    {
        var item = await SaidAsync(
            GeminiAsked.Parts("""{"text":"Let me ","thought":true},{"text":"see.","thought":true,"thoughtSignature":"T1"}"""),
            GeminiAsked.Parts("""{"text":"I "},{"text":"look"}"""),
            GeminiAsked.Parts("""{"text":" 😀.","thoughtSignature":"S1"},{"text":"Now."}"""),
            GeminiAsked.Parts("""{"functionCall":{"name":"a","args":{"x":1}},"thoughtSignature":"C1"}"""),
            GeminiAsked.Parts("""{"functionCall":{"name":"b"}},{"text":" After."}"""),
            GeminiAsked.Parts("""{"text":"","thoughtSignature":"E1"}""", "STOP")
        );

        Assert.Equal(("I look 😀.Now. After.", "Let me see."), (item.Text, item.Reasoning));
        Assert.Equal(
            """
            model [{"text":"see.","thought":true,"thoughtSignature":"T1"},{"text":"I look"},{"text":" 😀.","thoughtSignature":"S1"},{"text":"Now."},{"functionCall":{"name":"a","args":{"x":1}},"thoughtSignature":"C1"},{"functionCall":{"name":"b","args":{}}},{"text":" After."},{"text":"","thoughtSignature":"E1"}]
            """,
            Unescaped((await GeminiAsked.ContentsAsync([s_go, item], Model))[1])
        );
    }

    [Theory]
    [InlineData("gemini/gemini-3-flash-preview", Model, Dummy)]
    [InlineData("openrouter/gemini-3-pro-preview", Model, Dummy)]
    [InlineData("gemini/gemini-3-pro-preview", "gemini-2.5-pro", null)]
    [InlineData("gemini/gemini-3-pro-preview", "gemini-flash-latest", Dummy)]
    [InlineData("gemini/gemini-3-pro-preview", "gemma-4", null)]
    public async Task Another_model_gets_no_signature_but_the_one_that_excuses_its_absence_where_it_demands_one(
        string author,
        string asked,
        string? signature
    )
    {
        var item = await SaidAsync(
            GeminiAsked.Parts(
                """{"text":"Hm.","thought":true,"thoughtSignature":"T1"},{"text":"I look.","thoughtSignature":"S1"}"""
            ),
            GeminiAsked.Parts(
                """{"functionCall":{"id":"1","name":"a"},"thoughtSignature":"C1"},{"functionCall":{"name":"b"}}""",
                "STOP"
            )
        );

        var end = signature is null ? "" : $",\"thoughtSignature\":\"{signature}\"";
        Assert.Equal(
            $$$$"""model [{"text":"I look."},{"functionCall":{"name":"a","args":{}}{{{{end}}}}},{"functionCall":{"name":"b","args":{}}}]""",
            (await GeminiAsked.ContentsAsync([s_go, item with { Model = author }], asked))[1]
        );
    }

    [Fact]
    public async Task A_first_call_that_its_own_model_left_unsigned_is_excused_too()
    {
        var item = await SaidAsync(GeminiAsked.Parts("""{"functionCall":{"name":"a"}},{"functionCall":{"name":"b"}}""", "STOP"));

        Assert.Null(item.ProviderData);
        Assert.Equal(
            $$$$"""model [{"functionCall":{"name":"a","args":{}},"thoughtSignature":"{{{{Dummy}}}}"},{"functionCall":{"name":"b","args":{}}}]""",
            (await GeminiAsked.ContentsAsync([s_go, item], Model))[1]
        );
    }

    [Theory]
    [InlineData("""{"parts":[{"text":3,"signature":"S"},{"call":0,"signature":"C"}]}""")]
    [InlineData("""{"parts":[{"text":99},{"call":0,"signature":"C"},{"call":7,"signature":"D"}]}""")]
    [InlineData("""{"parts":[{"text":-1},{"call":0,"signature":"C"},null,[],{"call":"x"}]}""")]
    public async Task Parts_that_do_not_fit_the_words_in_the_log_cost_their_order_but_not_the_signatures_of_calls(string data)
    {
        var item = new AssistantItem(
            2,
            "I look.",
            "",
            [Call("a"), Call("b")],
            $"gemini/{Model}",
            JsonDocument.Parse(data).RootElement
        );

        Assert.Equal(
            """model [{"text":"I look."},{"functionCall":{"name":"a","args":{}},"thoughtSignature":"C"},{"functionCall":{"name":"b","args":{}}}]""",
            (await GeminiAsked.ContentsAsync([s_go, item], Model))[1]
        );
    }

    [Fact]
    public async Task A_signature_without_words_is_one_of_an_empty_text()
    {
        var item = await SaidAsync(GeminiAsked.Parts("""{"text":"Hi."},{"thoughtSignature":"S"}""", "STOP"));

        Assert.Equal(
            """model [{"text":"Hi."},{"text":"","thoughtSignature":"S"}]""",
            (await GeminiAsked.ContentsAsync([s_go, item], Model))[1]
        );
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("""{"parts":{}}""")]
    [InlineData("""{"reasoning_field":"reasoning"}""")]
    public async Task Data_of_another_shape_is_no_data(string data)
    {
        var item = new AssistantItem(2, "Hi.", "", [], $"gemini/{Model}", JsonDocument.Parse(data).RootElement);

        Assert.Equal("""model [{"text":"Hi."}]""", (await GeminiAsked.ContentsAsync([s_go, item], Model))[1]);
    }

    [Fact]
    public async Task A_call_that_was_said_twice_keeps_the_numbers_of_the_others_right()
    {
        var item = await SaidAsync(
            GeminiAsked.Parts("""{"functionCall":{"id":"1","name":"a"},"thoughtSignature":"A"}"""),
            GeminiAsked.Parts("""{"functionCall":{"id":"1","name":"a"},"thoughtSignature":"A"}"""),
            GeminiAsked.Parts("""{"functionCall":{"id":"2","name":"b"},"thoughtSignature":"B"}""", "STOP")
        );

        Assert.Equal(
            """model [{"functionCall":{"id":"1","name":"a","args":{}},"thoughtSignature":"A"},{"functionCall":{"id":"2","name":"b","args":{}},"thoughtSignature":"B"}]""",
            (await GeminiAsked.ContentsAsync([s_go, item], Model))[1]
        );
    }

    private static ToolCall Call(string name) => new(new CallId($"call-{name}"), name, "{}");

    /// <summary>The message that the log would hold after this answer.</summary>
    private static async Task<AssistantItem> SaidAsync(params string[] chunks)
    {
        var asked = await GeminiAsked.AnswerAsync(chunks);
        Assert.Null(asked.Failure);
        return new AssistantItem(
            2,
            asked.Text,
            asked.Reasoning,
            [.. asked.Calls.Select((call, at) => new ToolCall(new CallId($"c{at}"), call.Name, call.Arguments, call.ProviderId))],
            $"gemini/{Model}",
            asked.Finished!.ProviderData
        );
    }

    private static string Unescaped(string content) => content.Replace("\\uD83D\\uDE00", "😀");
}
