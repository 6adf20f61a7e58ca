using System.Text.Json;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

public sealed class SessionSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task A_session_goes_on_by_continue_by_id_and_by_the_beginning_of_its_id()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Noted.").Done());
        (await _thole.RunAsync("-p", "remember 41")).MustSucceed();
        var id = _thole.OnlySession();
        (await _thole.RunAsync("-p", "second", "--continue")).MustSucceed();
        (await _thole.RunAsync("-p", "third", "--resume", id)).MustSucceed();
        (await _thole.RunAsync("-p", "fourth", "-r", id[..8])).MustSucceed();
        Assert.Equal(id, _thole.OnlySession());
        Assert.Equal(["remember 41", "second", "third", "fourth"], UserWords(_thole.Server.Requests[^1]));
    }

    [Fact]
    public async Task What_the_model_was_sent_is_only_ever_added_to_from_step_to_step_and_from_process_to_process()
    {
        _thole.Write("AGENTS.md", "Be kind.\n");
        _thole.Write("deep/AGENTS.md", "Be deep.\n");
        _thole.Write("deep/a.txt", "alpha\n");
        await _thole.CommitAsync();
        _thole
            .Server.Reply(reply =>
                reply
                    .Reasoning("Let me see. ")
                    .Text("I look.")
                    .Call("read_file", """{"file_path":"deep/a.txt"}""")
                    .Call("list_directory", """{"path":"."}""")
                    .Done()
            )
            .Reply(reply => reply.Call("run_shell_command", """{"command":"echo käse 船"}""").Done())
            .Reply(reply => reply.Text("Done <&> \"so\".").Done())
            .ReplyOtherwise(reply => reply.Text("Yes.").Done());

        (await _thole.RunAsync("-p", "first", "--approval-mode", "yolo")).MustSucceed();
        (await _thole.RunAsync("-p", "second", "--continue", "--approval-mode", "yolo")).MustSucceed();
        (await _thole.RunAsync("-p", "third", "--continue")).MustSucceed();

        var requests = _thole.Server.Requests;
        Assert.Equal(5, requests.Count);
        for (var index = 1; index < requests.Count; index++)
        {
            Assert.Equal(
                requests[0].Json.GetProperty("tools").GetRawText(),
                requests[index].Json.GetProperty("tools").GetRawText()
            );
            var (before, after) = (requests[index - 1].Messages, requests[index].Messages);
            Assert.True(after.Count > before.Count);
            Assert.Equal(
                before.Select(message => message.GetRawText()),
                after.Take(before.Count).Select(message => message.GetRawText())
            );
        }
    }

    [Fact]
    public async Task The_first_request_has_at_most_ten_thousand_bytes()
    {
        _thole.Server.Reply(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "Say yes.")).MustSucceed();
        Assert.InRange(_thole.Server.Requests[0].WireBytes, 1, 10_000);
    }

    [Fact]
    public async Task A_session_keeps_its_model_and_a_flag_changes_it_for_good()
    {
        _thole.Variables.Remove("OPENAI_MODEL");
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "1", "--model", "openai/one")).MustSucceed();
        (await _thole.RunAsync("-p", "2", "-c")).MustSucceed();
        (await _thole.RunAsync("-p", "3", "-c", "--model", "two")).MustSucceed();
        (await _thole.RunAsync("-p", "4", "-c")).MustSucceed();
        Assert.Equal(
            ["one", "one", "two", "two"],
            _thole.Server.Requests.Select(request => request.Json.GetProperty("model").GetString())
        );
    }

    [Fact]
    public async Task What_a_run_says_of_its_session_is_what_the_session_uses()
    {
        _thole.Variables.Remove("OPENAI_MODEL");
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "1", "--model", "openai/one")).MustSucceed();
        var ended = (await _thole.RunAsync("-p", "2", "-c", "-o", "stream-json")).MustSucceed();
        Assert.Equal("openai/one", ended.Of("system/init")[0].GetProperty("model").GetString());
        Assert.Equal("openai/one", ended.Of("assistant")[0].GetProperty("message").GetProperty("model").GetString());
    }

    [Fact]
    public async Task The_right_to_do_more_ends_with_the_run_that_had_it()
    {
        _thole.Server.ReplyWhen(
            request => request.Messages[^1].GetProperty("role").GetString() == "user",
            reply => reply.Call("run_shell_command", """{"command":"date >> ran"}""").Done()
        );
        _thole.Server.ReplyOtherwise(reply => reply.Text("Done.").Done());
        (await _thole.RunAsync("-p", "1", "--approval-mode", "yolo")).MustSucceed();
        (await _thole.RunAsync("-p", "2", "--continue")).MustEndWith(3);
        Assert.Single(await File.ReadAllLinesAsync(_thole.File("ran"), Now));
    }

    [Fact]
    public async Task An_ambiguous_beginning_and_a_session_of_another_directory_are_bad_usage()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "1")).MustSucceed();
        var first = _thole.OnlySession();
        await using var elsewhere = _thole.StartIn(_thole.Outside, "-p", "x", "--resume", first);
        elsewhere.CloseInput();
        (await elsewhere.EndAsync()).MustFail(2, _thole.Workspace);
        await using var none = _thole.StartIn(_thole.Outside, "-p", "x", "--continue");
        none.CloseInput();
        (await none.EndAsync()).MustFail(2, "--continue");

        // Ids begin with sixteen letters at most: seventeen sessions have two that begin alike.
        for (var count = 0; count < 2; count++)
        {
            File.Copy(
                Path.Join(_thole.Home, "sessions", $"{first}.db"),
                Path.Join(_thole.Home, "sessions", $"{first[..^1]}{(char)('x' + count)}.db")
            );
        }

        (await _thole.RunAsync("-p", "x", "--resume", first[..8])).MustFail(2, "sessions begin with");
        Assert.Single(_thole.Server.Requests);
    }

    [Fact]
    public async Task A_session_that_another_process_has_open_is_left_alone()
    {
        _thole.Server.Reply(reply => reply.Text("I think ").Hang());
        await using var running = _thole.Start("-p", "first");
        running.CloseInput();
        await running.SaysAsync("I think");
        var id = _thole.OnlySession();
        (await _thole.RunAsync("-p", "second", "--resume", id)).MustFail(2, "open in another thole");
        (await _thole.RunAsync("sessions", "delete", id, "--yes")).MustFail(1, "open in another thole");
        Assert.Contains("first", (await _thole.RunAsync("sessions", "show", id)).MustSucceed().Output);
        await running.SignalAsync("INT");
        (await running.EndAsync()).MustEndWith(130);
        Assert.Single(_thole.Server.Requests);
    }

    [Fact]
    public async Task Runs_at_the_same_time_in_one_workspace_have_sessions_of_their_own()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        var ended = await Task.WhenAll(Enumerable.Range(0, 4).Select(run => _thole.RunAsync("-p", $"prompt {run}")));
        Assert.All(ended, run => Assert.Equal("Yes.\n", run.MustSucceed().Output));
        var lists = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => _thole.RunAsync("sessions", "list", "--json")));
        Assert.All(lists, list => Assert.Equal(4, JsonElement.Parse(list.MustSucceed().Output).GetArrayLength()));
    }

    [Fact]
    public async Task A_process_that_was_killed_leaves_a_session_that_goes_on_and_repeats_nothing()
    {
        _thole.Server.Reply(reply => reply.Call("run_shell_command", """{"command":"echo once >> ran; sleep 600"}""").Done());
        _thole.Server.ReplyOtherwise(reply => reply.Text("I see.").Done());
        await using var running = _thole.Start("-p", "first", "--approval-mode", "yolo");
        running.CloseInput();
        await _thole.Server.RequestAsync(1, Now);
        while (!File.Exists(_thole.File("ran")))
        {
            await Task.Delay(20, Now); // the command's own file is the only sign that it has begun
        }

        await running.SignalAsync("KILL");
        await running.EndAsync();
        (await _thole.RunAsync("-p", "go on", "--continue", "--approval-mode", "yolo")).MustSucceed();
        Assert.Equal("once\n", _thole.Read("ran"));
        Assert.Contains("is not known", HeadlessSpecs.Results(_thole.Server.Requests[^1])[0]);
        (await _thole.RunAsync("sessions", "verify", "--all")).MustSucceed();
    }

    [Fact]
    public async Task A_log_that_was_cut_off_is_salvaged_and_that_is_said()
    {
        _thole.Write("big.txt", string.Concat(Enumerable.Range(0, 1_500).Select(line => $"line {line} of the file\n")));
        _thole.Server.Reply(reply => reply.Call("read_file", """{"file_path":"big.txt"}""").Done());
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("-p", "first words")).MustSucceed();
        var path = Path.Join(_thole.Home, "sessions", $"{_thole.OnlySession()}.db");
        await using (var log = new FileStream(path, FileMode.Open))
        {
            log.SetLength(log.Length / 2);
        }

        var id = _thole.OnlySession();
        var verified = (await _thole.RunAsync("sessions", "verify", id)).MustEndWith(1);
        Assert.Contains("NOT INTACT", verified.Output);
        var ended = (await _thole.RunAsync("-p", "second", "--resume", id)).MustSucceed();
        Assert.Matches("damaged; lost: events [0-9]+ to [0-9]+", ended.Error);
        Assert.Equal("second", HeadlessSpecs.LastWords(_thole.Server.Requests[^1]));
    }

    [Fact]
    public async Task Sessions_are_listed_shown_searched_exported_verified_and_deleted()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("An **oar** pin.").Done());
        (await _thole.RunAsync("-p", "What is a thole?")).MustSucceed();
        (await _thole.RunAsync("-p", "And an \u001b[31moar?")).MustSucceed();

        var listed = JsonElement.Parse((await _thole.RunAsync("sessions", "list", "--json")).MustSucceed().Output);
        Assert.Equal(
            ["And an \\e[31moar?", "What is a thole?"],
            listed.EnumerateArray().Select(one => one.GetProperty("title").GetString())
        );
        var id = listed[1].GetProperty("id").GetString()!;
        Assert.All(listed.EnumerateArray(), one => Assert.Equal(_thole.Workspace, one.GetProperty("workspace").GetString()));
        Assert.DoesNotContain('\u001b', (await _thole.RunAsync("sessions", "list")).MustSucceed().Output);

        var shown = (await _thole.RunAsync("sessions", "show", id[..10])).MustSucceed().Output;
        Assert.Contains("What is a thole?", shown);
        Assert.Contains("An **oar** pin.", shown);
        Assert.Contains(id, (await _thole.RunAsync("sessions", "search", "thole")).MustSucceed().Output);

        Assert.Equal(shown, (await _thole.RunAsync("sessions", "export", id)).MustSucceed().Output);
        var json = JsonElement.Parse((await _thole.RunAsync("sessions", "export", id, "--format", "json")).MustSucceed().Output);
        Assert.Contains("What is a thole?", json.GetRawText());
        var lines = (await _thole.RunAsync("sessions", "export", id, "--format", "jsonl")).MustSucceed().Output;
        Assert.All(
            lines.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Equal(JsonValueKind.Object, JsonElement.Parse(line).ValueKind)
        );
        (await _thole.RunAsync("sessions", "export", id, "--output", "out.md")).MustSucceed();
        Assert.Equal(shown, _thole.Read("out.md"));
        (await _thole.RunAsync("sessions", "export", id, "--output", "no/such/folder/out.md")).MustFail(1, "no/such/folder");
        (await _thole.RunAsync("sessions", "export", id, "--format", "pdf")).MustFail(2, "markdown, json, jsonl");
        (await _thole.RunAsync("sessions", "list", "--limit", "0")).MustFail(2, "--limit");

        Assert.Contains("intact", (await _thole.RunAsync("sessions", "verify", id)).MustSucceed().Output);
        (await _thole.RunAsync("sessions", "delete", id)).MustFail(2, "--yes");
        (await _thole.RunAsync("sessions", "delete", id, "--yes")).MustSucceed();
        (await _thole.RunAsync("sessions", "show", id)).MustFail(2, "There is no session");
        Assert.DoesNotContain(
            Directory.GetFiles(Path.Join(_thole.Home, "sessions")),
            file => file.Contains(id, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_home_without_sessions_is_no_failure_and_asking_makes_nothing()
    {
        Assert.Equal("[]\n", (await _thole.RunAsync("sessions", "list", "--json")).MustSucceed().Output);
        (await _thole.RunAsync("sessions", "search", "anything")).MustSucceed();
        (await _thole.RunAsync("sessions", "verify", "--all")).MustSucceed();
        Assert.Empty(Directory.GetFileSystemEntries(_thole.Home));
    }

    private static string[] UserWords(RecordedRequest request) =>
        [
            .. request
                .Messages.Where(message => message.GetProperty("role").GetString() == "user")
                .Select(message => message.GetProperty("content").ToString())
                .Where(text => !text.Contains('<', StringComparison.Ordinal)),
        ];
}
