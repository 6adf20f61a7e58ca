using System.Text.RegularExpressions;
using Thole.Protocol;

namespace Thole.Tools.Tests;

/// <summary>run_shell_command in the background, task_output and task_stop.</summary>
public sealed class BackgroundCommandSpecs : IAsyncDisposable
{
    private readonly CommandBench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_background_command_is_started_read_and_stopped_by_its_id()
    {
        await _bench.RunAsync("mkfifo gate");
        var id = await StartAsync("echo first; cat gate; echo up > gate; sleep 100");
        Pass("in between\n");
        await File.ReadAllTextAsync(Path.Join(_bench.Root, "gate"), TestContext.Current.CancellationToken);

        // What was printed is on its way to us, and comes in one read or in several.
        const string running = "Status: running\nOutput: ";
        var output = "";
        while (output.Length < "first\nin between\n".Length)
        {
            var read = (await ReadAsync(id)).Text;
            Assert.StartsWith(running, read);
            output += read[running.Length..].Replace("(nothing new)", "", StringComparison.Ordinal);
            await Task.Yield();
        }

        Assert.Equal("first\nin between\n", output);
        Assert.Equal("Status: running\nOutput: (nothing new)", (await ReadAsync(id)).Text);

        var stopped = await StopAsync(id);
        Assert.Equal((null, $"{id} has ended. Signal: SIGINT"), (stopped.Error, stopped.Text));
        Assert.Equal($"{id} had ended already. Signal: SIGINT", (await StopAsync(id)).Text);
        Assert.Contains("Signal: SIGINT", (await ReadAsync(id)).Text);
    }

    [Fact]
    public async Task The_end_of_a_background_command_is_told_with_its_last_words()
    {
        await _bench.RunAsync("mkfifo gate");
        var id = await StartAsync("cat gate; echo last words; exit 5");
        Pass("");
        await _bench.Context.Processes.Find(id)!.Ended.WaitAsync(TestContext.Current.CancellationToken);

        var result = await ReadAsync(id);

        Assert.Null(result.Error);
        Assert.Equal("Status: ended\nOutput: last words\nExit Code: 5", result.Text);
        Assert.Equal([new TerminalContent("cat gate; echo last words; exit 5", "last words\n", 5)], result.Display);
    }

    [Fact]
    public async Task An_unknown_id_is_answered_with_those_that_are_known()
    {
        Assert.Contains("none was started", (await ReadAsync("bg_12345678")).Text);
        var id = await StartAsync("sleep 100");

        var result = await StopAsync("bg_12345678");

        Assert.Equal(
            (ToolErrors.InvalidArguments, $"There is no background command 'bg_12345678'; there are {id}."),
            (result.Error, result.Text)
        );
    }

    [Fact]
    public async Task More_than_a_machine_can_bear_are_refused()
    {
        for (var number = 0; number < 32; number++)
        {
            await StartAsync("sleep 100");
        }

        var result = await StartOneAsync("sleep 100");

        Assert.Equal(ToolErrors.ShellFailed, result.Error);
        Assert.Contains("stop one", result.Text);
    }

    private void Pass(string text) => File.WriteAllText(Path.Join(_bench.Root, "gate"), text);

    private Task<ToolResult> StartOneAsync(string command) =>
        _bench.RunAsync(new RunShellCommandTool(), new() { ["command"] = command, ["is_background"] = true });

    private async Task<string> StartAsync(string command)
    {
        var started = await StartOneAsync(command);
        Assert.Null(started.Error);
        return Regex.Match(started.Text, "(?<=^id: )bg_[0-9a-f]{8}$", RegexOptions.Multiline).Value;
    }

    private Task<ToolResult> ReadAsync(string id) => _bench.RunAsync(new TaskOutputTool(), new() { ["task_id"] = id });

    private Task<ToolResult> StopAsync(string id) => _bench.RunAsync(new TaskStopTool(), new() { ["task_id"] = id });
}
