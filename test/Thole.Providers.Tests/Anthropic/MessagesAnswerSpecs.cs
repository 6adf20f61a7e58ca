using System.Net;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing;
using Thole.Testing.Models;
using static Thole.Providers.Tests.Anthropic.MessagesAsked;

namespace Thole.Providers.Tests.Anthropic;

/// <summary>What endpoints really send, beyond what is documented.</summary>
public sealed class MessagesAnswerSpecs
{
    [Fact]
    public async Task Interleaved_blocks_keep_their_pieces()
    {
        var asked = await AskAsync(
            Begin(),
            Start(0, """{"type":"tool_use","id":"a","name":"one","input":{}}"""),
            Start(1, """{"type":"tool_use","id":"b","name":"two","input":{}}"""),
            Delta(0, """{"type":"input_json_delta","partial_json":""}"""),
            Delta(1, """{"type":"input_json_delta","partial_json":"{\"y\":"}"""),
            Delta(0, """{"type":"input_json_delta","partial_json":"{\"x\":"}"""),
            Delta(1, """{"type":"input_json_delta","partial_json":"2}"}"""),
            Delta(0, """{"type":"input_json_delta","partial_json":"1}"}"""),
            Stop(1),
            Stop(0),
            End("tool_use")
        );

        AssertCalls(asked, ("a", "one", """{"x":1}"""), ("b", "two", """{"y":2}"""));
    }

    [Fact]
    public async Task Input_may_come_whole_in_pieces_as_an_object_or_not_at_all()
    {
        var asked = await AskAsync(
            Begin(),
            Start(0, """{"type":"tool_use","id":"a","name":"one","input":{"x": [1]}}"""),
            Stop(0),
            Start(1, """{"type":"tool_use","id":"b","name":"two"}"""),
            Stop(1),
            Start(2, """{"type":"tool_use","id":"c","name":"three","input":{}}"""),
            Delta(2, """{"type":"input_json_delta","partial_json":{"y":2}}"""),
            Stop(2),
            Call(3, "d", "four", "  "),
            End("tool_use")
        );

        AssertCalls(
            asked,
            ("a", "one", """{"x": [1]}"""),
            ("b", "two", "{}"),
            ("c", "three", """{"y":2}"""),
            ("d", "four", "{}")
        );
    }

    [Fact]
    public async Task A_call_that_never_stops_is_broken_nameless_or_of_another_s_id_must_not_run()
    {
        var asked = await AskAsync(
            Begin(),
            Call(0, "a", "one"),
            Call(1, "a", "one"),
            Call(2, "a", "two"),
            Call(3, "c", "", "{}"),
            Call(4, "d", "four", """{\"x\":"""),
            Call(5, "e", "five", """{\"x\":\"\ud800\"}"""),
            Start(6, """{"type":"tool_use","id":"f","name":"six","input":{}}"""),
            Delta(7, """{"type":"input_json_delta","partial_json":"{}"}"""),
            End("tool_use")
        );

        Assert.Equal(
            [
                null,
                "Two different calls came with the id a: make this one again.",
                "The call has no name: say which tool is meant.",
                "The arguments of this call are not whole: make it again.",
                "The arguments of this call are not whole: make it again.",
                "The arguments of this call are not whole: make it again.",
                "The call has no name: say which tool is meant.",
            ],
            asked.Calls.Select(call => call.Problem)
        );
    }

    [Theory]
    [InlineData("max_tokens", StopReason.OutputLimit)]
    [InlineData("model_context_window_exceeded", StopReason.OutputLimit)]
    [InlineData("refusal", StopReason.Filtered)]
    public async Task A_call_at_the_end_of_an_answer_that_was_cut_must_not_run(string reason, StopReason stop)
    {
        var asked = await AskAsync(Begin(), Call(0, "a", "one"), Call(1, "b", "two", """{\"x\":1}"""), End(reason));
        var followed = await AskAsync(Begin(), Call(0, "a", "one"), Text(1, "Then"), End(reason));

        Assert.Equal(stop, asked.Finished!.Stop);
        Assert.Equal(
            [null, "The answer was cut before this call was whole: make it again, in smaller parts."],
            asked.Calls.Select(call => call.Problem)
        );
        AssertCalls(followed, ("a", "one", "{}"));
    }

    [Theory]
    [InlineData("end_turn", StopReason.Done)]
    [InlineData("tool_use", StopReason.Done)]
    [InlineData("stop_sequence", StopReason.Done)]
    [InlineData("pause_turn", StopReason.Done)]
    [InlineData("something_new", StopReason.Done)]
    [InlineData("max_tokens", StopReason.OutputLimit)]
    [InlineData("model_context_window_exceeded", StopReason.OutputLimit)]
    [InlineData("refusal", StopReason.Filtered)]
    public async Task Each_reason_to_stop_means_something(string reason, StopReason stop)
    {
        Assert.Equal(stop, (await AskAsync(Begin(), Text(0, "So."), End(reason))).Finished!.Stop);
    }

