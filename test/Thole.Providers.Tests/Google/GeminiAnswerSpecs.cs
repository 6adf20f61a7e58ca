using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Tests.Google;

/// <summary>What Gemini, and servers that speak like it, really send.</summary>
public sealed class GeminiAnswerSpecs
{
    private const string End = """{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP","index":0}]}""";

    [Theory]
    [InlineData("""{"name":"a","args":{"x": [1]}}""", """{"x": [1]}""")]
    [InlineData("""{"name":"a","args":"{\"x\":1}"}""", """{"x":1}""")]
    [InlineData("""{"name":"a","args":"{\"x\":"}""", """{"x":""")]
    [InlineData("""{"name":"a","args":[1]}""", "[1]")]
    [InlineData("""{"name":"a","args":null}""", "{}")]
    [InlineData("""{"name":"a"}""", "{}")]
    [InlineData("""{"name":"a","id":7,"willContinue":"x","partialArgs":null}""", "{}")]
    public async Task Arguments_come_as_an_object_as_text_or_not_at_all(string call, string arguments)
    {
        var asked = await GeminiAsked.AnswerAsync(GeminiAsked.Parts($$"""{"functionCall":{{call}}}"""), End);

        Assert.Equal([new CallProposed(null, "a", arguments)], asked.Calls);
    }

    [Fact]
    public async Task Streamed_arguments_are_put_together()
    {
        var asked = await GeminiAsked.AnswerAsync(
            Call("""{"name":"a","id":"1","willContinue":true}"""),
            Call("""{"partialArgs":[{"jsonPath":"$.list[0].s","stringValue":"one ","willContinue":true}],"willContinue":true}"""),
            Call("""{"partialArgs":[{"jsonPath":"$.list[0].s","stringValue":"\"two\" 😀"}],"willContinue":true}"""),
            Call("""{"willContinue":true}"""),
            Call(
                """{"partialArgs":[{"jsonPath":"$.list[1]","numberValue":5},{"jsonPath":"$['a.b']","boolValue":true}],"willContinue":true}"""
            ),
            Call(
                """{"partialArgs":[{"jsonPath":"$.n","nullValue":"NULL_VALUE"},{"jsonPath":"$[\"q\\\"\"].x","numberValue":0.50}],"willContinue":true}"""
            ),
            Call("{}"),
            Call("""{"name":"a","willContinue":true}"""),
            Call("""{"partialArgs":[{"jsonPath":"$.s","stringValue":"x"},{"jsonPath":"$.s","stringValue":"y"}]}"""),
            Call("""{"name":"b"}"""),
            End
        );

        Assert.Equal(
            [
                new CallProposed(
                    "1",
                    "a",
                    """{"list":[{"s":"one \"two\" \uD83D\uDE00"},5],"a.b":true,"n":null,"q\"":{"x":0.50}}"""
                ),
                new CallProposed(null, "a", """{"s":"y"}"""),
                new CallProposed(null, "b", "{}"),
            ],
            asked.Calls
        );
    }

    [Theory]
    [InlineData("""{"stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"x","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$..x","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$[0]","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.a[1000000000]","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.a[99999999999]","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.a[-1]","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.a[*]","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.a[0","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$['a","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$['a\\","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.known.x","stringValue":"x"}""")]
    [InlineData("""{"jsonPath":"$.a"}""")]
    [InlineData("""{"jsonPath":"$.a","stringValue":{}}""")]
    [InlineData("7")]
    public async Task Streamed_arguments_that_make_no_sense_must_not_run(string part)
    {
        var asked = await GeminiAsked.AnswerAsync(
            Call("""{"name":"a","partialArgs":[{"jsonPath":"$.known","stringValue":"x"}],"willContinue":true}"""),
            Call($$"""{"partialArgs":[{{part}}]}"""),
            End
        );

        Assert.Equal("The arguments of this call are not whole: make it again.", Assert.Single(asked.Calls).Problem);
    }

