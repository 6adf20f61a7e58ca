using System.Text;
using System.Text.Json.Nodes;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Tools.Tests;

public sealed class RunShellCommandToolSpecs : IAsyncDisposable
{
    private readonly CommandBench _bench = new();
    private readonly RunShellCommandTool _tool = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Success_tells_output_and_exit_code()
    {
        var result = await _bench.RunAsync("echo hello; echo trouble >&2");

        Assert.Null(result.Error);
        Assert.Equal("Output: hello\ntrouble\nExit Code: 0", result.Text);
        Assert.Equal([new TerminalContent("echo hello; echo trouble >&2", "hello\ntrouble\n", 0)], result.Display);
    }

    [Fact]
    public async Task Silence_is_told_too()
    {
        Assert.Equal("Output: (empty)\nExit Code: 0", (await _bench.RunAsync("true")).Text);
    }

    [Fact]
    public async Task Another_exit_code_than_zero_is_a_failure()
    {
        var result = await _bench.RunAsync("printf oops; exit 3");

        Assert.Equal((ToolErrors.Failed, "Output: oops\nExit Code: 3"), (result.Error, result.Text));
    }

    [Fact]
    public async Task A_signal_is_a_failure_with_a_name()
    {
        var result = await _bench.RunAsync("kill -9 $$");

        Assert.Equal((ToolErrors.Failed, "Output: (empty)\nSignal: SIGKILL"), (result.Error, result.Text));
    }

    [Fact]
    public async Task A_time_limit_tells_what_was_printed_and_what_to_do()
    {
        var result = await _bench.RunAsync(_tool, new() { ["command"] = "echo so far; sleep 100", ["timeout"] = 300 });

        Assert.Equal(ToolErrors.Timeout, result.Error);
        Assert.Contains("300 ms were over: give a longer timeout, or run it in the background.", result.Text);
        Assert.Contains("Output: so far\n", result.Text);
    }

    [Fact]
    public async Task An_interrupt_is_an_answer_with_what_was_printed()
    {
        using var interrupt = new CancellationTokenSource();
        var ready = Path.Join(_bench.Root, "ready");
        await _bench.RunAsync("mkfifo ready");
        var running = _bench.RunUntilAsync(
            _tool,
            new() { ["command"] = "seq 5000; echo up > ready; sleep 100" },
            interrupt.Token
        );
        await File.ReadAllTextAsync(ready, TestContext.Current.CancellationToken);
        await interrupt.CancelAsync();

        var result = await running;

        Assert.Equal(ToolErrors.Interrupted, result.Error);
        Assert.StartsWith("Stopped with all it had started, because it was interrupted.\nOutput: 1\n2\n", result.Text);
        Assert.NotNull(result.FullText);
    }

    [Fact]
    public async Task Long_output_is_shown_by_head_and_tail_and_kept_whole()
    {
        var result = await _bench.RunAsync("seq 20000");

        Assert.InRange(result.Text.Length, 1000, 30_200);
        Assert.StartsWith("Output: 1\n2\n", result.Text);
        Assert.Contains("lines left out ...]", result.Text);
        Assert.EndsWith("19999\n20000\nExit Code: 0", result.Text);
        var whole = await _bench.ReadBlobAsync(result.FullText!.Value, TestContext.Current.CancellationToken);
        Assert.Equal(string.Concat(Enumerable.Range(1, 20000).Select(number => $"{number}\n")), Encoding.UTF8.GetString(whole!));
    }

    [Fact]
    public async Task One_huge_line_is_cut_too()
    {
        var result = await _bench.RunAsync("head -c 1000000 /dev/zero | tr '\\0' x");

        Assert.InRange(result.Text.Length, 29_000, 30_200);
        Assert.NotNull(result.FullText);
    }

    [Fact]
    public async Task It_runs_in_the_root_or_in_a_directory_beneath_it()
    {
        Directory.CreateDirectory(Path.Join(_bench.Root, "a $(id) b"));

        Assert.Contains($"Output: {_bench.Root}\n", (await _bench.RunAsync("pwd -P")).Text);
        var beneath = await _bench.RunAsync(_tool, new() { ["command"] = "pwd -P", ["directory"] = "a $(id) b" });
        Assert.Contains($"Output: {_bench.Root}/a $(id) b\n", beneath.Text);
    }

    [Theory]
    [InlineData("""{"command":"true","directory":".."}""", ToolErrors.OutsideWorkspace, "outside")]
    [InlineData("""{"command":"true","directory":"/"}""", ToolErrors.OutsideWorkspace, "outside")]
    [InlineData("""{"command":"true","directory":"missing"}""", ToolErrors.FileNotFound, "make it first")]
    [InlineData("""{"command":"true","directory":"file"}""", ToolErrors.InvalidArguments, "name the folder")]
    [InlineData("""{"command":"  "}""", ToolErrors.InvalidArguments, "say what to run")]
    [InlineData("""{"command":"a\u0000b"}""", ToolErrors.ShellFailed, "NUL")]
    public async Task A_wrong_call_is_answered_not_thrown(string arguments, string error, string expected)
    {
        await File.WriteAllTextAsync(Path.Join(_bench.Root, "file"), "", TestContext.Current.CancellationToken);

        var result = await _bench.RunAsync(_tool, JsonNode.Parse(arguments)!.AsObject());

        Assert.Equal(error, result.Error);
        Assert.Contains(expected, result.Text);
    }

    [Theory]
    [InlineData("npm test", "npm test")]
    [InlineData("\n  make\nrm -rf /\n", "make …")]
    public void People_see_the_command_and_not_what_the_model_says_of_it(string command, string title)
    {
        var preparation = _bench.Prepare(_tool, new() { ["command"] = command, ["description"] = "Lists files" });

        Assert.Equal(title, preparation.Title);
        Assert.Equal(command, preparation.Subject);
        Assert.Equal([Touch.Anything], preparation.Touches);
    }

    [Fact]
    public void A_long_title_is_cut()
    {
        Assert.Equal(120, _bench.Prepare(_tool, new() { ["command"] = new string('x', 500) }).Title.Length);
    }

    [Fact]
    public void What_every_request_carries_is_small()
    {
        Assert.All(
            new (ITool Tool, int Limit)[] { (_tool, 620), (new TaskOutputTool(), 250), (new TaskStopTool(), 250) },
            entry =>
            {
                JsonNode.Parse(entry.Tool.Schema);
                Assert.InRange(
                    Encoding.UTF8.GetByteCount(entry.Tool.Description + entry.Tool.Schema + entry.Tool.Name),
                    1,
                    entry.Limit
                );
            }
        );
    }
}
