using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Protocol;

namespace Thole.Client;

/// <summary>An answer that is not what was asked for: the daemon's code and sentence, or what is known where another answered for it.</summary>
internal sealed record Refusal(HttpStatusCode Status, string Code, string Sentence, TimeSpan? RetryAfter)
{
    /// <summary>It was not done, and the answer says when to come back.</summary>
    public bool AsksToComeBack =>
        Status is HttpStatusCode.RequestTimeout
        || Code is "session_closed" // the runtime behind the daemon is ending; a session that a client closed is another word
        || (Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable && RetryAfter is not null);

    /// <summary>Another answered in the daemon's place, and does not know what became of the request.</summary>
    public bool IsOfGateway => Status is HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;

    /// <summary>Waiting does not help.</summary>
    public bool IsFinal =>
        (int)Status < 500
        && Status
            is not (
                HttpStatusCode.RequestTimeout
                or HttpStatusCode.Conflict
                or (HttpStatusCode)425
                or HttpStatusCode.TooManyRequests
            );

    public static async Task<Refusal> ReadAsync(
        HttpResponseMessage response,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var retryAfter = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        var number = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        return Parse(body) is { Error: { } sentence } told
            ? new Refusal(response.StatusCode, told.Code ?? $"http_{number}", sentence, retryAfter)
            : new Refusal(
                response.StatusCode,
                $"http_{number}",
                $"The answer is {number} {response.ReasonPhrase}, which no daemon of ours says; is the address right?",
                retryAfter
            );
    }

    public RefusedException ToException() => new(Code, Sentence);

    private static Problem? Parse(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ClientJson.Default.Problem);
        }
        catch (JsonException)
        {
            return null; // a gateway's page, or something else that is no daemon
        }
    }
}

/// <summary>The one shape of an error.</summary>
internal sealed record Problem(string? Error = null, string? Code = null);

/// <summary>Asks for a session: a known one by its id, else a new one.</summary>
/// <param name="Workspace">Must be the daemon's own, where it is given.</param>
/// <param name="Session">Null for a new one, to which the rest applies.</param>
/// <param name="Model">Null for the daemon's own.</param>
/// <param name="ApprovalMode">Null for the daemon's own.</param>
/// <param name="NewSession">The id of a new one; null for one that is free.</param>
internal sealed record OpenRequest(
    string? Workspace = null,
    SessionId? Session = null,
    string? Model = null,
    ApprovalMode? ApprovalMode = null,
    SessionId? NewSession = null
);

internal sealed record StoredBlob(BlobId Blob);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(OpenRequest))]
[JsonSerializable(typeof(StoredBlob))]
internal sealed partial class ClientJson : JsonSerializerContext;
