using System.Text.Json;

namespace Thole.EndToEnd.Tests;

public sealed class JsonModeSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Theory]
    [InlineData("json")]
    [InlineData("stream-json")]
    public async Task Every_message_has_the_shape_that_scripts_read(string format)
    {
        _thole.Write("a.txt", "alpha\n");
        _thole
            .Server.Reply(reply =>
                reply
                    .Reasoning("Hm. ")
                    .Text("I look.")
                    .Call("read_file", """{"file_path":"a.txt"}""")
                    .Call("run_shell_command", """{"command":"id"}""")
                    .Usage(100, 20, 50)
                    .Done()
            )
            .Reply(reply => reply.Text("It says alpha.").Usage(200, 10).Done());

        var ended = (await _thole.RunAsync("-p", "x", "--output-format", format)).MustFail(3, "run_shell_command");

        Assert.Equal(
            ["system", "assistant", "user", "user", "assistant", "result"],
            ended.Messages.Select(message => message.GetProperty("type").GetString())
        );
        var session = _thole.OnlySession();
        Assert.All(ended.Messages, message => Assert.Equal(session, message.GetProperty("session_id").GetString()));
        var init = ended.Messages[0];
        Assert.Equal("init", init.GetProperty("subtype").GetString());
        Assert.Equal(_thole.Workspace, init.GetProperty("cwd").GetString());
        Assert.Equal("default", init.GetProperty("permission_mode").GetString());
        Assert.Contains("read_file", init.GetProperty("tools").EnumerateArray().Select(tool => tool.GetString()));
        Assert.Empty(init.GetProperty("mcp_servers").EnumerateArray());

        var message = ended.Messages[1].GetProperty("message");
        Assert.Equal("assistant", message.GetProperty("role").GetString());
        Assert.Equal("tool_use", message.GetProperty("stop_reason").GetString());
        var content = message.GetProperty("content").EnumerateArray().ToArray();
        Assert.Equal(
            ["thinking", "text", "tool_use", "tool_use"],
            content.Select(block => block.GetProperty("type").GetString())
        );
        Assert.Equal("a.txt", content[2].GetProperty("input").GetProperty("file_path").GetString());
        Assert.Equal(100, message.GetProperty("usage").GetProperty("input_tokens").GetInt64());
        Assert.Equal(50, message.GetProperty("usage").GetProperty("cache_read_input_tokens").GetInt64());

        var results = ended.Of("user").Select(user => user.GetProperty("message").GetProperty("content")[0]).ToArray();
        var read = results.Single(result => Text(result, "tool_use_id") == Text(content[2], "id"));
        Assert.Equal("tool_result", Text(read, "type"));
        Assert.False(read.GetProperty("is_error").GetBoolean());
        Assert.Contains("alpha", Text(read, "content"));
        var refused = results.Single(result => Text(result, "tool_use_id") == Text(content[3], "id"));
        Assert.True(refused.GetProperty("is_error").GetBoolean());
        Assert.Equal("refused", Text(refused, "outcome"));

        var last = ended.Messages[^1];
        Assert.Equal("success", Text(last, "subtype"));
        Assert.False(last.GetProperty("is_error").GetBoolean());
        Assert.Equal(2, last.GetProperty("num_turns").GetInt32());
        Assert.Equal("It says alpha.", Text(last, "result"));
        Assert.Equal(300, last.GetProperty("usage").GetProperty("input_tokens").GetInt64());
        Assert.True(last.GetProperty("duration_ms").GetInt64() >= 0);
        var denial = Assert.Single(last.GetProperty("permission_denials").EnumerateArray());
        Assert.Equal("run_shell_command", Text(denial, "tool_name"));
        Assert.Equal("id", Text(denial.GetProperty("tool_input"), "command"));
    }

    [Fact]
    public async Task Partial_messages_come_while_the_model_speaks_and_only_where_they_were_asked_for()
    {
        var gate = new TaskCompletionSource();
        _thole.Server.Reply(reply => reply.Text("First. ").Wait(gate.Task).Text("Last.").Done());
        await using var running = _thole.Start("-p", "x", "-o", "stream-json", "--include-partial-messages");
        running.CloseInput();
        await running.SaysAsync("\"text_delta\",\"text\":\"First. \"");
        gate.SetResult();
        var ended = (await running.EndAsync()).MustSucceed();
        Assert.Equal(
            "First. Last.",
            string.Concat(
                ended.Of("stream_event").Select(partial => Text(partial.GetProperty("event").GetProperty("delta"), "text"))
            )
        );

        _thole.Server.Reply(reply => reply.Text("First. ").Done());
        Assert.Empty((await _thole.RunAsync("-p", "x", "-o", "stream-json")).MustSucceed().Of("stream_event"));
    }

    [Fact]
    public async Task Two_prompts_as_lines_are_two_turns_of_one_session()
    {
        _thole.Server.Reply(reply => reply.Text("One.").Done()).Reply(reply => reply.Text("Two.").Done());
        await using var running = StartConversation();
        await running.WriteLineAsync(Prompt("first"));
        await running.SaysAsync("\"result\":\"One.\"");
        await running.WriteLineAsync("""{"type":"user","message":{"role":"user","content":[{"type":"text","text":"second"}]}}""");
        await running.SaysAsync("\"result\":\"Two.\"");
        running.CloseInput();
        var ended = (await running.EndAsync()).MustSucceed();
        Assert.Single(ended.Of("system/init"));
        Assert.Equal(2, ended.Of("result").Count);
        Assert.Contains("One.", _thole.Server.Requests[1].Text);
        Assert.Equal("second", HeadlessSpecs.LastWords(_thole.Server.Requests[1]));
    }

    [Fact]
    public async Task A_prompt_that_comes_while_a_turn_runs_waits_its_place()
    {
        var gate = new TaskCompletionSource();
        _thole.Server.Reply(reply => reply.Wait(gate.Task).Text("One.").Done()).Reply(reply => reply.Text("Two.").Done());
        await using var running = StartConversation();
        await running.WriteLineAsync(Prompt("first"));
        await running.WriteLineAsync(Prompt("second"));
        running.CloseInput();
        await _thole.Server.RequestAsync(1, TestContext.Current.CancellationToken);
        gate.SetResult();
        var ended = (await running.EndAsync()).MustSucceed();
        Assert.Equal(["One.", "Two."], ended.Of("result").Select(result => Text(result, "result")));
    }

    [Fact]
    public async Task Control_requests_are_obeyed_and_each_is_answered()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Call("run_shell_command", """{"command":"touch ran"}""").Done());
        _thole.Server.ReplyWhen(request => HeadlessSpecs.Results(request).Count > 0, reply => reply.Text("Done.").Done());
        await using var running = StartConversation();
        await running.WriteLineAsync(Control("1", """{"subtype":"initialize","hooks":null}"""));
        await running.WriteLineAsync(Control("2", """{"subtype":"set_model","model":"openai/other"}"""));
        await running.WriteLineAsync(Control("3", """{"subtype":"set_permission_mode","mode":"yolo"}"""));
        await running.WriteLineAsync(Control("4", """{"subtype":"set_permission_mode","mode":"wild"}"""));
        await running.WriteLineAsync(Control("5", """{"subtype":"set_model"}"""));
        await running.WriteLineAsync(Control("6", """{"subtype":"set_model","model":null}"""));
        await running.WriteLineAsync(Control("7", """{"subtype":"mcp_message"}"""));
        await running.WriteLineAsync("""{"type":"control_request","request_id":"8"}""");
        await running.WriteLineAsync(Prompt("go"));
        running.CloseInput();
        var ended = (await running.EndAsync()).MustSucceed();
        var answers = ended.Of("control_response").Select(answer => answer.GetProperty("response")).ToArray();
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8"], answers.Select(answer => Text(answer, "request_id")));
        Assert.Equal(
            ["success", "success", "success", "error", "error", "error", "error", "error"],
            answers.Select(answer => Text(answer, "subtype"))
        );
        var said = answers[0].GetProperty("response");
        Assert.Equal("initialize", Text(said, "subtype"));
        Assert.True(said.GetProperty("capabilities").GetProperty("can_set_permission_mode").GetBoolean());
        Assert.Contains("auto-edit", Text(answers[3], "error"));
        Assert.Equal("other", _thole.Server.Requests[0].Json.GetProperty("model").GetString());
        Assert.True(File.Exists(_thole.File("ran")));
    }

    [Fact]
    public async Task An_interrupt_right_behind_its_prompt_stops_that_turn_and_the_next_prompt_is_taken()
    {
        _thole.Server.Reply(reply => reply.Text("I begin").Hang());
        _thole.Server.ReplyWhen(request => HeadlessSpecs.LastWords(request) == "second", reply => reply.Text("Two.").Done());
        await using var running = StartConversation();
        await running.WriteLineAsync(Prompt("first"));
        await running.WriteLineAsync(Control("stop", """{"subtype":"interrupt"}"""));
        await running.SaysAsync("\"subtype\":\"interrupted\"");
        await running.WriteLineAsync(Prompt("second"));
        running.CloseInput();
        var ended = (await running.EndAsync()).MustSucceed();
        Assert.Equal(["interrupted", "success"], ended.Of("result").Select(result => Text(result, "subtype")));
        Assert.Single(ended.Of("control_response"));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"type":7}""")]
    [InlineData("""{"type":"user"}""")]
    [InlineData("""{"type":"user","message":{"content":""}}""")]
    [InlineData("""{"type":"user","message":{"content":null}}""")]
    [InlineData("""{"type":"user","message":{"content":[{"type":"image"}]}}""")]
    [InlineData("""{"type":"user","message":{"content":"\ud800"}}""")]
    [InlineData("""{"type":"user","type":"user","message":{"content":"twice"}}""")]
    [InlineData("""{"type":"control_request","request_id":null,"request":{"subtype":"interrupt"}}""")]
    [InlineData("""{"type":"frobnicate"}""")]
    public async Task A_line_that_is_no_message_is_answered_and_does_no_harm(string line)
    {
        _thole.Server.Reply(reply => reply.Text("Here.").Done());
        var ended = (
            await _thole.RunWithInputAsync(
                $"{line}\n\n{Prompt("still there?")}\n",
                "--input-format",
                "stream-json",
                "--output-format",
                "stream-json"
            )
        ).MustSucceed();
        Assert.NotEqual("", Text(Assert.Single(ended.Of("system/input_error")), "message"));
        Assert.Equal("Here.", Text(Assert.Single(ended.Of("result")), "result"));
        Assert.Single(_thole.Server.Requests);
    }

    [Fact]
    public async Task A_failure_is_a_result_message_and_a_sentence_on_standard_error()
    {
        _thole.Server.ReplyOtherwise(reply =>
            reply.Status(404, """{"error":{"message":"no such model","code":"model_not_found"}}""")
        );
        var failed = (await _thole.RunAsync("-p", "x", "-o", "json")).MustFail(5, "does not know the model");
        var result = Assert.Single(failed.Of("result"));
        Assert.True(result.GetProperty("is_error").GetBoolean());
        Assert.Equal(5, result.GetProperty("exit_code").GetInt32());
        Assert.Contains("does not know the model", Text(result.GetProperty("error"), "message"));
    }

    [Theory]
    [InlineData("json", "--frobnicate")]
    [InlineData("json", "--resume", "nothing-like-it")]
    [InlineData("stream-json", "--max-turns", "none")]
    [InlineData("stream-json", "--workspace", "/nowhere/at/all")]
    public async Task Bad_usage_is_a_result_message_too(string format, params string[] wrong)
    {
        var failed = (await _thole.RunAsync(["-p", "x", "--output-format", format, .. wrong])).MustFail(2);
        var result = Assert.Single(failed.Of("result"));
        Assert.True(result.GetProperty("is_error").GetBoolean());
        Assert.Equal(2, result.GetProperty("exit_code").GetInt32());
        Assert.NotEqual("", Text(result.GetProperty("error"), "message"));
    }

    [Fact]
    public async Task Lines_in_need_lines_out()
    {
        (await _thole.RunWithInputAsync(Prompt("x"), "--input-format", "stream-json")).MustFail(2, "--output-format stream-json");
    }

    private RunningThole StartConversation() => _thole.Start("--input-format", "stream-json", "--output-format", "stream-json");

    private static string Prompt(string text) =>
        JsonSerializer.Serialize(new { type = "user", message = new { role = "user", content = text } });

    private static string Control(string id, string request) =>
        $$"""{"type":"control_request","request_id":"{{id}}","request":{{request}}}""";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
