using Thole.Core.Log;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing;
using Thole.Testing.Models;

namespace Thole.Server.Tests.Sessions;

/// <summary>What comes and goes by itself: sessions that rest, clients that are gone, and what a stop leaves behind.</summary>
public sealed class LifecycleSpecs
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_session_that_rests_is_unloaded_and_nobody_need_know()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), new HostOptions { Time = time });
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "go", "p1")).Expect(202);
        await host.ToTurnEndAsync(session);
        var latest = host.Events(session)[^1].Sequence;

        await RestAsync(host, time, until: () => host.Store[session].Closed == 1);
        Assert.Null(host.Live.Find(session));

        await using var tape = await host.ReadAsync(session, latest);
        (await host.PromptAsync(session, "go", "p2")).Expect(202);
        Assert.Equal(latest + 1, (await tape.UntilAsync(frame => frame.Id is not null)).Id);
    }

    [Fact]
    public async Task A_session_that_somebody_reads_or_asks_for_stays()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), new HostOptions { Time = time });
        var (read, asked, resting) = (await host.OpenAsync(), await host.OpenAsync(), await host.OpenAsync());
        await using var tape = await host.ReadAsync(read, after: 0);
        await RestAsync(host, time, until: () => host.Live.Find(resting) is null, AskAsync);
        var opened = host.Store.Opened;

        for (var tick = 0; tick < 20; tick++)
        {
            await AskAsync();
            time.Advance(s_tick);
            await Task.Yield();
        }

        Assert.NotNull(host.Live.Find(read));
        Assert.NotNull(host.Live.Find(asked));
        Assert.Equal(opened, host.Store.Opened);

        async Task AskAsync() => (await host.SendAsync("GET", $"/session/{asked}/status")).Expect(200);
    }

    [Fact]
    public async Task A_session_rests_from_when_its_last_reader_leaves()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), new HostOptions { Time = time });
        var (read, resting) = (await host.OpenAsync(), await host.OpenAsync());
        var tape = await host.ReadAsync(read, after: 0);
        await RestAsync(host, time, until: () => host.Live.Find(resting) is null);

        await tape.DisposeAsync();
        await PassAsync(time);

        Assert.NotNull(host.Live.Find(read));
        await RestAsync(host, time, until: () => host.Live.Find(read) is null);
    }

    [Fact]
    public async Task A_session_that_was_opened_for_a_moment_ago_is_not_taken_away_for_its_age()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), new HostOptions { Time = time });
        var session = await host.OpenAsync();
        await RestAsync(host, time, until: () => host.Live.Find(session) is null);
        var opened = host.Store.Opened;

        for (var tick = 0; tick < 3; tick++)
        {
            (await host.SendAsync("GET", $"/session/{session}/status")).Expect(200);
            await PassAsync(time);
        }

        Assert.Equal(opened + 1, host.Store.Opened);
    }

    [Fact]
    public async Task One_session_that_cannot_be_put_away_keeps_no_other_from_it()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), new HostOptions { Time = time });
        List<SessionId> sessions = [];
        for (var number = 0; number < 6; number++)
        {
            sessions.Add(await host.OpenAsync());
            if (number % 2 == 0)
            {
                host.Store[sessions[number]].Closing = static () => throw new IOException("The disk is gone.");
            }
        }

        await RestAsync(
            host,
            time,
            until: () => !host.Log.IsEmpty && sessions.Where((_, number) => number % 2 == 1).All(id => host.Live.Find(id) is null)
        );
    }

    [Fact]
    public async Task A_stop_puts_every_session_away_though_one_cannot_be_and_waits_for_all_at_once()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        List<SessionId> sessions = [];
        var gate = new TaskCompletionSource();
        var closing = 0;
        for (var number = 0; number < 6; number++)
        {
            sessions.Add(await host.OpenAsync());
            host.Store[sessions[number]].Closing = AllAsync;
        }

        host.Store[sessions[3]].Closing = () =>
        {
            _ = AllAsync();
            throw new IOException("The disk is gone.");
        };

        await Assert.ThrowsAsync<IOException>(host.StopAsync);

        Assert.Equal([1, 1, 1, 0, 1, 1], sessions.Select(session => host.Store[session].Closed));

        Task AllAsync()
        {
            if (Interlocked.Increment(ref closing) == 6)
            {
                gate.SetResult();
            }

            return gate.Task;
        }
    }

    [Fact]
    public async Task Where_all_places_are_taken_one_that_rests_gives_way_but_none_that_somebody_reads()
    {
        var options = new HostOptions();
        await using var host = await TestHost.StartAsync(
            Scripts.Saying(),
            options with
            {
                Sessions = options.Sessions with { MaxSessions = 2 },
            }
        );
        var (first, second) = (await host.OpenAsync(), await host.OpenAsync());
        var third = await host.OpenAsync();
        Assert.Null(host.Live.Find(first));
        await using var one = await host.ReadAsync(second, after: 0);
        await using var two = await host.ReadAsync(third, after: 0);
        await two.UntilAsync("session_snapshot");
        var opened = host.Store.Opened;

        var full = await host.SendAsync(new Request("POST", "/session") { Body = """{"sessionScope":"thread"}""" });

        Assert.Equal((503, "session_limit_exceeded"), (full.Status, full.Code));
        Assert.Equal(("5", 2), (full.Header("Retry-After"), full.Json.GetProperty("limit").GetInt32()));
        (await host.PromptAsync(second, "go")).Expect(202);
        await one.UntilAsync("turn_complete");
        (await host.SendAsync("GET", $"/session/{first}/status")).Expect(503);
        Assert.Equal(opened, host.Store.Opened);

        await two.DisposeAsync();
        (await host.SendAsync("GET", $"/session/{first}/status")).Expect(200);
        Assert.Null(host.Live.Find(third));
    }

    [Fact]
    public async Task One_question_that_nobody_answers_blocks_no_other_session()
    {
        var (host, _) = await AskingHost.StartAsync(options: all =>
            all with
            {
                Judge = static tool => Core.Permissions.Verdict.Ask,
            }
        );
        await using var _ = host;
        var (waiting, other) = (await host.OpenAsync(), await host.OpenAsync());
        await host.AskAsync(waiting);

        var request = await host.AskAsync(other);
        (await host.VoteAsync(other, request)).Expect(200);
        await host.ToTurnEndAsync(other);

        Assert.Single(host.Live.Find(waiting)!.Questions);
    }

    [Fact]
    public async Task A_client_that_is_gone_is_forgotten()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(Scripts.Saying(), new HostOptions { Time = time });
        var session = await host.OpenAsync();
        await host.AttendAsync(session, host.Options.Tokens.Issue("ann"), host.Options.Tokens.Issue("bob"));
        Assert.Equal(3, await ClientsAsync(host));

        time.Advance(host.Options.Sessions.ClientTimeout);

        Assert.Equal(0, await ClientsAsync(host));
    }

    [Fact]
    public async Task A_stop_lets_what_is_at_work_end_and_keeps_what_waits()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedModel()
            .Step(step => step.Text("so ").Wait(gate.Task).Text("far"))
            .Otherwise(step => step.Text("on"));
        await using var host = await TestHost.StartAsync(model, new HostOptions { Time = new ManualTime() });
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        (await host.PromptAsync(session, "one", "p1")).Expect(202);
        (await host.PromptAsync(session, "two", "p2")).Expect(202);
        await tape.UntilAsync(frame => frame.Text.Contains("so ", StringComparison.Ordinal));

        var life = host.Life;
        var stopping = host.StopAsync();
        await RefusedAsync(host, session);
        gate.SetResult();
        await stopping;

        var frames = await tape.ToEndAsync();
        Assert.Equal("end_turn", frames.Single(frame => frame.Is("turn_complete")).Data.GetProperty("stopReason").GetString());
        Assert.Equal("stream_closed", frames[^1].Type);
        Assert.Null(life.Runtime.Find(session));
        await host.StartAsync();
        await using var back = await host.ReadAsync(session, tape.Last);
        var end = await back.UntilAsync("turn_complete");
        Assert.Equal("p2", end.Data.GetProperty("promptId").GetString());
        Assert.Empty(host.Log);
    }

    [Fact]
    public async Task Whoever_was_let_in_a_moment_before_a_stop_hears_of_it_as_everybody_does()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var (open, resting) = (await host.OpenAsync(), await host.OpenAsync());
        Assert.True(await host.Live.UnloadAsync(resting, TestHost.Cancelled));
        await host.Live.DrainAsync(TestHost.Cancelled);

        Answer[] answers =
        [
            await host.SendAsync("GET", $"/session/{resting}/events"),
            await host.SendAsync("GET", $"/v1/sessions/{resting}"),
            await host.SendAsync("POST", $"/session/{resting}/load", "{}"),
            await host.SendAsync("POST", "/session", """{"sessionScope":"thread"}"""),
        ];

        Assert.All(answers, answer => Assert.Equal((503, "daemon_draining"), (answer.Status, answer.Code)));
        (await host.SendAsync("GET", $"/session/{open}/status")).Expect(200); // it is there until the end
    }

    [Fact]
    public async Task What_does_not_end_within_the_grace_ends_with_an_error_that_says_why()
    {
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(
            new ScriptedModel().Step(step => step.Text("so").Hang()).Otherwise(step => step.Text("on")),
            new HostOptions { Time = time }
        );
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "one", "p1")).Expect(202);
        var stopping = host.StopAsync();
        await RefusedAsync(host, session);

        while (!stopping.IsCompleted)
        {
            time.Advance(host.Options.Sessions.ShutdownGrace);
            await Task.Yield();
        }

        await stopping;
        await host.StartAsync();

        var end = (await host.ToTurnEndAsync(session))[^1];
        Assert.Equal(("turn_error", "daemon_stopped"), (end.Type, end.Data.GetProperty("code").GetString()));
        Assert.Equal("p1", end.Data.GetProperty("promptId").GetString());
    }

    [Fact]
    public async Task A_log_that_cannot_be_written_ends_the_stream_and_the_next_prompt_goes_on_when_it_can()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        await using var tape = await host.ReadAsync(session, after: 0);
        await tape.UntilAsync("session_snapshot");
        host.Store[session].Broken = new LogException("The disk is full.");

        var refused = (await host.PromptAsync(session, "go", "p1")).Expect(503);
        Assert.Equal("session_unwritable", refused.Code);
        await tape.ToEndAsync();
        host.Store[session].Broken = null;
        (await host.PromptAsync(session, "go", "p1")).Expect(202);

        await using var back = await host.ReadAsync(session, tape.Last);
        await back.UntilAsync("turn_complete");
        Assert.Equal(tape.Last + 1, back.Numbered.First().Id);
    }

    private static async Task PassAsync(ManualTime time)
    {
        await time.TimersAsync(1, TestHost.Cancelled);
        time.Advance(s_tick);
        for (var pause = 0; pause < 50; pause++)
        {
            await Task.Yield();
        }
    }

    /// <summary>Lets time pass, tick by tick, until something is so.</summary>
    private static async Task RestAsync(TestHost host, ManualTime time, Func<bool> until, Func<Task>? meanwhile = null)
    {
        await time.TimersAsync(1, TestHost.Cancelled);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!until())
        {
            patience.Token.ThrowIfCancellationRequested();
            await (meanwhile?.Invoke() ?? Task.CompletedTask);
            time.Advance(s_tick);
            for (var pause = 0; pause < 50 && !until(); pause++)
            {
                await Task.Yield();
            }
        }

        Assert.NotNull(host.Life);
    }

    /// <summary>New work is refused while it stops, by the daemon and then by the session.</summary>
    private static async Task RefusedAsync(TestHost host, SessionId session)
    {
        var runtime = host.Life.Runtime;
        while (await host.PromptAsync(session, "three", "p3") is { Status: not 503 } early)
        {
            early.Expect(202); // not yet
        }

        var refused = (await host.PromptAsync(session, "four", "p4")).Expect(503);
        Assert.Equal(("daemon_draining", "5"), (refused.Code, refused.Header("Retry-After")));
        try
        {
            while (true)
            {
                await runtime.SubmitAsync(session, new RenameSession(), Actor.User, TestHost.Cancelled);
            }
        }
        catch (RefusedException)
        {
            // It takes nothing more.
        }
    }

    private static async Task<int> ClientsAsync(TestHost host) =>
        (await host.SendAsync("GET", "/daemon/status")).Expect(200).Json.GetProperty("runtime").GetProperty("clients").GetInt32();

    [Fact]
    public async Task Who_may_administer_can_ask_for_the_end_and_it_is_asked_once()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var prompter = host.Options.Tokens.Issue("prompter", Scope.Observe | Scope.Prompt | Scope.Approve);

        var refused = await host.SendAsync(new Request("POST", "/daemon/shutdown") { Token = prompter });
        Assert.False(host.Life.Host.StopAsked.IsCompleted);
        var asked = await host.SendAsync("POST", "/daemon/shutdown");
        var again = await host.SendAsync("POST", "/daemon/shutdown", "{}");

        Assert.Equal("insufficient_scope", refused.Expect(403).Code);
        Assert.Equal("draining", asked.Expect(202).Text("status"));
        Assert.Equal(asked.Body, again.Expect(202).Body);
        Assert.True(host.Life.Host.StopAsked.IsCompleted);
        Assert.Equal(["owner asked the daemon to stop."], host.Log);
    }
}
