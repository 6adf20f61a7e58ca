using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing;

namespace Thole.Server.Tests.Sessions;

/// <summary>What clients may say in their requests is done, or refused: nothing that changes what they get is passed over.</summary>
public sealed class RequestFieldSpecs
{
    private const string Chosen = "0b5f7a52-4a5c-4d6e-8f1a-2b3c4d5e6f70";

    [Theory]
    [InlineData(Chosen)]
    [InlineData("0B5F7A52-4A5C-4D6E-8F1A-2B3C4D5E6F70")]
    public async Task A_session_has_the_id_that_its_client_chose_and_is_one_of_its_own(string chosen)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var shared = (await host.SendAsync("POST", "/session", "{}")).Expect(200);

        var created = (
            await host.SendAsync("POST", "/session", $$"""{"sessionId":"{{chosen}}","sessionScope":"single"}""")
        ).Expect(200);
        var again = await host.SendAsync("POST", "/session", $$"""{"sessionId":"{{chosen}}"}""");
        await host.RestartAsync();
        var later = await host.SendAsync("POST", "/v1/sessions", $$"""{"newSession":"{{chosen}}"}""");
        var loaded = await host.SendAsync("POST", $"/session/{Chosen}/load", "{}");

        Assert.NotEqual(shared.Text("sessionId"), created.Text("sessionId"));
        Assert.Equal((Chosen, false), (created.Text("sessionId"), created.Json.GetProperty("attached").GetBoolean()));
        Assert.Equal("session_conflict", again.Expect(409).Code);
        Assert.Equal("session_conflict", later.Expect(409).Code);
        loaded.Expect(200);
    }

    [Fact]
    public async Task On_the_native_surface_an_id_can_be_chosen_too()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());

        var opened = await host.SendAsync("POST", "/v1/sessions", $$"""{"newSession":"{{Chosen}}"}""");

        Assert.Equal(Chosen, opened.Expect(200).Text("session"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("mine")]
    [InlineData("../../etc/passwd")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("0b5f7a52-4a5c-7d6e-8f1a-2b3c4d5e6f70")] // of version 7
    [InlineData("0b5f7a52-4a5c-4d6e-cf1a-2b3c4d5e6f70")] // of another variant
    [InlineData("{0b5f7a52-4a5c-4d6e-8f1a-2b3c4d5e6f70}")]
    [InlineData("0b5f7a524a5c4d6e8f1a2b3c4d5e6f70")]
    public async Task An_id_that_is_none_is_refused_on_both_surfaces(string chosen)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());

        var daemon = await host.SendAsync("POST", "/session", $$"""{"sessionId":"{{chosen}}"}""");
        var native = await host.SendAsync("POST", "/v1/sessions", $$"""{"newSession":"{{chosen}}"}""");

        Assert.Equal("invalid_session_id", daemon.Expect(400).Code);
        Assert.Equal(400, native.Status);
        Assert.Empty(host.Store.Sessions);
    }

    [Fact]
    public async Task A_prompt_whose_time_is_over_ends_with_the_word_that_clients_know()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(
            Scripts.Waiting(new TaskCompletionSource().Task),
            new HostOptions { Time = time }
        );
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        (await SendAsync(host, session, "1500")).Expect(202);
        await tape.UntilAsync("step_started");

        time.Advance(TimeSpan.FromMilliseconds(1500));

        var ended = await tape.UntilAsync(frame => frame.Type is "turn_error" or "turn_complete");
        Assert.Equal("turn_error", ended.Type);
        Assert.Equal(
            ("p1", "prompt_deadline_exceeded", "prompt_deadline_exceeded"),
            (Text("promptId"), Text("code"), Text("errorKind"))
        );
        Assert.Equal("The time that the prompt was given is over.", Text("message"));
        var status = (await host.SendAsync("GET", $"/session/{session}/status")).Expect(200).Json;
        Assert.Equal("prompt_deadline_exceeded", status.GetProperty("turnError").GetProperty("code").GetString());

        string? Text(string name) => ended.Data.GetProperty(name).GetString();
    }

    [Fact]
    public async Task Who_waits_for_the_end_is_told_that_the_time_is_over()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(
            Scripts.Waiting(new TaskCompletionSource().Task),
            new HostOptions { Time = time }
        );
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        var waiting = host.SendAsync(
            new Request("POST", $"/session/{session}/prompt")
            {
                Body = """{"prompt":[{"type":"text","text":"go"}],"deadlineMs":1500}""",
                Headers = [("Prefer", "wait")],
            }
        );
        await tape.UntilAsync("step_started");

        time.Advance(TimeSpan.FromMilliseconds(1500));

        Assert.Equal("prompt_deadline_exceeded", (await waiting).Expect(504).Code);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("604800001")]
    [InlineData("9223372036854775807")]
    public async Task A_deadline_that_is_none_is_refused(string deadline)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();

        Assert.Equal("invalid_deadline_ms", (await SendAsync(host, session, deadline)).Expect(400).Code);
        (await SendAsync(host, session, "1.5")).Expect(400);
        (await SendAsync(host, session, "\"soon\"")).Expect(400);
        Assert.DoesNotContain(host.Events(session), envelope => envelope.Event is TurnStarted);
        (await SendAsync(host, session, "604800000")).Expect(202);
    }

    [Theory]
    [InlineData("/session", """{"worktree":{}}""", "worktree")]
    [InlineData("/session", """{"worktree":{"slug":"a"},"branch":{"name":"b"}}""", "worktree")]
    [InlineData("/session", """{"sessionScope":"thread","Branch":{"name":"b"}}""", "branch")]
    [InlineData("/session/{id}/prompt", """{"prompt":[{"type":"text","text":"a"}],"retry":true}""", "retry")]
    [InlineData("/session/{id}/prompt", """{"delivery":{"channel":"a"},"prompt":[{"type":"text","text":"a"}]}""", "delivery")]
    [InlineData("/session/{id}/approval-mode", """{"mode":"plan","planMode":true}""", "planMode")]
    [InlineData(
        "/session/{id}/permission/{id}.call_1",
        """{"outcome":{"outcome":"cancelled"},"expectedPlanExecutionMode":"auto"}""",
        "expectedPlanExecutionMode"
    )]
    [InlineData("/permission/{id}.call_1", """{"expectedPlanExecutionMode":"auto"}""", "expectedPlanExecutionMode")]
    public async Task What_we_do_not_do_is_refused_and_nothing_happens(string target, string body, string field)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        var before = host.Events(session).Count;

        var refused = await host.SendAsync("POST", target.Replace("{id}", session.Value), body);

        Assert.Equal(("unsupported_field", field), (refused.Expect(400).Code, refused.Text("field")));
        Assert.EndsWith(".", refused.Text("error"));
        Assert.Equal((1, before), (host.Store.Sessions.Count, host.Events(session).Count));
    }

    [Fact]
    public async Task What_asks_for_nothing_is_passed_over_and_so_is_what_only_says_how_to_cut_an_answer()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var created = await host.SendAsync(
            "POST",
            "/session",
            """{"worktree":null,"branch":null,"sourceType":"web","sourceId":"1","nested":{"worktree":{}}}"""
        );
        var session = created.Expect(200).Text("sessionId");

        var prompt = await host.SendAsync(
            "POST",
            $"/session/{session}/prompt",
            """{"prompt":[{"type":"text","text":"retry"}],"retry":false,"_meta":{"retry":true},"eventDetailMode":"summary","deadlineMs":null}"""
        );
        var loaded = await host.SendAsync(
            "POST",
            $"/session/{session}/load",
            """{"historyPageSize":5,"liveReplayMode":"x","compactedReplayMode":"y"}"""
        );

        prompt.Expect(202);
        loaded.Expect(200);
    }

    private static Task<Answer> SendAsync(TestHost host, SessionId session, string deadline) =>
        host.SendAsync(
            "POST",
            $"/session/{session}/prompt",
            $$"""{"prompt":[{"type":"text","text":"go"}],"promptId":"p1","deadlineMs":{{deadline}}}"""
        );
}