    [Fact]
    public async Task A_refusal_without_a_word_is_a_failure_with_the_endpoint_s_explanation()
    {
        var delta = """{"stop_reason":"refusal","stop_details":{"explanation":"Not that."}}""";
        var asked = await AskAsync(Begin(), Event($$"""{"type":"message_delta","delta":{{delta}}}"""), EndMark);

        Assert.Equal(ModelFailure.ContentRefused, asked.Failure!.Failure);
        Assert.Equal(
            "anthropic (model.test) refuses to answer this: say it differently, or choose another model. It says: Not that.",
            asked.Failure.Message
        );
    }

    [Theory]
    [InlineData(
        """{"input_tokens":3,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":1}""",
        """{"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}""",
        123L,
        9L,
        100L,
        4L,
        20L
    )]
    [InlineData(
        """{"input_tokens":3,"output_tokens":1}""",
        """{"input_tokens":0,"output_tokens":9,"cache_read_input_tokens":null}""",
        3L,
        9L,
        null,
        null,
        null
    )]
    [InlineData(
        """{"input_tokens":0,"output_tokens":0}""",
        """{"input_tokens":"7","cache_read_input_tokens":2}""",
        9L,
        0L,
        2L,
        null,
        null
    )]
    [InlineData("""{"input_tokens":-3,"output_tokens":9223372036854775807}""", "[]", null, null, null, null, null)]
    [InlineData("null", "null", null, null, null, null, null)]
    public async Task Counts_come_at_the_start_and_at_the_end_and_all_input_is_counted(
        string start,
        string end,
        long? input,
        long? output,
        long? cached,
        long? reasoning,
        long? written
    )
    {
        var asked = await AskAsync(Begin(start), Text(0, "So."), End(usage: end));

        Assert.Equal(new Usage(input, output, cached, reasoning, written), asked.Finished!.Usage);
    }

    [Fact]
    public async Task A_message_that_begins_twice_goes_on()
    {
        var asked = await AskAsync(
            Begin(),
            Start(0, """{"type":"tool_use","id":"a","name":"one","input":{}}"""),
            Delta(0, """{"type":"input_json_delta","partial_json":"{\"x\":"}"""),
            Begin(),
            Delta(0, """{"type":"input_json_delta","partial_json":"1}"}"""),
            Stop(0),
            End("tool_use")
        );

        AssertCalls(asked, ("a", "one", """{"x":1}"""));
    }

    [Fact]
    public async Task A_call_that_the_start_already_holds_is_made()
    {
        var asked = await AskAsync(
            Event(
                """{"type":"message_start","message":{"content":[{"type":"tool_use","id":"a","name":"one","input":{"x":1}}],"stop_reason":"tool_use"}}"""
            ),
            EndMark
        );

        AssertCalls(asked, ("a", "one", """{"x":1}"""));
    }

    [Fact]
    public async Task Blocks_without_a_beginning_an_index_or_a_type_of_the_event_are_understood()
    {
        var asked = await AskAsync(
            Begin(),
            """
            data: {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"Hm."}}

            data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi "}}

            event: content_block_delta
            data: {"delta":{"type":"text_delta","text":"there \ud83d"}}

            data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"\ude00."}}

            data: {"type":"content_block_start","content_block":{"type":"text","text":"More"}}

            data: {"type":"content_block_stop"}

            data: {"type":"content_block_start","content_block":{"type":"tool_use","id":"a","name":"one"}}

            data: {"type":"content_block_stop"}

            data: {"type":"ping"}

            data: {"type":"unheard_of","delta":7}


            """,
            End("tool_use"),
            "data: [DONE]\n\n"
        );

        Assert.Equal(("Hm.", "Hi there 😀.More"), (asked.Reasoning, asked.Text));
        Assert.All(
            asked.Events.OfType<TextDelta>(),
            said => Assert.False(char.IsSurrogate(said.Text[0]) && said.Text.Length == 1)
        );
        AssertCalls(asked, ("a", "one", "{}"));
    }

    [Fact]
    public async Task A_server_that_does_not_stream_is_understood()
    {
        var asked = await AskAsync(
            """
            {"type":"message","role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"Hi."},
            {"type":"tool_use","id":"a","name":"one","input":{"x":1}}],"stop_reason":"tool_use","usage":{"input_tokens":7,"output_tokens":3}}
            """
        );

        Assert.Equal(("Hi.", "Hm."), (asked.Text, asked.Reasoning));
        AssertCalls(asked, ("a", "one", """{"x":1}"""));
        Assert.Equal(new Usage(7, 3), asked.Finished!.Usage);
    }