    [Fact]
    public async Task A_path_that_is_too_deep_must_not_run() =>
        await Streamed_arguments_that_make_no_sense_must_not_run(
            $$"""{"jsonPath":"$.a{{string.Concat(Enumerable.Repeat("[0]", 1000))}}","stringValue":"x"}"""
        );

    [Fact]
    public async Task A_call_whose_arguments_never_ended_must_not_run()
    {
        var asked = await GeminiAsked.AnswerAsync(
            Call("""{"name":"a","willContinue":true}"""),
            Call("""{"name":"b","willContinue":true}"""),
            End
        );

        Assert.All(asked.Calls, call => Assert.Equal("The arguments of this call are not whole: make it again.", call.Problem));
        Assert.Equal(["a", "b"], asked.Calls.Select(call => call.Name));
    }

    [Fact]
    public async Task A_call_without_a_name_and_two_with_one_id_must_not_run_and_one_said_twice_is_made_once()
    {
        var asked = await GeminiAsked.AnswerAsync(
            Call("""{"args":{"x":1}}"""),
            Call("""{"id":"1","name":"a"}"""),
            Call("""{"id":"1","name":"a","args":{}}"""),
            Call("""{"id":"1","name":"b"}"""),
            Call("{}"),
            Call("null"),
            Call("\"x\""),
            End
        );

        Assert.Equal(["", "a", "b"], asked.Calls.Select(call => call.Name));
        Assert.Equal(
            [
                "The call has no name: say which tool is meant.",
                null,
                "Two different calls came with the id 1: make this one again.",
            ],
            asked.Calls.Select(call => call.Problem)
        );
    }

    [Fact]
    public async Task Calls_without_ids_that_are_alike_are_two()
    {
        var asked = await GeminiAsked.AnswerAsync(Call("""{"name":"a"}"""), Call("""{"name":"a"}"""), End);

        Assert.Equal(2, asked.Calls.Count);
    }

    [Theory]
    [InlineData("STOP", StopReason.Done, true)]
    [InlineData("stop", StopReason.Done, true)]
    [InlineData("SOMETHING_NEW", StopReason.Done, true)]
    [InlineData("UNEXPECTED_TOOL_CALL", StopReason.Done, true)]
    [InlineData("MAX_TOKENS", StopReason.OutputLimit, false)]
    [InlineData("SAFETY", StopReason.Filtered, false)]
    [InlineData("RECITATION", StopReason.Filtered, false)]
    [InlineData("LANGUAGE", StopReason.Filtered, false)]
    [InlineData("BLOCKLIST", StopReason.Filtered, false)]
    [InlineData("PROHIBITED_CONTENT", StopReason.Filtered, false)]
    [InlineData("SPII", StopReason.Filtered, false)]
    public async Task A_reason_says_how_it_ended_and_whether_the_last_call_is_what_was_meant(
        string reason,
        StopReason stop,
        bool runs
    )
    {
        var asked = await GeminiAsked.AnswerAsync(
            Call("""{"name":"a"}"""),
            GeminiAsked.Parts("""{"functionCall":{"name":"b"}}""", reason)
        );

        Assert.Equal(stop, asked.Finished!.Stop);
        Assert.Equal([true, runs], asked.Calls.Select(call => call.Problem is null));
    }

    [Theory]
    [InlineData("OTHER", ModelFailure.StreamError)]
    [InlineData("MALFORMED_FUNCTION_CALL", ModelFailure.StreamError)]
    [InlineData("MISSING_THOUGHT_SIGNATURE", ModelFailure.StreamError)]
    [InlineData("TOO_MANY_TOOL_CALLS", ModelFailure.StreamError)]
    [InlineData("FINISH_REASON_UNSPECIFIED", ModelFailure.StreamCut)]
    public async Task What_went_wrong_in_the_model_is_asked_anew_and_no_call_is_made(string reason, ModelFailure failure)
    {
        var asked = await GeminiAsked.AnswerAsync(
            GeminiAsked.Parts("""{"text":"I look."},{"functionCall":{"name":"a"}}"""),
            GeminiAsked.Parts("", reason)
        );

        Assert.Equal((failure, true), (asked.Failure!.Failure, asked.Failure.IsRetryable));
        Assert.Empty(asked.Calls);
    }

