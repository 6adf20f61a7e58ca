using System.Text;
using System.Text.Json;
using Thole.Testing;

namespace Thole.EndToEnd.Tests;

public sealed class AttackSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task Text_of_a_model_does_not_command_the_terminal()
    {
        var escapes = string.Join(
            " | ",
            Dictionary("terminal_escapes_neutralise", "\u001b]0;pwned\u0007", "\u001b[2J", "\u009b2J", "\rover")
        );
        _thole.Server.Reply(reply => reply.Text($"begin {escapes} end").Done());
        var ended = (await _thole.RunAsync("-p", "x")).MustSucceed();
        Assert.StartsWith("begin ", ended.Output);
        Assert.EndsWith(" end\n", ended.Output);
        MustBeHarmless(ended);
    }

    [Fact]
    public async Task Titles_of_calls_file_names_and_errors_do_not_command_the_terminal()
    {
        const string Escape = "\u001b]0;pwned\u0007\u001b[2J\r\n\u009b1A";
        _thole.Server.Reply(reply =>
            reply
                .Call("run_shell_command", JsonSerializer.Serialize(new { command = $"echo {Escape}" }))
                .Call("write_file", JsonSerializer.Serialize(new { file_path = $"a{Escape}.txt", content = "x" }))
                .Call($"no{Escape}tool")
                .Done()
        );
        _thole.WriteSettings("""{"providers":{"openai":{"maxRetries":0}}}""");
        _thole.Server.ReplyOtherwise(reply =>
            reply.Status(400, JsonSerializer.Serialize(new { error = new { message = $"bad{Escape}" } }))
        );
        var ended = (await _thole.RunAsync("-p", "x")).MustEndWith(5);
        Assert.Contains("refused", ended.Error);
        MustBeHarmless(ended);
        var id = _thole.OnlySession();
        MustBeHarmless((await _thole.RunAsync("sessions", "show", id)).MustSucceed());
        MustBeHarmless(await _thole.RunAsync("-p", "x", $"--{Escape.Replace(" ", "")}flag"));
        MustBeHarmless(await _thole.RunAsync("sessions", "show", Escape));
        MustBeHarmless(await _thole.RunAsync("-p", "x", "--workspace", Escape));
    }

    [Fact]
    public async Task Hostile_paths_touch_nothing_outside_of_the_workspace_even_without_questions()
    {
        var secret = Path.Join(_thole.Outside, "x");
        await File.WriteAllTextAsync(secret, "[outside]", Now);
        await File.WriteAllTextAsync(Path.Join(_thole.Variables["HOME"], "x"), "[outside]", Now);
        await _thole.CommitAsync();
        Directory.CreateSymbolicLink(_thole.File("link-to-outside"), _thole.Outside);
        Directory.CreateSymbolicLink(_thole.File("link-to-link-to-outside"), _thole.File("link-to-outside"));
        string[] paths =
        [
            .. Dictionary(
                "workspace_paths_refuse",
                "../x",
                "..",
                "a/../../x",
                "~/x",
                "link-to-outside/x",
                "link-to-link-to-outside/x",
                ".git/hooks/pre-commit",
                "/dev/stdin",
                "/proc/self/root/etc/passwd"
            ),
            "../outside/x",
            secret,
        ];
        var git = Snapshot(_thole.File(".git"));
        _thole
            .Server.Reply(reply =>
            {
                foreach (var path in paths)
                {
                    reply.Call("read_file", JsonSerializer.Serialize(new { file_path = path }));
                    reply.Call("grep_search", JsonSerializer.Serialize(new { pattern = "outside", path }));
                    reply.Call("list_directory", JsonSerializer.Serialize(new { path }));
                    // A hole must not cost the machine that finds it.
                    if (path.StartsWith(_thole.Outside, StringComparison.Ordinal) || path[0] != '/')
                    {
                        reply.Call("write_file", JsonSerializer.Serialize(new { file_path = path, content = "[hacked]" }));
                        reply.Call(
                            "apply_patch",
                            JsonSerializer.Serialize(
                                new { patch = $"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-[outside]\n+[hacked]\n" }
                            )
                        );
                    }
                }

                reply.Done();
            })
            .Reply(reply => reply.Text("Tried.").Done());
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo")).MustSucceed();
        var results = HeadlessSpecs.Results(_thole.Server.Requests[^1]);
        Assert.DoesNotContain(results, result => result.Contains("[outside]", StringComparison.Ordinal));
        Assert.DoesNotContain(results, result => result.Contains("root:x:0", StringComparison.Ordinal));
        Assert.Equal("[outside]", await File.ReadAllTextAsync(secret, Now));
        Assert.Equal("[outside]", await File.ReadAllTextAsync(Path.Join(_thole.Variables["HOME"], "x"), Now));
        Assert.Equal([secret], Directory.GetFileSystemEntries(_thole.Outside));
        Assert.Equal(git, Snapshot(_thole.File(".git")));
        Assert.False(File.Exists(Path.Join(Path.GetDirectoryName(_thole.Workspace), "x")));
    }

    [Fact]
    public async Task A_command_sees_no_secret_of_ours()
    {
        foreach (
            var name in (string[])
                [
                    "OPENAI_API_KEY",
                    "GITHUB_TOKEN",
                    "AWS_SECRET_ACCESS_KEY",
                    "AZURE_CLIENT_SECRET",
                    "MY_OWN_TOKEN",
                    "GOOGLE_APPLICATION_CREDENTIALS",
                    "LD_AUDIT_PLANTED",
                ]
        )
        {
            _thole.Variables[name] = $"planted-{name.ToLowerInvariant()}";
        }

        _thole.Variables["HARMLESS"] = "to be seen";
        _thole
            .Server.Reply(reply =>
                reply.Call("run_shell_command", """{"command":"env; tr '\\0' ' ' < /proc/$PPID/cmdline"}""").Done()
            )
            .Reply(reply => reply.Text("Seen.").Done());
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo")).MustSucceed();
        var seen = HeadlessSpecs.Results(_thole.Server.Requests[^1])[0];
        Assert.Contains("HARMLESS=to be seen", seen);
        Assert.DoesNotContain("planted-openai_api_key", seen);
        Assert.DoesNotContain("planted-github_token", seen);
        Assert.DoesNotContain("planted-aws_secret_access_key", seen);
        Assert.DoesNotContain("planted-azure_client_secret", seen);
        Assert.DoesNotContain("planted-my_own_token", seen);
        Assert.DoesNotContain("planted-google_application_credentials", seen);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/v1/models")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/")]
    [InlineData("http://2130706433:{0}/")]
    [InlineData("http://0.0.0.0:{0}/")]
    [InlineData("file:///etc/passwd")]
    public async Task A_page_of_this_machine_is_not_fetched_even_without_questions(string address)
    {
        var url = string.Format(address, _thole.Server.BaseAddress.Port);
        _thole
            .Server.Reply(reply => reply.Call("web_fetch", JsonSerializer.Serialize(new { url })).Done())
            .Reply(reply => reply.Text("No.").Done());
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo")).MustSucceed();
        Assert.Equal(2, _thole.Server.Requests.Count);
        Assert.All(_thole.Server.Requests, request => Assert.Equal("POST", request.Method));
        Assert.DoesNotContain("root:x", HeadlessSpecs.Results(_thole.Server.Requests[^1])[0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_of_a_stream_that_was_cut_is_never_run(bool isWhole)
    {
        _thole.WriteSettings("""{"providers":{"openai":{"maxRetries":0}}}""");
        _thole.Server.Reply(reply =>
        {
            reply.Text("I run.");
            if (isWhole)
            {
                reply.Call("run_shell_command", """{"command":"touch ran"}""").Cut();
            }
            else
            {
                reply
                    .Chunk(
                        """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"run_shell_command","arguments":"{\"command\":\"touch ran"}}]}}]}"""
                    )
                    .Cut();
            }
        });
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo")).MustFail(5);
        Assert.False(File.Exists(_thole.File("ran")));
    }

    [Fact]
    public async Task Arguments_that_are_no_JSON_and_tools_that_are_none_are_answered()
    {
        _thole
            .Server.Reply(reply =>
                reply
                    .Call("read_file", "{\"file_path\":")
                    .Call("read_file", "[]")
                    .Call("rm_rf", "{}")
                    .Call("read_file", """{"file_path":7,"offset":"x"}""")
                    .Call("read_file", string.Concat(Enumerable.Repeat("[", 5_000)))
                    .Done()
            )
            .Reply(reply => reply.Text("I see.").Done());
        (await _thole.RunAsync("-p", "x", "--approval-mode", "yolo", "-o", "stream-json")).MustSucceed();
        Assert.Equal(5, HeadlessSpecs.Results(_thole.Server.Requests[^1]).Count);
    }

    /// <summary>The others' list where it is there, else the few that stand here.</summary>
    private static IReadOnlyList<string> Dictionary(string name, params string[] otherwise)
    {
        if (Acceptance.Folder is not { } folder)
        {
            return otherwise;
        }

        using var lists = JsonDocument.Parse(File.ReadAllBytes(Path.Join(folder, "attacks", "dictionaries.json")));
        return [.. lists.RootElement.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
    }

    private static void MustBeHarmless(Outcome ended)
    {
        foreach (var rune in (ended.Output + ended.Error).EnumerateRunes())
        {
            Assert.False(
                Rune.IsControl(rune) && rune.Value is not ('\n' or '\t'),
                $"U+{rune.Value:x4} in {ended.Output}{ended.Error}"
            );
        }
    }

    private static IReadOnlyList<string> Snapshot(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(file =>
                    $"{file} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}"
                ),
        ];
}
