using System.Text;
using Thole.Protocol;

namespace Thole.Server.Tests;

/// <summary>S64, S67: a path leads to one place or nowhere, and what a client sent never becomes a line of an answer.</summary>
public sealed class RouteSpecs
{
    [Theory]
    [InlineData("/session/a", "a")]
    [InlineData("/session/newest", "the newest")]
    [InlineData("/session/a%20b%2Fc%2525", "a b/c%25")]
    [InlineData("/session/K%C3%A4the", "Käthe")]
    [InlineData("/session/a;b=c", "a;b=c")]
    [InlineData("/session/a+b", "a+b")]
    [InlineData("/session/...", "...")]
    [InlineData("/session/a?x=/session/b", "a")]
    public async Task A_placeholder_takes_one_segment_decoded_once(string target, string text)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("GET", target);

        Assert.Equal(text, answer.Json!.Value.GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("/")]
    [InlineData("//session/a")]
    [InlineData("/session//a")]
    [InlineData("/session/")]
    [InlineData("/session/a/")]
    [InlineData("/Session/a")]
    [InlineData("/SESSION/a")]
    [InlineData("/%73ession/a")]
    [InlineData("/session%2Fa")]
    [InlineData("/session/a/../b")]
    [InlineData("/session/.")]
    [InlineData("/session/..")]
    [InlineData("/session/%2e%2e")]
    [InlineData("/session/%2E")]
    [InlineData("/./session/a")]
    [InlineData("/x/../session/a")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/session;x/a")]
    [InlineData("/session\\a")]
    [InlineData("/health/")]
    [InlineData("/Health")]
    [InlineData("/health;x")]
    [InlineData("/health%00")]
    [InlineData("/health%20")]
    [InlineData("/%2fhealth")]
    [InlineData("/session/%ff")]
    [InlineData("/session/%c0%af")]
    [InlineData("/session/%ED%A0%80")]
    [InlineData("/session/a%00b")]
    [InlineData("/session/a%")]
    [InlineData("/session/a%2")]
    [InlineData("/session/a%zz")]
    [InlineData("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18")]
    public async Task S67_a_path_that_is_nearly_a_route_is_none_and_needs_a_token_all_the_same(string target)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var anonymous = await daemon.SendAsync("GET", target, "", ("Authorization", null));
        var answer = await daemon.SendAsync("GET", target);

        // The server itself does not take a path that cannot be decoded.
        Assert.True(anonymous is { Status: 401 } or { Status: 400 }, $"{anonymous}");
        Assert.True(answer is { Status: 404, Code: "route_not_found" } or { Status: 400 }, $"{answer}");
        Assert.Equal(0, daemon.Served);
    }

    [Theory]
    [InlineData("POST", "/session/a", "DELETE, GET")]
    [InlineData("GET", "/session", "POST")]
    [InlineData("HEAD", "/session/newest", "GET")]
    [InlineData("TRACE", "/health", "GET")]
    [InlineData("get", "/health", "GET")]
    [InlineData("OPTIONS", "/session", "POST")]
    public async Task A_known_path_says_what_it_is_for(string method, string target, string allow)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync(method, target);

        Assert.Equal((405, allow), (answer.Status, answer.Header("Allow")));
    }

    [Theory]
    [InlineData("limit=1&order=newest&text=a%20b+c%26", "1 newest a b c&")]
    [InlineData("limit=100", "100  ")]
    [InlineData("", "  ")]
    [InlineData("text", "  ")]
    [InlineData("unknown=1&&", "  ")]
    public async Task Parameters_are_decoded(string query, string text)
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(text, (await daemon.SendAsync("GET", $"/list?{query}")).Json!.Value.GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("limit=0", "invalid_parameter")]
    [InlineData("limit=101", "invalid_parameter")]
    [InlineData("limit=", "invalid_parameter")]
    [InlineData("limit=+1", "invalid_parameter")]
    [InlineData("limit=1.5", "invalid_parameter")]
    [InlineData("limit=1e1", "invalid_parameter")]
    [InlineData("limit=0x1", "invalid_parameter")]
    [InlineData("limit=99999999999999999999", "invalid_parameter")]
    [InlineData("order=Newest", "invalid_parameter")]
    [InlineData("limit=1&limit=2", "invalid_query")]
    [InlineData("limit=1&l%69mit=2", "invalid_query")]
    [InlineData("text=%ff", "invalid_query")]
    [InlineData("text=%00", "invalid_query")]
    [InlineData("text=%", "invalid_query")]
    public async Task A_parameter_that_does_not_fit_is_named_and_nothing_is_served(string query, string code)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("GET", $"/list?{query}");

        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Equal(0, daemon.Served);
    }

    [Fact]
    public async Task A_header_that_does_not_fit_has_the_code_of_its_own()
    {
        await using var daemon = await TestDaemon.StartAsync();

        Assert.Equal(
            "invalid_client_id",
            (await daemon.SendAsync("GET", "/list", "", ("X-Qwen-Client-Id", "far too long"))).Code
        );
        Assert.Equal(200, (await daemon.SendAsync("GET", "/list", "", ("X-Qwen-Client-Id", "short"))).Status);
    }

    [Fact]
    public async Task S64_a_line_break_from_outside_never_becomes_one_in_the_head_of_an_answer()
    {
        var echo = new Operation("GET", "/echo/{text}", "echo", Scope.Observe, "Puts text where it does not belong.")
        {
            Kind = ReplyKind.None,
            Handle = exchange =>
            {
                exchange.SetHeader("X-Echo", exchange.Route("text"));
                return exchange.NoContentAsync();
            },
        };
        await using var daemon = await TestDaemon.StartAsync(echo);
        string[] attacks =
        [
            "a%0d%0aX:%20y",
            "a%0aX:%20y",
            "a%0dX:%20y",
            .. Attacks.Texts("http_header_injection_values").Select(Uri.EscapeDataString),
        ];
        foreach (var attack in attacks)
        {
            var answer = await daemon.SendAsync("GET", $"/echo/{attack}");

            Assert.DoesNotContain(answer.Headers, header => header.Name is "X");
            Assert.True(answer.Status is 204 or 400 or 404 or 500, $"{attack}: {answer}");
        }
    }

    [Fact]
    public async Task S64_raw_requests_with_values_that_break_lines_are_one_request_or_none()
    {
        await using var daemon = await TestDaemon.StartAsync();
        foreach (var attack in Attacks.Texts("http_header_injection_values"))
        {
            var answers = await daemon.SendRawAsync(
                $"GET /session/a HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer {FakeTokens.Owner}\r\nX-Qwen-Client-Id: {Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(attack))}\r\nConnection: close\r\n\r\n"
            );
            Assert.Single(answers);
        }
    }
}
