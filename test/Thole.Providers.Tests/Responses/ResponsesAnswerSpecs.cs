using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Responses;
using Thole.Testing.Models;
using static Thole.Providers.Tests.Responses.ResponsesAsked;

namespace Thole.Providers.Tests.Responses;

/// <summary>What endpoints really send, beyond what is documented.</summary>
public sealed class ResponsesAnswerSpecs
{
    private const string Message = """{"type":"message","content":[{"type":"output_text","text":"Hi there."}]}""";
    private const string Call = """{"type":"function_call","call_id":"a","name":"one","arguments":"{\"x\":1}"}""";

    public static TheoryData<string> TextInAnyOfItsPlaces() =>
        [
            Text("Hi ") + Text("there.") + Completed(),
            Text("Hi there.") + Completed($"[{Message}]"),
            Completed($"[{Message}]"),
            Event($$"""{"type":"response.output_item.done","output_index":0,"item":{{Message}}}""") + Completed($"[{Message}]"),
            Event($$"""{"type":"response.output_item.done","item":{{Message}}}""") + Completed($"[{Message}]"),
            Event("""{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi there."}""")
                + Completed($"[{Message}]"),
            Text("Hi ")
                + Event("""{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi there."}""")
                + Completed($"[{Message}]"),
            Text("Hi ")
                + Event(
                    """{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hi there."}}"""
                )
                + Completed(),
            Text("Hi ") + Completed($"[{Message}]"),
            // Without numbers, with other ids each time, and named by the event alone.
            Event("""{"type":"response.output_text.delta","item_id":"x","delta":"Hi "}""")
                + Event("""{"type":"response.output_text.delta","item_id":"x","delta":"there."}""")
                + Event("""{"type":"response.output_text.done","item_id":"x","content_index":0,"text":"Hi there."}""")
                + Completed($"[{Message}]"),
            "event: response.output_text.delta\ndata: {\"delta\":\"Hi there.\"}\n\nevent: response.completed\ndata: {\"response\":{}}\n\n",
            Event("""{"type":"response.output_item.added","output_index":3,"item":{"id":"1","type":"message","content":[]}}""")
                + Text("Hi ", 3)
                + Event(
                    """{"type":"response.output_item.done","output_index":3,"item":{"id":"2","type":"message","content":[{"type":"output_text","text":"Hi there."}]}}"""
                )
                + Completed($"[{Message}]"),
            Event("""{"type":"response.output_item.done","item":{"role":"assistant","content":"Hi there."}}""") + Completed(),
            // The blank line after the last event is forgotten.
            Text("Hi there.") + Completed().TrimEnd(),
            Text("Hi there.") + Completed() + "data: [DONE]\n\n",
            Text("Hi there.") + Completed() + "data: [DONE]",
            $$"""{"object":"response","status":"completed","error":null,"output":[{{Message}}]}""",
            $$$"""{"response":{"output":[{{{Message}}}]}}""",
        ];

    [Theory]
    [MemberData(nameof(TextInAnyOfItsPlaces))]
    public async Task Text_is_said_once_wherever_it_is(string stream)
    {
        var asked = await AskAsync(stream);

        Assert.Null(asked.Failure);
        Assert.Equal("Hi there.", asked.Text);
        Assert.Equal(StopReason.Done, asked.Finished!.Stop);
    }

    public static TheoryData<string> ACallInAnyOfItsPlaces() =>
        [
            Event(
                """{"type":"response.output_item.added","output_index":0,"item":{"id":"f","type":"function_call","call_id":"a","name":"one","arguments":""}}"""
            )
                + Event("""{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"f","delta":"{\"x\""}""")
                + Event("""{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"f","delta":":1}"}""")
                + Completed(),
            Event(
                """{"type":"response.output_item.added","output_index":0,"item":{"id":"f","type":"function_call","call_id":"a","name":"one","arguments":""}}"""
            )
                + Event(
                    """{"type":"response.function_call_arguments.done","output_index":0,"item_id":"g","arguments":"{\"x\":1}"}"""
                )
                + Completed($"[{Call}]"),
            Event($$"""{"type":"response.output_item.added","output_index":0,"item":{{Call}}}""") + Completed(),
            Event($$"""{"type":"response.output_item.done","output_index":0,"item":{{Call}}}""") + Completed($"[{Call}]"),
            Event($$"""{"type":"response.output_item.done","item":{{Call}}}""") + Completed($"[{Call}]"),
            Completed($"[{Call}]"),
            Completed($"[{Call},{Call}]"),
            Completed("""[{"type":"function_call","call_id":"a","name":"one","arguments":{"x":1}}]"""),
            // The pieces before their item.
            Event("""{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"x\":1}"}""")
                + Event(
                    """{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"a","name":"one"}}"""
                )
                + Completed(),
            $$"""{"status":"completed","output":[{{Call}}]}""",
        ];