    [Fact]
    public async Task A_reason_to_stop_is_an_end_where_the_end_mark_is_forgotten_and_nothing_is_open()
    {
        var end = End("tool_use").Replace(EndMark, "");
        var open = Start(0, """{"type":"tool_use","id":"a","name":"one","input":{}}""");

        AssertCalls(await AskAsync(Begin(), Call(0, "a", "one"), end), ("a", "one", "{}"));
        Assert.Equal(ModelFailure.StreamCut, (await AskAsync(Begin(), open, end)).Failure!.Failure);
        Assert.Equal(ModelFailure.StreamCut, (await AskAsync(Begin(), Text(0, "So."))).Failure!.Failure);
    }

    [Fact]
    public async Task Calls_that_are_announced_and_never_come_are_a_failure_and_an_empty_answer_is_none()
    {
        Assert.Equal(ModelFailure.StreamError, (await AskAsync(Begin(), End("tool_use"))).Failure!.Failure);
        Assert.Equal(ModelFailure.StreamError, (await AskAsync(Begin(), EndMark)).Failure!.Failure);
        Assert.Equal(StopReason.Done, (await AskAsync(Begin(), End())).Finished!.Stop);
        Assert.Equal(StopReason.Done, (await AskAsync(Begin(), Text(0, "So."), EndMark)).Finished!.Stop);
    }

    [Theory]
    [InlineData("data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":7}\n\n")]
    [InlineData("data: {\"type\":\"content_block_start\",\"index\":\"x\",\"content_block\":{\"type\":7,\"text\":{}}}\n\n")]
    [InlineData("data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":[]}\n\n")]
    [InlineData("data: {\"type\":\"content_block_delta\",\"index\":-5,\"delta\":{\"type\":\"text_delta\",\"text\":7}}\n\n")]
    [InlineData("data: {\"type\":\"content_block_stop\",\"index\":99}\n\n")]
    [InlineData("data: {\"type\":\"message_start\",\"message\":\"x\"}\n\n")]
    [InlineData("data: {\"type\":\"message_delta\",\"delta\":7,\"usage\":\"x\"}\n\n")]
    [InlineData("data: {\"type\":7}\n\n")]
    [InlineData("data: \"text\"\n\n")]
    [InlineData("data: []\n\n")]
    public async Task What_makes_no_sense_is_passed_over(string nonsense)
    {
        Assert.Equal("So.", (await AskAsync(Begin(), nonsense, Text(5, "So."), End())).Text);
    }

    [Theory]
    [InlineData("{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"Hi", ModelFailure.StreamCut)]
    [InlineData("""{"type":"error","error":{"type":"api_error","message":"Boom."}}""", ModelFailure.Overloaded)]
    [InlineData("""{"message":"No such route."}""", ModelFailure.StreamError)]
    [InlineData("<!doctype html><html><body>Sign in</body></html>", ModelFailure.InvalidRequest)]
    [InlineData("data: {\"type\":\n\n", ModelFailure.StreamError)]
    [InlineData("{}", ModelFailure.StreamError)]
    [InlineData("[]", ModelFailure.StreamError)]
    [InlineData("", ModelFailure.StreamCut)]
    public async Task What_is_no_answer_is_a_failure(string body, ModelFailure failure)
    {
        Assert.Equal(failure, (await AskAsync(body)).Failure!.Failure);
    }

    [Fact]
    public async Task What_follows_the_end_mark_and_is_no_event_spoils_nothing()
    {
        Assert.Equal("So.", (await AskAsync(Begin(), Text(0, "So."), End(), "data: <html>\n\n", ": bye\n\n")).Text);
    }

    [Fact]
    public async Task A_connection_that_breaks_after_the_end_mark_loses_nothing()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Done().Cut());

        Assert.Equal("Hi.", (await To.AskAsync(server)).Text);
    }

    [Fact]
    public async Task A_connection_that_stays_open_after_the_end_mark_is_waited_for_only_briefly()
    {
        using var stream = new Staying(System.Text.Encoding.UTF8.GetBytes(Begin() + Text(0, "Hi.") + End()));
        using var http = new HttpMessageInvoker(stream);
        var time = new ManualTime();
        var asking = Asked.AskAsync(To.Model(Options, () => http, time));

        await stream.IsWaitedFor.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("Hi.", (await asking).Text);
    }

    /// <summary>Sends its bytes, and then nothing.</summary>
    private sealed class Staying(byte[] bytes) : HttpMessageHandler
    {
        private readonly TaskCompletionSource _waitedFor = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task IsWaitedFor => _waitedFor.Task;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(
                new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new Open(bytes, _waitedFor)) }
            );

        private sealed class Open(byte[] bytes, TaskCompletionSource waitedFor) : MemoryStream(bytes)
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                var length = await base.ReadAsync(buffer, cancellationToken);
                if (length == 0)
                {
                    waitedFor.TrySetResult();
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                }

                return length;
            }
        }
    }
}
