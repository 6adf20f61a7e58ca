using System.Text.Json;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Sessions;

/// <summary>Whose choice of a mode outlives the process: that of those who may approve what it no longer asks, and nobody else's.</summary>
public sealed class ApprovalModeSpecs
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_mode_that_somebody_chose_who_may_approve_is_there_after_a_restart(bool kill)
    {
        await using var host = await TestHost.StartAsync(new ScriptedModel());
        var session = await host.OpenAsync();
        (await host.SendAsync("POST", $"/session/{session}/approval-mode", """{"mode":"yolo"}""")).Expect(200);

        await host.RestartAsync(kill);

        Assert.Equal("yolo", await ModeAsync(host, session));
    }

    [Theory]
    [InlineData("/session", """{"sessionScope":"thread","approvalMode":"yolo"}""", "sessionId")]
    [InlineData("/v1/sessions", """{"approvalMode":"yolo"}""", "session")]
    public async Task So_is_the_one_that_they_opened_a_session_with(string target, string body, string id)
    {
        await using var host = await TestHost.StartAsync(new ScriptedModel());
        var session = new SessionId((await host.SendAsync("POST", target, body)).Expect(200).Text(id)!);

        await host.RestartAsync(kill: true);

        Assert.Equal("yolo", await ModeAsync(host, session));
    }

    [Fact]
    public async Task What_was_the_default_of_one_daemon_and_what_was_chosen_within_it_is_not_that_of_a_stricter_one()
    {
        var options = new HostOptions();
        options = options with { Sessions = options.Sessions with { ApprovalMode = ApprovalMode.Yolo } };
        await using var host = await TestHost.StartAsync(new ScriptedModel(), options);
        var prompter = host.Options.Tokens.Issue("prompter", Scope.Observe | Scope.Prompt);
        var opened = await host.OpenAsync();
        var chosen = await host.OpenAsync();
        foreach (var choice in (string[])["\"plan\"", "\"yolo\",\"granted\":true"])
        {
            var command = new Request("POST", $"/v1/sessions/{chosen}/commands")
            {
                Body = $$"""{"type":"select_approval_mode","mode":{{choice}}}""",
                Token = prompter, // it may: the daemon itself asks nothing
            };
            (await host.SendAsync(command)).Expect(200);
        }

        Assert.Equal("yolo", await ModeAsync(host, chosen));
        host.Options = host.Options with { Sessions = host.Options.Sessions with { ApprovalMode = ApprovalMode.Default } };
        await host.RestartAsync();

        Assert.Equal("default", await ModeAsync(host, opened));
        Assert.Equal("default", await ModeAsync(host, chosen));
        await using var tape = await host.ReadAsync(opened, after: 0);
        var changed = (await tape.UntilAsync("approval_mode_changed")).Data;
        Assert.Equal(("yolo", "default"), (changed.GetProperty("previous").GetString(), changed.GetProperty("next").GetString()));
    }

    private static async Task<string?> ModeAsync(TestHost host, SessionId session)
    {
        var loaded = (await host.SendAsync("POST", $"/session/{session}/load", "{}")).Expect(200);
        return loaded.Json.GetProperty("state").GetProperty("modes").GetProperty("currentModeId").GetString();
    }
}
