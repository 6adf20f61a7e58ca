using Thole.Core.Models;
using Thole.Providers.Anthropic;
using Thole.Providers.Endpoints;
using Thole.Testing.Models;
using static Thole.Providers.Tests.Anthropic.MessagesAsked;

namespace Thole.Providers.Tests.Anthropic;

/// <summary>Where requests go, and what comes back that is no answer.</summary>
public sealed class MessagesFailureSpecs
{
    [Theory]
    [InlineData("https://api.anthropic.com", "https://api.anthropic.com/v1/messages")]
    [InlineData("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages")]
    [InlineData("https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/messages")]
    [InlineData("https://host.test/anthropic", "https://host.test/anthropic/v1/messages")]
    [InlineData("https://host.test/x/v2beta", "https://host.test/x/v2beta/messages")]
    [InlineData("https://host.test/x/v1/messages?a=b", "https://host.test/x/v1/messages?a=b")]
    [InlineData("https://host.test/vertex", "https://host.test/vertex/v1/messages")]
    public void The_address_may_be_set_with_and_without_a_version(string set, string asked)
    {
        var wire = new MessagesWire(Options with { BaseAddress = new Uri(set) }, "scripted");

        Assert.Equal(asked, wire.Address(Asked.Request()).ToString());
    }

    [Fact]
    public async Task The_key_and_the_version_go_in_headers_of_their_own_and_the_user_s_take_their_place()
    {
        await using var server = ScriptedModelServer.Start();
        server.ReplyOtherwise(reply => reply.Text("Hi.").Done());
        using var http = ProviderConnections.Open(isLoopback: true);
        var options = To.Options(server.BaseAddress);
        var own = options with { Headers = [new("anthropic-version", "mine"), new("Authorization", "Bearer mine")] };

        await Asked.AskAsync(To.Model(options, () => http, TimeProvider.System));
        await Asked.AskAsync(To.Model(own, () => http, TimeProvider.System));

        var (first, second) = (server.Requests[0], server.Requests[1]);
        Assert.Equal("/v1/messages", first.Path);
        Assert.Equal((Asked.Key, "2023-06-01"), (first.Headers["x-api-key"], first.Headers["anthropic-version"]));
        Assert.False(first.Headers.ContainsKey("Authorization"));
        Assert.False(first.Headers.ContainsKey("anthropic-beta"));
        Assert.Equal(("Bearer mine", "mine"), (second.Headers["Authorization"], second.Headers["anthropic-version"]));
        Assert.False(second.Headers.ContainsKey("x-api-key"));
    }

    [Theory]
    [InlineData(400, "invalid_request_error", "messages.0: text content blocks must be non-empty", ModelFailure.InvalidRequest)]
    [InlineData(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", ModelFailure.ContextOverflow)]
    [InlineData(
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        ModelFailure.ContextOverflow
    )]
    [InlineData(
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API.",
        ModelFailure.QuotaExhausted
    )]
    [InlineData(401, "authentication_error", "invalid x-api-key", ModelFailure.Unauthorized)]
    [InlineData(402, "billing_error", "pay", ModelFailure.QuotaExhausted)]
    [InlineData(403, "permission_error", "no", ModelFailure.Unauthorized)]
    [InlineData(404, "not_found_error", "model: claude-x", ModelFailure.UnknownModel)]
    [InlineData(413, "request_too_large", "Request exceeds the maximum size", ModelFailure.ContextOverflow)]
    [InlineData(429, "rate_limit_error", "slow down", ModelFailure.RateLimited)]
    [InlineData(500, "api_error", "Internal server error", ModelFailure.Overloaded)]
    [InlineData(504, "timeout_error", "late", ModelFailure.Overloaded)]
    [InlineData(529, "overloaded_error", "Overloaded", ModelFailure.Overloaded)]
    public async Task Every_status_means_something(int status, string type, string message, ModelFailure failure)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply =>
            reply.Status(
                status,
                $$$"""{"type":"error","error":{"type":"{{{type}}}","message":"{{{message}}}"},"request_id":"r"}"""
            )
        );

        var failed = (await To.AskAsync(server)).Failure!;

        Assert.Equal(failure, failed.Failure);
        Assert.EndsWith($"It says: {message}", failed.Message);
    }

    [Theory]
    [InlineData("overloaded_error", ModelFailure.Overloaded)]
    [InlineData("api_error", ModelFailure.Overloaded)]
    [InlineData("timeout_error", ModelFailure.Overloaded)]
    [InlineData("rate_limit_error", ModelFailure.RateLimited)]
    [InlineData("authentication_error", ModelFailure.Unauthorized)]
    [InlineData("permission_error", ModelFailure.Unauthorized)]
    [InlineData("invalid_request_error", ModelFailure.InvalidRequest)]
    [InlineData("something_new", ModelFailure.StreamError)]
    public async Task An_error_within_the_stream_means_the_same(string type, ModelFailure failure)
    {
        var asked = await AskAsync(
            Begin(),
            Call(0, "a", "one"),
            Event($$$"""{"type":"error","error":{"type":"{{{type}}}","message":"Boom."}}""")
        );

        Assert.Equal(failure, asked.Failure!.Failure);
        Assert.Empty(asked.Calls);
    }

    [Fact]
    public async Task A_missing_key_names_the_variable_to_set()
    {
        var options = Options with { Credential = new Credential("ANTHROPIC_API_KEY", null) };

        var failed = (await To.AskAsync([], options: options)).Failure!;

        Assert.Equal(
            "There is no key for anthropic: run 'thole auth anthropic', or set ANTHROPIC_API_KEY or providers.anthropic.apiKey in your settings.",
            failed.Message
        );
    }
}
