using System.Diagnostics;
using System.Text.RegularExpressions;
using Thole.Testing;

namespace Thole.EndToEnd.Tests;

public sealed partial class DemoSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task The_demo_does_the_main_job_offline_and_without_a_key()
    {
        Assert.SkipUnless(Git.IsThere, "needs git: apt-get install git");
        _thole.Variables.Remove("OPENAI_MODEL");
        _thole.Variables["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1";
        _thole.WriteSettings("this would not parse, and the demo does not care");

        var ended = (await _thole.RunAsync("demo")).MustSucceed();

        Assert.Empty(ended.Error);
        Assert.Contains("not a model", ended.Output);
        Assert.Contains("+if [ \"$count\" -ge 10 ]; then", ended.Output);
        var repository = Repository.Match(ended.Output).Groups["path"].Value;
        using var test = Process.Start(
            new ProcessStartInfo("sh", ["test.sh"])
            {
                WorkingDirectory = repository,
                UseShellExecute = false,
                RedirectStandardOutput = true,
            }
        )!;
        Assert.DoesNotContain("FAILED", await test.StandardOutput.ReadToEndAsync(Now));
        await test.WaitForExitAsync(Now);
        Assert.Equal(0, test.ExitCode);

        var (home, session) = (Show.Match(ended.Output).Groups["home"].Value, Show.Match(ended.Output).Groups["session"].Value);
        _thole.Variables["THOLE_HOME"] = home;
        Assert.Contains("All four tests pass", (await _thole.RunAsync("sessions", "show", session)).MustSucceed().Output);
        (await _thole.RunAsync("sessions", "verify", session)).MustSucceed();
    }

    [Fact]
    public async Task Without_git_the_demo_says_what_it_needs()
    {
        _thole.Variables["PATH"] = _thole.Outside;
        (await _thole.RunAsync("demo")).MustFail(2, "git");
    }

    [GeneratedRegex("A repository with a failing test: (?<path>.+)", RegexOptions.NonBacktracking)]
    private static partial Regex Repository { get; }

    [GeneratedRegex("THOLE_HOME=(?<home>.+) [^ ]+ sessions show (?<session>.+)", RegexOptions.NonBacktracking)]
    private static partial Regex Show { get; }
}
