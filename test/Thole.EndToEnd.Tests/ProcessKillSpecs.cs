using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>Whoever kills the program with SIGKILL has killed everything that it had started.</summary>
public sealed class ProcessKillSpecs
{
    private static readonly TimeSpan s_promised = TimeSpan.FromSeconds(2);

    // Each keeps descriptor 9 open in all that it starts: the pipe ends when the last of them has ended.
    private static readonly string[] s_commands =
    [
        "exec 9> alive; echo ready >&9; sleep 100",
        "exec 9> alive; trap '' INT TERM HUP; setsid nohup sleep 100 & (sleep 100 &) ; echo ready >&9; wait",
        "exec 9> alive; setsid sh -c 'setsid sleep 100 & exit'; (setsid sh -c '(sleep 100 &)' &); echo ready >&9; sleep 100",
        "exec 9> alive; env -i setsid sleep 100 & env -i sleep 100 & echo ready >&9; wait",
        "exec 9> alive; set -m; (env -i sleep 100 &); echo ready >&9; sleep 100",
    ];

    public ProcessKillSpecs() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: setsid and named pipes");

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kill_minus_nine_leaves_no_process_two_seconds_later(bool isBackground)
    {
        var ends = new ConcurrentQueue<(TimeSpan Took, string Command)>();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, KillMatrix.IsLong ? 500 : 10),
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Now },
            async (number, _) =>
            {
                var command = s_commands[number % s_commands.Length];
                using var program = new CrashProgram();
                ends.Enqueue((await KillAsync(program, command, isBackground), command));
            }
        );

        TestContext.Current.SendDiagnosticMessage(
            $"{ends.Count} kills, the slowest were gone after {ends.Max(end => end.Took).TotalMilliseconds:F0} ms"
        );
        Assert.Empty(ends.Where(end => end.Took > s_promised));
    }

    [Fact]
    public async Task A_command_that_was_running_is_unknown_to_the_next_run_and_not_repeated()
    {
        using var program = new CrashProgram();
        await KillAsync(program, $"printf x >> one; {s_commands[1]}", isBackground: false);
        var session = Assert.Single(await program.ListAsync()).Id;
        await using var model = ScriptedModelServer.Start().Reply(reply => reply.Text("I look first.").Done());

        var resumed = await program.RunAsync(model, CrashProgram.Prompt(session, "go on"));

        Assert.Equal(0, resumed.ExitCode);
        Assert.Contains("is not known", TurnStory.ResultOf(Assert.Single(model.Requests), "p"));
        Assert.Equal("x", await File.ReadAllTextAsync(Path.Join(program.Workspace, "one"), Now));
        Assert.Contains("outcome unknown", (await program.RunAsync(null, "sessions", "show", session.Value)).Output);
        Assert.Equal(
            CallOutcome.Unknown,
            Assert.Single((await program.EventsAsync(session)).Select(envelope => envelope.Event).OfType<CallCompleted>()).Outcome
        );
    }

    /// <summary>How long after the kill the last process was gone.</summary>
    private static async Task<TimeSpan> KillAsync(CrashProgram program, string command, bool isBackground)
    {
        var pipe = Path.Join(program.Workspace, "alive");
        Assert.SkipUnless(await Shell.TryAsync("mkfifo", pipe), "needs mkfifo");
        var arguments =
            $$"""{"command":"{{JsonEncodedText.Encode(command)}}","is_background":{{(isBackground ? "true" : "false")}}}""";
        await using var model = ScriptedModelServer
            .Start()
            .Reply(reply => reply.Call("run_shell_command", arguments, "p").Done())
            .Reply(reply => reply.Text("It runs.").Hang());
        using var alive = Process.Start(
            new ProcessStartInfo("cat", [pipe]) { UseShellExecute = false, RedirectStandardOutput = true }
        )!;
        using var thole = program.Start(model.BaseAddress, [], CrashProgram.Prompt(null, "do it"));
        Assert.Equal("ready", await alive.StandardOutput.ReadLineAsync(Now));

        var killed = Stopwatch.GetTimestamp();
        thole.Kill();
        await alive.StandardOutput.ReadToEndAsync(Now).WaitAsync(TimeSpan.FromSeconds(30), Now);
        var took = Stopwatch.GetElapsedTime(killed);
        await thole.WaitForExitAsync(Now);
        await alive.WaitForExitAsync(Now);
        return took;
    }
}
