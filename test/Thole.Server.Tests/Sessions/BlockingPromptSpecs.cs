using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Sessions;

/// <summary>The form of the first preview: the answer comes with the end, and whoever leaves before takes the prompt along.</summary>
public sealed class BlockingPromptSpecs
{
    [Fact]
    public async Task The_answer_is_how_the_turn_ended()
    {
        var model = new ScriptedModel()
            .Step(step => step.Text("done"))
            .Step(step => step.Fail(Core.Models.ModelFailure.InvalidRequest, "it is wrong"));
        await using var host = await TestHost.StartAsync(model);
        var session = await host.OpenAsync();

        Assert.Equal("end_turn", (await host.SendAsync(Wait(session, "p1"))).Expect(200).Text("stopReason"));
        Assert.Equal("provider_failed", (await host.SendAsync(Wait(session, "p2"))).Expect(500).Code);
        Assert.Equal("end_turn", (await host.SendAsync(Wait(session, "p1"))).Expect(200).Text("stopReason")); // again
        Assert.Equal(2, model.Requests.Count);
    }

    [Fact]
    public async Task A_daemon_can_be_told_to_answer_so_always()
    {
        var options = new HostOptions();
        await using var host = await TestHost.StartAsync(
            Scripts.Saying(),
            options with
            {
                Sessions = options.Sessions with { BlockingPrompts = true },
            }
        );
        var session = await host.OpenAsync();

        Assert.Equal("end_turn", (await host.PromptAsync(session, "go")).Expect(200).Text("stopReason"));
    }

    [Fact]
    public async Task Whoever_leaves_takes_along_what_runs_and_what_waits()
    {
        await using var host = await TestHost.StartAsync(new ScriptedModel().Otherwise(step => step.Text("so").Hang()));
        var session = await host.OpenAsync();
        var running = MemoryCall.Begin(host.Life, Wait(session, "p1"), window: 0);
        await UntilAsync<TextPiece>(host, session);
        var waiting = MemoryCall.Begin(host.Life, Wait(session, "p2"), window: 0);
        await UntilAsync<PromptQueued>(host, session);

        await waiting.DisposeAsync();
        await UntilAsync<PromptWithdrawn>(host, session);
        await running.DisposeAsync();
        await UntilAsync<TurnEnded>(host, session);

        Assert.Equal(
            TurnOutcome.Interrupted,
            host.Events(session).Select(envelope => envelope.Event).OfType<TurnEnded>().Single().Outcome
        );
        Assert.Empty(host.Log);
    }

    [Fact]
    public async Task Whenever_whoever_waits_leaves_the_prompt_does_not_run_on()
    {
        var random = new Random(3);
        await using var host = await TestHost.StartAsync(new ScriptedModel().Otherwise(step => step.Text("so").Hang()));
        for (var round = 0; round < 200; round++)
        {
            var session = await host.OpenAsync();
            if (round % 2 == 1)
            {
                (await host.PromptAsync(session, "first", "p0")).Expect(202);
            }

            var begun = MemoryCall.Begin(host.Life, Wait(session, "p1"), window: 0);
            for (var pause = random.Next(30); pause > 0; pause--)
            {
                await Task.Yield();
            }

            if (round % 2 == 1)
            {
                (await host.SendAsync("POST", $"/session/{session}/cancel")).Expect(204); // p1 begins, just now
            }

            await begun.DisposeAsync();

            var status = host.Live.Find(session)!;
            if (status.Turn is { IsInterrupted: false } || status.Waiting is not [])
            {
                Assert.Fail($"round {round}: it runs on: {string.Join(' ', host.Events(session).Select(one => one.Event))}");
            }
        }
    }

    [Fact]
    public async Task Where_the_daemon_stops_meanwhile_the_answer_says_so_and_the_prompt_comes_to_its_end()
    {
        var options = new HostOptions();
        await using var host = await TestHost.StartAsync(
            new ScriptedModel().Step(step => step.Text("so").Hang()).Otherwise(step => step.Text("on")),
            options with
            {
                Sessions = options.Sessions with { ShutdownGrace = TimeSpan.Zero },
            }
        );
        var session = await host.OpenAsync();
        var (first, second) = (host.SendAsync(Wait(session, "p1")), host.SendAsync(Wait(session, "p2")));
        await UntilAsync<TextPiece>(host, session);
        await UntilAsync<PromptQueued>(host, session);

        await host.StopAsync();

        foreach (var answer in await Task.WhenAll(first, second))
        {
            Assert.Equal("daemon_draining", answer.Expect(503).Code);
            Assert.NotNull(answer.Text("promptId"));
        }

        await host.StartAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        List<(string Type, string? Prompt)> ends = [];
        while (ends.Count < 2)
        {
            var end = await tape.UntilAsync(frame => frame.Type is "turn_complete" or "turn_error");
            ends.Add((end.Type, end.Data.GetProperty("promptId").GetString()));
        }

        Assert.Equal(["turn_error", "turn_complete"], ends.Select(end => end.Type));
        Assert.Equal(["p1", "p2"], ends.Select(end => end.Prompt).Order());
    }

    private static Request Wait(SessionId session, string id) =>
        new("POST", $"/session/{session}/prompt") { Body = TestHost.PromptBody("go", id), Headers = [("Prefer", "wait")] };

    private static async Task UntilAsync<T>(TestHost host, SessionId session)
        where T : SessionEvent
    {
        await foreach (var envelope in host.Life.Runtime.ReadAsync(session, 0, TestHost.Cancelled))
        {
            if (envelope.Event is T)
            {
                return;
            }
        }
    }
}
