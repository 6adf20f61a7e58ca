using System.Text.Json.Nodes;
using Thole.Protocol;
using static Thole.Client.Tests.FakeEvents;

namespace Thole.Client.Tests;

public sealed class SessionSpecs
{
    private readonly InstantTime _time = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_events_of_one_turn_are_those_from_its_prompt_to_its_end_and_no_others()
    {
        FakeDaemon daemon = null!;
        daemon = new FakeDaemon(request =>
            request.Method is "POST"
                ? FakeAnswer.Json("""{"sequence":5,"first":5}""")
                : FakeAnswer.Stream(Turns(Prompts(daemon)[0]))
        );
        await using var _ = daemon;
        using var client = daemon.Connect(_time);

        var read = new List<Envelope>();
        await foreach (var envelope in client.Session(new SessionId("s")).ReadTurnAsync("hello", Now))
        {
            read.Add(envelope);
        }

        Assert.Equal([8, 9, 10], read.Numbers());
        Assert.Equal(4, daemon.Requests[1].After);
        Assert.Equal("hello", daemon.Requests[0].Json.GetProperty("content")[0].GetProperty("text").GetString());

        static string Turns(string prompt) =>
            Event(
                5,
                new JsonObject
                {
                    ["type"] = "prompt_queued",
                    ["prompt"] = prompt,
                    ["content"] = new JsonArray(),
                }
            )
            + Piece(6, "of another")
            + End(7, "other")
            + Event(
                8,
                new JsonObject
                {
                    ["type"] = "turn_started",
                    ["turn"] = "mine",
                    ["prompt"] = prompt,
                    ["content"] = new JsonArray(),
                }
            )
            + Piece(9, "mine")
            + End(10, "mine")
            + Piece(11, "of another");

        static string End(long number, string turn) =>
            Event(
                number,
                new JsonObject
                {
                    ["type"] = "turn_ended",
                    ["turn"] = turn,
                    ["outcome"] = "completed",
                }
            );
    }

    [Fact]
    public async Task A_prompt_that_somebody_took_back_is_no_turn()
    {
        FakeDaemon daemon = null!;
        daemon = new FakeDaemon(request =>
            request.Method is "POST"
                ? FakeAnswer.Json("""{"sequence":1,"first":1}""")
                : FakeAnswer.Stream(
                    Piece(1, "") + Event(2, new JsonObject { ["type"] = "prompt_withdrawn", ["prompt"] = Prompts(daemon)[0] })
                )
        );
        await using var _ = daemon;
        using var client = daemon.Connect(_time);
        var refused = await Assert.ThrowsAsync<RefusedException>(() =>
            client.Session(new SessionId("s")).ReadTurnAsync("x", Now).TakeAsync(1)
        );
        Assert.Equal("prompt_withdrawn", refused.Reason);
    }

    [Fact]
    public async Task What_runs_is_interrupted_by_its_name_and_where_nothing_runs_nothing_is_asked()
    {
        var turn = "t-1";
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.Json(
                request.Method is "POST"
                    ? """{"sequence":1}"""
                    : Status(3, turn: turn)["event: status\ndata: ".Length..].TrimEnd()
            )
        );
        using var client = daemon.Connect(_time);
        var session = client.Session(new SessionId("s"));
        Assert.True(await session.InterruptAsync(Now));
        Assert.Equal("""{"type":"interrupt","turn":"t-1"}""", daemon.Requests[1].Body);
        turn = null;
        Assert.False(await session.InterruptAsync(Now));
        Assert.Equal(3, daemon.Requests.Count);
    }

    [Fact]
    public async Task Every_wish_has_its_command()
    {
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Json("""{"sequence":1,"refusal":"not_a_voter"}"""));
        using var client = daemon.Connect(_time);
        var session = client.Session(new SessionId("s"));
        var receipt = await session.AnswerAsync(new CallId("c"), allow: false, "Too dear.", cancellationToken: Now);
        Assert.Equal("not_a_voter", receipt.Refusal);
        await session.AnswerAsync(new CallId("c"), allow: true, answers: ["blue"], cancellationToken: Now);
        await session.SelectModelAsync("a/b", Now);
        await session.SelectApprovalModeAsync(ApprovalMode.AutoEdit, Now);
        var sent = await session.SteerAsync("left", Now);
        await session.WithdrawAsync(sent.Prompt, Now);
        await session.CloseAsync(Now);
        Assert.Equal(
            [
                """{"type":"answer_permission","call":"c","allow":false,"answers":[],"reason":"Too dear."}""",
                """{"type":"answer_permission","call":"c","allow":true,"answers":["blue"]}""",
                """{"type":"select_model","model":"a/b"}""",
                """{"type":"select_approval_mode","mode":"auto-edit"}""",
                $$"""{"type":"steer","id":"{{sent.Prompt}}","content":[{"type":"text","text":"left"}]}""",
                $$"""{"type":"withdraw","id":"{{sent.Prompt}}"}""",
                """{"type":"close_session"}""",
            ],
            daemon.Requests.Select(request => request.Body)
        );
    }

    [Fact]
    public async Task Bytes_are_kept_beside_the_events_and_read_back()
    {
        var name = new string('a', 64);
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.Json(request.Method is "POST" ? $$"""{"blob":"{{name}}"}""" : "bytes")
        );
        using var client = daemon.Connect(_time);
        var session = client.Session(new SessionId("s"));
        var blob = await session.StoreAsync("png"u8.ToArray(), Now);
        Assert.Equal("bytes"u8.ToArray(), await session.ReadBlobAsync(blob, Now));
        Assert.Equal("application/octet-stream", daemon.Requests[0].Headers["Content-Type"]);
        Assert.Equal($"/v1/sessions/s/blobs/{name}", daemon.Requests[1].Path);
    }

    private static List<string> Prompts(FakeDaemon daemon) =>
        [
            .. daemon
                .Requests.Where(request => request.Body.Length > 0)
                .Select(request => request.Json.GetProperty("id").GetString()!),
        ];
}
