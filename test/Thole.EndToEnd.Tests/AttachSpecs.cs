using System.Text.Json;
using Thole.Client;
using Thole.Protocol;

namespace Thole.EndToEnd.Tests;

public sealed class AttachSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();
    private RunningDaemon? _daemon;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        await _thole.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_daemon_it_says_what_to_start() =>
        (await _thole.RunAsync("attach")).MustFail(2, "No daemon serves", _thole.Workspace, "thole serve");

    [Fact]
    public async Task Lines_are_prompts_and_the_end_of_the_input_waits_for_their_turns()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Said \u001b[31mred.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        var ended = (await _thole.RunWithInputAsync("hello\n", "attach")).MustSucceed();
        Assert.Equal("Said \\e[31mred.\n", ended.Output);
        Assert.Contains(_thole.OnlySession(), ended.Error);
        Assert.DoesNotContain("asks", ended.Error);

        (await _thole.RunWithInputAsync("again\n\n", "attach")).MustSucceed();
        (await _thole.RunWithInputAsync("third\n", "attach", _thole.OnlySession()[..6])).MustSucceed();
        Assert.Equal(["hello", "again", "third"], _thole.Server.Requests.Select(HeadlessSpecs.LastWords));
    }

    [Theory]
    [InlineData("nope", "There is no session 'nope'")]
    [InlineData("", "There is no session ''")]
    [InlineData("--after", "-1", "--after")]
    public async Task What_cannot_be_attached_to_is_bad_usage(params string[] arguments)
    {
        _daemon = await RunningDaemon.StartAsync(_thole);
        (await _thole.RunAsync(["attach", .. arguments[..^1]])).MustFail(2, arguments[^1]);
    }

    [Fact]
    public async Task A_line_that_comes_while_a_turn_runs_steers_it()
    {
        var gate = new TaskCompletionSource();
        _thole
            .Server.Reply(reply => reply.Text("I look.").Wait(gate.Task).Call("list_directory", """{"path":"."}""").Done())
            .Reply(reply => reply.Text("To the left.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        using var client = _daemon.Connect();
        await using var attached = _thole.Start("attach");
        await attached.ComplainsAsync("it rests");
        await attached.WriteLineAsync("go");
        await attached.SaysAsync("I look.");
        await attached.WriteLineAsync("left, please");
        var session = client.Session(new SessionId(_thole.OnlySession()));
        await session.ReadAsync(0, Now).UntilAsync(happened => happened is SteeringReceived, Now);
        gate.SetResult();
        attached.CloseInput();
        var ended = (await attached.EndAsync()).MustSucceed();
        Assert.Equal("I look.\nTo the left.\n", ended.Output);
        Assert.Contains("left, please", _thole.Server.Requests[1].Text);
        Assert.Equal(2, _thole.Server.Requests.Count);
    }

    [Theory]
    [InlineData("y", true, null)]
    [InlineData("YES", true, null)]
    [InlineData("", false, null)]
    [InlineData("n", false, null)]
    [InlineData("use tabs instead", false, "use tabs instead")]
    public async Task A_permission_is_asked_with_all_that_the_call_would_do(string line, bool runs, string? reason)
    {
        // The title is cut at 120 characters, and JSON hides a letter: what is shown is what would run.
        var command = $": {new string('x', 130)}; \u001b[2K printf m\u0061de > a.txt";
        _thole
            .Server.Reply(reply =>
                reply.Call("run_shell_command", $$"""{"command":"{{JsonEncodedText.Encode(command)}}"}""").Done()
            )
            .Reply(reply => reply.Text("So be it.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        await using var attached = _thole.Start("attach");
        await attached.WriteLineAsync("do it");
        await attached.ComplainsAsync("allow? [y/N] ");
        Assert.Contains("; \\e[2K printf made > a.txt", attached.Error.ToString());
        Assert.DoesNotContain('\u001b', attached.Error.ToString());
        Assert.False(File.Exists(_thole.File("a.txt")));
        await attached.WriteLineAsync(line);
        attached.CloseInput();
        (await attached.EndAsync()).MustEndWith(runs ? 0 : 3);
        Assert.Equal(runs, File.Exists(_thole.File("a.txt")));
        Assert.Contains(reason ?? "", _thole.Server.Requests[1].Text);
    }

    [Fact]
    public async Task A_question_of_the_model_is_answered_by_number_or_in_words()
    {
        const string Questions = """
            {"questions":[
            {"question":"Which colour?","header":"Colour","options":[{"label":"Red","description":"warm"},{"label":"Blue","description":"cold"}]},
            {"question":"Which days?","header":"Days","multiSelect":true,"options":[{"label":"Mo","description":"1"},{"label":"Tu","description":"2"}]},
            {"question":"Why?","header":"Reason","options":[{"label":"a","description":"a"},{"label":"b","description":"b"}]}]}
            """;
        _thole
            .Server.Reply(reply => reply.Call("ask_user_question", Questions.ReplaceLineEndings("")).Done())
            .Reply(reply => reply.Text("Thanks.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        await using var attached = _thole.Start("attach");
        await attached.WriteLineAsync("ask me");
        await attached.ComplainsAsync("2. Blue: cold");
        await attached.WriteLineAsync("2");
        await attached.ComplainsAsync("Which days?");
        await attached.WriteLineAsync("1, 2");
        await attached.ComplainsAsync("Why?");
        await attached.WriteLineAsync("because 3");
        attached.CloseInput();
        (await attached.EndAsync()).MustSucceed();
        var result = HeadlessSpecs.Results(_thole.Server.Requests[1])[0];
        Assert.Contains("**Colour**: Blue", result);
        Assert.Contains("**Days**: Mo, Tu", result);
        Assert.Contains("**Reason**: because 3", result);
    }

    [Fact]
    public async Task Whoever_is_not_the_first_to_answer_is_told_who_was()
    {
        _thole
            .Server.Reply(reply => reply.Call("write_file", """{"file_path":"a.txt","content":"x"}""").Done())
            .Reply(reply => reply.Text("Written.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        var token = (await _thole.RunAsync("token", "issue", "anna", "--scope", "observe,approve")).MustSucceed().Output.Trim();
        using var anna = new TholeClient(_daemon.Address, token);
        await using var attached = _thole.Start("attach");
        await attached.WriteLineAsync("write");
        await attached.ComplainsAsync("allow? [y/N] ");
        await anna.Session(new SessionId(_thole.OnlySession()))
            .AnswerAsync(new CallId("call_1"), allow: true, cancellationToken: Now);
        await attached.ComplainsAsync("anna has allowed it.");
        await attached.SaysAsync("Written.");
        attached.CloseInput();
        (await attached.EndAsync()).MustSucceed();
    }

    [Fact]
    public async Task Who_comes_in_the_middle_is_asked_what_is_open_and_sees_what_others_do()
    {
        _thole
            .Server.Reply(reply => reply.Call("write_file", """{"file_path":"a.txt","content":"x"}""").Done())
            .ReplyOtherwise(reply => reply.Text("Well.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        using var client = _daemon.Connect();
        var session = await client.OpenAsync(cancellationToken: Now);
        await session.PromptAsync("write", Now);
        await session.ReadAsync(0, Now).UntilAsync(happened => happened is PermissionRequested, Now);

        await using var attached = _thole.Start("attach");
        await attached.ComplainsAsync("a turn runs");
        await attached.ComplainsAsync("file_path: a.txt");
        await attached.WriteLineAsync("y");
        await attached.SaysAsync("Well.");
        await session.PromptAsync("of \u001b[1manother", Now);
        await attached.ComplainsAsync("owner asks: of \\e[1manother");
        await session.SelectApprovalModeAsync(ApprovalMode.AutoEdit, Now);
        await attached.ComplainsAsync("owner chose the approval mode auto-edit.");
        await session.CloseAsync(Now);
        await attached.ComplainsAsync("The session is closed.");
        (await attached.EndAsync()).MustSucceed();
        Assert.Equal("x", _thole.Read("a.txt"));
    }

    [Fact]
    public async Task Ctrl_C_interrupts_the_turn_and_a_second_one_leaves_the_session_to_the_daemon()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Words.").Hang());
        _daemon = await RunningDaemon.StartAsync(_thole);
        using var client = _daemon.Connect();
        await using (var attached = _thole.Start("attach"))
        {
            await attached.WriteLineAsync("speak");
            await attached.SaysAsync("Words.");
            await attached.SignalAsync("INT");
            await attached.ComplainsAsync("owner interrupts the turn");
            var session = client.Session(new SessionId(_thole.OnlySession()));
            await session.ReadAsync(0, Now).UntilAsync(happened => happened is TurnEnded, Now);
            await attached.WriteLineAsync("speak again");
            await attached.SaysAsync("Words.\nWords.");
            var running = (await session.StatusAsync(Now)).Turn;
            await attached.SignalAsync("TERM");
            (await attached.EndAsync()).MustEndWith(143);
            Assert.Equal(running?.Turn, (await session.StatusAsync(Now)).Turn?.Turn);
            Assert.NotNull(running);
            await session.InterruptAsync(Now);
            await session.ReadAsync(0, Now).UntilAsync(IsSecondEnd(), Now);
        }

        await using var idle = _thole.Start("attach");
        await idle.ComplainsAsync("it rests");
        await idle.SignalAsync("INT");
        (await idle.EndAsync()).MustSucceed();

        static Func<SessionEvent, bool> IsSecondEnd()
        {
            var ended = 0;
            return happened => happened is TurnEnded && ++ended == 2;
        }
    }

    [Fact]
    public async Task Events_come_as_JSON_lines_from_any_number_on()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        (await _thole.RunAsync("-p", "first")).MustSucceed();
        var ended = (await _thole.RunWithInputAsync("second\n", "attach", "--json", "--after", "0")).MustSucceed();
        var numbers = ended.Messages.Select(message => message.GetProperty("sequence").GetInt64()).ToArray();
        Assert.Equal(Enumerable.Range(1, numbers.Length).Select(n => (long)n), numbers);
        Assert.Equal(2, ended.Messages.Count(message => Type(message) is "turn_ended"));
        Assert.Equal("turn_ended", Type(ended.Messages[^1]));

        var rest = (await _thole.RunWithInputAsync("third\n", "attach", "--json")).MustSucceed();
        Assert.Equal(numbers[^1] + 1, rest.Messages[0].GetProperty("sequence").GetInt64());
        Assert.Equal("turn_started", Type(rest.Messages[0]));

        static string? Type(JsonElement message) => message.GetProperty("event").GetProperty("type").GetString();
    }

    [Fact]
    public async Task Whoever_only_watches_outlives_the_daemon()
    {
        _thole.Server.ReplyOtherwise(reply => reply.Text("Words.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        await using var watching = _thole.Start("attach", "--json");
        watching.CloseInput();
        await watching.ComplainsAsync("it rests");
        await _daemon.KillAsync();
        await watching.ComplainsAsync("The daemon does not answer");
        await _daemon.StartAgainAsync();
        await watching.ComplainsAsync("The daemon is back.");
        (await _thole.RunAsync("-p", "hello", "--continue")).MustSucceed();
        await watching.SaysAsync("turn_ended");
        await watching.SignalAsync("INT");
        (await watching.EndAsync()).MustSucceed();
    }
}
