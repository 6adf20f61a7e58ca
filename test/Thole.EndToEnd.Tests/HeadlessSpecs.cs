using System.Text;
using System.Text.Json;

namespace Thole.EndToEnd.Tests;

public sealed class HeadlessSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task The_prompt_comes_from_the_flag_from_words_from_standard_input_and_from_both()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        Assert.Equal("Yes.\n", (await _thole.RunAsync("-p", "from a flag")).MustSucceed().Output);
        (await _thole.RunAsync("from", "words")).MustSucceed();
        (await _thole.RunWithInputAsync("from a pipe\n")).MustSucceed();
        (await _thole.RunWithInputAsync("line 1\nline 2\n", "-p", "what is this?")).MustSucceed();
        Assert.Equal(
            ["from a flag", "from words", "from a pipe", "line 1\nline 2\n\nwhat is this?"],
            _thole.Server.Requests.Select(LastWords)
        );
    }

    [Theory]
    [InlineData("-p", "@notes.md what does it say?")]
    [InlineData("-p", "--frobnicate does nothing; why?")]
    [InlineData("-p", "--model: what does this flag do?")]
    [InlineData("-p", "-5 + 7 = ?")]
    [InlineData("--", "--help")]
    [InlineData("-p", "käse 船 \"quoted\" $HOME `id` \\")]
    public async Task A_prompt_is_a_prompt_whatever_it_begins_with(string flag, string prompt)
    {
        _thole.Server.Reply(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync(flag, prompt)).MustSucceed();
        Assert.Equal(prompt, LastWords(Assert.Single(_thole.Server.Requests)));
    }

    [Fact]
    public async Task Text_is_shown_while_the_model_still_speaks()
    {
        var gate = new TaskCompletionSource();
        _thole.Server.Reply(reply => reply.Text("First words. ").Wait(gate.Task).Text("Last words.").Done());
        await using var running = _thole.Start("-p", "speak");
        running.CloseInput();
        await running.SaysAsync("First words.");
        Assert.DoesNotContain("Last", running.Output.ToString());
        gate.SetResult();
        Assert.Equal("First words. Last words.\n", (await running.EndAsync()).MustSucceed().Output);
    }

    [Fact]
    public async Task The_tools_really_work_in_a_git_repository()
    {
        _thole.Write("src/total.txt", "one\ntwo\nthree\n");
        _thole.Write("old.txt", "a\nb\n");
        await _thole.CommitAsync();
        _thole
            .Server.Reply(reply =>
                reply
                    .Text("I look.")
                    .Call("list_directory", """{"path":"."}""")
                    .Call("glob", """{"pattern":"**/*.txt"}""")
                    .Call("grep_search", """{"pattern":"tw."}""")
                    .Call("read_file", """{"file_path":"src/total.txt"}""")
                    .Call("read_file", """{"file_path":"old.txt"}""")
                    .Done()
            )
            .Reply(reply =>
                reply
                    .Call("edit", """{"file_path":"src/total.txt","old_string":"two","new_string":"2"}""")
                    .Call("write_file", """{"file_path":"new/file.txt","content":"made\n"}""")
                    .Call("apply_patch", """{"patch":"--- a/old.txt\n+++ b/old.txt\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n"}""")
                    .Done()
            )
            .Reply(reply =>
                reply.Call("run_shell_command", """{"command":"git status --porcelain && cat src/total.txt"}""").Done()
            )
            .Reply(reply => reply.Text("Done.").Done());

        var ended = (await _thole.RunAsync("-p", "work", "--approval-mode", "yolo")).MustSucceed();

        Assert.Equal("I look.\nDone.\n", ended.Output);
        Assert.Equal("one\n2\nthree\n", _thole.Read("src/total.txt"));
        Assert.Equal("made\n", _thole.Read("new/file.txt"));
        Assert.Equal("a\nB\n", _thole.Read("old.txt"));
        var results = Results(_thole.Server.Requests[^1]);
        Assert.Equal(9, results.Count);
        Assert.Contains("src", results[0]);
        Assert.Contains("total.txt", results[1]);
        Assert.Contains("two", results[2]);
        Assert.Contains("three", results[3]);
        Assert.Contains(" M old.txt", results[8]);
        Assert.Contains("?? new/", results[8]);
    }

    [Fact]
    public async Task Calls_of_one_message_are_answered_in_order_and_a_command_waits_for_the_files_it_may_need()
    {
        _thole
            .Server.Reply(reply =>
                reply
                    .Call("write_file", """{"file_path":"a","content":"first\n"}""")
                    .Call("write_file", """{"file_path":"b","content":"second\n"}""")
                    .Call("run_shell_command", """{"command":"cat a b"}""")
                    .Done()
            )
            .Reply(reply => reply.Text("Both.").Done());
        (await _thole.RunAsync("-p", "both", "--approval-mode", "yolo")).MustSucceed();
        var results = Results(_thole.Server.Requests[^1]);
        Assert.Equal(3, results.Count);
        Assert.Contains("first\nsecond", results[2]);
    }

    [Fact]
    public async Task Images_notebooks_and_PDF_reach_the_model()
    {
        var png = Convert.FromBase64String(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        );
        _thole.Write("dot.png", png);
        _thole.Write(
            "book.ipynb",
            """{"cells":[{"cell_type":"code","source":["print(6*7)"],"outputs":[{"output_type":"stream","name":"stdout","text":["42\n"]}],"metadata":{},"execution_count":1}],"metadata":{},"nbformat":4,"nbformat_minor":5}"""
        );
        _thole.Write("page.pdf", Pdf("Hello from a page"));
        _thole
            .Server.Reply(reply =>
                reply
                    .Call("read_file", """{"file_path":"dot.png"}""")
                    .Call("read_file", """{"file_path":"book.ipynb"}""")
                    .Call("read_file", """{"file_path":"page.pdf"}""")
                    .Done()
            )
            .Reply(reply => reply.Text("Seen.").Done());
        (await _thole.RunAsync("-p", "look")).MustSucceed();
        var request = _thole.Server.Requests[^1];
        Assert.Contains($"data:image/png;base64,{Convert.ToBase64String(png)}", request.Text.Replace("\\u002B", "+"));
        var results = Results(request);
        Assert.Contains("print(6*7)", results[1]);
        Assert.Contains("42", results[1]);
        Assert.Contains("Hello from a page", results[2]);
    }

    [Fact]
    public async Task System_prompt_model_and_limit_are_what_the_flags_say()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "x", "--model", "openai/other", "--system-prompt", "Be a parrot.")).MustSucceed();
        (await _thole.RunAsync("-p", "x", "--append-system-prompt", "- Rhyme.")).MustSucceed();
        var replaced = _thole.Server.Requests[0];
        Assert.Equal("other", replaced.Json.GetProperty("model").GetString());
        Assert.StartsWith("Be a parrot.", System(replaced));
        Assert.StartsWith("You are Thole", System(_thole.Server.Requests[1]));
        Assert.Contains("- Rhyme.", System(_thole.Server.Requests[1]));
    }

    [Fact]
    public async Task More_directories_may_be_worked_in_named_from_where_one_stands()
    {
        await File.WriteAllTextAsync(Path.Join(_thole.Outside, "far.txt"), "far away\n", TestContext.Current.CancellationToken);
        var call = JsonSerializer.Serialize(new { file_path = Path.Join(_thole.Outside, "far.txt") });
        _thole.Server.ReplyWhen(request => request.Messages.Count < 4, reply => reply.Call("read_file", call).Done());
        _thole.Server.ReplyOtherwise(reply => reply.Text("Read.").Done());
        (await _thole.RunAsync("-p", "x")).MustSucceed();
        Assert.Contains("outside of the workspace", Results(_thole.Server.Requests[^1])[0]);
        (await _thole.RunAsync("-p", "x", "--include-directories", "../outside")).MustSucceed();
        Assert.Contains("far away", Results(_thole.Server.Requests[^1])[0]);
        (await _thole.RunAsync("-p", "x", "--include-directories", "../nowhere")).MustFail(2, "nowhere", "--include-directories");
    }

    [Fact]
    public async Task Each_mode_does_what_it_may_and_says_what_it_refused()
    {
        const string Edit = """{"file_path":"made.txt","content":"x\n"}""";
        const string Tasks = """{"file_path":".vscode/tasks.json","content":"{}"}""";
        const string Hook = """{"file_path":".git/hooks/pre-commit","content":"#!/bin/sh\n"}""";
        _thole.Server.ReplyWhen(
            request => Results(request).Count == 0,
            reply =>
                reply
                    .Call("write_file", Edit)
                    .Call("write_file", Tasks)
                    .Call("write_file", Hook)
                    .Call("run_shell_command", """{"command":"touch ran"}""")
                    .Done()
        );
        _thole.Server.ReplyOtherwise(reply => reply.Text("Done.").Done());
        await _thole.CommitAsync();

        (await _thole.RunAsync("-p", "x", "--approval-mode", "plan")).MustFail(3, "--approval-mode");
        Assert.False(File.Exists(_thole.File("made.txt")));
        (await _thole.RunAsync("-p", "x")).MustFail(3, "--allowed-tools write_file,run_shell_command", "made.txt");
        Assert.False(File.Exists(_thole.File("made.txt")) || File.Exists(_thole.File("ran")));
        (await _thole.RunAsync("-p", "x", "--approval-mode", "auto-edit")).MustFail(3, "tasks.json", "run_shell_command");
        Assert.True(File.Exists(_thole.File("made.txt")));
        Assert.False(File.Exists(_thole.File(".vscode/tasks.json")) || File.Exists(_thole.File("ran")));
        (await _thole.RunAsync("-p", "x", "--allowed-tools", "run_shell_command(touch ran)")).MustEndWith(3);
        Assert.True(File.Exists(_thole.File("ran")));
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo")).MustSucceed();
        Assert.True(File.Exists(_thole.File(".vscode/tasks.json")));
        Assert.False(File.Exists(_thole.File(".git/hooks/pre-commit")));
    }

    [Fact]
    public async Task An_answer_that_the_output_limit_cut_is_one_answer()
    {
        _thole
            .Server.Reply(reply => reply.Text("The answer is for").Done("length"))
            .Reply(reply => reply.Text("ty-two.").Done())
            .Reply(reply => reply.Text("The answer is for").Done("length"))
            .Reply(reply => reply.Text("ty-two.").Done());

        Assert.Equal("The answer is forty-two.\n", (await _thole.RunAsync("-p", "x")).MustSucceed().Output);
        Assert.Contains(
            "\"result\":\"The answer is forty-two.\"",
            (await _thole.RunAsync("-p", "x", "-o", "json")).MustSucceed().Output
        );
    }

    [Theory]
    [InlineData("json")]
    [InlineData("stream-json")]
    public async Task Arguments_that_no_text_can_hold_are_answered_in_every_format(string format)
    {
        _thole
            .Server.Reply(reply => reply.Call("read_file", """{"file_path":"\ud800"}""").Done())
            .Reply(reply => reply.Text("Done.").Done());

        Assert.Contains("\"result\":\"Done.\"", (await _thole.RunAsync("-p", "x", "-o", format)).MustSucceed().Output);
    }

    [Fact]
    public async Task A_large_output_is_shown_in_part_and_kept_whole()
    {
        _thole
            .Server.Reply(reply => reply.Call("run_shell_command", """{"command":"seq 1 300000"}""").Done())
            .Reply(reply => reply.Text("Many.").Done());
        (await _thole.RunAsync("-p", "count", "--approval-mode", "yolo")).MustSucceed();
        var result = Results(_thole.Server.Requests[^1])[0];
        Assert.InRange(result.Length, 1_000, 40_000);
        Assert.Contains("300000", result);
        Assert.Contains("1 blobs", (await _thole.RunAsync("sessions", "verify", _thole.OnlySession())).MustSucceed().Output);
    }

    [Fact]
    public async Task A_prompt_that_no_model_takes_is_a_limit_and_not_a_defect()
    {
        _thole.Server.ReplyOtherwise(reply =>
            reply.Status(
                400,
                """{"error":{"message":"This model's maximum context length is 128000 tokens.","code":"context_length_exceeded"}}"""
            )
        );
        (await _thole.RunWithInputAsync(string.Concat(Enumerable.Repeat("word ", 800_000)))).MustFail(6);
    }

    [Fact]
    public async Task Letters_of_every_kind_arrive_whole_however_the_stream_is_cut()
    {
        const string Text = "käse 船 👩‍👩‍👧 \r\n ﷽ end";
        _thole.Server.Reply(reply => reply.Text(Text).Done().InPiecesOf(1));
        var said = (await _thole.RunAsync("-p", "x", "-o", "stream-json", "--include-partial-messages")).MustSucceed();
        Assert.Equal(Text, said.Of("result")[0].GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_question_to_the_user_is_refused_where_there_is_none()
    {
        _thole
            .Server.Reply(reply =>
                reply
                    .Call(
                        "ask_user_question",
                        """{"questions":[{"question":"Which?","header":"Which","options":[{"label":"A","description":"a"},{"label":"B","description":"b"}]}]}"""
                    )
                    .Done()
            )
            .Reply(reply => reply.Text("Then A.").Done());
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo")).MustEndWith(3);
        Assert.Contains("headless", Results(_thole.Server.Requests[^1])[0]);
    }

    internal static string LastWords(Testing.Models.RecordedRequest request)
    {
        var content = request.Messages[^1].GetProperty("content");
        return content.ValueKind is JsonValueKind.String
            ? content.GetString()!
            : string.Concat(content.EnumerateArray().Select(part => part.GetProperty("text").GetString()));
    }

    internal static string System(Testing.Models.RecordedRequest request) =>
        request.Messages[0].GetProperty("content").ToString();

    /// <summary>The results of tools that a request holds, as text.</summary>
    internal static IReadOnlyList<string> Results(Testing.Models.RecordedRequest request) =>
        [
            .. request
                .Messages.Where(message => message.GetProperty("role").GetString() == "tool")
                .Select(message =>
                    message.GetProperty("content") is { ValueKind: JsonValueKind.String } text
                        ? text.GetString()!
                        : message.GetProperty("content").ToString()
                ),
        ];

    /// <summary>A PDF of one page with one line.</summary>
    private static byte[] Pdf(string line)
    {
        var content = $"BT /F1 24 Tf 72 700 Td ({line}) Tj ET";
        string[] objects =
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
            $"<< /Length {content.Length} >>\nstream\n{content}\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ];
        var pdf = new StringBuilder("%PDF-1.4\n");
        List<int> offsets = [];
        foreach (var (index, body) in objects.Index())
        {
            offsets.Add(pdf.Length);
            pdf.Append($"{index + 1} 0 obj\n{body}\nendobj\n");
        }

        var start = pdf.Length;
        pdf.Append($"xref\n0 {objects.Length + 1}\n0000000000 65535 f \n");
        offsets.ForEach(offset => pdf.Append($"{offset:d10} 00000 n \n"));
        pdf.Append($"trailer\n<< /Size {objects.Length + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
        return Encoding.ASCII.GetBytes(pdf.ToString());
    }
}
