using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// The daemon dies or stops in the middle of its work and is started again: what it had told is there, once and in order, what it had
/// accepted is done, what it had asked is still asked, and nothing happens twice.
/// </summary>
public sealed class DaemonKillSpecs
{
    private static readonly TimeSpan s_promised = TimeSpan.FromSeconds(2);

    public DaemonKillSpecs() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: signals and /proc");

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    /// <summary>At which number of events that a reader was given, or at which system call, the daemon is killed.</summary>
    private sealed record Point(int Events, string? Call = null, int Ordinal = 0)
    {
        public string[] Strace =>
            Call is null
                ? []
                :
                [
                    "strace",
                    "-f",
                    "-qq",
                    "-o",
                    "/dev/null",
                    "-e",
                    $"trace={Call}",
                    "-e",
                    $"inject={Call}:signal=KILL:when={Ordinal}",
                ];
    }

    [Fact]
    public async Task P1_wherever_the_daemon_is_killed_its_readers_have_everything_once_and_what_it_accepted_is_done()
    {
        await KillMatrix.RequireAsync(Now);
        var random = new Random(11);
        var count = KillMatrix.IsLong ? 200 : 6;
        Point[] points =
        [
            .. Enumerable.Range(0, count).Select(_ => new Point(random.Next(2, 45))),
            .. Enumerable.Range(0, count).Select(_ => new Point(0, "pwrite64", random.Next(1, 30))),
            .. Enumerable.Range(0, count / 2).Select(_ => new Point(0, "fdatasync", random.Next(1, 12))),
        ];
        var (killed, wrong) = (0, new ConcurrentQueue<string>());
        await Parallel.ForEachAsync(
            points,
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Now },
            async (point, _) =>
            {
                try
                {
                    using var program = new CrashProgram();
                    await using var model = TurnStory.Model();
                    await using var daemon = new CrashDaemon(program, model, "--approval-mode", "yolo");
                    var (isKilled, violation) = await TryAsync(program, daemon, point);
                    Interlocked.Add(ref killed, isKilled ? 1 : 0);
                    if (violation is not null)
                    {
                        wrong.Enqueue($"{point}: {violation}");
                    }
                }
                catch (Exception failed) when (!Now.IsCancellationRequested)
                {
                    wrong.Enqueue($"{point}: {failed}");
                }
            }
        );

