using Thole.Protocol;
using Thole.Testing;

namespace Thole.Server.Tests;

/// <summary>S51, S52, S56: who may what, on this machine as from far away.</summary>
public sealed class AccessSpecs
{
    [Fact]
    public async Task S51_without_a_token_only_the_bare_health_probe_is_served()
    {
        await using var daemon = await TestDaemon.StartAsync();

        var bare = await daemon.SendAsync("GET", "/health", "", ("Authorization", null));
        var deep = await daemon.SendAsync("GET", "/health?deep", "", ("Authorization", null));
        var asked = await daemon.SendAsync("GET", "/health?deep=1");

        Assert.Equal((200, """{"status":"ok"}"""), (bare.Status, bare.Body));
        Assert.Equal(401, deep.Status);
        Assert.Equal((200, """{"status":"ok","sessions":2,"pendingPermissions":1}"""), (asked.Status, asked.Body));
    }

    [Fact]
    public async Task S51_S52_every_way_to_have_no_token_looks_the_same_on_every_path()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { Rates = new RateLimits { FailedAttempts = 0 } });
        string?[] wrong =
        [
            null,
            "",
            "Bearer",
            "Bearer ",
            "Bearer wrong",
            FakeTokens.Owner,
            $"Basic {FakeTokens.Owner}",
            $"Bearer{FakeTokens.Owner}",
            $"Bearer {FakeTokens.Owner[..^1]}",
            $"Bearer {FakeTokens.Owner}x",
            $"Bearer {FakeTokens.Owner} {FakeTokens.Owner}",
            $"Bearer {FakeTokens.Owner.ToUpperInvariant()}",
            $"Bearer {new string('a', 5000)}",
        ];
        foreach (
            var (method, target) in new[]
            {
                ("GET", "/session/a"),
                ("POST", "/session"),
                ("GET", "/nothing"),
                ("PUT", "/session"),
                ("GET", "/"),
            }
        )
        {
            foreach (var header in wrong)
            {
                var answer = await daemon.SendAsync(method, target, "", ("Authorization", header));

                Assert.Equal((401, """{"error":"Unauthorized","code":"unauthorized"}"""), (answer.Status, answer.Body));
                Assert.Equal("Bearer", answer.Header("WWW-Authenticate"));
            }
        }

        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [InlineData("Bearer ")]
    [InlineData("bearer ")]
    [InlineData("BEARER  \t ")]
    public async Task The_scheme_has_no_case_and_any_space_after_it(string scheme)
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(200, (await daemon.SendAsync("GET", "/session/a", "", ("Authorization", scheme + FakeTokens.Owner))).Status);
    }

    [Fact]
    public async Task Two_tokens_are_none()
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answers = await daemon.SendRawAsync(
            $"GET /session/a HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer {FakeTokens.Owner}\r\nAuthorization: Bearer {FakeTokens.Owner}\r\nConnection: close\r\n\r\n"
        );

        Assert.Equal(401, Assert.Single(answers).Status);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("access_token")]
    [InlineData("auth")]
    public async Task S56_a_token_in_the_address_is_no_token(string name)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("GET", $"/session/a?{name}={FakeTokens.Owner}", "", ("Authorization", null));

        Assert.Equal(401, answer.Status);
        Assert.DoesNotContain(FakeTokens.Owner, answer.Body);
    }

    [Fact]
    public async Task S52_guessing_is_slowed_down_and_the_right_token_is_served_all_the_same()
    {
        var time = new ManualTime();
        await using var daemon = await TestDaemon.StartAsync(
            new DaemonOptions { Rates = new RateLimits { FailedAttempts = 3 } },
            time: time
        );
        for (var guess = 0; guess < 3; guess++)
        {
            Assert.Equal(401, (await GuessAsync(daemon)).Status);
        }

        var slowed = await GuessAsync(daemon);

        Assert.Equal((429, "too_many_failed_attempts", "60"), (slowed.Status, slowed.Code, slowed.Header("Retry-After")));
        Assert.Equal(200, (await daemon.SendAsync("GET", "/session/a")).Status);
        Assert.Equal(200, (await daemon.SendAsync("GET", "/health", "", ("Authorization", null))).Status);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(401, (await GuessAsync(daemon)).Status);
    }

    [Fact]
    public async Task A_token_opens_what_its_scopes_say()
    {
        await using var daemon = await TestDaemon.StartAsync();
        (string, string?) watcher = ("Authorization", $"Bearer {FakeTokens.Observer}");

        var seen = await daemon.SendAsync("GET", "/session/a", "", watcher);
        var prompted = await daemon.SendAsync("POST", "/session", "{}", watcher);
        var closed = await daemon.SendAsync("DELETE", "/session/a", "", watcher);

        Assert.Equal(200, seen.Status);
        Assert.Equal(
            (403, "insufficient_scope", "prompt"),
            (prompted.Status, prompted.Code, prompted.Json!.Value.GetProperty("required").GetString())
        );
        Assert.Equal((403, "administer"), (closed.Status, closed.Json!.Value.GetProperty("required").GetString()));
    }

    [Fact]
    public async Task Requests_of_one_identity_are_limited_by_tier_and_flow_again_with_time()
    {
        var time = new ManualTime();
        await using var daemon = await TestDaemon.StartAsync(
            new DaemonOptions
            {
                Rates = new RateLimits { Read = 2, Prompt = 1 },
            },
            time: time
        );
        var first = await daemon.SendAsync("GET", "/session/a");
        await daemon.SendAsync("GET", "/session/a");

        var third = await daemon.SendAsync("GET", "/session/a");

        Assert.Equal(("2", "1"), (first.Header("X-RateLimit-Limit"), first.Header("X-RateLimit-Remaining")));
        Assert.Equal((429, "rate_limit_exceeded", "30"), (third.Status, third.Code, third.Header("Retry-After")));
        Assert.Equal("read", third.Json!.Value.GetProperty("tier").GetString());
        Assert.Equal(30_000, third.Json!.Value.GetProperty("retryAfterMs").GetInt64());
        Assert.Equal(
            200,
            (await daemon.SendAsync("GET", "/session/a", "", ("Authorization", $"Bearer {FakeTokens.Observer}"))).Status
        );
        Assert.Equal(200, (await daemon.SendAsync("POST", "/session", "{}")).Status);
        Assert.Equal(200, (await daemon.SendAsync("GET", "/health?deep")).Status);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(200, (await daemon.SendAsync("GET", "/session/a")).Status);
    }

    [Fact]
    public async Task Without_tokens_everybody_on_this_machine_is_the_owner_and_pages_are_still_kept_out()
    {
        await using var daemon = await TestDaemon.StartAsync(new DaemonOptions { InsecureNoAuth = true });

        Assert.Equal(204, (await daemon.SendAsync("DELETE", "/session/a", "", ("Authorization", null))).Status);
        Assert.Equal(
            403,
            (
                await daemon.SendAsync("DELETE", "/session/a", "", ("Authorization", null), ("Origin", "http://evil.example"))
            ).Status
        );
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task Without_tokens_nothing_is_opened_to_the_network(string hostname)
    {
        var refused = await Assert.ThrowsAsync<CannotListenException>(() =>
            TestDaemon.StartAsync(new DaemonOptions { InsecureNoAuth = true, Hostname = hostname })
        );

        Assert.Contains("--insecure-no-auth", refused.Message);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_said_to_be()
    {
        await using var daemon = await TestDaemon.StartAsync();
        await using var second = new Daemon(
            new DaemonOptions { Port = daemon.Port },
            [],
            new FakeTokens(),
            _ => { },
            TimeProvider.System
        );

        var refused = await Assert.ThrowsAsync<CannotListenException>(() => second.StartAsync(TestDaemon.Cancelled));

        Assert.Contains("--port", refused.Message);
    }

    private static Task<RawAnswer> GuessAsync(TestDaemon daemon) =>
        daemon.SendAsync("GET", "/session/a", "", ("Authorization", "Bearer guess"));
}
