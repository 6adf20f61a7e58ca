using System.Diagnostics;
using System.Text;
using Thole.Server.Requests;

namespace Thole.Server.Tests;

/// <summary>S53, S58, S62: what a body may be.</summary>
public sealed class BodySpecs
{
    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/plain;charset=UTF-8")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/jsonp")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; boundary=x")]
    [InlineData("application/json, text/plain")]
    [InlineData("application/vnd.api+json")]
    [InlineData("json")]
    [InlineData("")]
    [InlineData(null)]
    public async Task S53_a_body_that_a_page_could_send_without_asking_is_refused(string? type)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("POST", "/session", """{"text":"x"}""", ("Content-Type", type));

        Assert.Equal((415, "unsupported_media_type"), (answer.Status, answer.Code));
        Assert.Equal(0, daemon.Served);
    }

    [Fact]
    public async Task S53_an_empty_form_is_a_form()
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(
            415,
            (await daemon.SendAsync("POST", "/session", "", ("Content-Type", "text/plain"), ("Content-Length", "0"))).Status
        );
        Assert.Equal(415, (await daemon.SendAsync("DELETE", "/session/a", "", ("Content-Type", "text/plain"))).Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON")]
    [InlineData("application/json;charset=utf-8")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    public async Task JSON_in_UTF_8_is_read(string type)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("POST", "/session", """{"text":"Käthe 🚣"}""", ("Content-Type", type));

        Assert.Equal(200, answer.Status);
        Assert.Equal("Käthe 🚣", answer.Json!.Value.GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_body_that_may_be_absent_may_be_empty_and_one_in_chunks_is_a_body()
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Contains("nothing", (await daemon.SendAsync("POST", "/session")).Body);
        Assert.Contains("nothing", (await daemon.SendAsync("POST", "/session", "", ("Content-Length", "0"))).Body);
        Assert.Contains("nothing", (await daemon.SendAsync("POST", "/session", "{}")).Body);
        var chunked = await daemon.SendAsync(
            "POST",
            "/session",
            "5\r\n{\"tex\r\n6\r\nt\":\"a\"\r\n1\r\n}\r\n0\r\n\r\n",
            ("Content-Length", null),
            ("Transfer-Encoding", "chunked")
        );
        Assert.Contains("\"a\"", chunked.Body);
    }

    public static TheoryData<string> NoJson { get; } =
    [
        "{",
        "{\"text\":\"a\"",
        "{\"text\":\"a\"} {}",
        "{\"text\":\"a\",}",
        "{'text':'a'}",
        "{text:\"a\"}",
        "// hello\n{}",
        "{\"text\":\"\ud83d\\ude00\"}".Replace("\ud83d", "\\ud83d\\ud83d", StringComparison.Ordinal),
        "{\"text\":\"\\ud800\"}",
        "{\"text\":\"\\udc00\"}",
        "{\"text\":\"\\udc00\\ud800\"}",
        "{\"text\":\"\\ud800 \\udc00\"}",
        "{\"text\":\"\\ud800\\n\\udc00\"}",
        "{\"\\uD800\":1}",
        "{\"unknown\":[{\"\\uDBFF\":1}]}",
        "{\"text\":\"a\nb\"}",
        "{\"number\":01}",
        "{\"number\":NaN}",
        "{\"number\":+1}",
        "\ufeff{}",
        "\0",
        "{\"text\":\"\\x41\"}",
    ];

    [Theory]
    [MemberData(nameof(NoJson))]
    public async Task S62_what_is_no_JSON_is_said_to_be_none(string body)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("POST", "/session", body);

        Assert.Equal((400, """{"error":"Invalid JSON in request body","code":"invalid_json"}"""), (answer.Status, answer.Body));
    }

    [Theory]
    [InlineData("""{"text":"a","text":"b"}""")]
    [InlineData("""{"text":"a","TEXT":"b"}""")]
    [InlineData("""{"text":"a","\u0074ext":"b"}""")]
    [InlineData("""{"anything":{"a":1,"a":2}}""")]
    [InlineData("""{"text":7}""")]
    [InlineData("""{"number":1.5}""")]
    [InlineData("""{"number":1e400}""")]
    [InlineData("""{"number":11111111111111111111111111111111111111111111}""")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    public async Task S62_JSON_that_does_not_fit_is_answered_with_where_and_without_our_types(string body)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("POST", "/session", body);

        Assert.Equal((400, "invalid_request"), (answer.Status, answer.Code));
        Assert.DoesNotContain("Thole", answer.Body);
        Assert.DoesNotContain("System", answer.Body);
    }

    [Fact]
    public async Task What_is_required_is_asked_for()
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(202, (await daemon.SendAsync("POST", "/session/a/prompt", """{"text":"x"}""")).Status);
        foreach (var body in new[] { "", "{}", """{"text":null}""" })
        {
            var answer = await daemon.SendAsync("POST", "/session/a/prompt", body);
            Assert.Equal((400, "invalid_request"), (answer.Status, answer.Code));
        }
    }

    [Theory]
    [InlineData("200000 deep", 50)]
    [InlineData("200000 objects deep", 50)]
    [InlineData("a million members", 100)]
    [InlineData("a million members to be kept", 100)]
    public async Task S62_a_bomb_is_answered_before_it_costs_anything(string bomb, int milliseconds)
    {
        await using var daemon = await TestDaemon.StartAsync();
        var body = bomb switch
        {
            "200000 deep" => new string('[', 200_000) + new string(']', 200_000),
            "200000 objects deep" => string.Concat(Enumerable.Repeat("{\"a\":", 200_000)),
            "a million members" =>
                $"{{{string.Join(',', Enumerable.Range(0, 1_000_000).Select(number => $"\"{number:x}\":1"))}}}"[..^1],
            _ => $"{{\"anything\":{{{string.Join(',', Enumerable.Range(0, 900_000).Select(number => $"\"{number:x}\":1"))}}}}}",
        };

        var answer = await daemon.SendAsync("POST", "/session", body);
        var bytes = Encoding.UTF8.GetBytes(body);
        var times = Enumerable
            .Range(0, 5)
            .Select(_ =>
            {
                var started = Stopwatch.GetTimestamp();
                Assert.False(StrictJson.IsValid(bytes));
                return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            });

        Assert.Equal(400, answer.Status);
        Assert.InRange(times.Min(), 0, milliseconds); // the machines that tests run on are shared
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S58_reading_stops_at_the_limit(bool isAnnounced)
    {
        const int Limit = 100_000;
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { MaxBodyBytes = Limit });
        using var socket = await daemon.ConnectAsync();
        var length = isAnnounced ? "Content-Length: 67108864" : "Transfer-Encoding: chunked";
        await socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"POST /session HTTP/1.1\r\nHost: 127.0.0.1:{daemon.Port}\r\nAuthorization: Bearer {FakeTokens.Owner}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            ),
            TestDaemon.Cancelled
        );
        if (!isAnnounced)
        {
            // One chunk that would be far too long, of which only a little more than the limit is sent: whoever waits for its end waits forever.
            await socket.SendAsync(Encoding.ASCII.GetBytes("4000000\r\n\"" + new string('a', Limit + 10)), TestDaemon.Cancelled);
        }

        var answer = await TestDaemon.ReadOneAsync(socket);

        Assert.Equal((413, "body_too_large", "close"), (answer.Status, answer.Code, answer.Header("Connection")));
    }

    [Fact]
    public async Task S58_the_limit_of_the_product_is_ten_mebibytes()
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync(
            "POST",
            "/session",
            "",
            ("Content-Type", "application/json"),
            ("Content-Length", "10485761")
        );

        Assert.Equal("Request body too large (max 10 MB)", answer.Json!.Value.GetProperty("error").GetString());
    }

    /// <summary>Who sends first and listens then must not find the connection reset in place of the answer.</summary>
    [Theory]
    [InlineData("/session", FakeTokens.Owner, 413)]
    [InlineData("/session", "wrong", 401)]
    [InlineData("/nothing", FakeTokens.Owner, 404)]
    public async Task S58_an_ordinary_client_that_sends_far_too_much_hears_so(string target, string token, int status)
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { MaxBodyBytes = 1_000_000 });
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        for (var time = 0; time < 5; time++)
        {
            using var body = new StringContent(new string('a', 20_000_000), Encoding.UTF8, "application/json");

            using var answer = await client.PostAsync(new Uri(daemon.Address, target), body, TestDaemon.Cancelled);

            Assert.Equal(status, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task S58_a_body_that_trickles_is_given_up()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { BodyGrace = TimeSpan.FromSeconds(1.1) });
        using var socket = await daemon.ConnectAsync();
        await socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"POST /session HTTP/1.1\r\nHost: 127.0.0.1:{daemon.Port}\r\nAuthorization: Bearer {FakeTokens.Owner}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{"
            ),
            TestDaemon.Cancelled
        );

        var answer = await TestDaemon.ReadOneAsync(socket);

        Assert.Equal((408, "request_timeout"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_body_of_bytes_has_a_limit_and_a_type_of_its_own()
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Contains(
            "1000",
            (await daemon.SendAsync("POST", "/upload", new string('x', 1000), ("Content-Type", "image/png"))).Body
        );
        Assert.Equal(
            413,
            (await daemon.SendAsync("POST", "/upload", new string('x', 1001), ("Content-Type", "image/png"))).Status
        );
    }
}
