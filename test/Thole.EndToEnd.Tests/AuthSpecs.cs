using System.Diagnostics;
using System.Text.Json;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>The provider here is one far away, reached through a proxy: the scripted server. Keys are not sent to this machine.</summary>
public sealed class AuthSpecs : IAsyncDisposable
{
    private const string Key = "sk-typed-key-0123456789";

    private readonly TholeProgram _thole = new();

    public AuthSpecs()
    {
        _thole.Variables.Remove("OPENAI_BASE_URL");
        _thole.Variables.Remove("OPENAI_MODEL");
        // A keyring of whoever runs the tests is none of ours.
        _thole.Variables["PATH"] = Directory.CreateDirectory(Path.Join(_thole.Outside, "bin")).FullName;
        _thole.WriteSettings(
            $$"""
            {
              "providers": {
                "deepseek": { "baseUrl": "http://deepseek.test/v1", "proxy": "http://127.0.0.1:{{_thole.Server.BaseAddress.Port}}" },
                "mistral": { "baseUrl": "http://mistral.test/v1", "proxy": "http://127.0.0.1:{{_thole.Server.BaseAddress.Port}}" }
              }
            }
            """
        );
        _thole
            .Server.ReplyWhen(
                request => !request.Headers.TryGetValue("Authorization", out var shown) || shown != $"Bearer {Key}",
                reply => reply.Status(401, $$$"""{"error":{"message":"\u001b[31mwrong key"}}""")
            )
            .ReplyWhen(request => request.Method is "GET", reply => reply.Models("one"))
            .ReplyOtherwise(reply => reply.Text("Yes.").Done());
    }

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    private string KeyFile => Path.Join(_thole.Home, "keys.json");

    private string KeyringFolder => Path.Join(_thole.Outside, "keyring");

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task A_piped_key_is_checked_and_kept_where_only_its_owner_reads_it()
    {
        var kept = (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();

        Assert.Equal($"The key for deepseek is kept in {KeyFile}.\n", kept.Output);
        Assert.Empty(kept.Error);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        }

        var request = Assert.Single(_thole.Server.Requests);
        Assert.Equal(("GET", "http://deepseek.test/v1/models"), (request.Method, request.Path));

        // Whoever has one key is not asked which model.
        var asked = (await _thole.RunAsync("-p", "x")).MustSucceed();
        Assert.Equal("Yes.\n", asked.Output);
        Assert.Equal("deepseek-chat", _thole.Server.Requests[^1].Json.GetProperty("model").GetString());
    }

    [Fact]
    public async Task The_provider_is_asked_for_where_it_is_not_named()
    {
        (await _thole.RunWithInputAsync($"deepseek\n{Key}\n", "auth")).MustSucceed();
        (await _thole.RunWithInputAsync($"1\n{Key}\n", "auth", "--no-check")).MustSucceed();

        var status = JsonElement.Parse((await _thole.RunAsync("auth", "status", "--json")).MustSucceed().Output);
        Assert.Equal(
            ["openai", "deepseek"],
            status
                .EnumerateArray()
                .Where(one => one.GetProperty("kept").GetBoolean())
                .Select(one => one.GetProperty("provider").GetString())
        );
    }

    [Fact]
    public async Task A_key_that_is_not_accepted_is_not_kept()
    {
        var refused = (await _thole.RunWithInputAsync("sk-wrong-0123456789\n", "auth", "deepseek")).MustFail(
            4,
            "was not kept",
            "wrong key"
        );

        Assert.DoesNotContain('\e', refused.Error);
        Assert.DoesNotContain("sk-wrong", refused.Error);
        Assert.False(File.Exists(KeyFile));
    }

    [Fact]
    public async Task A_provider_that_cannot_be_reached_is_no_reason_to_lose_a_key()
    {
        _thole.WriteSettings("""{"providers":{"deepseek":{"baseUrl":"http://deepseek.test/v1","proxy":"http://127.0.0.1:1"}}}""");

        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustFail(5, "--no-check");
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek", "--no-check")).MustSucceed();
        Assert.True(File.Exists(KeyFile));
    }

    [Theory]
    [InlineData("deepseek", Key)]
    [InlineData(Key)]
    [InlineData("--key", Key)]
    [InlineData("--api-key=" + Key)]
    [InlineData("deepseek", "--key=" + Key)]
    public async Task A_key_among_the_arguments_is_refused_and_not_repeated(params string[] words)
    {
        var refused = (await _thole.RunAsync(["auth", .. words])).MustFail(2);

        Assert.DoesNotContain(Key, refused.Error + refused.Output);
        Assert.False(File.Exists(KeyFile));
    }

