using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Thole.Client;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>Where a daemon serves the workspace, our own clients go through it; what comes out is the same.</summary>
public sealed partial class ClientSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();
    private RunningDaemon? _daemon;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, string[]> Runs { get; } =
        new()
        {
            { "an answer", 0, ["-p", "hello"] },
            { "an answer as JSON", 0, ["-p", "hello", "-o", "json"] },
            { "an answer as a stream", 0, ["-p", "hello", "-o", "stream-json", "--include-partial-messages"] },
            { "a call that is refused", 3, ["-p", "write", "-o", "stream-json"] },
            { "a call that is allowed", 0, ["-p", "write", "-o", "json", "--approval-mode", "auto-edit"] },
            { "a call that the mode forbids", 3, ["-p", "write", "--approval-mode", "plan"] },
            { "another model", 0, ["-p", "hello", "-o", "json", "--model", "openai/other"] },
            { "a provider that fails", 5, ["-p", "fail", "-o", "json"] },
            { "no prompt", 2, ["-p", ""] },
            { "no session", 2, ["-p", "x", "--continue"] },
            { "no session of that id", 2, ["-p", "x", "--resume", "nope"] },
        };

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        await _thole.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task A_run_through_the_daemon_is_the_same_as_one_without(string what, int exitCode, string[] arguments)
    {
        Script();
        await using var other = new TholeProgram();
        Script(other.Server);
        var alone = (await other.RunAsync(arguments)).MustEndWith(exitCode);

        _daemon = await RunningDaemon.StartAsync(_thole);
        var through = (await _thole.RunAsync(arguments)).MustEndWith(exitCode);

        Assert.Equal(Plain(alone.Output, other), Plain(through.Output, _thole));
        Assert.Equal(Plain(alone.Error, other), Plain(through.Error, _thole));
        Assert.Equal(other.Server.Requests.Count, _thole.Server.Requests.Count);
        Assert.True(what.Length > 0);
    }

    [Fact]
    public async Task Prompts_as_JSON_lines_go_through_the_daemon_however_many_wait()
    {
        Script();
        _daemon = await RunningDaemon.StartAsync(_thole, "--max-pending-prompts", "2");
        var lines = Enumerable
            .Range(1, 7)
            .Select(n => $$$"""{"type":"user","message":{"role":"user","content":"prompt {{{n}}}"}}""")
            .Prepend("""{"type":"control_request","request_id":"1","request":{"subtype":"set_model","model":"other"}}""");
        var ended = await _thole.RunWithInputAsync(
            string.Join('\n', lines) + "\n",
            "--input-format",
            "stream-json",
            "-o",
            "stream-json"
        );
        ended.MustSucceed();
        Assert.Equal(7, ended.Of("result").Count);
        Assert.Single(ended.Of("control_response"));
        Assert.All(
            ended.Of("assistant"),
            message => Assert.Equal("openai/other", message.GetProperty("message").GetProperty("model").GetString())
        );
        Assert.Equal(Enumerable.Range(1, 7).Select(n => $"prompt {n}"), _thole.Server.Requests.Select(HeadlessSpecs.LastWords));
    }

    [Fact]
    public async Task A_session_has_one_writer_by_whatever_way_it_goes_on()
    {
        Script();
        (await _thole.RunAsync("-p", "before the daemon")).MustSucceed();
        var id = _thole.OnlySession();
        _daemon = await RunningDaemon.StartAsync(_thole);
        (await _thole.RunAsync("-p", "second", "--continue")).MustSucceed();
        (await _thole.RunAsync("-p", "third", "--resume", id[..8], "--model", "openai/other")).MustSucceed();
        Assert.Equal(id, _thole.OnlySession());

        using var client = _daemon.Connect();
        var session = client.Session(new SessionId(id));
        var read = await session.ReadAsync(0, Now).UntilAsync(IsEndOf(3), Now);
        Assert.Equal(Enumerable.Range(1, read.Count).Select(n => (long)n), read.Select(envelope => envelope.Sequence));
        Assert.Equal(
            ["user", "owner", "owner"],
            read.Where(envelope => envelope.Event is TurnStarted).Select(envelope => envelope.Actor.Value)
        );
        Assert.Equal("openai/other", (await session.StatusAsync(Now)).Model);
        (await _thole.RunAsync("sessions", "verify", "--all")).MustSucceed();
    }

    [Fact]
    public async Task What_only_the_process_of_the_turn_can_obey_keeps_a_new_session_in_it()
    {
        Script();
        _daemon = await RunningDaemon.StartAsync(_thole);
        (await _thole.RunAsync("-p", "write", "--allowed-tools", "write_file")).MustSucceed();
        Assert.Equal("made\n", _thole.Read("a.txt"));
        (await _thole.RunAsync("-p", "x", "--continue", "--max-turns", "3")).MustFail(2, "--max-turns", "daemon");
    }

    [Fact]
    public async Task A_token_that_the_daemon_does_not_know_is_told_with_the_cure()
    {
        _daemon = await RunningDaemon.StartAsync(_thole);
        _thole.Variables["THOLE_SERVER_TOKEN"] = "a-token-that-nobody-issued";
        (await _thole.RunAsync("-p", "x")).MustFail(4, "THOLE_SERVER_TOKEN");
        (await _thole.RunAsync("attach")).MustFail(2, "THOLE_SERVER_TOKEN");
        _thole.Variables["THOLE_SERVER_TOKEN"] = "short";
        (await _thole.RunAsync("-p", "x")).MustFail(2, "THOLE_SERVER_TOKEN");
        Assert.Empty(_thole.Server.Requests);
    }

    [Fact]
    public async Task Without_a_key_a_run_ends_as_it_does_without_a_daemon()
    {
        _thole.Variables["OPENAI_BASE_URL"] = "https://api.openai.invalid/v1";
        var alone = (await _thole.RunAsync("-p", "x")).MustFail(4);
        _daemon = await RunningDaemon.StartAsync(_thole);
        Assert.Equal(alone.Error, (await _thole.RunAsync("-p", "x")).MustFail(4).Error);
    }

    [Fact]
    public async Task Turns_of_others_are_neither_shown_nor_answered_nor_stopped()
    {
        var gate = new TaskCompletionSource();
        _thole
            .Server.Reply(reply => reply.Text("For the other.").Call("write_file", Write).Done())
            .Reply(reply => reply.Text("Done for the other.").Done())
            .Reply(reply => reply.Text("For the run.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        using var client = _daemon.Connect();
        var session = await client.OpenAsync(cancellationToken: Now);
        await session.PromptAsync("of the other", Now);
        var asked = await session.ReadAsync(0, Now).UntilAsync(happened => happened is PermissionRequested, Now);

        await using var run = _thole.Start("-p", "of the run", "--continue");
        run.CloseInput();
        var queued = await session.ReadAsync(asked[^1].Sequence, Now).UntilAsync(happened => happened is PromptQueued, Now);
        Assert.DoesNotContain(queued, envelope => envelope.Event is PermissionAnswered);
        await session.AnswerAsync(((PermissionRequested)asked[^1].Event).Call, allow: true, cancellationToken: Now);
        Assert.Equal("For the run.\n", (await run.EndAsync()).MustSucceed().Output);
        Assert.Equal("made\n", _thole.Read("a.txt"));

        // One that is interrupted while it waits takes its prompt back, and lets the other's turn be.
        _thole.Server.Reply(reply => reply.Text("Slow.").Wait(gate.Task).Done());
        await session.PromptAsync("slow", Now);
        await using var waiting = _thole.Start("-p", "never", "--continue");
        waiting.CloseInput();
        await session.ReadAsync(queued[^1].Sequence, Now).UntilAsync(happened => happened is PromptQueued, Now);
        await waiting.SignalAsync("INT");
        (await waiting.EndAsync()).MustEndWith(130);
        gate.SetResult();
        var rest = await session.ReadAsync(queued[^1].Sequence, Now).UntilAsync(IsEndOf(3), Now);
        Assert.Contains(rest, envelope => envelope.Event is PromptWithdrawn);
        Assert.Equal(TurnOutcome.Completed, ((TurnEnded)rest[^1].Event).Outcome);
        Assert.DoesNotContain(_thole.Server.Requests, request => HeadlessSpecs.LastWords(request) == "never");
    }

    [Fact]
    public async Task Ctrl_C_ends_the_turn_in_the_daemon()
    {
        _thole.Server.Reply(reply => reply.Text("Words.").Hang());
        _daemon = await RunningDaemon.StartAsync(_thole);
        await using var run = _thole.Start("-p", "x");
        run.CloseInput();
        await run.SaysAsync("Words.");
        await run.SignalAsync("INT");
        (await run.EndAsync()).MustEndWith(130);
        using var client = _daemon.Connect();
        var status = await client.Session(new SessionId(_thole.OnlySession())).StatusAsync(Now);
        Assert.Equal(TurnOutcome.Interrupted, status.LastTurn?.Outcome);
    }

    [Fact]
    public async Task A_daemon_that_is_killed_in_a_turn_and_started_again_leaves_no_gap_in_what_is_read()
    {
        _thole
            .Server.Reply(reply => reply.Text("First words. ").Hang())
            .ReplyOtherwise(reply => reply.Text("After the kill.").Done());
        _daemon = await RunningDaemon.StartAsync(_thole);
        var contacts = new List<Contact>();
        using var client = new TholeClient(_daemon.Address, _daemon.Token, new ClientOptions { OnContact = contacts.Add });
        var session = await client.OpenAsync(cancellationToken: Now);
        var read = new List<Envelope>();
        var spoken = new TaskCompletionSource();
        var reading = Task.Run(
            async () =>
            {
                await foreach (var envelope in session.ReadAsync(0, Now))
                {
                    read.Add(envelope);
                    if (envelope.Event is TextPiece)
                    {
                        spoken.TrySetResult();
                    }

                    if (read.Count(one => one.Event is TurnEnded) == 2)
                    {
                        return;
                    }
                }
            },
            Now
        );
        await session.PromptAsync("first", Now);
        await spoken.Task.WaitAsync(Now);

        await _daemon.KillAsync();
        var second = session.PromptAsync("second", Now).AsTask(); // it is accepted as soon as there is somebody to accept it
        await _daemon.StartAgainAsync();
        await second;
        await reading;

        Assert.Equal(Enumerable.Range(1, read.Count).Select(n => (long)n), read.Select(envelope => envelope.Sequence));
        Assert.Equal(
            ["first", "second"],
            read.Select(envelope => envelope.Event).OfType<TurnStarted>().Select(turn => ((TextContent)turn.Content[0]).Text)
        );
        var ends = read.Select(envelope => envelope.Event).OfType<TurnEnded>().ToArray();
        Assert.True(ends[0].ProcessEnded);
        Assert.Equal([TurnOutcome.Interrupted, TurnOutcome.Completed], ends.Select(end => end.Outcome));
        // A daemon that is back before the client has tried again was never lost to anybody.
        Assert.True(contacts is [] or [Contact.Lost, Contact.Found], string.Join(' ', contacts));
        Assert.Equal(read.Select(Line), (await session.ReadAsync(0, Now).UntilAsync(IsEndOf(2), Now)).Select(Line));

        static string Line(Envelope envelope) =>
            $"{envelope.Sequence} {envelope.At:O} {envelope.Actor} {envelope.Event.GetType()}";
    }

    [Fact]
    public async Task The_stream_of_a_session_that_is_closed_ends_with_its_last_event_for_whoever_comes()
    {
        _thole.Server.Reply(reply => reply.Text("Words.").Hang());
        _daemon = await RunningDaemon.StartAsync(_thole);
        using var client = _daemon.Connect();
        var session = await client.OpenAsync(cancellationToken: Now);
        await session.PromptAsync("x", Now);
        await session.ReadAsync(0, Now).UntilAsync(happened => happened is TextPiece, Now);
        await session.CloseAsync(Now);

        var read = new List<Envelope>();
        await foreach (var envelope in session.ReadAsync(0, Now))
        {
            read.Add(envelope);
        }

        Assert.Equal(Enumerable.Range(1, read.Count).Select(n => (long)n), read.Select(envelope => envelope.Sequence));
        Assert.Contains(read, envelope => envelope.Event is SessionClosed);
        Assert.Contains(read, envelope => envelope.Event is TurnEnded);
        Assert.Equal(session.Id, (await client.ResumeAsync(session.Id, Now)).Id);
        Assert.False((await session.StatusAsync(Now)).IsClosed);
    }

    [Fact]
    public async Task A_daemon_with_a_certificate_of_its_own_is_known_by_it()
    {
        Script();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=elsewhere.example", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddDays(-1),
            TimeProvider.System.GetUtcNow().AddDays(1)
        );
        var (shown, secret) = (Path.Join(_thole.Home, "cert.pem"), Path.Join(_thole.Home, "key.pem"));
        await File.WriteAllTextAsync(shown, certificate.ExportCertificatePem(), Now);
        await File.WriteAllTextAsync(secret, key.ExportPkcs8PrivateKeyPem(), Now);
        _daemon = await RunningDaemon.StartAsync(_thole, "--tls-cert", shown, "--tls-key", secret);
        Assert.Equal("https", _daemon.Address.Scheme);
        Assert.Equal("All is well.\n", (await _thole.RunAsync("-p", "hello")).MustSucceed().Output);

        using var client = new TholeClient(
            _daemon.Address,
            _daemon.Token,
            new ClientOptions { AskingPatience = TimeSpan.Zero, Certificate = new string('0', 64) }
        );
        await Assert.ThrowsAsync<DaemonLostException>(async () => await client.ListAsync(cancellationToken: Now));
    }

    [Fact]
    public async Task A_daemon_for_another_workspace_opens_nothing_here()
    {
        _daemon = await RunningDaemon.StartAsync(_thole);
        using var client = _daemon.Connect();
        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await client.Runtime.OpenSessionAsync(new OpenSession { Workspace = _thole.Outside, Model = "" }, Now)
        );
        Assert.Equal("workspace_mismatch", refused.Reason);
    }

    private const string Write = """{"file_path":"a.txt","content":"made\n"}""";

    private static Func<SessionEvent, bool> IsEndOf(int turns)
    {
        var ended = 0;
        return happened => happened is TurnEnded && ++ended == turns;
    }

    private void Script() => Script(_thole.Server);

    private static void Script(ScriptedModelServer server) =>
        server
            .ReplyWhen(
                request => request.Messages[^1].GetProperty("role").GetString() is "tool",
                reply => reply.Text("Done.").Done()
            )
            .ReplyWhen(
                request => HeadlessSpecs.LastWords(request) is "write",
                reply => reply.Reasoning("I think.").Text("I write.").Call("write_file", Write).Done()
            )
            .ReplyWhen(
                request => HeadlessSpecs.LastWords(request) is "fail",
                reply => reply.Status(400, """{"error":{"message":"scripted"}}""")
            )
            .ReplyOtherwise(reply => reply.Reasoning("I think.").Text("All is well.").Done());

    /// <summary>Without what differs from run to run.</summary>
    private static string Plain(string text, TholeProgram thole) =>
        Duration.Replace(Pieces.Replace(Id.Replace(text.Replace(thole.Workspace, "/workspace"), "ID"), ""), "\"duration_ms\":0");

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f-]{27}", RegexOptions.NonBacktracking)]
    private static partial Regex Id { get; }

    [GeneratedRegex("\"duration_ms\":[0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex Duration { get; }

    /// <summary>How text is parted into pieces is a matter of time.</summary>
    [GeneratedRegex("\\{\"type\":\"stream_event\".*\\n", RegexOptions.NonBacktracking)]
    private static partial Regex Pieces { get; }
}
