namespace Thole.Server.Tests;

/// <summary>S49, S50, S54, S55: a web page that a person happens to look at reaches nothing, whatever name it found for this machine.</summary>
public sealed class OriginSpecs
{
    private const string Page = "https://app.example";

    public static TheoryData<string> ForeignHosts { get; } =
    [
        .. Attacks.Texts("host_headers_refuse"),
        "evil.example",
        "localhost",
        "127.0.0.1",
        "localhost:1",
        "127.0.0.1:PORT.evil.example",
        "evil@127.0.0.1:PORT",
        "127.0.0.2:PORT",
        "0.0.0.0:PORT",
        "[::]:PORT",
        "2130706433:PORT",
        "0x7f000001:PORT",
        "localhost.:PORT",
        "127.0.0.1:0PORT",
    ];

    public static TheoryData<string> OurHosts { get; } =
    [.. Attacks.Texts("host_headers_accept"), "localhost:PORT", "LOCALHOST:PORT"];

    public static TheoryData<string> ForeignOrigins { get; } =
    [
        .. Attacks.Texts("origins_refuse"),
        "null",
        "",
        "http://evil.example",
        "https://app.example.evil",
        "http://app.example",
        "https://app.example:443",
        "https://APP.example",
        "https://app.example/",
        "https://sub.app.example",
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://localhost:PORT",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT.evil.example",
        "chrome-extension://abcdefghijklmnop",
    ];

    [Theory]
    [MemberData(nameof(ForeignHosts))]
    public async Task S49_a_foreign_host_is_refused_before_anything_is_looked_at(string host)
    {
        await using var daemon = await TestDaemon.StartAsync();

        foreach (var target in new[] { "/health", "/session/a", "/nothing" })
        {
            var answer = await daemon.SendAsync("GET", target, "", ("Host", host));

            // The server itself does not take what cannot be a host at all.
            Assert.True(answer is { Status: 403, Code: "invalid_host" } or { Status: 400, Body: "" }, $"{host}: {answer}");
        }

        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [MemberData(nameof(OurHosts))]
    public async Task S49_our_own_names_are_ours_in_any_case_of_letters(string host)
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(200, (await daemon.SendAsync("GET", "/session/a", "", ("Host", host))).Status);
    }