    [Theory]
    [InlineData("""{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}""", ModelFailure.StreamError)]
    [InlineData(
        """{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4}}""",
        ModelFailure.ContentRefused
    )]
    [InlineData("""{"promptFeedback":{"blockReason":"OTHER"},"candidates":[]}""", ModelFailure.ContentRefused)]
    [InlineData("""{"candidates":[{"content":{},"finishReason":"SAFETY","safetyRatings":[]}]}""", ModelFailure.ContentRefused)]
    [InlineData(
        """{"promptFeedback":{"safetyRatings":[]},"candidates":[{"content":{"role":"model"}}]}""",
        ModelFailure.StreamCut
    )]
    [InlineData("""{"usageMetadata":{"promptTokenCount":4}}""", ModelFailure.StreamCut)]
    public async Task An_answer_that_says_nothing_was_refused_or_failed(string chunk, ModelFailure failure) =>
        Assert.Equal(failure, (await GeminiAsked.AnswerAsync(chunk)).Failure!.Failure);

    [Fact]
    public async Task A_block_after_something_was_said_is_a_filter()
    {
        var asked = await GeminiAsked.AnswerAsync(
            GeminiAsked.Parts("""{"text":"Well, "}"""),
            """{"promptFeedback":{"blockReason":"SAFETY"}}"""
        );

        Assert.Equal(("Well, ", StopReason.Filtered), (asked.Text, asked.Finished!.Stop));
    }

    [Fact]
    public async Task A_reason_without_a_word_is_an_end_as_after_tools_there_may_be_nothing_to_say()
    {
        var asked = await GeminiAsked.AnswerAsync(GeminiAsked.Parts("""{"text":"Hm.","thought":true}"""), End);

        Assert.Equal(("", "Hm.", StopReason.Done), (asked.Text, asked.Reasoning, asked.Finished!.Stop));
    }

    [Fact]
    public async Task Counts_are_taken_from_where_they_are_and_the_last_ones_hold()
    {
        var asked = await GeminiAsked.AnswerAsync(
            """{"candidates":[{"content":{"parts":[{"text":"Hi."}]}}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":"4","candidatesTokenCount":1}}""",
            """{"usageMetadata":{"trafficType":"ON_DEMAND"}}""",
            """{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":7,"thoughtsTokenCount":5}}""",
            """{"usageMetadata":{"toolUsePromptTokenCount":100,"totalTokenCount":-1,"candidatesTokenCount":null}}""",
            """{"usageMetadata":[]}"""
        );

        Assert.Equal(new Usage(110, 12, 4, 5), asked.Finished!.Usage);
    }

    [Fact]
    public async Task What_googles_own_tools_did_is_not_said_and_other_candidates_are_not_heard()
    {
        var asked = await GeminiAsked.AnswerAsync(
            GeminiAsked.Parts(
                """{"executableCode":{"code":"1+1"}},{"codeExecutionResult":{"output":"2"}},{"inlineData":{"data":"AA=="}},{"text":"Two."}"""
            ),
            """{"candidates":[{"index":1,"content":{"parts":[{"text":"Three."}]}},{"index":0,"content":{"parts":[{"text":" Yes."}]}}]}""",
            """{"candidates":[{"index":1,"finishReason":"SAFETY"},{"index":0,"finishReason":"STOP","groundingMetadata":{"x":[]}}]}"""
        );

        Assert.Equal(("Two. Yes.", StopReason.Done), (asked.Text, asked.Finished!.Stop));
    }