    [Theory]
    [MemberData(nameof(ACallInAnyOfItsPlaces))]
    public async Task A_call_is_made_once_wherever_it_is(string stream)
    {
        AssertCalls(await AskAsync(stream), ("a", "one", """{"x":1}"""));
    }

    [Fact]
    public async Task Calls_that_come_through_each_other_keep_their_pieces()
    {
        var asked = await AskAsync(
            Added(0, """{"id":"f0","type":"function_call","call_id":"a","name":"one"}"""),
            Added(1, """{"id":"f1","type":"function_call","call_id":"b","name":"two"}"""),
            Arguments(1, "f1", """{\"y\":"""),
            Arguments(0, "f0", """{\"x\":"""),
            Arguments(1, "f1", "2}"),
            Arguments(0, "f0", "1}"),
            Completed()
        );

        AssertCalls(asked, ("a", "one", """{"x":1}"""), ("b", "two", """{"y":2}"""));
    }

    [Fact]
    public async Task Calls_that_all_claim_the_first_place_are_told_apart()
    {
        var asked = await AskAsync(
            Added(0, """{"id":"f0","type":"function_call","call_id":"a","name":"one"}"""),
            Arguments(0, "f0", "{}"),
            Added(0, """{"id":"f1","type":"function_call","call_id":"b","name":"two"}"""),
            Arguments(0, "f1", """{\"y\":2}"""),
            Completed(
                """
                [{"id":"f0","type":"function_call","call_id":"a","name":"one","arguments":"{}"},{"id":"f1","type":"function_call","call_id":"b","name":"two","arguments":"{\"y\":2}"}]
                """
            )
        );

        AssertCalls(asked, ("a", "one", "{}"), ("b", "two", """{"y":2}"""));
    }

    [Fact]
    public async Task A_tool_with_free_text_is_a_call_with_that_text()
    {
        var asked = await AskAsync(
            Added(0, """{"id":"f0","type":"custom_tool_call","call_id":"a","name":"patch","input":""}"""),
            Event("""{"type":"response.custom_tool_call_input.delta","output_index":0,"delta":"*** Begin"}"""),
            Event("""{"type":"response.custom_tool_call_input.done","output_index":0,"input":"*** Begin Patch"}"""),
            Completed()
        );

        AssertCalls(asked, ("a", "patch", "*** Begin Patch"));
    }

    [Fact]
    public async Task What_the_endpoint_does_itself_is_no_call_of_ours()
    {
        var asked = await AskAsync(
            Added(0, """{"id":"w","type":"web_search_call","call_id":"","name":"web_search","arguments":"{}"}"""),
            Event("""{"type":"response.mcp_call_arguments.delta","output_index":1,"delta":"{\"q\":1}"}"""),
            Added(2, """{"type":"mcp_approval_request","name":"search","arguments":"{}"}"""),
            Text("It rains.", 3),
            Completed("""[{"type":"web_search_call","arguments":"{}"},{"type":"mcp_call","name":"x","arguments":"{}"}]""")
        );

        Assert.Equal("It rains.", asked.Text);
        Assert.Empty(asked.Calls);
    }

    [Fact]
    public async Task Two_different_calls_with_one_id_a_call_without_a_name_and_broken_arguments_must_not_run()
    {
        var asked = await AskAsync(
            Completed(
                """
                [{"type":"function_call","call_id":"a","name":"one","arguments":"{}"},
                {"type":"function_call","call_id":"a","name":"two","arguments":"{}"},
                {"type":"function_call","call_id":"c","arguments":"{}"},
                {"type":"function_call","call_id":"d","name":"four","arguments":"{\"x\":"},
                {"type":"function_call","call_id":"e","name":"five","arguments":"{}","status":"incomplete"}]
                """.ReplaceLineEndings("")
            )
        );

        Assert.Equal(
            [
                null,
                "Two different calls came with the id a: make this one again.",
                "The call has no name: say which tool is meant.",
                "The arguments of this call are not whole: make it again.",
                "The answer was cut before this call was whole: make it again, in smaller parts.",
            ],
            asked.Calls.Select(call => call.Problem)
        );
    }

