using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Sessions;

/// <summary>Prompts over HTTP: accepted once, however often they are sent; each comes to one end.</summary>
public sealed class PromptSpecs
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_prompt_that_is_sent_again_has_the_same_answer_also_after_a_restart(bool kill)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        var first = (await host.PromptAsync(session, "go", "p-1")).Expect(202);
        await host.ToTurnEndAsync(session);

        var again = (await host.PromptAsync(session, "go", "p-1")).Expect(202);
        var byHeader = await host.SendAsync(
            new Request("POST", $"/session/{session}/prompt")
            {
                Body = TestHost.PromptBody("go"),
                Headers = [("Idempotency-Key", "p-1")],
            }
        );
        await host.RestartAsync(kill);
        var later = (await host.PromptAsync(session, "go", "p-1")).Expect(202);

        Assert.Equal("p-1", first.Text("promptId"));
        Assert.Equal(session.Value, first.Text("eventEpoch"));
        Assert.All((Answer[])[again, byHeader, later], answer => Assert.Equal(first.Body, answer.Body));
        Assert.Single(host.Model.Requests);

        // Its cursor is where its turn begins, whenever it is told.
        await using var tape = await host.ReadAsync(session, first.Json.GetProperty("lastEventId").GetInt64());
        Assert.Equal(
            "go",
            (await tape.NextAsync())!.Data.GetProperty("update").GetProperty("content").GetProperty("text").GetString()
        );
    }

    [Fact]
    public async Task The_same_id_with_another_text_is_a_conflict_and_so_is_one_that_still_waits()
    {
        var gate = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(Scripts.Waiting(gate.Task));
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "one", "p1")).Expect(202);
        var waiting = (await host.PromptAsync(session, "two", "p2")).Expect(202);

        foreach (var (id, text) in ((string, string)[])[("p1", "two"), ("p2", "one"), ("p1", "one "), ("p1", "ONE")])
        {
            Assert.Equal("prompt_conflict", (await host.PromptAsync(session, text, id)).Expect(409).Code);
        }

        Assert.Equal(waiting.Body, (await host.PromptAsync(session, "two", "p2")).Expect(202).Body);
        gate.SetResult();
    }

    [Fact]
    public async Task Fifty_who_send_one_prompt_at_once_start_one_turn_and_get_one_answer()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        for (var round = 0; round < 20; round++)
        {
            var session = await host.OpenAsync();
            var before = host.Model.Requests.Count;

            var answers = await Task.WhenAll(
                Enumerable.Range(0, 50).Select(_ => Task.Run(() => host.PromptAsync(session, "go", "p1")))
            );
            await host.ToTurnEndAsync(session);

            Assert.All(answers, answer => Assert.Equal(answers[0].Body, answer.Expect(202).Body));
            Assert.Equal(1, host.Model.Requests.Count - before);
            Assert.Single(host.Events(session), envelope => envelope.Event is TurnStarted);
        }
    }

    [Fact]
    public async Task Where_as_many_wait_as_may_the_next_is_told_to_come_back()
    {
        var gate = new TaskCompletionSource();
        var options = new HostOptions();
        await using var host = await TestHost.StartAsync(
            Scripts.Waiting(gate.Task),
            options with
            {
                Sessions = options.Sessions with { MaxPendingPrompts = 2 },
            }
        );
        var session = await host.OpenAsync();
        foreach (var id in (string[])["p1", "p2", "p3"])
        {
            (await host.PromptAsync(session, "go", id)).Expect(202);
        }

        var full = (await host.PromptAsync(session, "go", "p4")).Expect(503);

        Assert.Equal(("prompt_queue_full", "5"), (full.Code, full.Header("Retry-After")));
        Assert.Equal((2, 2), (full.Json.GetProperty("limit").GetInt32(), full.Json.GetProperty("pendingCount").GetInt32()));
        (await host.PromptAsync(session, "go", "p3")).Expect(202); // that one waits
        gate.SetResult();
        await host.ToTurnEndAsync(session);
        await using var tape = await host.ReadAsync(session, after: 0);
        await tape.UntilAsync(frame => frame.Is("turn_complete") && Prompt(frame) == "p3");
        (await host.PromptAsync(session, "go", "p4")).Expect(202);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_id_that_was_taken_back_stays_used_so_that_a_late_repetition_does_not_bring_its_prompt_back(bool kill)
    {
        var gate = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(Scripts.Waiting(gate.Task));
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "one", "p1")).Expect(202);
        var first = (await host.PromptAsync(session, "two", "p2")).Expect(202);
        (await host.SendAsync("DELETE", $"/session/{session}/pending-prompts/p2")).Expect(200);
        gate.SetResult();
        await host.RestartAsync(kill);

        var again = (await host.PromptAsync(session, "two", "p2")).Expect(202);
        var waited = await host.SendAsync(
            new Request("POST", $"/session/{session}/prompt")
            {
                Body = TestHost.PromptBody("two", "p2"),
                Headers = [("Prefer", "wait")],
            }
        );
        var other = await host.PromptAsync(session, "three", "p2");

        Assert.Equal(first.Body, again.Body);
        Assert.Equal("cancelled", waited.Expect(200).Text("stopReason"));
        Assert.Equal("prompt_conflict", other.Expect(409).Code);
        await using var tape = await host.ReadAsync(session, again.Json.GetProperty("lastEventId").GetInt64());
        var end = await tape.UntilAsync(frame => frame.Is("turn_complete") && Prompt(frame) == "p2");
        Assert.Equal("cancelled", end.Data.GetProperty("stopReason").GetString());
        Assert.DoesNotContain(
            host.Events(session),
            envelope => envelope.Event is TurnStarted started && started.Prompt == new PromptId("p2")
        );
    }

    [Fact]
    public async Task A_prompt_that_waits_can_be_taken_back_once_and_comes_to_its_end_by_that()
    {
        var gate = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(Scripts.Waiting(gate.Task));
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "one", "p1")).Expect(202);
        (await host.PromptAsync(session, "two", "p2")).Expect(202);
        var pending = (await host.SendAsync("GET", $"/session/{session}/pending-prompts")).Expect(200);
        Assert.Equal(
            [("p1", "running"), ("p2", "queued")],
            pending
                .Json.GetProperty("pendingPrompts")
                .EnumerateArray()
                .Select(one => (one.GetProperty("promptId").GetString(), one.GetProperty("state").GetString()))
        );

        Assert.True(await RemoveAsync("p2"));
        Assert.False(await RemoveAsync("p2"));
        Assert.False(await RemoveAsync("p1")); // it runs
        Assert.False(await RemoveAsync("p9"));
        gate.SetResult();

        await using var tape = await host.ReadAsync(session, after: 0);
        await tape.UntilAsync(frame => frame.Is("turn_complete") && Prompt(frame) == "p1");
        var end = Assert.Single(tape.Frames, frame => frame.Is("turn_complete") && Prompt(frame) == "p2");
        Assert.Equal("cancelled", end.Data.GetProperty("stopReason").GetString());
        (await host.PromptAsync(session, "two", "p2")).Expect(202); // sent again it is known, and stays withdrawn
        Assert.Single(host.Model.Requests);

        async Task<bool> RemoveAsync(string id) =>
            (await host.SendAsync("DELETE", $"/session/{session}/pending-prompts/{id}"))
                .Expect(200)
                .Json.GetProperty("removed")
                .GetBoolean();
    }

    [Fact]
    public async Task A_cancel_stops_the_turn_that_runs_and_those_that_wait_still_run()
    {
        var model = new ScriptedModel().Step(step => step.Text("so").Hang()).Otherwise(step => step.Text("done"));
        await using var host = await TestHost.StartAsync(model);
        var session = await host.OpenAsync();
        (await host.SendAsync("POST", $"/session/{session}/cancel")).Expect(204); // nothing runs
        (await host.PromptAsync(session, "one", "p1")).Expect(202);
        (await host.PromptAsync(session, "two", "p2")).Expect(202);

        (await host.SendAsync("POST", $"/session/{session}/cancel")).Expect(204);

        await using var tape = await host.ReadAsync(session, after: 0);
        await tape.UntilAsync(frame => frame.Is("turn_complete") && Prompt(frame) == "p2");
        var ends = tape.Frames.Where(frame => frame.Is("turn_complete")).ToList();
        Assert.Equal(
            [("p1", "cancelled"), ("p2", "end_turn")],
            ends.Select(end => (Prompt(end), end.Data.GetProperty("stopReason").GetString()))
        );
        Assert.Single(tape.Frames, frame => frame.Is("prompt_cancelled"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("../x")]
    public async Task An_id_that_is_none_is_refused(string id)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();

        Assert.Equal("invalid_prompt_id", (await host.PromptAsync(session, "go", id)).Expect(400).Code);
        Assert.Equal("invalid_prompt_id", (await host.PromptAsync(session, "go", new string('x', 129))).Expect(400).Code);
        Assert.Empty(host.Model.Requests);
    }

    private static string? Prompt(Frame frame) => frame.Data.GetProperty("promptId").GetString();
}
