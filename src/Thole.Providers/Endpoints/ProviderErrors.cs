using System.Text;
using System.Text.Json;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>What a provider said of a failure, taken out of whatever shape it came in. Outside text, not yet made harmless.</summary>
internal readonly record struct ProviderComplaint(string Words, string Code)
{
    /// <summary>When to come back, where that was said in the body and not in a header.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Reads <c>{"error":{…}}</c> and its many cousins; a body that is no JSON is its own words.</summary>
    public static ProviderComplaint Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return Read(document.RootElement);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // The latter where a string in it is no text: half a surrogate pair.
            return new ProviderComplaint(Encoding.UTF8.GetString(body.Span), "");
        }
    }

    public static ProviderComplaint Read(JsonElement said)
    {
        var error = said;
        if (said.ValueKind is JsonValueKind.Array && said.GetArrayLength() > 0)
        {
            error = said = said[0]; // Google wraps its errors in a list
        }

        if (
            said.ValueKind is JsonValueKind.Object
            && said.TryGetProperty("error", out var inner)
            && inner.ValueKind is not JsonValueKind.Null
        )
        {
            error = inner;
        }

        var details = ErrorDetails.Read(error);
        return new ProviderComplaint(
            error.ValueKind is JsonValueKind.String
                ? error.ToString()
                : First(error, "message", "detail", "msg", "error_msg") ?? said.ToString(),
            string.Join(' ', First(error, "code"), First(error, "type"), First(error, "status"), details.Words)
        )
        {
            RetryAfter = details.RetryAfter,
        };
    }

    private static string? First(JsonElement error, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (
                error.ValueKind is JsonValueKind.Object
                && error.TryGetProperty(name, out var value)
                && value.ValueKind is not JsonValueKind.Null
                && value.ToString() is { Length: > 0 } text
            )
            {
                return text;
            }
        }

        return null;
    }
}

/// <summary>From what a provider answers to what it means for us. One table for all protocols.</summary>
internal static class ProviderErrors
{
    private static readonly string[] s_quota =
    [
        "insufficient_quota",
        "exceeded your current quota",
        "insufficient balance",
        "insufficient credit",
        "credit balance is too low",
        "insufficient_balance",
        "billing_hard_limit",
        "arrearage",
        "account is in arrears",
        "freetieronly",
        "out of credits",
        "requires more credits",
    ];

    private static readonly string[] s_overflow =
    [
        "context length",
        "context_length",
        "context window",
        "context limit",
        "context size",
        "maximum context",
        "prompt is too long",
        "input is too long",
        "input too long",
        "too many tokens",
        "maximum number of tokens",
        "range of input length",
        "input token count",
        "reduce the length",
        "token limit exceeded",
        "maximum prompt length",
    ];

    private static readonly string[] s_refused = ["content_filter", "content_policy", "content management policy", "usage polic"];

    private static readonly string[] s_unknownModel =
    [
        "model_not_found",
        "model not found",
        "model_not_exist",
        "model not exist",
        "unknown model",
        "invalid model",
        "not a valid model",
        "no such model",
    ];

    // Google answers them with 400.
    private static readonly string[] s_wrongKey = ["api_key_invalid", "api key not valid", "api key expired"];

    /// <param name="status">Absent for an error inside a stream that had begun well.</param>
    public static ModelFailure Classify(int? status, ProviderComplaint complaint)
    {
        var said = $"{complaint.Code} {complaint.Words}";
        if (status is 402 || IsQuota(said, complaint))
        {
            return ModelFailure.QuotaExhausted;
        }

        if (Mentions(said, s_wrongKey))
        {
            return ModelFailure.Unauthorized;
        }

        if (status is 413 || (status is null or 400 or 422 or 500 && Mentions(said, s_overflow)))
        {
            return ModelFailure.ContextOverflow;
        }

        if (status is null or 400 or 403 && Mentions(said, s_refused))
        {
            return ModelFailure.ContentRefused;
        }

        if (status is null or 400 or 403 or 404 or 422 && (Mentions(said, s_unknownModel) || IsModelMissing(said)))
        {
            return ModelFailure.UnknownModel;
        }

        return status switch
        {
            401 or 403 => ModelFailure.Unauthorized,
            404 => ModelFailure.UnknownModel,
            429 => ModelFailure.RateLimited,
            408 or 425 or >= 500 => ModelFailure.Overloaded,
            not null => ModelFailure.InvalidRequest,
            null => ClassifyInStream(said),
        };
    }

    /// <summary>Google complains of an exceeded quota where a limit of the minute was reached, too; then it says which, or when to come back.</summary>
    private static bool IsQuota(string said, ProviderComplaint complaint) =>
        Mentions(complaint.Code, "PerDay")
        || (Mentions(said, s_quota) && complaint.RetryAfter is null && !Mentions(complaint.Code, "PerMinute"));

    private static ModelFailure ClassifyInStream(string said) =>
        Mentions(said, "rate_limit", "rate limit", "too many requests", "resource_exhausted", "429") ? ModelFailure.RateLimited
        : Mentions(
            said,
            "overloaded",
            "server_error",
            "api_error",
            "timeout_error",
            "unavailable",
            "slow_down",
            "502",
            "503",
            "529"
        )
            ? ModelFailure.Overloaded
        : Mentions(
            said,
            "invalid_api_key",
            "authentication",
            "unauthorized",
            "unauthenticated",
            "permission_denied",
            "permission_error"
        )
            ? ModelFailure.Unauthorized
        : Mentions(said, "invalid_request", "invalid_argument") ? ModelFailure.InvalidRequest
        : ModelFailure.StreamError;

    private static bool IsModelMissing(string said) =>
        said.Contains("does not exist", StringComparison.OrdinalIgnoreCase)
        && said.Contains("model", StringComparison.OrdinalIgnoreCase);

    private static bool Mentions(string said, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (said.Contains(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