    [Fact]
    public async Task A_call_at_the_output_limit_must_not_run_and_one_before_it_may()
    {
        var asked = await AskAsync(
            Event($$"""{"type":"response.output_item.done","output_index":0,"item":{{Call}}}"""),
            Added(1, """{"id":"f1","type":"function_call","call_id":"b","name":"two"}"""),
            Arguments(1, "f1", """{\"y\":2}"""),
            Incomplete("max_output_tokens")
        );

        Assert.Equal(StopReason.OutputLimit, asked.Finished!.Stop);
        Assert.Equal(
            [null, "The answer was cut before this call was whole: make it again, in smaller parts."],
            asked.Calls.Select(call => call.Problem)
        );
    }

    [Theory]
    [InlineData("max_output_tokens", StopReason.OutputLimit)]
    [InlineData("banana", StopReason.OutputLimit)]
    [InlineData("content_filter", StopReason.Filtered)]
    public async Task An_incomplete_answer_says_why(string reason, StopReason stop)
    {
        Assert.Equal(stop, (await AskAsync(Text("Hi."), Incomplete(reason))).Finished!.Stop);
        Assert.Equal(
            stop,
            (
                await AskAsync(
                    Text("Hi."),
                    Event(
                        $$$"""{"type":"response.completed","response":{"status":"incomplete","incomplete_details":{"reason":"{{{reason}}}" } } }"""
                    )
                )
            )
                .Finished!
                .Stop
        );
    }

    [Fact]
    public async Task A_filter_that_lets_nothing_through_is_a_refusal()
    {
        Assert.Equal(ModelFailure.ContentRefused, (await AskAsync(Incomplete("content_filter"))).Failure!.Failure);
    }

    [Fact]
    public async Task A_refusal_of_the_models_own_is_text()
    {
        var asked = await AskAsync(
            Event("""{"type":"response.refusal.delta","output_index":0,"content_index":0,"delta":"I can"}"""),
            Event("""{"type":"response.refusal.done","output_index":0,"content_index":0,"refusal":"I cannot."}"""),
            Completed("""[{"type":"message","content":[{"type":"refusal","refusal":"I cannot."}]}]""")
        );

        Assert.Equal(("I cannot.", StopReason.Done), (asked.Text, asked.Finished!.Stop));
    }

    [Fact]
    public async Task Reasoning_is_said_once_and_kept_in_its_order_with_all_it_needs()
    {
        const string First =
            """{"id":"rs_1","type":"reasoning","status":"completed","summary":[{"type":"summary_text","text":"Hm. "},{"type":"summary_text","text":"Hm?"}],"encrypted_content":"AB"}""";
        const string Lost = """{"id":"rs_2","type":"reasoning","summary":[],"encrypted_content":"of the search"}""";
        var asked = await AskAsync(
            Added(0, """{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"A"}"""),
            Event("""{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"Hm. "}"""),
            Event("""{"type":"response.reasoning_summary_text.done","output_index":0,"summary_index":0,"text":"Hm. "}"""),
            Event($$"""{"type":"response.output_item.done","output_index":0,"item":{{First}}}"""),
            Added(1, """{"id":"m1","type":"message","phase":"commentary"}"""),
            Text("I look.", 1),
            Completed(
                $$$"""[{{{First}}},{"id":"m1","type":"message","phase":"commentary","content":[{"text":"I look."}]},{{{Call}}},{{{Lost}}},{"type":"web_search_call"},{"type":"message","content":[{"text":"Done."}]}]"""
            )
        );

        Assert.Equal(("Hm. Hm?", "I look.Done."), (asked.Reasoning, asked.Text));
        Assert.Equal(
            """
            {"output":[{"reasoning":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm. "},{"type":"summary_text","text":"Hm?"}],"encrypted_content":"AB"}},{"text":7,"phase":"commentary"},{"call":0},{"text":5}]}
            """,
            asked.Finished!.ProviderData.ToString()
        );
    }