    [Fact]
    public async Task Fields_of_any_type_are_survived()
    {
        string[] strange = ["null", "7", "\"x\"", "[]", "{}", "[null]", "[[]]", "true"];
        foreach (var value in strange)
        {
            string[] chunks =
            [
                "VALUE",
                """{"candidates":VALUE,"usageMetadata":VALUE,"promptFeedback":VALUE}""",
                """{"candidates":[{"content":VALUE,"finishReason":null,"index":null}]}""",
                """{"candidates":[{"content":{"parts":VALUE}}]}""",
                """{"candidates":{"content":{"parts":{"text":"."}}}}""",
                GeminiAsked.Parts(
                    """VALUE,{"text":null,"functionCall":null},{"thought":VALUE,"text":".","thoughtSignature":7}"""
                ),
                """{"promptFeedback":{"blockReason":[VALUE]}}""",
                End,
            ];
            var asked = await GeminiAsked.AnswerAsync([.. chunks.Select(chunk => chunk.Replace("VALUE", value))]);

            Assert.True(asked.Failure is null, $"{value}: {asked.Failure}");
            Assert.Equal("..", asked.Text + asked.Reasoning);
            Assert.Empty(asked.Calls);
        }
    }

    [Fact]
    public async Task A_letter_that_was_torn_in_two_is_said_whole()
    {
        var asked = await GeminiAsked.AnswerAsync(
            GeminiAsked.Parts("""{"text":"a\ud83d"}"""),
            GeminiAsked.Parts("""{"text":"\ude00b"}"""),
            End
        );

        Assert.Equal(["a", "😀b"], asked.Events.OfType<TextDelta>().Select(said => said.Text));
    }

    [Theory]
    [InlineData("[{0},\n{1}]")]
    [InlineData("\r\n[{0}\r\n,\r\n{1}\r\n]\r\n")]
    public async Task A_list_in_place_of_a_stream_is_understood(string form)
    {
        var asked = await GeminiAsked.Asking.AskAsync(
            form.Replace("{0}", GeminiAsked.Parts("""{"text":"Hi."}"""))
                .Replace("{1}", Call("""{"name":"a"}""").Replace("\"index\":0", "\"finishReason\":\"STOP\""))
        );

        Assert.Equal(("Hi.", StopReason.Done), (asked.Text, asked.Finished!.Stop));
        Assert.Equal("a", Assert.Single(asked.Calls).Name);
    }

    [Fact]
    public async Task A_list_that_is_cut_or_tells_of_an_error_is_a_failure()
    {
        var chunk = GeminiAsked.Parts("""{"text":"Hi."}""", "STOP");
        Assert.Equal(ModelFailure.StreamCut, (await GeminiAsked.Asking.AskAsync($"[{chunk}")).Failure!.Failure);
        Assert.Equal(ModelFailure.StreamCut, (await GeminiAsked.Asking.AskAsync($"[{chunk},")).Failure!.Failure);
        var told = (
            await GeminiAsked.Asking.AskAsync(
                $$$"""[{{{chunk}}},{"error":{"code":503,"message":"Busy.","status":"UNAVAILABLE"}}]"""
            )
        ).Failure!;
        Assert.Equal(ModelFailure.Overloaded, told.Failure);
        Assert.EndsWith("It says: Busy.", told.Message);
    }

    [Theory]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}]}""", null)]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"Hi."}]}}]}""", null)]
    [InlineData(
        """{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a","willContinue":true}}]}}]}""",
        ModelFailure.StreamCut
    )]
    [InlineData("{}", ModelFailure.StreamError)]
    [InlineData("[]", ModelFailure.StreamError)]
    public async Task A_document_that_is_whole_is_its_own_end(string document, ModelFailure? failure) =>
        Assert.Equal(failure, (await GeminiAsked.Asking.AskAsync(document)).Failure?.Failure);

    private static string Call(string call) => GeminiAsked.Parts($$"""{"functionCall":{{call}}}""");
}
