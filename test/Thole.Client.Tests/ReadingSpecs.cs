using System.Text.Json.Nodes;
using Thole.Protocol;
using Thole.Testing;
using static Thole.Client.Tests.FakeEvents;

namespace Thole.Client.Tests;

public sealed class ReadingSpecs
{
    private static readonly SessionId s_session = new("s/1 ä");

    private readonly InstantTime _time = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task A_stream_that_is_cut_at_any_byte_goes_on_without_a_gap_or_a_duplicate(bool isChunked, bool isReset)
    {
        var length = Whole(0).Bytes.Length;
        var cut = 0;
        var connections = 0;
        await using var daemon = new FakeDaemon(request =>
            connections++ == 0 ? Whole(request.After!.Value) with { CutAt = cut, IsReset = isReset } : Whole(request.After!.Value)
        );
        using var client = daemon.Connect(_time);
        for (; cut <= length; cut++)
        {
            connections = 0;
            var read = await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(4);
            Assert.True(
                read.Numbers() is [1, 2, 3, 4]
                    && read.All(one => one.Event is TextPiece { Text: var text } && text == TextOf(one.Sequence)),
                $"cut at {cut}: {string.Join(' ', read)}"
            );
        }

        FakeAnswer Whole(long after) =>
            FakeAnswer.Stream($"retry: 3000\n\n{Pieces(after + 1, 3)}{Status(3)}{Heartbeat}{Piece(4, TextOf(4))}", isChunked);
    }

