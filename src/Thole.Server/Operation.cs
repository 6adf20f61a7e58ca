using System.Text.Json.Serialization.Metadata;
using Thole.Protocol;

namespace Thole.Server;

/// <summary>
/// One thing that a client may ask over HTTP: the route, who may, what goes in and what comes out. The way to a handler and the
/// OpenAPI document are both made from these.
/// </summary>
/// <param name="Path">Like <c>/session/{id}/prompt</c>; literal segments are compared exactly.</param>
/// <param name="Name">The <c>operationId</c>; stable.</param>
internal sealed record Operation(string Method, string Path, string Name, Scope Scope, string Summary)
{
    public required Func<Exchange, Task> Handle { get; init; }

    /// <summary>The JSON body; null where there is none.</summary>
    public JsonTypeInfo? Request { get; init; }

    /// <summary>The JSON answer; null where there is no content or it is not JSON.</summary>
    public JsonTypeInfo? Reply { get; init; }

    /// <summary>What every reply begins with; null where the JSON answer is all there is.</summary>
    public ReplyHead? Head { get; init; }

    /// <summary>
    /// Members that clients of the daemon protocol may send and that we do nothing for. Passed over they would look as if they had been
    /// heeded, so they are refused; null and false ask for nothing.
    /// </summary>
    public IReadOnlyList<UnsupportedMember> Unsupported { get; init; } = [];

    public int Status { get; init; } = 200;

    /// <summary>A second good status, where the reply tells two cases apart.</summary>
    public int? OtherStatus { get; init; }

    public ReplyKind Kind { get; init; }

    /// <summary>What an answer of <see cref="ReplyKind.Bytes"/> may be.</summary>
    public IReadOnlyList<string> MediaTypes { get; init; } = ["application/octet-stream"];

    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    /// <summary>Statuses beyond 400, 401, 403, 404, 413, 415, 429 and 500, which any operation may answer with.</summary>
    public IReadOnlyList<int> Errors { get; init; } = [];

    /// <summary>Asks for no token, but only while the request has no query: the bare health probe.</summary>
    public bool IsAnonymous { get; init; }

    /// <summary>The body is not JSON but bytes that the handler reads itself, at most so many.</summary>
    public long? RawBodyLimit { get; init; }

    public RateTier Tier
    {
        get =>
            _tier
            ?? (
                Kind is ReplyKind.EventStream ? RateTier.Exempt
                : Method is "GET" ? RateTier.Read
                : RateTier.Mutation
            );
        init => _tier = value;
    }

    private readonly RateTier? _tier;
}

/// <param name="Sentence">Why it is refused, and the cure.</param>
internal sealed record UnsupportedMember(string Name, string Sentence);

internal enum ReplyKind
{
    Json,
    None,
    EventStream,
    Bytes,
}

internal enum RateTier
{
    Prompt,
    Mutation,
    Read,
    Exempt,
}

/// <summary>Where a parameter stands.</summary>
internal enum ParameterPlace
{
    Query,
    Header,
}

/// <summary>A parameter beside the path; one that does not fit is answered before the handler is asked.</summary>
internal sealed record Parameter(ParameterPlace Place, string Name, string Description)
{
    public ParameterType Type { get; init; }

    public bool IsRequired { get; init; }

    public long? Least { get; init; }

    public long? Most { get; init; }

    /// <summary>The longest text.</summary>
    public int? Length { get; init; }

    /// <summary>The words it may be; empty for any.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>The code of the answer to one that does not fit; null for <c>invalid_parameter</c>.</summary>
    public string? Code { get; init; }
}

internal enum ParameterType
{
    Text,
    Integer,
    Flag,
}