    [Fact]
    public async Task Reasoning_in_plain_text_is_said_and_kept_whole()
    {
        var asked = await AskAsync(
            Event("""{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"Hm."}"""),
            Text("Yes.", 1),
            Event("""{"type":"response.reasoning_text.done","output_index":0,"content_index":0,"text":"Hm."}"""),
            Completed(
                """[{"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]},{"type":"message","content":[{"text":"Yes."}]}]"""
            )
        );

        Assert.Equal(("Hm.", "Yes."), (asked.Reasoning, asked.Text));
        Assert.Equal(
            """{"output":[{"reasoning":{"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]}},{"text":4}]}""",
            asked.Finished!.ProviderData.ToString()
        );
    }

    [Theory]
    [InlineData("""{"id":"r","type":"reasoning","summary":[]}""")]
    [InlineData("""{"id":"r","type":"reasoning","summary":null,"content":[],"encrypted_content":null}""")]
    public async Task Reasoning_that_says_nothing_is_not_kept(string reasoning)
    {
        Assert.Null((await AskAsync(Text("Yes."), Completed($"[{reasoning}]"))).Finished!.ProviderData);
    }

    [Fact]
    public async Task Texts_that_were_told_through_each_other_are_kept_as_one()
    {
        var asked = await AskAsync(
            Added(0, """{"id":"rs","type":"reasoning"}"""),
            Text("a", 1),
            Text("b", 2),
            Text("c", 1),
            Completed("""[{"id":"rs","type":"reasoning","encrypted_content":"A"}]""")
        );

        Assert.Equal("abc", asked.Text);
        Assert.EndsWith(",{\"text\":3}]}", asked.Finished!.ProviderData.ToString());
    }

    [Fact]
    public async Task Several_answers_on_one_stream_are_one_and_a_cut_in_a_later_one_is_a_cut()
    {
        string[] stream =
        [
            Event("""{"type":"response.created","response":{"status":"in_progress"}}"""),
            Completed($"[{Call}]"),
            Event("""{"type":"response.created","response":{"status":"in_progress"}}"""),
            Text("Hi."),
        ];

        Assert.Equal(ModelFailure.StreamCut, (await AskAsync(stream)).Failure!.Failure);
        var asked = await AskAsync([.. stream, Completed("""[{"type":"message","content":[{"text":"Hi."}]}]""")]);
        Assert.Equal("Hi.", asked.Text);
        Assert.Single(asked.Calls);
    }

    [Fact]
    public async Task A_letter_torn_between_two_events_is_whole_again()
    {
        var asked = await AskAsync(
            Text("a\\ud83d"),
            Text("\\ude00b"),
            Completed("""[{"type":"message","content":[{"text":"a\ud83d\ude00b"}]}]""")
        );

        Assert.Equal("a😀b", asked.Text);
        Assert.All(asked.Events.OfType<TextDelta>(), said => Assert.DoesNotContain('\uFFFD', said.Text));
    }

    [Theory]
    [InlineData("""{"input_tokens":7,"output_tokens":3,"input_tokens_details":{"cached_tokens":5}}""", 7, 3, 5, null)]
    [InlineData("""{"input_tokens":"7","output_tokens":3.0,"output_tokens_details":{"reasoning_tokens":2}}""", 7, 3, null, 2)]
    [InlineData("""{"prompt_tokens":7,"completion_tokens":3,"input_tokens_details":null}""", 7, 3, null, null)]
    [InlineData("[]", null, null, null, null)]
    [InlineData("null", null, null, null, null)]
    public async Task Usage_is_taken_as_it_is_told(string usage, int? input, int? output, int? cached, int? reasoning)
    {
        var asked = await AskAsync(Event($$$"""{"type":"response.completed","response":{"output":[],"usage":{{{usage}}}}}"""));

        Assert.Equal(new Usage(input, output, cached, reasoning), asked.Finished!.Usage);
    }

    [Fact]
    public async Task What_was_written_to_a_cache_is_told()
    {
        var asked = await AskAsync(
            Event(
                """{"type":"response.completed","response":{"output":[],"usage":{"input_tokens":7,"input_tokens_details":{"cache_write_tokens":4}}}}"""
            )
        );

        Assert.Equal(new Usage(7, CacheWriteTokens: 4), asked.Finished!.Usage);
    }