    [Theory]
    [InlineData("No key was given", "deepseek", "")]
    [InlineData("No key was given", "deepseek", "\n")]
    [InlineData("no key has", "deepseek", "two words\n")]
    [InlineData("no key has", "deepseek", "sk-schlüssel\n")]
    [InlineData("is on this machine", "ollama", "sk-x\n")]
    [InlineData("not the name of a provider", "nobody", "sk-x\n")]
    public async Task What_is_no_key_is_not_kept(string says, string provider, string input)
    {
        (await _thole.RunWithInputAsync(input, "auth", provider)).MustFail(2, says);
        Assert.False(File.Exists(KeyFile));
    }

    [Fact]
    public async Task A_key_is_forgotten_when_it_is_removed()
    {
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();
        (await _thole.RunAsync("auth", "remove", "deepseek")).MustSucceed();

        Assert.DoesNotContain(Key, await File.ReadAllTextAsync(KeyFile, Now));
        (await _thole.RunAsync("auth", "remove", "deepseek")).MustFail(2, "thole auth status");
        (await _thole.RunAsync("-p", "x", "--model", "deepseek/deepseek-chat")).MustFail(
            4,
            "thole auth deepseek",
            "DEEPSEEK_API_KEY"
        );
    }

    [Fact]
    public async Task A_key_file_that_others_may_read_is_not_believed()
    {
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();
        SetMode(KeyFile, (UnixFileMode)0x1A4);

        (await _thole.RunAsync("-p", "x", "--model", "deepseek/deepseek-chat")).MustFail(4, "chmod 600");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"version":1,"keys":{"deepseek":null}}""")]
    [InlineData("""{"version":2,"keys":{}}""")]
    public async Task A_key_file_that_is_damaged_is_one_sentence_and_not_written_over(string content)
    {
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();
        await File.WriteAllTextAsync(KeyFile, content, Now);

        (await _thole.RunAsync("-p", "x", "--model", "deepseek/deepseek-chat")).MustFail(4, "move it away");
        (await _thole.RunAsync("auth", "status")).MustFail(1, "move it away");
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek", "--no-check")).MustFail(1, "move it away");
        Assert.Equal(content, await File.ReadAllTextAsync(KeyFile, Now));
    }

    [Fact]
    public async Task A_variable_goes_before_the_key_that_is_kept()
    {
        _thole.Variables["DEEPSEEK_API_KEY"] = "sk-of-the-environment";
        var kept = (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();

        Assert.Contains("DEEPSEEK_API_KEY goes before it", kept.Error);
        Assert.Contains("key in DEEPSEEK_API_KEY", (await _thole.RunAsync("auth", "status")).MustSucceed().Output);
        (await _thole.RunAsync("-p", "x", "--model", "deepseek/deepseek-chat")).MustFail(4);
        Assert.Equal("Bearer sk-of-the-environment", _thole.Server.Requests[^1].Headers["Authorization"]);
    }

    [Fact]
    public async Task A_keyring_keeps_the_key_and_no_file_and_no_argument_holds_it()
    {
        WriteKeyring();
        var kept = (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();

        Assert.Equal("The key for deepseek is kept in the system's keyring.\n", kept.Output);
        Assert.DoesNotContain(Key, await File.ReadAllTextAsync(KeyFile, Now));
        Assert.Equal(Key, await File.ReadAllTextAsync(Path.Join(KeyringFolder, "deepseek"), Now));
        Assert.DoesNotContain(Key, await File.ReadAllTextAsync(Path.Join(KeyringFolder, "arguments"), Now));

        File.Delete(Path.Join(KeyringFolder, "calls"));
        var list = (await _thole.RunAsync("models", "list")).MustSucceed();
        Assert.Contains("key in the system's keyring", list.Output);
        Assert.False(File.Exists(Path.Join(KeyringFolder, "calls"))); // it takes its time: not for a list

        Assert.Equal("Yes.\n", (await _thole.RunAsync("-p", "x")).MustSucceed().Output);
        Assert.Equal("lookup deepseek\n", await File.ReadAllTextAsync(Path.Join(KeyringFolder, "calls"), Now));

        (await _thole.RunAsync("auth", "remove", "deepseek")).MustSucceed();
        Assert.False(File.Exists(Path.Join(KeyringFolder, "deepseek")));
    }

    [Fact]
    public async Task A_program_of_the_keyring_sees_none_of_our_secrets()
    {
        WriteKeyring();
        _thole.Variables["MISTRAL_API_KEY"] = "sk-of-mistral";
        _thole.Variables["LD_PRELOAD_NOT"] = "fine";
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();

        Assert.DoesNotContain("sk-of-mistral", await File.ReadAllTextAsync(Path.Join(KeyringFolder, "environment"), Now));
    }

    [Fact]
    public async Task Where_the_keyring_does_not_take_a_key_a_file_does_and_that_is_said()
    {
        WriteKeyring("exit 1");
        var kept = (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();

        Assert.Contains("The system's keyring does not take it, so the key is kept in a file.", kept.Error);
        Assert.Contains(KeyFile, kept.Output);
        Assert.Equal("Yes.\n", (await _thole.RunAsync("-p", "x")).MustSucceed().Output);
    }

    [Fact]
    public async Task The_file_may_be_asked_for_beside_a_keyring()
    {
        WriteKeyring();
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek", "--file")).MustSucceed();

        Assert.Contains(Key, await File.ReadAllTextAsync(KeyFile, Now));
        Assert.False(File.Exists(Path.Join(KeyringFolder, "deepseek")));
    }

    [Fact]
    public async Task A_keyring_that_hangs_is_given_up_with_a_sentence()
    {
        WriteKeyring();
        (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed();
        WriteKeyring("exec tail -f /dev/null");

        (await _thole.RunAsync("-p", "x")).MustFail(4, "did not answer within 2 seconds", "--file");
    }

    [Fact]
    public async Task A_program_in_the_workspace_is_no_keyring()
    {
        WriteKeyring(folder: _thole.File("bin"));
        _thole.Variables["PATH"] = $"{_thole.File("bin")}:bin:.";

        Assert.Contains(KeyFile, (await _thole.RunWithInputAsync($"{Key}\n", "auth", "deepseek")).MustSucceed().Output);
        Assert.False(Directory.Exists(KeyringFolder));
    }

    [Theory]
    [InlineData(Key + "\r", 0)]
    [InlineData("sk-typx\u007fed-key-0123456789\r", 0)]
    [InlineData("sk-half\u0003", 130)]
    public async Task What_is_typed_at_a_terminal_is_not_shown(string typed, int exitCode)
    {
        const string Script = "/usr/bin/script";
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(Script), "needs script: apt-get install bsdutils");
        var start = new ProcessStartInfo(Script, ["-qec", $"'{TholeProgram.Binary}' auth deepseek", "/dev/null"])
        {
            WorkingDirectory = _thole.Workspace,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in _thole.Variables)
        {
            start.Environment[name] = value;
        }

        start.Environment["SHELL"] = "/bin/sh";
        start.Environment["TERM"] = "xterm";
        await using var terminal = new RunningThole(Process.Start(start)!, "auth deepseek, at a terminal");
        await terminal.SaysAsync("it is not shown");
        await terminal.WriteAsync(typed);
        var ended = await terminal.EndAsync();

        ended.MustEndWith(exitCode);
        Assert.DoesNotContain("sk-", ended.Output);
        Assert.Equal(exitCode == 0, File.Exists(KeyFile));
    }

    /// <summary>A program that keeps each secret in a file, and writes down what it was asked.</summary>
    /// <param name="instead">What it does in place of that.</param>
    private void WriteKeyring(string? instead = null, string? folder = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs libsecret's program: Linux");
        var file = Path.Join(Directory.CreateDirectory(folder ?? _thole.Variables["PATH"]).FullName, "secret-tool");
        File.WriteAllText(
            file,
            $$"""
            #!/bin/sh
            PATH=/usr/bin:/bin
            {{instead}}
            mkdir -p '{{KeyringFolder}}' && cd '{{KeyringFolder}}' || exit 1
            verb=$1
            for last in "$@"; do :; done
            echo "$verb $last" >> calls
            echo "$*" >> arguments
            env > environment
            case $verb in
              store) cat > "$last" ;;
              lookup) [ -f "$last" ] && cat "$last" ;;
              clear) rm -f "$last" ;;
            esac
            """
        );
        SetMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void SetMode(string file, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("needs file modes: Unix");
            return;
        }

        File.SetUnixFileMode(file, mode);
    }
}
