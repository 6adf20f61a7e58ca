using Thole.Protocol;

namespace Thole.Client.Tests;

public sealed class AskingSpecs
{
    private const string Receipt = """{"sequence":9,"turn":"t","first":4}""";

    private static readonly SessionId s_session = new("s");

    private readonly InstantTime _time = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    /// <summary>Commands that name what they are about.</summary>
    public static TheoryData<Command> Harmless { get; } =
    [
        new Prompt(new PromptId("p"), [new TextContent("x")]),
        new Steer(new PromptId("p"), [new TextContent("x")]),
        new Withdraw(new PromptId("p")),
        new Interrupt(new TurnId("t")),
        new AnswerPermission(new CallId("c"), Allow: true, []),
    ];

    /// <summary>Commands that set a state: another may have set another since.</summary>
    public static TheoryData<Command> Settings { get; } =
    [
        new SelectModel("a/b"),
        new SelectApprovalMode(ApprovalMode.Yolo),
        new RenameSession("x"),
        new CloseSession(),
        new ReopenSession(),
    ];

    [Fact]
    public async Task A_daemon_is_asked_to_stop_until_it_has_said_that_it_will()
    {
        await using var daemon = new FakeDaemon(request =>
            request.Number is 1 ? null : FakeAnswer.Json("""{"status":"draining"}""", 202)
        );
        using var client = daemon.Connect(_time);

        await client.StopDaemonAsync(Now);

        Assert.All(daemon.Requests, request => Assert.Equal(("POST", "/daemon/shutdown"), (request.Method, request.Path)));
        Assert.Equal(2, daemon.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public async Task What_names_its_object_is_asked_again_when_its_answer_is_lost(Command command)
    {
        await using var daemon = new FakeDaemon(request =>
            request.Number switch
            {
                1 => null,
                2 => FakeAnswer.Json(Receipt) with { CutAt = 40 },
                3 => FakeAnswer.Json(Receipt) with { CutAt = FakeAnswer.Json(Receipt).Bytes.Length - 3 },
                4 => FakeAnswer.Json("<html>", 504),
                _ => FakeAnswer.Json(Receipt),
            }
        );
        using var client = daemon.Connect(_time);
        var receipt = await client.Runtime.SubmitAsync(s_session, command, Actor.User, Now);
        Assert.Equal(new Receipt(9, new TurnId("t"), 4), receipt);
        Assert.Equal(5, daemon.Requests.Count);
        Assert.All(daemon.Requests, request => Assert.Equal(daemon.Requests[0].Body, request.Body));
        Assert.All(daemon.Requests, request => Assert.Equal("/v1/sessions/s/commands", request.Path));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task What_sets_a_state_is_not_asked_again_when_its_answer_is_lost(Command command)
    {
        await using var daemon = new FakeDaemon(_ => null);
        using var client = daemon.Connect(_time);
        var lost = await Assert.ThrowsAsync<DaemonLostException>(async () =>
            await client.Runtime.SubmitAsync(s_session, command, Actor.User, Now)
        );
        Assert.Contains("its answer was lost", lost.Message);
        Assert.Single(daemon.Requests);
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task What_was_certainly_not_done_is_asked_again_whatever_it_is(Command command)
    {
        await using var daemon = new FakeDaemon(request =>
            request.Number switch
            {
                1 => FakeAnswer.Refusal(503, "daemon_draining", headers: "Retry-After: 5\r\n"),
                2 => FakeAnswer.Refusal(429, "rate_limited", headers: "Retry-After: 2\r\n"),
                3 => FakeAnswer.Refusal(409, "session_closed", "The process is ending."),
                _ => FakeAnswer.Json(Receipt),
            }
        );
        var places = new Queue<Uri?>([
            null,
            new Uri("http://127.0.0.1:1/"),
            daemon.Address,
            daemon.Address,
            daemon.Address,
            daemon.Address,
        ]);
        using var client = daemon.Connect(_time, options => options with { Locate = () => places.Dequeue() });
        await client.Runtime.SubmitAsync(s_session, command, Actor.User, Now);
        Assert.Equal(4, daemon.Requests.Count);
    }

    [Theory]
    [InlineData(409, "prompt_conflict")]
    [InlineData(503, "session_unwritable")]
    [InlineData(401, "unauthorized")]
    [InlineData(500, "internal_error")]
    public async Task A_refusal_comes_back_with_the_code_and_the_sentence_of_the_daemon(int status, string code)
    {
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Refusal(status, code, "Because, käse."));
        using var client = daemon.Connect(_time);
        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await client.Session(s_session).PromptAsync("x", Now)
        );
        Assert.Equal((code, "Because, käse."), (refused.Reason, refused.Message));
        Assert.Single(daemon.Requests);
    }

    [Fact]
    public async Task A_daemon_that_stays_away_is_given_up_with_a_sentence()
    {
        var daemon = new FakeDaemon(_ => null);
        await daemon.DisposeAsync();
        using var client = daemon.Connect(_time);
        var lost = await Assert.ThrowsAsync<DaemonLostException>(async () => await client.ListAsync(cancellationToken: Now));
        Assert.Contains($"No daemon answers at http://127.0.0.1:{daemon.Port}", lost.Message);
        Assert.InRange(_time.Waits.Sum(wait => wait.TotalSeconds), 50, 60);
    }

    [Fact]
    public async Task A_refusal_that_lasts_is_told_when_the_patience_is_over()
    {
        await using var daemon = new FakeDaemon(_ =>
            FakeAnswer.Refusal(503, "daemon_draining", "It is stopping.", "Retry-After: 5\r\n")
        );
        using var client = daemon.Connect(_time);
        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await client.Session(s_session).PromptAsync("x", Now)
        );
        Assert.Equal("daemon_draining", refused.Reason);
        Assert.Equal(13, daemon.Requests.Count);
    }

    [Fact]
    public async Task A_known_session_is_opened_again_when_the_answer_is_lost_and_a_new_one_is_not()
    {
        await using var daemon = new FakeDaemon(request =>
            request.Number is 1 or 3 ? null : FakeAnswer.Json(FakeEvents.Status(3)["event: status\ndata: ".Length..])
        );
        using var client = daemon.Connect(_time);
        Assert.Equal(s_session, (await client.ResumeAsync(s_session, Now)).Id);
        Assert.Equal("""{"session":"s"}""", daemon.Requests[1].Body);
        await Assert.ThrowsAsync<DaemonLostException>(async () =>
            await client.OpenAsync("a/b", ApprovalMode.AutoEdit, cancellationToken: Now)
        );
        Assert.Equal("""{"model":"a/b","approvalMode":"auto-edit"}""", daemon.Requests[2].Body);
        Assert.Equal(3, daemon.Requests.Count);
    }

    [Fact]
    public async Task The_door_opens_as_the_one_in_the_process_does()
    {
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Json(FakeEvents.Status(3)["event: status\ndata: ".Length..]));
        using var client = daemon.Connect(_time);
        IAgentRuntime runtime = client.Runtime;
        await runtime.OpenSessionAsync(new OpenSession { Workspace = "/w", Model = "" }, Now);
        Assert.Equal("""{"workspace":"/w","approvalMode":"default"}""", Assert.Single(daemon.Requests).Body);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("file:///tmp")]
    public void An_address_that_cannot_be_is_refused(string address) =>
        Assert.Throws<ArgumentException>(() => new TholeClient(new Uri(address), null));

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\r\nX: y")]
    public void A_token_cannot_smuggle_a_header(string token) =>
        Assert.ThrowsAny<FormatException>(() => new TholeClient(new Uri("http://127.0.0.1/"), token));

    [Fact]
    public async Task Without_a_token_none_is_sent()
    {
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Json("[]"));
        using var client = new TholeClient(daemon.Address, null);
        Assert.Empty(await client.ListAsync(7, Now));
        var request = Assert.Single(daemon.Requests);
        Assert.Equal("/v1/sessions?limit=7", request.Path);
        Assert.False(request.Headers.ContainsKey("Authorization"));
    }
}