        TestContext.Current.SendDiagnosticMessage($"{points.Length} points, {killed} killed in the middle");
        Assert.True(wrong.IsEmpty, string.Join(Environment.NewLine, wrong));
        Assert.True(killed * 2 > points.Length, $"only {killed} of {points.Length} were killed in the middle");
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("TERM")]
    public async Task A_question_waits_for_its_answer_however_often_the_daemon_ends(string signal)
    {
        using var program = new CrashProgram();
        await using var model = ScriptedModelServer
            .Start()
            .Reply(reply => reply.Call("run_shell_command", """{"command":"printf x >> one"}""").Done())
            .ReplyOtherwise(reply => reply.Text("Done.").Done());
        await using var daemon = new CrashDaemon(program, model);
        Assert.True(await daemon.StartAsync());
        var session = await daemon.OpenAsync();
        var path = $"/session/{session}/events";
        var before = new DaemonTape();
        await daemon.PromptAsync(session, "do it", "p1");
        await daemon.PromptAsync(session, "and then", "p2");
        await daemon.ReadAsync(path, 0, before, frame => frame.Type is "permission_request");
        var request = before.Frames[^1].Json.GetProperty("data").GetProperty("requestId").GetString();

        for (var round = 0; round < 2; round++)
        {
            await daemon.SignalAsync(signal);
            Assert.True(await daemon.StartAsync());
        }

        Assert.False(File.Exists(Path.Join(program.Workspace, "one")));
        var live = new DaemonTape();
        await daemon.ReadAsync(path, before.Last, live, frame => frame.Type is "permission_request");
        Assert.Equal(request, live.Frames[^1].Json.GetProperty("data").GetProperty("requestId").GetString());
        Assert.Null(live.Frames[^1].Id);
        var snapshot = live.Frames.Single(frame => frame.Type is "session_snapshot").Json.GetProperty("data");
        Assert.Equal(
            ("waiting", 1),
            (snapshot.GetProperty("state").GetString(), snapshot.GetProperty("queuedPrompts").GetInt32())
        );
        await daemon.AskAsync(
            HttpMethod.Post,
            $"/session/{session}/permission/{request}",
            """{"outcome":{"outcome":"selected","optionId":"proceed_once"}}"""
        );

        var whole = new DaemonTape();
        await daemon.ReadAsync(path, 0, whole, frame => frame.EndOf is "p2");
        Assert.Equal("x", await File.ReadAllTextAsync(Path.Join(program.Workspace, "one"), Now));
        Assert.Equal(Enumerable.Range(1, whole.Numbers.Count()).Select(number => (long)number), whole.Numbers);
        Assert.Equal(["p1", "p2"], whole.Frames.Select(frame => frame.EndOf).OfType<string>());
        Assert.All(whole.Frames.Where(frame => frame.EndOf is not null), end => Assert.Equal("turn_complete", end.Type));
    }

    [Fact]
    public async Task P9_what_the_daemon_had_started_is_gone_two_seconds_after_it_was_killed()
    {
        using var program = new CrashProgram();
        var pipe = Path.Join(program.Workspace, "alive");
        Assert.SkipUnless(await Shell.TryAsync("mkfifo", pipe), "needs mkfifo");
        const string Command = "exec 9> alive; setsid sh -c 'setsid sleep 100 & exit'; (sleep 100 &); echo ready >&9; sleep 100";
        await using var model = ScriptedModelServer
            .Start()
            .Reply(reply => reply.Call("run_shell_command", $$"""{"command":"{{JsonEncodedText.Encode(Command)}}"}""").Done())
            .ReplyOtherwise(reply => reply.Text("Done.").Done());
        await using var daemon = new CrashDaemon(program, model, "--approval-mode", "yolo");
        using var alive = Process.Start(
            new ProcessStartInfo("cat", [pipe]) { UseShellExecute = false, RedirectStandardOutput = true }
        )!;
        Assert.True(await daemon.StartAsync());
        await daemon.PromptAsync(await daemon.OpenAsync(), "do it", "p1");
        Assert.Equal("ready", await alive.StandardOutput.ReadLineAsync(Now));

        var killed = Stopwatch.GetTimestamp();
        await daemon.SignalAsync("KILL");
        await alive.StandardOutput.ReadToEndAsync(Now).WaitAsync(TimeSpan.FromSeconds(30), Now);

        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, s_promised);
        await alive.WaitForExitAsync(Now);
    }

    [Fact]
    public async Task Sessions_that_rest_have_no_file_open_and_are_there_when_they_are_asked_for()
    {
        using var program = new CrashProgram();
        await using var model = ScriptedModelServer.Start().ReplyOtherwise(reply => reply.Text("Done.").Done());
        await using var daemon = new CrashDaemon(program, model, "--session-idle-seconds", "1");
        Assert.True(await daemon.StartAsync());
        List<string> sessions = [];
        for (var number = 0; number < 20; number++)
        {
            sessions.Add(await daemon.OpenAsync());
            await daemon.PromptAsync(sessions[^1], "hello", "p1");
        }

        Assert.NotEmpty(await FilesAsync(daemon, program));
        while (await OpenSessionsAsync(daemon) > 0)
        {
            await Task.Yield();
        }

        while (await FilesAsync(daemon, program) is [_, ..])
        {
            await OpenSessionsAsync(daemon); // the last is being put away
        }

        foreach (var session in sessions)
        {
            var tape = new DaemonTape();
            await daemon.ReadAsync($"/session/{session}/events", 0, tape, frame => frame.EndOf is "p1");
        }
    }

    [Fact]
    public async Task P13_many_sessions_with_two_readers_each_get_everything_and_nobody_is_cut()
    {
        var count = KillMatrix.IsLong ? 1_000 : 200;
        using var program = new CrashProgram();
        await using var model = ScriptedModelServer
            .Start()
            .ReplyOtherwise(reply => reply.Text(string.Join(' ', Enumerable.Range(0, 50))).Done());
        await using var daemon = new CrashDaemon(program, model);
        Assert.True(await daemon.StartAsync());
        var sessions = new string[count];
        await Parallel.ForAsync(0, count, Now, async (number, _) => sessions[number] = await daemon.OpenAsync());

        var tapes = new ConcurrentBag<DaemonTape>();
        var reading = sessions
            .SelectMany(session =>
                ((string[])[$"/session/{session}/events", $"/v1/sessions/{session}/events"]).Select(path =>
                {
                    var tape = new DaemonTape();
                    tapes.Add(tape);
                    return daemon.ReadAsync(path, 0, tape, frame => frame.EndOf is "p2");
                })
            )
            .ToList();
        await Task.WhenAll(tapes.Select(tape => tape.CountAsync(1)));
        await Parallel.ForEachAsync(
            sessions,
            Now,
            async (session, _) =>
            {
                await daemon.PromptAsync(session, "hello", "p1");
                await daemon.PromptAsync(session, "again", "p2");
            }
        );
        await Task.WhenAll(reading).WaitAsync(TimeSpan.FromMinutes(5), Now);

        Assert.Equal(2 * count, tapes.Count);
        foreach (var tape in tapes)
        {
            Assert.Equal(0, tape.Cuts);
            Assert.Equal(Enumerable.Range(1, tape.Numbers.Count()).Select(number => (long)number), tape.Numbers);
            Assert.DoesNotContain(tape.Frames, frame => frame.Type is "slow_client_warning" or "client_evicted");
        }
    }

    /// <summary>Two prompts, two readers, one death.</summary>
    private static async Task<(bool IsKilled, string? Wrong)> TryAsync(CrashProgram program, CrashDaemon daemon, Point point)
    {
        if (!await daemon.StartAsync(point.Strace))
        {
            await daemon.StartAsync();
        }

        var session = daemon.OpenAsync();
        if (point.Call is not null)
        {
            _ = daemon.StartWhenDeadAsync();
        }

        var id = await session;
        string[] paths = [$"/session/{id}/events", $"/v1/sessions/{id}/events"];
        DaemonTape[] tapes = [new(), new()];
        var reading = Task.WhenAll(paths.Zip(tapes, (path, tape) => daemon.ReadAsync(path, 0, tape, Both())));
        var asking = Task.WhenAll(daemon.PromptAsync(id, "do it", "p1"), daemon.PromptAsync(id, "do it, go on", "p2"));
        if (point.Call is null)
        {
            await Task.WhenAny(tapes[0].CountAsync(point.Events), reading);
            await daemon.SignalAsync("KILL");
            await daemon.StartAsync();
        }

        await asking;
        await reading.WaitAsync(TimeSpan.FromMinutes(2), Now);
        var isKilled = (await daemon.LifeAsync).Number > 0;
        DaemonTape[] whole = [new(), new()];
        await Task.WhenAll(paths.Zip(whole, (path, tape) => daemon.ReadAsync(path, 0, tape, Both())));
        await daemon.SignalAsync("TERM");
        var log = await program.EventsAsync(new SessionId(id));
        return (isKilled, Compare(tapes.Zip(whole), log) ?? TurnStory.Check([], log, program.Workspace));

        static Func<TapeFrame, bool> Both()
        {
            var open = new HashSet<string>(["p1", "p2"], StringComparer.Ordinal);
            return frame => frame.EndOf is { } end && open.Remove(end) && open.Count == 0;
        }
    }

    private static string? Compare(IEnumerable<(DaemonTape Got, DaemonTape Whole)> tapes, IReadOnlyList<Envelope> log)
    {
        foreach (var (got, whole) in tapes)
        {
            var expected = whole.Frames.Where(frame => frame.Id is not null).ToList();
            if (
                !expected
                    .Select(frame => frame.Id!.Value)
                    .SequenceEqual(log.Select(envelope => envelope.Sequence).Take(expected.Count))
            )
            {
                return $"the log has {log.Count} events, and who reads all is given {string.Join(' ', whole.Numbers)}";
            }

            var given = got.Frames.Where(frame => frame.Id is not null).ToList();
            if (!expected.Take(given.Count).SequenceEqual(given))
            {
                return $"who came back has {string.Join(' ', got.Numbers)}";
            }
        }

        foreach (var prompt in (string[])["p1", "p2"])
        {
            var ends = log.Count(envelope =>
                (envelope.Event is TurnEnded ended && ended.Prompt?.Value == prompt)
                || (envelope.Event is PromptWithdrawn withdrawn && withdrawn.Prompt.Value == prompt)
            );
            if (ends != 1)
            {
                return $"{prompt} has {ends} ends";
            }
        }

        return null;
    }

    private static async Task<int> OpenSessionsAsync(CrashDaemon daemon) =>
        (await daemon.AskAsync(HttpMethod.Get, "/daemon/status")).GetProperty("runtime").GetProperty("openSessions").GetInt32();

    /// <summary>The logs that the process has open.</summary>
    private static async Task<IReadOnlyList<string>> FilesAsync(CrashDaemon daemon, CrashProgram program)
    {
        var life = await daemon.LifeAsync;
        return
        [
            .. Directory
                .GetFiles($"/proc/{life.Process}/fd")
                .Select(Target)
                .OfType<string>()
                .Where(file =>
                    file.StartsWith(program.Sessions, StringComparison.Ordinal) && Path.GetFileName(file).Contains('-')
                ),
        ];
    }

    private static string? Target(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName;
        }
        catch (IOException)
        {
            return null; // closed meanwhile
        }
    }
}