    [Fact]
    public async Task The_request_says_who_asks_and_from_where_on()
    {
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Stream(Pieces(8, 9)));
        using var client = daemon.Connect(_time);
        await client.Runtime.ReadAsync(s_session, 7, Now).TakeAsync(2);
        var request = Assert.Single(daemon.Requests);
        Assert.Equal("/v1/sessions/s%2F1%20%C3%A4/events", request.Path);
        Assert.Equal("Bearer a-token-of-the-tests", request.Headers["Authorization"]);
        Assert.Equal("text/event-stream", request.Headers["Accept"]);
        Assert.Equal(7, request.After);
    }

    [Fact]
    public async Task What_is_sent_again_is_passed_once()
    {
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.Stream(request.Number == 1 ? Pieces(1, 3) + Pieces(2, 4) : Pieces(1, 6))
        );
        using var client = daemon.Connect(_time);
        Assert.Equal([1, 2, 3, 4, 5, 6], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(6)).Numbers());
    }

    [Fact]
    public async Task A_number_that_is_missing_is_asked_for_again()
    {
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.Stream(request.Number == 1 ? Piece(1, "") + Piece(3, "") : Pieces(request.After!.Value + 1, 3))
        );
        using var client = daemon.Connect(_time);
        Assert.Equal([1, 2, 3], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(3)).Numbers());
    }

    [Fact]
    public async Task A_number_that_the_log_has_lost_stays_lost()
    {
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.Stream(request.After == 0 ? Piece(1, "") + Piece(7, "") : Piece(7, ""))
        );
        using var client = daemon.Connect(_time);
        Assert.Equal([1, 7], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(2)).Numbers());
        Assert.Equal([0, 1], daemon.Requests.Select(request => request.After));
    }

    [Fact]
    public async Task After_a_power_cut_numbers_jump_and_nothing_is_asked_twice()
    {
        var recovered = new JsonObject
        {
            ["type"] = "log_recovered",
            ["after"] = 1,
            ["message"] = "The machine stopped.",
        };
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Stream(Piece(1, "") + Event(65_536, recovered)));
        using var client = daemon.Connect(_time);
        Assert.Equal([1, 65_536], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(2)).Numbers());
        Assert.Single(daemon.Requests);
    }

    [Fact]
    public async Task An_event_that_only_a_newer_daemon_knows_is_passed_whole()
    {
        var tea = new JsonObject { ["type"] = "tea_made", ["cups"] = new JsonArray(1, 2) };
        await using var daemon = new FakeDaemon(_ =>
            FakeAnswer.Stream($"event: mood\ndata: good\n\n{Event(1, tea)}{Piece(2, "")}")
        );
        using var client = daemon.Connect(_time);
        var read = await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(2);
        var unknown = Assert.IsType<UnknownEvent>(read[0].Event);
        Assert.Equal(("tea_made", """{"cups":[1,2]}"""), (unknown.Type, unknown.Payload.GetRawText()));
        Assert.Equal(2, read[1].Sequence);
    }

    [Fact]
    public async Task A_daemon_that_says_goodbye_dies_and_comes_back_is_found_again()
    {
        var contacts = new List<Contact>();
        var back = new TaskCompletionSource();
        FakeDaemon daemon = null!;
        daemon = new FakeDaemon(request =>
        {
            if (request.Number == 1)
            {
                daemon.Die();
            }

            return FakeAnswer.Stream(
                request.Number == 1 ? Pieces(1, 2) + Goodbye("daemon_shutdown", 2) : Pieces(request.After!.Value + 1, 5)
            );
        });
        await using var _ = daemon;
        using var client = daemon.Connect(
            _time,
            options =>
                options with
                {
                    OnContact = contact =>
                    {
                        contacts.Add(contact);
                        if (contact is Contact.Lost)
                        {
                            daemon.ComeBack();
                        }
                    },
                }
        );
        Assert.Equal([1, 2, 3, 4, 5], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(5)).Numbers());
        Assert.Equal([Contact.Lost, Contact.Found], contacts);
    }

    [Fact]
    public async Task A_daemon_that_is_busy_is_asked_when_it_said()
    {
        await using var daemon = new FakeDaemon(request =>
            request.Number switch
            {
                1 => FakeAnswer.Refusal(503, "daemon_draining", headers: "Retry-After: 7\r\n"),
                2 => FakeAnswer.Refusal(429, "rate_limited", headers: "Retry-After: 9\r\n"),
                3 => FakeAnswer.Refusal(500, "internal_error"),
                4 => FakeAnswer.Json("<html>", 502),
                5 => null,
                _ => FakeAnswer.Stream(Piece(1, "")),
            }
        );
        using var client = daemon.Connect(_time);
        await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(1);
        Assert.Equal(6, daemon.Requests.Count);
        Assert.Equal([7.0, 9.0], _time.Waits.Take(2).Select(wait => wait.TotalSeconds));
        Assert.All(_time.Waits.Skip(2), wait => Assert.InRange(wait.TotalSeconds, 0, 3));
    }

    [Theory]
    [InlineData(400, "invalid_cursor")]
    [InlineData(401, "unauthorized")]
    [InlineData(403, "insufficient_scope")]
    [InlineData(404, "session_not_found")]
    public async Task What_waiting_does_not_mend_ends_it_with_the_words_of_the_daemon(int status, string code)
    {
        await using var daemon = new FakeDaemon(request =>
            request.Number == 1 ? FakeAnswer.Stream(Piece(1, "")) : FakeAnswer.Refusal(status, code, "So it is.")
        );
        using var client = daemon.Connect(_time);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(2));
        Assert.Equal((code, "So it is."), (refused.Reason, refused.Message));
        Assert.Equal(2, daemon.Requests.Count);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nHi")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://example.invalid/\r\nContent-Length: 0\r\n\r\n")]
    public async Task What_is_no_daemon_is_told_so_and_sent_nowhere_else(string answer)
    {
        await using var daemon = new FakeDaemon(_ => new FakeAnswer(System.Text.Encoding.ASCII.GetBytes(answer)));
        using var client = daemon.Connect(_time);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(1));
        Assert.Contains("daemon", refused.Message);
        Assert.Single(daemon.Requests);
    }

    [Fact]
    public async Task Bytes_that_are_no_event_end_it()
    {
        await using var daemon = new FakeDaemon(_ => FakeAnswer.Stream("event: event\nid: 1\ndata: {}\n\n"));
        using var client = daemon.Connect(_time);
        await Assert.ThrowsAsync<DaemonLostException>(() => client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(1));
    }

    [Fact]
    public async Task The_stream_of_a_closed_session_ends_when_nothing_of_it_runs()
    {
        var closed = new JsonObject { ["type"] = "session_closed" };
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.Stream(
                request.Number switch
                {
                    1 => Pieces(1, 2) + Status(2) + Event(3, closed),
                    2 => Status(3, isClosed: true, turn: "t"),
                    _ => Piece(4, "") + Status(4, isClosed: true),
                }
            )
        );
        using var client = daemon.Connect(_time);
        Assert.Equal([1, 2, 3, 4], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(9)).Numbers());
        Assert.Equal([0, 3, 3], daemon.Requests.Select(request => request.After));
    }

    [Fact]
    public async Task A_stream_that_is_silent_for_three_heartbeats_is_dead()
    {
        var time = new ManualTime();
        await using var daemon = new FakeDaemon(request =>
            FakeAnswer.OpenStream(Piece(request.After!.Value + 1, "") + Status(request.After!.Value + 1))
        );
        using var client = new TholeClient(daemon.Address, null, new ClientOptions { Time = time });
        await using var events = client.Runtime.ReadAsync(s_session, 0, Now).GetAsyncEnumerator(Now);
        Assert.True(await events.MoveNextAsync());

        var next = events.MoveNextAsync().AsTask(); // it waits for bytes when this returns
        time.Advance(TimeSpan.FromSeconds(44));
        Assert.False(next.IsCompleted);
        Assert.Single(daemon.Requests);

        time.Advance(TimeSpan.FromSeconds(1));
        await time.TimersAsync(1, Now); // until it comes back
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.True(await next);
        Assert.Equal(2, events.Current.Sequence);
    }

    [Fact]
    public async Task Who_does_not_read_for_long_is_not_cut_off_for_that()
    {
        var time = new ManualTime();
        await using var daemon = new FakeDaemon(_ => FakeAnswer.OpenStream(Piece(1, "") + Heartbeat + Piece(2, "")));
        using var client = new TholeClient(daemon.Address, null, new ClientOptions { Time = time });
        await using var events = client.Runtime.ReadAsync(s_session, 0, Now).GetAsyncEnumerator(Now);
        Assert.True(await events.MoveNextAsync());
        time.Advance(TimeSpan.FromHours(1));
        Assert.True(await events.MoveNextAsync());
        Assert.Single(daemon.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_leaves_leaves_at_once(bool isConnected)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Now);
        await using var daemon = new FakeDaemon(_ => isConnected ? FakeAnswer.OpenStream(Status(0)) : null);
        using var client = new TholeClient(
            daemon.Address,
            null,
            new ClientOptions { Time = new ManualTime(), OnContact = _ => leaving.Cancel() }
        );
        await using var events = client.Runtime.ReadAsync(s_session, 0, leaving.Token).GetAsyncEnumerator(Now);
        var next = events.MoveNextAsync().AsTask();
        if (isConnected)
        {
            await leaving.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task A_reader_whose_patience_is_over_says_what_is_wrong()
    {
        var daemon = new FakeDaemon(_ => null);
        await daemon.DisposeAsync();
        using var client = daemon.Connect(_time, options => options with { ReadingPatience = TimeSpan.FromSeconds(20) });
        var lost = await Assert.ThrowsAsync<DaemonLostException>(() => client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(1));
        Assert.Contains($"127.0.0.1:{daemon.Port}", lost.Message);
        Assert.InRange(_time.Waits.Sum(wait => wait.TotalSeconds), 15, 20);
    }

    [Fact]
    public async Task A_daemon_that_came_back_on_another_port_is_found_and_the_old_one_not_asked_meanwhile()
    {
        await using var old = new FakeDaemon(_ => FakeAnswer.Stream(Piece(1, "")));
        await using var other = new FakeDaemon(request => FakeAnswer.Stream(Pieces(request.After!.Value + 1, 3)));
        var places = new Queue<Uri?>([old.Address, null, null, other.Address]);
        using var client = old.Connect(_time, options => options with { Locate = () => places.Dequeue() });
        Assert.Equal([1, 2, 3], (await client.Runtime.ReadAsync(s_session, 0, Now).TakeAsync(3)).Numbers());
        Assert.Single(old.Requests);
        Assert.Single(other.Requests);
    }
}
