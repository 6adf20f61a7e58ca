using System.Diagnostics;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Native;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

public sealed class ProcessRunnerSpecs : IAsyncDisposable
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(1);

    private readonly TempFolder _folder = new();
    private readonly ProcessRunner _runner = new(new ChildEnvironment([]), TimeProvider.System);

    public ProcessRunnerSpecs() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX shell: run on Linux or macOS");

    public async ValueTask DisposeAsync()
    {
        await _runner.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Output_and_errors_come_in_the_order_in_which_they_were_printed()
    {
        var result = await RunAsync("echo one; echo two >&2; echo three; exit 3");

        Assert.Equal(new ProcessResult("one\ntwo\nthree\n", 14, 3, null, ProcessEnd.Exited), result);
    }

    [Theory]
    [InlineData("KILL", "SIGKILL")]
    [InlineData("TERM", "SIGTERM")]
    [InlineData("SEGV", "SIGSEGV")]
    [InlineData("PIPE", "SIGPIPE")]
    [InlineData("HUP", "SIGHUP")]
    public async Task A_signal_is_told_by_its_name(string signal, string name)
    {
        var result = await RunAsync($"kill -{signal} $$");

        Assert.Equal((null, name, ProcessEnd.Exited), (result.ExitCode, result.Signal, result.End));
    }

    [Fact]
    public async Task Standard_input_is_empty()
    {
        Assert.Equal("0\n", (await RunAsync("cat | wc -c | tr -d ' '")).Output);
    }

    [Fact]
    public async Task A_command_may_begin_with_a_dash()
    {
        var result = await RunAsync("-v");

        Assert.Equal(127, result.ExitCode);
    }

    [Fact]
    public async Task A_child_has_default_signals_and_none_blocked()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        var result = await RunAsync("sed -n 's/^Sig\\(Blk\\|Ign\\):.//p' /proc/self/status");

        // glibc starts every child with its two internal signals (32 and 33) ignored.
        const long internalSignals = 0x1_8000_0000;
        var signals = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(mask => Convert.ToInt64(mask, 16));
        Assert.Equal([0, 0], signals.Select(mask => mask & ~internalSignals));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_child_has_a_session_of_its_own_and_no_descriptor_of_ours(bool hasCloseFrom)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        PosixSpawn.HasCloseFrom = hasCloseFrom;
        using var open = File.Create(Path.Join(_folder.Path, "secret"));
        using var inherited = File.OpenRead("/dev/null");
        Assert.Equal(0, Descriptors.Inherit((int)inherited.SafeFileHandle.DangerousGetHandle()));

        var result = await RunAsync("ls /proc/$$/fd; set -- $(cat /proc/$$/stat); echo $(( $5 == $$ && $6 == $$ ))");

        Assert.Equal("0\n1\n2\n1\n", result.Output);
    }

    [Fact]
    public async Task A_background_child_that_holds_the_pipe_is_not_waited_for()
    {
        var start = Stopwatch.GetTimestamp();
        var result = await RunAsync("sleep 30 & echo started");

        Assert.Equal("started\n", result.Output);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task What_is_printed_right_after_the_shell_ended_is_still_read()
    {
        Assert.Equal("late\n", (await RunAsync("exec 3>&1; (sleep 0.05; echo late >&3) > /dev/null 2>&1 & disown")).Output);
    }

    [Fact]
    public async Task What_a_foreground_command_left_behind_ends_with_the_runner()
    {
        var alive = await FifoAsync();
        var result = await RunAsync($"(setsid sleep 100 9> '{alive.Path}' > /dev/null 2>&1 &) ; echo left");
        Assert.Equal("left\n", result.Output);

        await _runner.DisposeAsync();

        await alive.EndedAsync();
    }

    [Fact]
    public async Task A_time_limit_ends_the_command_and_keeps_what_it_printed()
    {
        var result = await _runner.RunAsync(Request("echo before; sleep 100; echo after", TimeSpan.FromMilliseconds(300)), Token);

        Assert.Equal(
            ("before\n", null, "SIGINT", ProcessEnd.TimedOut),
            (result.Output, result.ExitCode, result.Signal, result.End)
        );
    }

    [Fact]
    public async Task A_command_that_ignores_interrupt_and_terminate_is_killed()
    {
        var result = await InterruptAsync("trap '' INT TERM; echo deaf > '{0}'; while :; do sleep 0.1; done");

        Assert.Equal((null, "SIGKILL", ProcessEnd.Interrupted), (result.ExitCode, result.Signal, result.End));
    }

    [Fact]
    public async Task A_command_may_clean_up_when_it_is_interrupted()
    {
        var result = await InterruptAsync("trap 'echo cleaned; exit 7' INT; echo up > '{0}'; while :; do sleep 0.01; done");

        Assert.Equal(("cleaned\n", 7, ProcessEnd.Interrupted), (result.Output, result.ExitCode, result.End));
    }

    [Theory]
    [InlineData("sleep 100 9> '{0}'")]
    [InlineData("(sleep 100 &) 9> '{0}'; echo up 9> '{0}' >&9; sleep 100")] // double fork
    [InlineData("setsid sleep 100 9> '{0}' & echo; sleep 100")]
    [InlineData("exec 9> '{0}'; setsid sh -c 'setsid sleep 100 & exit' & sleep 100")]
    [InlineData("env -i setsid sh -c 'exec 9> \"{0}\"; exec sleep 100' & sleep 100")] // no mark, but a parent
    [InlineData("exec 9> '{0}'; (env -i sleep 100 &); sleep 100")] // no mark and no parent, but the session
    [InlineData("exec 9> '{0}'; trap '' INT TERM HUP; setsid nohup sleep 100 & (sleep 100 &) ; wait")]
    public async Task Nothing_of_a_stopped_command_is_left(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs setsid and /proc");
        var alive = await FifoAsync();
        var background = _runner.Start(Request(string.Format(command, alive.Path), s_long));
        await alive.OpenedAsync();

        await background.StopAsync(Token);

        await alive.EndedAsync();
        Assert.Equal(ProcessEnd.Interrupted, background.Result!.End);
    }

    [Fact]
    public async Task Two_runners_do_not_touch_the_children_of_each_other()
    {
        await using var other = new ProcessRunner(new ChildEnvironment([]), TimeProvider.System);
        var ours = _runner.Start(Request("cat > /dev/null < /dev/zero", s_long));
        var theirs = other.Start(Request("cat > /dev/null < /dev/zero", s_long));

        await _runner.DisposeAsync();

        Assert.Equal((false, true), (ours.IsRunning, theirs.IsRunning));
    }

    [Fact]
    public async Task Endless_output_is_counted_and_bounded()
    {
        var result = await RunAsync("head -c 40000000 /dev/zero | tr '\\0' x; echo; echo the end");

        Assert.Equal(40_000_009, result.TotalBytes);
        Assert.InRange(result.Output.Length, 16 << 20, (16 << 20) + 100);
        Assert.EndsWith("x\nthe end\n", result.Output);
        Assert.Contains($"\n[... {40_000_009 - (16 << 20):N0} bytes were printed here and not kept ...]\n", result.Output);
    }

    [Fact]
    public async Task A_program_that_never_stops_printing_is_stopped_in_time()
    {
        var result = await _runner.RunAsync(Request("yes", TimeSpan.FromMilliseconds(300)), Token);

        Assert.Equal(ProcessEnd.TimedOut, result.End);
        Assert.InRange(result.Output.Length, 1, (16 << 20) + 100);
    }

    [Fact]
    public async Task Broken_characters_are_replaced_and_control_characters_kept()
    {
        Assert.Equal("a\uFFFDb\0\u001b[1mc", (await RunAsync("printf 'a\\377b\\000\\033[1mc'")).Output);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("$(id)")]
    [InlineData("a\nb")]
    [InlineData("-rf")]
    [InlineData("'\"\\")]
    [InlineData("été 漢字")]
    public async Task A_directory_is_a_directory_whatever_its_name(string name)
    {
        var directory = Directory.CreateDirectory(Path.Join(_folder.Path, name)).FullName;

        var result = await _runner.RunAsync(new ProcessRequest("pwd", directory, s_long), Token);

        Assert.EndsWith($"/{name}\n", result.Output);
    }

    [Fact]
    public async Task What_cannot_be_started_says_what_to_do()
    {
        var missing = new ProcessRequest("true", Path.Join(_folder.Path, "missing"), s_long);

        var noDirectory = await Assert.ThrowsAsync<WorkspaceException>(() => _runner.RunAsync(missing, Token));
        var withNul = await Assert.ThrowsAsync<WorkspaceException>(() => RunAsync("echo a\0b"));
        var tooLong = await Assert.ThrowsAsync<WorkspaceException>(() => RunAsync(new string('x', 5_000_000)));

        Assert.Equal(ToolErrors.FileNotFound, noDirectory.Error);
        Assert.Contains("make it first", noDirectory.Message);
        Assert.Contains("NUL", withNul.Message);
        Assert.Contains("write it to a file", tooLong.Message);
    }

    [Fact]
    public async Task A_background_command_is_read_piece_by_piece_and_remembered_after_its_end()
    {
        var gate = Path.Join(_folder.Path, "gate");
        await RunAsync($"mkfifo '{gate}'");
        var command = _runner.Start(Request($"echo first; cat '{gate}'; echo second; exit 4", s_long));
        Assert.Matches("^bg_[0-9a-f]{8}$", command.Id);
        Assert.Same(command, _runner.Find(command.Id));
        Assert.Null(_runner.Find("bg_00000000"));

        await File.WriteAllTextAsync(gate, "third\n", Token);
        var result = await command.Ended.WaitAsync(s_long, Token);

        Assert.Equal("first\nthird\nsecond\n", command.ReadNew(1000));
        Assert.Equal("", command.ReadNew(1000));
        Assert.Equal((4, false), (result.ExitCode, command.IsRunning));
        Assert.Equal([command], _runner.Background);
    }

    [Fact]
    public async Task An_answer_to_an_interrupt_comes_at_once()
    {
        var times = new List<double>();
        for (var round = 0; round < 100; round++)
        {
            using var interrupt = new CancellationTokenSource();
            var running = _runner.RunAsync(Request("sleep 100", s_long), interrupt.Token);
            var start = Stopwatch.GetTimestamp();
            await interrupt.CancelAsync();
            var result = await running;
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Assert.Equal(ProcessEnd.Interrupted, result.End);
        }

        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"p50 {times[50]:0.0} ms, p99 {times[98]:0.0} ms");

        // The aim is 50 ms on an idle machine; a busy one may not make this test lie.
        Assert.InRange(times[50], 0, 500);
    }

    [Theory]
    [InlineData(1000, "")]
    [InlineData(10, "trap '' CHLD;")] // whoever started us ignores the end of children: exit codes are known all the same
    public async Task Many_commands_leave_no_descriptor_and_no_zombie(int runs, string before)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        using var host = SpecsHost.ThatCounts(runs, before, _folder.Path);

        Assert.Equal("0 wrong, 0 descriptors, 0 zombies\n", await host.StandardOutput.ReadToEndAsync(Token));
    }

    [Fact]
    public async Task What_was_interrupted_before_does_not_start()
    {
        var result = await _runner.RunAsync(Request("touch started", s_long), new CancellationToken(canceled: true));

        Assert.Equal(ProcessEnd.Interrupted, result.End);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Where_we_run_beneath_ourselves_the_outer_mark_stays()
    {
        var result = await RunAsync("echo $THOLE_COMMAND; env | grep -c '^THOLE_COMMAND='");

        Assert.Matches(@"^([0-9a-f]{16}\.[0-9]+;)+\n1\n$", result.Output);
        Assert.StartsWith($"{Environment.GetEnvironmentVariable(ProcessRunner.MarkName)}", result.Output);
    }

    [Fact]
    public async Task Many_commands_at_once_do_not_mix_what_they_print()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => RunAsync($"echo {number}; exit {number}")));

        Assert.Equal(
            Enumerable.Range(0, 100).Select(number => ($"{number}\n", (int?)number)),
            results.Select(r => (r.Output, r.ExitCode))
        );
    }

    [Fact]
    public async Task A_program_gets_its_arguments_as_they_stand_and_no_shell_reads_them()
    {
        var request = Request("env", s_long) with
        {
            Arguments =
            [
                "/usr/bin/env",
                "--",
                "/bin/sh",
                "-c",
                "printf '%s\\n' \"$@\"; env; echo oops >&2",
                "sh",
                "$(id)",
                "a\nb",
                "-n",
                "'",
            ],
            Environment = new Dictionary<string, string> { ["ONLY"] = "this" },
            OutputOnly = 1 << 20,
        };

        var result = await _runner.RunAsync(request, Token);
        var nul = await Assert.ThrowsAsync<WorkspaceException>(() =>
            _runner.RunAsync(request with { Arguments = ["/bin/echo", "a\0b"] }, Token)
        );

        Assert.StartsWith("$(id)\na\nb\n-n\n'\n", result.Output);
        Assert.Contains("ONLY=this\n", result.Output);
        Assert.DoesNotContain("PATH=/", result.Output);
        Assert.DoesNotContain("oops", result.Output);
        Assert.Contains("NUL", nul.Message);
    }

    [Fact]
    public async Task An_output_that_a_program_reads_is_kept_up_to_a_limit()
    {
        var result = await _runner.RunAsync(Request("printf 123456789", s_long) with { OutputOnly = 4 }, Token);

        Assert.StartsWith("1234\n[... 5 bytes", result.Output);
        Assert.Equal(9, result.TotalBytes);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ProcessRequest Request(string command, TimeSpan timeout) => new(command, _folder.Path, timeout);

    private Task<ProcessResult> RunAsync(string command) => _runner.RunAsync(Request(command, s_long), Token);

    private Task<Fifo> FifoAsync() => Fifo.MakeAsync(Path.Join(_folder.Path, "alive"));

    private async Task<ProcessResult> InterruptAsync(string command)
    {
        var up = await FifoAsync();
        using var interrupt = new CancellationTokenSource();
        var running = _runner.RunAsync(Request(string.Format(command, up.Path), s_long), interrupt.Token);
        await File.ReadAllTextAsync(up.Path, Token);
        await interrupt.CancelAsync();
        return await running;
    }
}
