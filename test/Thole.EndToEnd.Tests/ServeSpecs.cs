using System.Text.Json;
using Thole.Client;
using Thole.Protocol;

namespace Thole.EndToEnd.Tests;

/// <summary>The daemon as its owner starts, finds and stops it.</summary>
public sealed class ServeSpecs : IAsyncDisposable
{
    private readonly TholeProgram _thole = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_says_first_where_it_listens_and_then_where_its_token_is()
    {
        await using var daemon = await RunningDaemon.StartAsync(_thole);

        var file = Path.Join(_thole.Home, "access", "owner-token");
        Assert.StartsWith("http://127.0.0.1:", daemon.Address.ToString());
        await daemon.TellsAsync(file);
        Assert.DoesNotContain(daemon.Token, daemon.Said);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task It_lists_the_models_of_everybody_there_is_a_key_for_and_says_no_key()
    {
        _thole.Variables["ANTHROPIC_API_KEY"] = "key-of-the-environment";
        (await _thole.RunWithInputAsync("key-that-is-kept\n", "auth", "mistral", "--no-check", "--file")).MustSucceed();
        await using var daemon = await RunningDaemon.StartAsync(_thole);
        using var client = new HttpClient { BaseAddress = daemon.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", daemon.Token);

        var told = await client.GetStringAsync("/workspace/providers", Now);

        var providers = JsonDocument.Parse(told).RootElement.GetProperty("providers").EnumerateArray().ToList();
        Assert.Equal(
            ["openai", "anthropic", "mistral"],
            providers.Select(provider => provider.GetProperty("authType").GetString()!)
        );
        Assert.All(providers, provider => Assert.NotEqual(0, provider.GetProperty("models").GetArrayLength()));
        Assert.DoesNotContain("key-", told);
    }

    [Fact]
    public async Task S56_its_token_is_in_no_argument_no_line_no_child_and_no_file_but_its_own()
    {
        _thole.Variables["THOLE_SERVER_TOKEN"] = "planted-token-of-the-owner";
        _thole
            .Server.Reply(reply =>
                reply.Call("run_shell_command", """{"command":"env; tr '\\0' ' ' < /proc/$PPID/cmdline"}""").Done()
            )
            .Reply(reply => reply.Text("Seen.").Done());
        await using var daemon = await RunningDaemon.StartAsync(_thole);
        using (var client = new HttpClient { BaseAddress = daemon.Address })
        {
            client.DefaultRequestHeaders.Authorization = new("Bearer", daemon.Token);
            Assert.True((await client.GetAsync("/daemon/status", Now)).IsSuccessStatusCode);
            client.DefaultRequestHeaders.Authorization = new("Bearer", $"{daemon.Token}-almost");
            Assert.False((await client.GetAsync($"/session/{daemon.Token}?token={daemon.Token}", Now)).IsSuccessStatusCode);
        }

        var ran = (await _thole.RunAsync("-p", "look", "--approval-mode", "yolo", "-o", "stream-json")).MustSucceed();
        var status = await _thole.RunAsync("serve", "status");
        (await _thole.RunAsync("serve", "stop")).MustEndWith(0);
        var ended = await daemon.EndAsync();

        Assert.Contains("PATH=", HeadlessSpecs.Results(_thole.Server.Requests[^1])[0]); // the child did tell
        string[] said = [ran.Output, ran.Error, status.Output, ended.Output, ended.Error, daemon.Said];
        Assert.All(said, text => Assert.DoesNotContain(daemon.Token, text));
        Assert.All(_thole.Server.Requests, request => Assert.DoesNotContain(daemon.Token, request.Json.GetRawText()));
        Assert.All(
            Directory.EnumerateFiles(_thole.Home, "*", SearchOption.AllDirectories),
            file => Assert.False(File.ReadAllBytes(file).AsSpan().IndexOf("planted-token-of-the-owner"u8) >= 0, file)
        );
    }

    [Fact]
    public async Task A_second_daemon_for_a_workspace_is_refused_with_the_address_of_the_first()
    {
        await using var daemon = await RunningDaemon.StartAsync(_thole);

        (await _thole.RunAsync("serve", "--port", "0")).MustFail(
            2,
            $"on {daemon.Address.ToString().TrimEnd('/')};",
            "thole serve stop"
        );
    }

    [Fact]
    public async Task Status_says_where_it_is_and_stop_ends_it_cleanly()
    {
        (await _thole.RunAsync("serve", "status")).MustEndWith(1);
        await using var daemon = await RunningDaemon.StartAsync(_thole);

        Assert.StartsWith(
            daemon.Address.ToString().TrimEnd('/'),
            (await _thole.RunAsync("serve", "status")).MustEndWith(0).Output
        );
        (await _thole.RunAsync("serve", "stop")).MustEndWith(0);

        Assert.Equal(0, (await daemon.EndAsync()).ExitCode);
        (await _thole.RunAsync("serve", "status")).MustEndWith(1);
        (await _thole.RunAsync("serve", "stop")).MustEndWith(1);
    }

    [Fact]
    public async Task Stop_goes_through_the_door_and_the_daemon_says_who_asked()
    {
        await using var daemon = await RunningDaemon.StartAsync(_thole);

        (await _thole.RunAsync("serve", "stop")).MustEndWith(0);

        await daemon.TellsAsync("owner asked the daemon to stop");
        Assert.Equal(0, (await daemon.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task Who_may_administer_stops_it_through_the_published_door_and_nobody_else()
    {
        await using var daemon = await RunningDaemon.StartAsync(_thole);
        var issued = await _thole.RunAsync("token", "issue", "watcher", "--scope", "observe,prompt,approve");
        using var watcher = new TholeClient(daemon.Address, issued.MustSucceed().Output.Trim());
        using var owner = daemon.Connect();

        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await watcher.StopDaemonAsync(TestContext.Current.CancellationToken)
        );
        await owner.StopDaemonAsync(TestContext.Current.CancellationToken);

        Assert.Equal("insufficient_scope", refused.Reason);
        Assert.Equal(0, (await daemon.EndAsync()).ExitCode);
        (await _thole.RunAsync("serve", "status")).MustEndWith(1);
    }

    [Fact]
    public async Task Where_the_door_says_no_a_signal_still_stops_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no such signal.");
        await using var daemon = await RunningDaemon.StartAsync(_thole);
        _thole.Variables["THOLE_SERVER_TOKEN"] = "another-token-than-that-of-the-daemon";

        (await _thole.RunAsync("serve", "stop")).MustEndWith(0);

        Assert.Equal(0, (await daemon.EndAsync()).ExitCode);
        Assert.DoesNotContain("asked the daemon to stop", daemon.Said);
    }

    [Fact]
    public async Task After_a_kill_the_next_daemon_takes_the_workspace()
    {
        await using var daemon = await RunningDaemon.StartAsync(_thole);

        await daemon.KillAsync();

        (await _thole.RunAsync("serve", "status")).MustEndWith(1);
        await daemon.StartAgainAsync();
        (await _thole.RunAsync("serve", "status")).MustEndWith(0);
    }

    [Theory]
    [InlineData("--hostname 0.0.0.0 --insecure-no-auth", "loopback")]
    [InlineData("--hostname nowhere.invalid", "--hostname")]
    [InlineData("--port 70000", "--port")]
    [InlineData("--allow-origin *", "scheme://host")]
    [InlineData("--tls-cert a.pem", "--tls-key")]
    [InlineData("--permission-policy anybody", "first-responder")]
    public async Task What_cannot_be_served_is_refused_in_one_sentence(string flags, string cure) =>
        (await _thole.RunAsync(["serve", .. flags.Split(' ')])).MustFail(2, cure);

    [Fact]
    public async Task A_token_that_is_too_short_is_refused()
    {
        _thole.Variables["THOLE_SERVER_TOKEN"] = "short";

        (await _thole.RunAsync("serve", "--port", "0")).MustFail(2, "THOLE_SERVER_TOKEN", "16");
    }

    public ValueTask DisposeAsync() => _thole.DisposeAsync();
}
