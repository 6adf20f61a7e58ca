using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Tests.OpenAI;

/// <summary>What endpoints really send, beyond what is documented.</summary>
public sealed class ChatAnswerSpecs
{
    private const string Done = "data: [DONE]\n\n";

    [Fact]
    public async Task Calls_without_an_index_are_told_apart_by_their_ids()
    {
        var asked = await AskAsync(
            Call("""{"id":"a","function":{"name":"one","arguments":"{\"x\":"}}"""),
            Call("""{"function":{"arguments":"1}"}}"""),
            Call("""{"id":"b","function":{"name":"two","arguments":"{}"}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, ("a", "one", """{"x":1}"""), ("b", "two", "{}"));
    }

    [Fact]
    public async Task Calls_without_index_and_id_are_told_apart_by_their_names()
    {
        var asked = await AskAsync(
            Call("""{"function":{"name":"one","arguments":"{}"}}"""),
            Call("""{"function":{"name":"one","arguments":"{\"x\":"}}"""),
            Call("""{"function":{"name":"one","arguments":"1}"}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, (null, "one", "{}"), (null, "one", """{"x":1}"""));
    }

    [Fact]
    public async Task An_index_that_comes_with_another_id_is_another_call()
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{\"x\":1}"}}"""),
            Call("""{"index":0,"id":"b","function":{"name":"two","arguments":"{\"y\":"}}"""),
            Call("""{"index":0,"function":{"arguments":"2}"}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, ("a", "one", """{"x":1}"""), ("b", "two", """{"y":2}"""));
    }

    [Fact]
    public async Task Interleaved_calls_keep_their_pieces()
    {
        var asked = await AskAsync(
            Call("""{"index":1,"id":"b","type":"function","function":{"name":"two","arguments":""}}"""),
            Call("""{"index":0,"id":"a","type":"","function":{"name":"one","arguments":"{"}}"""),
            Call("""{"index":1,"type":"","function":{"name":"","arguments":"{\"s\":\"}\""}}"""),
            Call("""{"index":0,"id":"","function":{"arguments":"}"}}"""),
            Call("""{"index":1,"id":null,"function":{"name":null,"arguments":"}"}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, ("b", "two", """{"s":"}"}"""), ("a", "one", "{}"));
    }

    [Fact]
    public async Task Arguments_as_an_object_are_taken_as_their_text()
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":{"x": [1, 2]}}}"""),
            Call("""{"index":1,"id":"b","function":{"name":"two","arguments":null}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, ("a", "one", """{"x": [1, 2]}"""), ("b", "two", ""));
    }

    [Fact]
    public async Task A_repeated_name_is_said_once_and_a_name_in_parts_is_put_together()
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"read_file","arguments":""}}"""),
            Call("""{"index":0,"id":"a","function":{"name":"read_file","arguments":"{\"x\":"}}"""),
            Call("""{"index":0,"id":"a","function":{"name":"read_file","arguments":"1}"}}"""),
            Call("""{"index":1,"id":"b","function":{"name":"write_"}}"""),
            Call("""{"index":1,"function":{"name":"file","arguments":"{}"}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, ("a", "read_file", """{"x":1}"""), ("b", "write_file", "{}"));
    }

    [Fact]
    public async Task A_call_that_is_said_twice_is_made_once()
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{}"}}"""),
            Call("""{"index":1,"id":"a","function":{"name":"one","arguments":"{}"}}"""),
            Finish("tool_calls"),
            Done
        );

        AssertCalls(asked, ("a", "one", "{}"));
    }

