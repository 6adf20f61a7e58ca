using Thole.Core.Models;
using Thole.Testing.Models;

namespace Thole.Providers.Tests.Google;

public sealed class GeminiFailureSpecs
{
    private const string Quota = "You exceeded your current quota, please check your plan and billing details.";

    [Theory]
    [InlineData(
        400,
        """{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}""",
        ModelFailure.Unauthorized
    )]
    [InlineData(403, """{"error":{"code":403,"message":"Denied.","status":"PERMISSION_DENIED"}}""", ModelFailure.Unauthorized)]
    [InlineData(
        404,
        """[{"error":{"code":404,"message":"models/x is not found for API version v1beta, or is not supported for generateContent.","status":"NOT_FOUND"}}]""",
        ModelFailure.UnknownModel
    )]
    [InlineData(
        400,
        """{"error":{"code":400,"message":"The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}""",
        ModelFailure.ContextOverflow
    )]
    [InlineData(
        400,
        """{"error":{"code":400,"message":"Function call is missing a thought_signature.","status":"INVALID_ARGUMENT"}}""",
        ModelFailure.InvalidRequest
    )]
    [InlineData(
        429,
        """{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}""",
        ModelFailure.RateLimited
    )]
    [InlineData(
        429,
        $$$"""{"error":{"code":429,"message":"{{{Quota}}}","status":"RESOURCE_EXHAUSTED"}}""",
        ModelFailure.QuotaExhausted
    )]
    [InlineData(
        429,
        $$$"""{"error":{"code":429,"message":"{{{Quota}}}","details":[{"violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}]}}""",
        ModelFailure.RateLimited
    )]
    [InlineData(
        429,
        $$$"""[{"error":{"code":429,"message":"{{{Quota}}}","details":[{"violations":[{"quotaId":"TokensPerMinute"},{"quotaId":"GenerateRequestsPerDayPerProject"}]},{"retryDelay":"34s"}]}}]""",
        ModelFailure.QuotaExhausted
    )]
    [InlineData(
        429,
        """{"error":{"code":429,"message":"Quota exceeded.","details":[{"reason":"RATE_LIMIT_EXCEEDED","metadata":{"quota_limit":"RequestsPerDay"}}]}}""",
        ModelFailure.QuotaExhausted
    )]
    [InlineData(
        500,
        """{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}""",
        ModelFailure.Overloaded
    )]
    [InlineData(
        503,
        """{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}""",
        ModelFailure.Overloaded
    )]
    public async Task Every_status_means_something(int status, string body, ModelFailure failure)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(status, body));

        Assert.Equal(failure, (await GeminiAsked.Asking.AskAsync(server)).Failure!.Failure);
    }

    [Theory]
    [InlineData("\"34.5s\"", 34.5)]
    [InlineData("\"0s\"", 0.0)]
    [InlineData("\"99999999999999999999s\"", 2_592_000.0)]
    [InlineData("\"soon\"", null)]
    [InlineData("\"-1s\"", null)]
    [InlineData("\"s\"", null)]
    [InlineData("34", null)]
    [InlineData("{}", null)]
    public async Task A_delay_in_the_details_is_kept(string delay, double? seconds)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply =>
            reply.Status(
                429,
                $$$"""{"error":{"code":429,"message":"Slow down.","details":[null,7,{"violations":7},{"retryDelay":{{{delay}}}}]}}"""
            )
        );

        var failed = (await GeminiAsked.Asking.AskAsync(server)).Failure!;

        Assert.Equal(ModelFailure.RateLimited, failed.Failure);
        Assert.Equal(seconds, failed.RetryAfter?.TotalSeconds);
    }

    [Theory]
    [InlineData(
        """{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"3s"}]}}""",
        ModelFailure.RateLimited,
        3.0
    )]
    [InlineData("""[{"error":{"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}]""", ModelFailure.RateLimited, null)]
    [InlineData("""{"error":{"code":503,"message":"Busy.","status":"UNAVAILABLE"}}""", ModelFailure.Overloaded, null)]
    [InlineData("""{"error":{"code":400,"message":"Wrong.","status":"INVALID_ARGUMENT"}}""", ModelFailure.InvalidRequest, null)]
    [InlineData("""{"error":{"code":403,"message":"No.","status":"PERMISSION_DENIED"}}""", ModelFailure.Unauthorized, null)]
    [InlineData("""{"error":"no idea"}""", ModelFailure.StreamError, null)]
    [InlineData("""{"error":{"message":"half \ud83d a letter"}}""", ModelFailure.StreamError, null)]
    public async Task An_error_inside_the_stream_means_the_same(string chunk, ModelFailure failure, double? seconds)
    {
        var asked = await GeminiAsked.AnswerAsync(
            GeminiAsked.Parts("""{"text":"I look."},{"functionCall":{"name":"a"}}"""),
            chunk
        );

        Assert.Equal((failure, seconds), (asked.Failure!.Failure, asked.Failure.RetryAfter?.TotalSeconds));
        Assert.Equal("I look.", asked.Text);
        Assert.Empty(asked.Calls);
    }

    [Fact]
    public async Task A_complaint_with_half_a_letter_is_read_all_the_same()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(400, """{"error":{"message":"half \ud83d a letter","code":"\ud83d"}}"""));

        Assert.Equal(ModelFailure.InvalidRequest, (await GeminiAsked.Asking.AskAsync(server)).Failure!.Failure);
    }

    [Fact]
    public async Task A_last_event_that_was_cut_in_its_middle_is_no_end()
    {
        var whole = $"data: {GeminiAsked.Parts("""{"functionCall":{"name":"a"}}""", "STOP")}";

        var asked = await GeminiAsked.Asking.AskAsync(whole[..^2]);

        Assert.Equal(ModelFailure.StreamCut, asked.Failure!.Failure);
        Assert.Empty(asked.Calls);
    }
}
