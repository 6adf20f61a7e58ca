using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// A client that others wrote for another daemon works with ours as it is: <c>test/interop</c> drives the daemon with it, in its newest
/// version and in the oldest that has one.
/// </summary>
public sealed class InteropSpecs : IAsyncDisposable
{
    private const string Token = "a-token-of-the-interop-specs";

    private static readonly string[] s_versions = ["sdk-0-1-14", "sdk-0-1-8"];

    private static readonly string[] s_scenarios =
    [
        "attach",
        "badPrompts",
        "cancel",
        "close",
        "create",
        "cursors",
        "files",
        "inspect",
        "killInATurn",
        "list",
        "loadAndResume",
        "metadata",
        "model",
        "permissionOverAKill",
        "permissionRace",
        "permissionRefused",
        "promptWithEvents",
        "promptWithoutEvents",
        "queue",
        "readers",
        "restartBetweenTurns",
        "strangeClient",
        "threads",
        "tooMany",
        "transcript",
        "unknownSession",
        "workspaceChanges",
        "workspaceMismatch",
        "wrongToken",
    ];

    private readonly TholeProgram _thole = new();
    private readonly TaskCompletionSource _speaks = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunningThole? _daemon;

    public static TheoryData<string, string> Runs()
    {
        var runs = new TheoryData<string, string>();
        foreach (var version in s_versions)
        {
            foreach (var scenario in s_scenarios)
            {
                runs.Add(version, scenario);
            }
        }

        return runs;
    }

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
    public async Task The_client_works_unchanged(string version, string scenario)
    {
        var package = await InteropPackage.GetAsync();
        Script();
        _thole.Variables["THOLE_SERVER_TOKEN"] = Token;
        await using var run = package.Start(
            [version, scenario],
            ("BASE_URL", await ServeAsync()),
            ("TOKEN", Token),
            ("WORKSPACE", _thole.Workspace),
            ("OTHER_MODEL", "openai/other")
        );
        await foreach (var line in run.LinesAsync(TestContext.Current.CancellationToken))
        {
            switch (line.TryGetProperty("ask", out var asked) ? asked.GetString() : null)
            {
                case null:
                    break;
                case "restart the daemon":
                    await EndAsync(line.GetProperty("how").GetString()!);
                    await run.AnswerAsync($"the daemon is back at {await ServeAsync()}");
                    break;
                case "let the model speak":
                    _speaks.TrySetResult();
                    await run.AnswerAsync("the model speaks");
                    break;
                case var other:
                    Assert.Fail($"The script asks for something that this test cannot do: {other}");
                    break;
            }
        }

        await run.MustSucceedAsync(_daemon!);
    }

    [Fact]
    public async Task Every_scenario_is_run()
    {
        var package = await InteropPackage.GetAsync();
        await using var run = package.Start(["--list"]);
        Assert.Equal(
            s_scenarios,
            (await run.TextAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)
        );
    }

    private async Task<string> ServeAsync()
    {
        _daemon = _thole.Start("serve", "--port", "0");
        const string announced = "thole serve listening on ";
        await _daemon.SaysAsync($"(workspace={_thole.Workspace})\n");
        var line = Assert.Single(
            _daemon.Output.ToString().Split('\n'),
            line => line.StartsWith(announced, StringComparison.Ordinal)
        );
        return line[announced.Length..].Split(' ')[0];
    }

    private async Task EndAsync(string how)
    {
        await _daemon!.SignalAsync(how is "kill" ? "KILL" : "TERM");
        var ended = await _daemon.EndAsync();
        if (how is not "kill")
        {
            ended.MustSucceed();
        }
    }

    /// <summary>What the model says to which words; test/interop/README.md has the table.</summary>
    private void Script()
    {
        _thole
            .Server.ReplyWhen(request => IsToolResult(request), reply => reply.Text("Done.").Done())
            .ReplyWhen(
                request => HeadlessSpecs.LastWords(request).Contains("slowly"),
                reply => reply.Text("First words.").Wait(_speaks.Task).Text(" Last words.").Done()
            )
            .ReplyWhen(request => HeadlessSpecs.LastWords(request).Contains("at length"), SpeakAtLength)
            .ReplyWhen(
                request => HeadlessSpecs.LastWords(request) is "fail",
                reply => reply.Status(400, """{"error":{"message":"scripted"}}""")
            )
            .ReplyOtherwise(reply => reply.Text("All is well.").Done());
        foreach (var name in (ReadOnlySpan<string>)["a.txt", "b.txt"])
        {
            _thole.Server.ReplyWhen(
                request => HeadlessSpecs.LastWords(request) == $"write {name}",
                reply => reply.Call("write_file", $$"""{"file_path":"{{name}}","content":"made\n"}""").Done()
            );
        }
    }

    private static bool IsToolResult(RecordedRequest request) => request.Messages[^1].GetProperty("role").GetString() is "tool";

    private static void SpeakAtLength(ScriptedReply reply)
    {
        var word = new string('x', 2_000) + " ";
        for (var piece = 0; piece < 2_000; piece++)
        {
            reply.Text(word);
        }

        reply.Done();
    }
}