    [Theory]
    [MemberData(nameof(ForeignOrigins))]
    public async Task S50_a_foreign_origin_is_refused(string origin)
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { AllowedOrigins = [Page] });

        foreach (var target in new[] { "/health", "/session/a", "/nothing" })
        {
            var answer = await daemon.SendAsync("GET", target, "", ("Origin", origin));

            Assert.Equal((403, "origin_denied", "Origin"), (answer.Status, answer.Code, answer.Header("Vary")));
            Assert.Null(answer.Header("Access-Control-Allow-Origin"));
        }

        Assert.Equal(0, daemon.Served);
    }

    [Fact]
    public async Task S50_two_origins_are_none()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { AllowedOrigins = [Page] });

        var answers = await daemon.SendRawAsync(
            $"GET /health HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: {Page}\r\nOrigin: {Page}\r\nConnection: close\r\n\r\n"
        );

        Assert.Equal("origin_denied", Assert.Single(answers).Code);
    }

    [Theory]
    [InlineData("cross-site")]
    [InlineData("same-site")]
    [InlineData("Cross-Site")]
    [InlineData("something new")]
    [InlineData("")]
    public async Task S50_a_request_that_a_browser_sends_for_another_site_is_refused(string site)
    {
        await using var daemon = await TestDaemon.StartAsync();

        foreach (var target in new[] { "/health", "/session/a", "/nothing" })
        {
            var answer = await daemon.SendAsync("GET", target, "", ("Sec-Fetch-Site", site));
            Assert.Equal((403, "cross_site_denied"), (answer.Status, answer.Code));
        }
    }

    [Theory]
    [InlineData("same-origin")]
    [InlineData("none")]
    public async Task S50_what_a_person_typed_or_our_own_page_sends_is_served(string site)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync(
            "GET",
            "/session/a",
            "",
            ("Sec-Fetch-Site", site),
            ("Origin", "http://127.0.0.1:PORT")
        );

        Assert.Equal(200, answer.Status);
        Assert.Null(answer.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task An_origin_that_is_allowed_by_name_is_answered_with_its_name_and_still_needs_a_token()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { AllowedOrigins = [Page] });

        var answer = await daemon.SendAsync("GET", "/session/a", "", ("Origin", Page), ("Sec-Fetch-Site", "cross-site"));
        var unknown = await daemon.SendAsync("GET", "/session/a", "", ("Origin", Page), ("Authorization", null));

        Assert.Equal((200, Page, "Origin"), (answer.Status, answer.Header("Access-Control-Allow-Origin"), answer.Header("Vary")));
        Assert.Equal("Retry-After, X-Qwen-Event-Epoch, X-Qwen-SSE-Stream-Id", answer.Header("Access-Control-Expose-Headers"));
        Assert.Null(answer.Header("Access-Control-Allow-Credentials"));
        Assert.Equal((401, Page), (unknown.Status, unknown.Header("Access-Control-Allow-Origin")));
    }

    [Fact]
    public async Task S54_a_preflight_is_answered_for_an_allowed_origin_only()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { AllowedOrigins = [Page] });

        var allowed = await PreflightAsync(daemon, Page);
        var foreign = await PreflightAsync(daemon, "https://evil.example");
        var own = await PreflightAsync(daemon, "http://127.0.0.1:PORT");

        Assert.Equal((204, Page), (allowed.Status, allowed.Header("Access-Control-Allow-Origin")));
        Assert.Equal("GET, POST, PUT, PATCH, DELETE, OPTIONS", allowed.Header("Access-Control-Allow-Methods"));
        Assert.Equal(
            "Authorization, Content-Type, X-Qwen-Client-Id, Last-Event-ID, X-Qwen-Event-Epoch, Idempotency-Key",
            allowed.Header("Access-Control-Allow-Headers")
        );
        Assert.Equal(403, foreign.Status);
        Assert.Equal(401, own.Status);
        Assert.All(
            new[] { foreign, own },
            answer =>
                Assert.DoesNotContain(
                    answer.Headers,
                    header => header.Name.StartsWith("Access-Control", StringComparison.Ordinal)
                )
        );
        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("null")]
    [InlineData("https://*.example")]
    [InlineData("app.example")]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example:443")]
    [InlineData("https://App.example")]
    [InlineData("https://user@app.example")]
    [InlineData("file://")]
    [InlineData("")]
    public async Task An_origin_that_browsers_do_not_send_cannot_be_allowed(string origin)
    {
        var refused = await Assert.ThrowsAsync<CannotListenException>(() =>
            TestDaemon.StartAsync(new DaemonOptions { AllowedOrigins = [origin] })
        );

        Assert.Contains("scheme://host", refused.Message);
    }

    [Theory]
    [InlineData("https://evil.example", FakeTokens.Owner, 403, "origin_denied")]
    [InlineData("null", FakeTokens.Owner, 403, "origin_denied")]
    [InlineData("https://evil.example", null, 403, "origin_denied")]
    [InlineData(null, null, 403, "upgrade_denied")]
    [InlineData(null, "wrong", 403, "upgrade_denied")]
    [InlineData("http://127.0.0.1:PORT", null, 403, "upgrade_denied")]
    [InlineData(null, FakeTokens.Owner, 400, "upgrade_unsupported")]
    public async Task S55_nothing_is_upgraded_to_a_web_socket(string? origin, string? token, int status, string code)
    {
        await using var daemon = await TestDaemon.StartAsync();

        foreach (var target in new[] { "/session/a", "/health", "/acp" })
        {
            foreach (var upgrade in new[] { "websocket", "WebSocket/13", "h2c, websocket" })
            {
                var answer = await daemon.SendAsync(
                    "GET",
                    target,
                    "",
                    ("Origin", origin),
                    ("Authorization", token is null ? null : $"Bearer {token}"),
                    ("Connection", "Upgrade, close"),
                    ("Upgrade", upgrade),
                    ("Sec-WebSocket-Version", "13"),
                    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
                );

                Assert.Equal((status, code), (answer.Status, answer.Code));
                Assert.Null(answer.Header("Sec-WebSocket-Accept"));
                Assert.Null(answer.Header("WWW-Authenticate"));
            }
        }

        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [InlineData("Upgrade", "websocket")]
    [InlineData("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    [InlineData("Sec-WebSocket-Version", "13")]
    public async Task S55_half_a_handshake_is_one(string name, string value)
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(403, (await daemon.SendAsync("GET", "/health", "", ("Authorization", null), (name, value))).Status);
    }

    [Fact]
    public async Task Another_upgrade_is_passed_over_as_HTTP_has_it()
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("GET", "/session/a", "", ("Connection", "Upgrade, close"), ("Upgrade", "h2c"));

        Assert.Equal(200, answer.Status);
    }

    private static Task<RawAnswer> PreflightAsync(TestDaemon daemon, string origin) =>
        daemon.SendAsync(
            "OPTIONS",
            "/session",
            "",
            ("Authorization", null),
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type")
        );
}