    [Fact]
    public async Task A_connection_that_breaks_or_stays_open_after_the_end_loses_nothing()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Done().Cut()).Reply(reply => reply.Text("Hi.").Done().Hang());

        for (var way = 0; way < 2; way++)
        {
            var asked = await new Asking(ResponsesProvider.Definition).AskAsync(server);

            Assert.Equal(("Hi.", StopReason.Done), (asked.Text, asked.Finished!.Stop));
        }
    }

    [Fact]
    public async Task Broken_events_are_passed_over()
    {
        var asked = await AskAsync(
            ": keep-alive\n\n",
            "data:\n\n",
            Event("null"),
            Event("[]"),
            Event("7"),
            Event("{}"),
            Event("""{"type":7}"""),
            Event("""{"type":"response.output_item.added"}"""),
            Event("""{"type":"response.output_item.added","item":null}"""),
            Event("""{"type":"response.output_item.done","item":"x"}"""),
            Event("""{"type":"response.output_item.done","item":{"type":"message","content":[null,7,{"text":null}]}}"""),
            Event("""{"type":"response.output_item.done","item":{"type":"reasoning","summary":{},"content":7}}"""),
            Event("""{"type":"response.output_text.delta","output_index":"0","delta":null}"""),
            Event("""{"type":"response.output_text.delta","output_index":5,"delta":7}"""),
            Event("""{"type":"response.nobody.knows","delta":"x"}"""),
            Text("Hi.", 9),
            Event("""{"type":"response.completed","response":{"output":[null,{},7],"usage":7,"error":null}}""")
        );

        Assert.Null(asked.Failure);
        Assert.Equal("Hi.", asked.Text);
    }

    [Fact]
    public async Task Whatever_is_missing_or_of_another_type_is_no_defect_of_ours()
    {
        string[] events =
        [
            """{"type":"response.created","response":{"id":"r","status":"in_progress","output":[],"error":null}}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"rs","type":"reasoning","summary":[]}}""",
            """{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"Hm."}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"A"}}""",
            """{"type":"response.output_text.delta","output_index":1,"item_id":"m","content_index":0,"delta":"Hi."}""",
            """{"type":"response.output_item.added","output_index":2,"item":{"id":"f","type":"function_call","call_id":"a","name":"one","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","output_index":2,"item_id":"f","delta":"{}"}""",
            """{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":1,"input_tokens_details":{"cached_tokens":0}},"output":[{"type":"message","phase":"commentary","content":[{"type":"output_text","text":"Hi."}]}]}}""",
        ];
        string[] values =
        [
            "null",
            "7",
            "-1",
            "1e400",
            "\"x\"",
            "\"\"",
            "\"\\ud83d\"",
            "[]",
            "[null]",
            "{}",
            "true",
            "99999999999999999999",
        ];
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 1500; round++)
        {
            var stream = events.Select(data =>
            {
                var colon = random.Next(3) > 0 ? -1 : data.IndexOf(':', random.Next(data.Length));
                var end = colon < 0 ? -1 : data.IndexOfAny([',', '}'], colon);
                return Event(end < 0 ? data : $"{data[..(colon + 1)]}{values[random.Next(values.Length)]}{data[end..]}");
            });
            var asked = await AskAsync([.. stream]);

            // Anything but an answer or a failure with a sentence would have been thrown by now.
            Assert.True(asked.Finished is not null || asked.Failure is not null, $"seed {seed}");
        }
    }

    private static string Added(int place, string item) =>
        Event($$"""{"type":"response.output_item.added","output_index":{{place}},"item":{{item}}}""");

    private static string Arguments(int place, string id, string piece) =>
        Event(
            $$"""{"type":"response.function_call_arguments.delta","output_index":{{place}},"item_id":"{{id}}","delta":"{{piece}}"}"""
        );

    private static string Incomplete(string reason) =>
        Event(
            $$$"""{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"{{{reason}}}"},"output":[]}}"""
        );

    private static void AssertCalls(Asked asked, params (string? Id, string Name, string Arguments)[] expected)
    {
        Assert.Null(asked.Failure);
        Assert.Equal(expected, asked.Calls.Select(call => (call.ProviderId, call.Name, call.Arguments)));
        Assert.All(asked.Calls, call => Assert.Null(call.Problem));
    }
}
