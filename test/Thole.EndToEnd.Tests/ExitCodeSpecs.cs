using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Thole.EndToEnd.Tests;

public sealed class ExitCodeSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Theory]
    [InlineData("There is no option --frobnicate", "-p", "x", "--frobnicate")]
    [InlineData("There is no option --aproval-mode", "--aproval-mode", "yolo", "-p", "x")]
    [InlineData("plan, default, auto-edit, yolo", "-p", "x", "--approval-mode", "wild")]
    [InlineData("text, json, stream-json", "-p", "x", "--output-format", "xml")]
    [InlineData("a whole number from 1", "-p", "x", "--max-turns", "0")]
    [InlineData("a whole number from 1", "-p", "x", "--max-turns", "99999999999")]
    [InlineData("a whole number from 1", "-p", "x", "--max-turns", "many")]
    [InlineData("There is no directory", "-p", "x", "--workspace", "nowhere")]
    [InlineData("is a file", "-p", "x", "--workspace", "a.txt")]
    [InlineData("--workspace is empty", "-p", "x", "--workspace", "")]
    [InlineData("There is no prompt", "-p", "")]
    [InlineData("There is no prompt")]
    [InlineData("-p", "--model", "m", "-p")]
    [InlineData("--resume", "-p", "x", "--continue", "--resume", "abc")]
    [InlineData("There is no session to continue", "-p", "x", "--continue")]
    [InlineData("There is no session 'abc'", "-p", "x", "--resume", "abc")]
    [InlineData("There is no session '../../etc/passwd'", "-p", "x", "--resume", "../../etc/passwd")]
    [InlineData("There is no session ''", "-p", "x", "--resume", "")]
    [InlineData("is not an allowed tool", "-p", "x", "--allowed-tools", "edit(")]
    [InlineData("--help", "sessions")]
    [InlineData("--help", "sessions", "frobnicate")]
    [InlineData("--help", "config", "show", "--frobnicate")]
    [InlineData("--help", "demo", "me")]
    public async Task What_cannot_be_is_bad_usage(string says, params string[] arguments)
    {
        _thole.Write("a.txt", "x");
        (await _thole.RunAsync(arguments)).MustFail(2, says);
        Assert.Empty(_thole.Server.Requests);
        Assert.False(
            Directory.Exists(Path.Join(_thole.Home, "sessions"))
                && Directory.GetFiles(Path.Join(_thole.Home, "sessions"), "*-*.db").Length > 0
        );
    }

    [Theory]
    [InlineData("{\n  \"model\": \"m\",,\n}", "settings.json:2:")]
    [InlineData("{\n  \"model\": ", "settings.json:2:")]
    [InlineData("[]", "must hold a JSON object")]
    [InlineData("{\"maxTurns\":\"many\"}", "'maxTurns' must be a whole number")]
    [InlineData("{\"model\":7}", "'model' must be a text")]
    [InlineData("{\"allowedTools\":\"edit\"}", "'allowedTools' must be a list of texts")]
    [InlineData("{\"approvalMode\":\"wild\"}", "one of plan, default, auto-edit, yolo")]
    [InlineData("{\"model\":\"a\",\"model\":\"b\"}", "settings.json")]
    [InlineData("", "settings.json")]
    [InlineData(
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}",
        "settings.json"
    )]
    public async Task Settings_that_do_not_parse_are_bad_usage_that_says_where(string json, string says)
    {
        _thole.WriteSettings(json);
        (await _thole.RunAsync("-p", "x")).MustFail(2, says);
        (await _thole.RunAsync("--help")).MustSucceed();
    }

    [Fact]
    public async Task Without_a_key_nobody_is_connected_to()
    {
        // An address that is not loopback and yet this machine's: a connection would be seen.
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var outside = Array.Find(
            await Dns.GetHostAddressesAsync(Dns.GetHostName(), Now),
            address => address.AddressFamily is AddressFamily.InterNetwork && !IPAddress.IsLoopback(address)
        );
        _thole.Variables["OPENAI_BASE_URL"] =
            $"http://{outside ?? IPAddress.Parse("192.0.2.1")}:{((IPEndPoint)listener.LocalEndpoint).Port}/v1";
        (await _thole.RunAsync("-p", "x")).MustFail(4, "OPENAI_API_KEY");
        Assert.False(listener.Pending());
        Assert.False(Directory.Exists(Path.Join(_thole.Home, "sessions")));
    }

    [Fact]
    public async Task A_key_that_is_not_accepted_is_no_credentials_and_is_not_repeated()
    {
        _thole.Variables["OPENAI_API_KEY"] = "sk-planted-0123456789";
        _thole.Server.ReplyOtherwise(reply =>
            reply.Status(401, """{"error":{"message":"Incorrect API key provided: sk-planted-0123456789"}}""")
        );
        var failed = (await _thole.RunAsync("-p", "x")).MustFail(4, "OPENAI_API_KEY");
        Assert.DoesNotContain("planted", failed.Error);
        Assert.Single(_thole.Server.Requests);
    }

    [Fact]
    public async Task A_provider_that_stays_unwell_is_given_up_after_the_retries()
    {
        _thole.WriteSettings("""{"providers":{"openai":{"maxRetries":2}}}""");
        _thole.Server.ReplyOtherwise(reply => reply.Header("Retry-After", "0").Status(500, """{"error":{"message":"boom"}}"""));
        var failed = (await _thole.RunAsync("-p", "x")).MustEndWith(5);
        Assert.Equal(3, _thole.Server.Requests.Count);
        var lines = failed.Error.TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.All(lines[..2], line => Assert.Contains("Trying again", line));
        Assert.Contains("Tried 3 times", lines[2]);
    }

    [Theory]
    [InlineData("404", "does not know the model")]
    [InlineData("html", "")]
    [InlineData("cut", "")]
    [InlineData("empty", "answered nothing")]
    [InlineData("400", "refuses the request")]
    [InlineData("filtered", "content filter")]
    public async Task Every_way_in_which_a_provider_fails_is_said(string way, string says)
    {
        _thole.WriteSettings("""{"providers":{"openai":{"maxRetries":0}}}""");
        _thole.Server.Reply(reply =>
            _ = way switch
            {
                "404" => reply.Status(404, """{"error":{"message":"The model does not exist","code":"model_not_found"}}"""),
                "html" => reply.Body("<html><body>Welcome to the hotel Wi-Fi</body></html>", "text/html"),
                "cut" => reply.Text("Half an ans").Cut(),
                "empty" => reply.Done(),
                "400" => reply.Status(400, """{"error":{"message":"no"}}"""),
                _ => reply.Text("I").Done("content_filter"),
            }
        );
        var failed = (await _thole.RunAsync("-p", "x")).MustFail(5, says);
        Assert.DoesNotContain("<html>", failed.Output);
        Assert.Single(_thole.Server.Requests);
    }

    [Fact]
    public async Task Nobody_at_the_address_is_a_provider_failure()
    {
        _thole.WriteSettings("""{"providers":{"openai":{"maxRetries":0}}}""");
        _thole.Variables["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1";
        (await _thole.RunAsync("-p", "x")).MustFail(5, "127.0.0.1:1", "Check the network");
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/v1")]
    [InlineData("not an address")]
    public async Task An_address_that_is_none_is_bad_usage(string address)
    {
        _thole.Variables["OPENAI_BASE_URL"] = address;
        (await _thole.RunAsync("-p", "x")).MustFail(2, "OPENAI_BASE_URL");
    }

    [Fact]
    public async Task The_limit_of_steps_ends_the_turn()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Call("list_directory", """{"path":"."}""").Done());
        (await _thole.RunAsync("-p", "x", "--max-turns", "2")).MustFail(6, "2 steps");
        Assert.Equal(2, _thole.Server.Requests.Count);
    }

    [Fact]
    public async Task A_model_that_goes_in_circles_is_stopped()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Call("list_directory", """{"path":"."}""").Done());
        (await _thole.RunAsync("-p", "x")).MustFail(6, "repeat");
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_ends_the_turn_cleanly_with_everything_it_started(string signal, int exitCode)
    {
        _thole.Server.Reply(reply =>
            reply
                .Text("I run.")
                .Call("run_shell_command", """{"command":"sleep 1000 & echo $! > child; echo $$ > self; wait"}""")
                .Done()
        );
        await using var running = _thole.Start("-p", "x", "--approval-mode", "yolo", "-o", "stream-json");
        running.CloseInput();
        var (self, child) = (await WrittenAsync("self"), await WrittenAsync("child"));
        await running.SignalAsync(signal);
        var ended = (await running.EndAsync()).MustEndWith(exitCode);
        Assert.Equal("thole: The turn was interrupted.\n", ended.Error);
        Assert.Equal("interrupted", ended.Of("result")[0].GetProperty("subtype").GetString());
        Assert.False(IsAlive(self), "the command's shell still runs");
        Assert.False(IsAlive(child), "the command's child still runs");

        var record = (await _thole.RunAsync("sessions", "export", _thole.OnlySession(), "--format", "jsonl")).MustSucceed();
        Assert.Contains("\"outcome\":\"interrupted\"", record.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
        (await _thole.RunAsync("sessions", "verify", _thole.OnlySession())).MustSucceed();
    }

    [Fact]
    public async Task A_signal_while_the_model_is_silent_ends_the_turn()
    {
        _thole.Server.Reply(reply => reply.Text("I think ").Hang());
        await using var running = _thole.Start("-p", "x");
        running.CloseInput();
        await running.SaysAsync("I think");
        await running.SignalAsync("INT");
        var ended = (await running.EndAsync()).MustFail(130, "interrupted");
        Assert.Equal("I think \n", ended.Output);
        await _thole.Server.Requests[0].Abandoned.WaitAsync(Now);
    }

    [Fact]
    public async Task A_second_signal_ends_the_process_at_once()
    {
        // A command that does not heed the interrupt keeps the turn from ending for a while.
        _thole.Server.Reply(reply =>
            reply
                .Call("run_shell_command", """{"command":"trap '' INT TERM; echo $$ > self; while :; do sleep 1; done"}""")
                .Done()
        );
        await using var running = _thole.Start("-p", "x", "--approval-mode", "yolo");
        running.CloseInput();
        var self = await WrittenAsync("self");
        await running.SignalAsync("INT");
        await running.SignalAsync("INT");
        var clock = Stopwatch.StartNew();
        (await running.EndAsync()).MustEndWith(130);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"it took {clock.Elapsed}");
        await GoneAsync(self);
        (await _thole.RunAsync("sessions", "verify", _thole.OnlySession())).MustSucceed();
    }

    [Fact]
    public async Task A_conversation_that_waits_for_a_line_ends_at_the_first_signal()
    {
        _thole.Server.Reply(reply => reply.Text("One.").Done());
        await using var running = _thole.Start("--input-format", "stream-json", "-o", "stream-json");
        await running.WriteLineAsync("""{"type":"user","message":{"content":"first"}}""");
        await running.SaysAsync("\"result\":\"One.\"");
        await running.SignalAsync("INT");
        (await running.EndAsync()).MustEndWith(130);
    }

    [Fact]
    public async Task A_state_folder_that_cannot_be_is_a_failure_before_anything_is_asked()
    {
        var file = Path.Join(_thole.Outside, "file");
        await File.WriteAllTextAsync(file, "", Now);
        _thole.Variables["THOLE_HOME"] = Path.Join(file, "home");
        (await _thole.RunAsync("-p", "x")).MustFail(1, "permissions");
        Assert.Empty(_thole.Server.Requests);
        _thole.Variables["THOLE_HOME"] = "relative/home";
        (await _thole.RunAsync("-p", "x")).MustFail(2, "absolute");
    }

    [Fact]
    public async Task A_disk_that_is_full_ends_the_run_with_one_sentence_and_keeps_what_was_acknowledged()
    {
        await using var disk = await SmallDisk.MountAsync(_thole.Home, Now);
        _thole.Server.Reply(reply => reply.Text("kept").Done()).ReplyOtherwise(reply => reply.Text("lost").Done());
        (await _thole.RunAsync("-p", "first")).MustSucceed();
        await disk.FillAsync(Now);
        var failed = (await _thole.RunAsync("-p", "second", "--continue")).MustFail(1, "disk is full");
        Assert.DoesNotContain("lost", failed.Output);
        disk.Free();
        _thole.Server.ReplyOtherwise(reply => reply.Text("again").Done());
        (await _thole.RunAsync("-p", "third", "--continue")).MustSucceed();
        Assert.Contains("kept", _thole.Server.Requests[^1].Text);
        (await _thole.RunAsync("sessions", "verify", "--all")).MustSucceed();
    }

    [Fact]
    public async Task A_current_directory_that_is_gone_is_bad_usage()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a system on which a directory in use can be removed");
        var folder = Directory.CreateDirectory(_thole.File("gone")).FullName;
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        var ended = await RunInShellAsync("cd \"$1\"; rmdir \"$1\"; exec \"$0\" -p x < /dev/null", folder);
        ended.MustFail(2, "current directory");
    }

    [Fact]
    public async Task Output_that_cannot_be_written_is_a_failure_and_not_a_defect()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full, which only Linux has");
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await RunInShellAsync("exec \"$0\" -p x > /dev/full < /dev/null")).MustFail(1, "standard output");
    }

    /// <summary>Runs a script in which <c>$0</c> is the program.</summary>
    private async Task<Outcome> RunInShellAsync(string script, params string[] arguments)
    {
        using var shell = new Process
        {
            StartInfo = new ProcessStartInfo("sh", ["-c", script, TholeProgram.Binary, .. arguments])
            {
                WorkingDirectory = _thole.Workspace,
                UseShellExecute = false,
                RedirectStandardError = true,
            },
        };
        shell.StartInfo.Environment.Clear();
        foreach (var (name, value) in _thole.Variables)
        {
            shell.StartInfo.Environment[name] = value;
        }

        shell.Start();
        var error = await shell.StandardError.ReadToEndAsync(Now);
        await shell.WaitForExitAsync(Now);
        return new Outcome(script, shell.ExitCode, "", error);
    }

    /// <summary>A file in the workspace as soon as it has a line: the program's own child writes it, and nothing else tells of it.</summary>
    private async Task<int> WrittenAsync(string name)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Now);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (File.Exists(_thole.File(name)) && _thole.Read(name) is [.., '\n'] text)
            {
                return int.Parse(text);
            }

            await Task.Delay(20, limit.Token);
        }
    }

    private static async Task GoneAsync(int process)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Now);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (IsAlive(process))
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            // A zombie that nobody has reaped yet does nothing any more.
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
