using System.Text.Json;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Server.Tests.Routes;

namespace Thole.Server.Tests.Streams;

/// <summary>What changes for all sessions of the workspace is told to all who read one, and is an event of none.</summary>
public sealed class NewsSpecs
{
    private const string Toggle = "/workspace/tools/edit/enable";

    [Fact]
    public async Task Every_reader_of_every_session_is_told_and_no_log_holds_it()
    {
        await using var host = await StartAsync();
        var (one, other) = (await host.OpenAsync(), await host.OpenAsync());
        var before = (host.Events(one).Count, host.Events(other).Count);
        await using var fromStart = await host.ReadAsync(one, after: 0);
        await using var fromNow = await host.ReadAsync($"/session/{other}/events?snapshot");
        await using var native = await host.ReadAsync($"/v1/sessions/{other}/events", after: 0);
        await fromStart.UntilAsync("session_snapshot");
        await fromNow.UntilAsync("session_snapshot");
        await native.UntilAsync("status");

        (await host.SendAsync("POST", Toggle, """{"enabled":false}""")).Expect(200);
        (await host.SendAsync("POST", "/workspace/init", "{}")).Expect(200);
        (await host.SendAsync("POST", "/workspace/memory", """{"scope":"global","content":"x"}""")).Expect(200);

        foreach (var tape in (SseTape[])[fromStart, fromNow])
        {
            var (toggled, made, written) = ((await tape.NextAsync())!, (await tape.NextAsync())!, (await tape.NextAsync())!);
            Assert.Equal((null, "tool_toggled"), (toggled.Id, toggled.Type));
            Assert.Equal("""{"toolName":"edit","enabled":false}""", toggled.Data.GetRawText());
            Assert.Equal((null, "workspace_initialized"), (made.Id, made.Type));
            Assert.Equal("""{"path":"AGENTS.md","action":"created"}""", made.Data.GetRawText());
            Assert.Equal((null, "memory_changed"), (written.Id, written.Type));
            Assert.Equal(
                """{"scope":"global","filePath":"AGENTS.md","mode":"append","bytesWritten":7}""",
                written.Data.GetRawText()
            );
            Assert.True(toggled.Json.GetProperty("_meta").GetProperty("serverTimestamp").GetInt64() > 0);
            Assert.False(toggled.Json.TryGetProperty("id", out _));
        }

        var told = (await native.NextAsync())!;
        Assert.Equal((null, "news"), (told.Id, told.Type));
        Assert.Equal(
            new ToolToggled("edit", Enabled: false),
            JsonSerializer.Deserialize(told.Json.GetProperty("news"), WorkspaceJson.Default.WorkspaceNews)
        );
        Assert.Equal(before, (host.Events(one).Count, host.Events(other).Count));
    }

    [Fact]
    public async Task Who_comes_later_is_not_told_again_and_asks_how_things_are()
    {
        await using var host = await StartAsync();
        var session = await host.OpenAsync();
        (await host.SendAsync("POST", Toggle, """{"enabled":false}""")).Expect(200);

        await using var tape = await host.ReadAsync(session, after: 0);
        await tape.UntilAsync("session_snapshot");
        (await host.SendAsync("POST", Toggle, """{"enabled":true}""")).Expect(200);

        Assert.True((await tape.NextAsync())!.Data.GetProperty("enabled").GetBoolean());
        Assert.Single(tape.Frames, frame => frame.Is("tool_toggled"));
    }

    [Fact]
    public async Task News_come_between_the_events_of_a_turn_and_move_no_cursor()
    {
        var gate = new TaskCompletionSource();
        await using var host = await StartAsync(Scripts.Waiting(gate.Task));
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        (await host.PromptAsync(session, "go")).Expect(202);
        await tape.UntilAsync("step_started");

        (await host.SendAsync("POST", Toggle, """{"enabled":false}""")).Expect(200);
        await tape.UntilAsync("tool_toggled");
        gate.SetResult();
        await tape.UntilAsync("turn_complete");

        var numbers = tape.Numbered.Select(frame => frame.Id!.Value).ToArray();
        Assert.Equal(Enumerable.Range(1, numbers.Length).Select(number => (long)number), numbers);
    }

    [Fact]
    public async Task The_client_that_caused_it_is_named_where_it_is_one_and_of_that_identity()
    {
        await using var host = await StartAsync();
        var created = (await host.SendAsync("POST", "/session", "{}")).Expect(200);
        var client = created.Text("clientId")!;
        await using var tape = await host.ReadAsync(new SessionId(created.Text("sessionId")!), after: 0);
        var other = host.Options.Tokens.Issue("other");

        await ToggleAsync(host, client, TestTokens.Owner);
        await ToggleAsync(host, client, other);
        await ToggleAsync(host, "made-up", TestTokens.Owner);
        await ToggleAsync(host, "not well formed", TestTokens.Owner);

        string?[] expected = [client, null, null, null];
        foreach (var name in expected)
        {
            var frame = await tape.UntilAsync("tool_toggled");
            Assert.Equal(name, Name(frame.Json));
            Assert.Equal(name, Name(frame.Data));
        }

        static string? Name(JsonElement json) =>
            json.TryGetProperty("originatorClientId", out var named) ? named.GetString() : null;
    }

    private static async Task ToggleAsync(TestHost host, string client, string token)
    {
        var answer = await host.SendAsync(
            new Request("POST", Toggle)
            {
                Body = """{"enabled":true}""",
                Token = token,
                Headers = [("X-Qwen-Client-Id", client)],
            }
        );
        answer.Expect(200);
    }

    private static Task<TestHost> StartAsync(Testing.Models.ScriptedModel? model = null) =>
        TestHost.StartAsync(
            model ?? Scripts.Saying(),
            new HostOptions
            {
                Inventory = new WorkspaceRoutesSpecs(),
                Files = new FakeFiles { Init = InitAction.Created },
            }
        );
}