    [Fact]
    public async Task Two_different_calls_with_one_id_and_a_call_without_a_name_must_not_run()
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{}"}}"""),
            Call("""{"index":1,"id":"a","function":{"name":"two","arguments":"{}"}}"""),
            Call("""{"index":2,"id":"c","function":{"arguments":"{}"}}"""),
            Finish("tool_calls"),
            Done
        );

        Assert.Equal(
            [
                null,
                "Two different calls came with the id a: make this one again.",
                "The call has no name: say which tool is meant.",
            ],
            asked.Calls.Select(call => call.Problem)
        );
    }

    [Theory]
    [InlineData("""{\"path\":\"a\",\"content\":\"hel""")]
    [InlineData("""{\"path\":\"a\"}""")]
    public async Task A_call_at_the_output_limit_must_not_run(string arguments)
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{}"}}"""),
            Call($$$"""{"index":1,"id":"b","function":{"name":"two","arguments":"{{{arguments}}}"}}"""),
            Finish("length"),
            Done
        );

        Assert.Equal(StopReason.OutputLimit, asked.Finished!.Stop);
        Assert.Equal(
            [null, "The answer was cut before this call was whole: make it again, in smaller parts."],
            asked.Calls.Select(c => c.Problem)
        );
    }

    [Fact]
    public async Task Arguments_that_are_not_whole_must_not_run_whatever_the_reason_to_finish()
    {
        var asked = await AskAsync(
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{\"x\":"}}"""),
            Finish("tool_calls"),
            Done
        );

        Assert.Equal("The arguments of this call are not whole: make it again.", Assert.Single(asked.Calls).Problem);
    }

    [Fact]
    public async Task The_old_function_call_is_a_call()
    {
        var asked = await AskAsync(
            Delta("""{"function_call":{"name":"one","arguments":"{"}}"""),
            Delta("""{"function_call":{"arguments":"}"}}"""),
            Finish("function_call"),
            Done
        );

        AssertCalls(asked, (null, "one", "{}"));
    }

    [Theory]
    [InlineData("\"stop\"", StopReason.Done)]
    [InlineData("\"banana\"", StopReason.Done)]
    [InlineData("\"length\"", StopReason.OutputLimit)]
    [InlineData("\"content_filter\"", StopReason.Filtered)]
    public async Task Every_reason_to_finish_ends_an_answer(string reason, StopReason stop)
    {
        var asked = await AskAsync(Text("Hi."), Delta("{}", reason));

        Assert.Equal("Hi.", asked.Text);
        Assert.Equal(stop, asked.Finished!.Stop);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("null")]
    public async Task The_end_mark_alone_ends_an_answer_that_said_something(string reason)
    {
        Assert.NotNull((await AskAsync(Text("Hi."), Delta("{}", reason), Done)).Finished);
        Assert.NotNull((await AskAsync(Text("Hi."), Delta("{}", reason), "data: [DONE]")).Finished);
        Assert.Equal(ModelFailure.StreamCut, (await AskAsync(Text("Hi."), Delta("{}", reason))).Failure!.Failure);
    }

    [Fact]
    public async Task The_end_mark_alone_does_not_make_a_broken_call_whole()
    {
        var asked = await AskAsync(Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{\"x"}}"""), Done);

        Assert.Equal(ModelFailure.StreamCut, asked.Failure!.Failure);
        Assert.Empty(asked.Calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("data: [DONE]\n\n")]
    [InlineData(": alive\n\ndata: [DONE]\n\n")]
    [InlineData("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n")]
    public async Task An_answer_that_says_nothing_is_no_answer(string stream)
    {
        var failure = (await AskAsync(stream)).Failure!;

        Assert.True(failure.IsRetryable);
        Assert.Equal(stream.Length == 0 ? ModelFailure.StreamCut : ModelFailure.StreamError, failure.Failure);
    }

    [Fact]
    public async Task Calls_that_the_endpoint_made_itself_are_over_when_text_follows()
    {
        Assert.Equal("It rains.", (await AskAsync(Text("It rains."), Finish("tool_calls"), Done)).Text);
    }

    [Fact]
    public async Task An_empty_answer_with_a_reason_to_stop_is_the_models_own_silence()
    {
        Assert.Empty((await AskAsync(Finish("stop"), Done)).Text);
    }

    [Theory]
    [InlineData("""{"error":{"message":"Boom.","type":"server_error"}}""", ModelFailure.Overloaded)]
    [InlineData("""{"error":{"message":"Boom."}}""", ModelFailure.StreamError)]
    [InlineData("""{"error":"Boom."}""", ModelFailure.StreamError)]
    [InlineData("""{"object":"error","message":"Boom.","code":400}""", ModelFailure.StreamError)]
    [InlineData("""{"code":"Throttling.RateQuota","message":"Too many requests. Boom."}""", ModelFailure.RateLimited)]
    [InlineData("""{"error":{"message":"Boom.","code":"insufficient_quota"}}""", ModelFailure.QuotaExhausted)]
    [InlineData("""{"error":{"message":"Boom.","code":"context_length_exceeded"}}""", ModelFailure.ContextOverflow)]
    [InlineData(
        """{"error":{"message":"Boom.","code":429},"choices":[{"delta":{},"finish_reason":"error"}]}""",
        ModelFailure.RateLimited
    )]
    public async Task An_error_inside_the_stream_is_an_error(string error, ModelFailure failure)
    {
        var asked = await AskAsync(Text("Let me "), $"data: {error}\n\n", Done);

        Assert.Equal("Let me ", asked.Text);
        Assert.Equal(failure, asked.Failure!.Failure);
        Assert.EndsWith("Boom.", asked.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("Let me ", Encoding.UTF8.GetString(asked.Failure.Raw.Span));
    }

    [Fact]
    public async Task An_event_named_error_is_an_error()
    {
        var asked = await AskAsync("event: error\ndata: {\"message\":\"Boom.\"}\n\n");

        Assert.Equal("openai (model.test) broke off its answer with an error. It says: Boom.", asked.Failure!.Message);
    }

    [Theory]
    [InlineData("error", ModelFailure.StreamError)]
    [InlineData("network_error", ModelFailure.StreamError)]
    [InlineData("abort", ModelFailure.StreamCut)]
    public async Task A_reason_that_means_failure_is_one(string reason, ModelFailure failure)
    {
        Assert.Equal(failure, (await AskAsync(Text("Hi."), Finish(reason), Done)).Failure!.Failure);
    }

    [Fact]
    public async Task Null_fields_missing_ids_comments_and_keep_alives_are_passed_over()
    {
        var asked = await AskAsync(
            ": OPENROUTER PROCESSING\n\n",
            "data:\n\n",
            """data: {"choices":null}""" + "\n\n",
            """data: {"choices":[]}""" + "\n\n",
            """data: {"choices":[{"delta":null}]}""" + "\n\n",
            """data: {"error":null,"choices":[{"index":0,"delta":{"content":null,"tool_calls":null,"reasoning":null}}]}"""
                + "\n\n",
            """data: {"choices":[{"index":1,"delta":{"content":"another answer"}}]}""" + "\n\n",
            "event: message\nid: 7\ndata: {\"choices\":[{\"delta\":{\"content\":\"Hi.\"}}]}\n\n",
            Finish("stop"),
            "data:[DONE]\n\n"
        );

        Assert.Equal("Hi.", asked.Text);
    }

    [Theory]
    [InlineData(
        """{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_cache_hit_tokens":5}}""",
        7,
        3,
        5,
        null
    )]
    [InlineData(
        """{"choices":[{"delta":{},"usage":{"prompt_tokens":7,"completion_tokens":3,"cached_tokens":5}}]}""",
        7,
        3,
        5,
        null
    )]
    [InlineData(
        """{"choices":[],"usage":{"prompt_tokens":"7","completion_tokens":3.0,"completion_tokens_details":null}}""",
        7,
        3,
        null,
        null
    )]
    [InlineData("""{"x_groq":{"usage":{"prompt_tokens":7,"completion_tokens":3}}}""", 7, 3, null, null)]
    [InlineData("""{"usage":{"prompt_tokens":null,"completion_tokens_details":{"reasoning_tokens":2}}}""", null, null, null, 2)]
    public async Task Usage_is_found_wherever_it_is(string chunk, int? input, int? output, int? cached, int? reasoning)
    {
        var asked = await AskAsync(Text("Hi."), Finish("stop"), $"data: {chunk}\n\n", Done);

        Assert.Equal(new Usage(input, output, cached, reasoning), asked.Finished!.Usage);
    }

    [Fact]
    public async Task Reasoning_under_both_names_is_said_once_and_its_field_is_remembered()
    {
        var asked = await AskAsync(
            Delta("""{"reasoning":"Hm. ","reasoning_content":"Hm. "}"""),
            Delta("""{"reasoning_content":"Yes."}"""),
            Text("Yes."),
            Finish("stop"),
            Done
        );

        Assert.Equal("Hm. Yes.", asked.Reasoning);
        Assert.Equal("""{"reasoning_field":"reasoning_content"}""", asked.Finished!.ProviderData.ToString());
    }

    [Fact]
    public async Task Reasoning_details_are_put_together_block_by_block()
    {
        var asked = await AskAsync(
            Delta("""{"reasoning_details":[{"type":"reasoning.text","text":"Hm","format":"f","index":0}]}"""),
            Delta("""{"reasoning_details":[{"type":"reasoning.text","text":".","format":"f","index":0}]}"""),
            Delta("""{"reasoning_details":[{"type":"reasoning.text","signature":"SIG","format":"f","index":0}]}"""),
            Delta("""{"reasoning_details":[{"type":"reasoning.encrypted","data":"AB","index":1}]}"""),
            Text("Yes."),
            Finish("stop"),
            Done
        );

        Assert.Equal("Hm.", asked.Reasoning);
        Assert.True(
            JsonElement.DeepEquals(
                JsonDocument
                    .Parse(
                        """
                        {"reasoning_details":[
                          {"type":"reasoning.text","text":"Hm.","format":"f","index":0,"signature":"SIG"},
                          {"type":"reasoning.encrypted","data":"AB","index":1}]}
                        """
                    )
                    .RootElement,
                asked.Finished!.ProviderData!.Value
            )
        );
    }

    [Fact]
    public async Task A_letter_torn_between_two_chunks_is_whole_again()
    {
        var asked = await AskAsync(
            Delta("""{"content":"a\ud83d"}"""),
            Delta("""{"content":"\ude00\n\"b"}"""),
            Call("""{"index":0,"id":"a","function":{"name":"one","arguments":"{\"x\":\"\ud83d"}}"""),
            Call("""{"index":0,"function":{"arguments":"\ude00\"}"}}"""),
            Finish("tool_calls"),
            Done
        );

        Assert.Equal("a😀\n\"b", asked.Text);
        Assert.Equal("""{"x":"😀"}""", Assert.Single(asked.Calls).Arguments);
        Assert.All(asked.Events.OfType<TextDelta>(), said => Assert.DoesNotContain('\uFFFD', said.Text));
    }

    [Fact]
    public async Task A_refusal_is_text()
    {
        Assert.Equal("I cannot.", (await AskAsync(Delta("""{"refusal":"I cannot."}"""), Finish("stop"), Done)).Text);
    }

    [Fact]
    public async Task A_whole_document_in_place_of_a_stream_is_understood()
    {
        var asked = await AskAsync(
            """
            {"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"Hi.","reasoning_content":"Hm.",
            "tool_calls":[{"id":"a","type":"function","function":{"name":"one","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":7,"completion_tokens":3}}
            """
        );

        Assert.Equal(("Hi.", "Hm."), (asked.Text, asked.Reasoning));
        AssertCalls(asked, ("a", "one", "{}"));
        Assert.Equal(new Usage(7, 3), asked.Finished!.Usage);
    }

    [Theory]
    [InlineData("""{"choices":[{"message":{"content":"Hi""", ModelFailure.StreamCut)]
    [InlineData("""{"error":{"message":"Boom."}}""", ModelFailure.StreamError)]
    [InlineData("<!doctype html><html><body>Sign in</body></html>", ModelFailure.InvalidRequest)]
    [InlineData("data: {\"choices\":[\n\n", ModelFailure.StreamError)]
    [InlineData("data: <html>\n\n", ModelFailure.StreamError)]
    [InlineData("data: \"text\"\n\n", ModelFailure.StreamCut)]
    [InlineData("hello there", ModelFailure.StreamCut)]
    [InlineData("[]", ModelFailure.StreamError)]
    [InlineData("   \n ", ModelFailure.StreamCut)]
    public async Task What_is_no_answer_is_a_failure(string body, ModelFailure failure)
    {
        Assert.Equal(failure, (await AskAsync(body)).Failure!.Failure);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_a_failure()
    {
        byte[] bad = [.. "data: {\"choices\":[{\"delta\":{\"content\":\""u8, 0xff, 0xfe, .. "\"}}]}\n\n"u8];

        Assert.Equal(ModelFailure.StreamError, (await ChatAsked.AskAsync(bad)).Failure!.Failure);
    }

    [Fact]
    public async Task A_gigantic_chunk_is_taken_and_an_endless_one_refused()
    {
        var text = new string('x', 5_000_000);
        Assert.Equal(text.Length, (await AskAsync(Text(text), Finish("stop"), Done)).Text.Length);

        var endless = (await AskAsync(Text(new string('x', 17_000_000)))).Failure!;
        Assert.Equal(ModelFailure.StreamError, endless.Failure);
        Assert.InRange(endless.Raw.Length, 200_000, 256 * 1024);
    }

    private static Task<Asked> AskAsync(params string[] wire) => ChatAsked.AskAsync(string.Concat(wire));

    private static string Delta(string delta, string finish = "null") =>
        $$"""data: {"choices":[{"index":0,"delta":{{delta}},"finish_reason":{{finish}}}]}""" + "\n\n";

    private static string Call(string call) => Delta($$"""{"tool_calls":[{{call}}]}""");

    private static string Text(string text) => Delta($$"""{"content":"{{text}}"}""");

    private static string Finish(string reason) => Delta("{}", $"\"{reason}\"");

    private static void AssertCalls(Asked asked, params (string?, string, string)[] expected)
    {
        Assert.Null(asked.Failure);
        Assert.Equal(expected, asked.Calls.Select(call => (call.ProviderId, call.Name, call.Arguments)));
        Assert.All(asked.Calls, call => Assert.Null(call.Problem));
    }
}
