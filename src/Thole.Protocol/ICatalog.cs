using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>Questions that change no session. Derived data: it can be deleted and is rebuilt from the logs.</summary>
public interface ICatalog
{
    /// <summary>Newest first; only those of <paramref name="workspace"/> where it is given.</summary>
    ValueTask<IReadOnlyList<SessionSummary>> ListAsync(string? workspace, int limit, CancellationToken cancellationToken);

    /// <summary>The session with that id, or the only one whose id begins so; null where there is none.</summary>
    /// <exception cref="RefusedException"><c>session_ambiguous</c>: several begin so.</exception>
    ValueTask<SessionSummary?> FindAsync(string idOrPrefix, CancellationToken cancellationToken);

    /// <summary>Sessions in which all <paramref name="words"/> were said, newest first, with the place.</summary>
    ValueTask<IReadOnlyList<SearchHit>> SearchAsync(string words, int limit, CancellationToken cancellationToken);

    /// <summary>The events of a session, open elsewhere or not, after <paramref name="after"/>.</summary>
    IAsyncEnumerable<Envelope> ReadAsync(SessionId session, long after, CancellationToken cancellationToken);

    /// <summary>The bytes of a blob; null where the session has none of that name.</summary>
    ValueTask<byte[]?> ReadBlobAsync(SessionId session, BlobId blob, CancellationToken cancellationToken);

    /// <summary>Recomputes the hash chain and every blob.</summary>
    ValueTask<VerifyReport> VerifyAsync(SessionId session, CancellationToken cancellationToken);

    /// <exception cref="RefusedException"><c>session_in_use</c>: another process has it open.</exception>
    ValueTask DeleteAsync(SessionId session, CancellationToken cancellationToken);
}

/// <summary>
/// One session in a list. <paramref name="Problem"/> says why its log cannot be read; it hides no other. With <paramref name="IsUnfinished"/>
/// a turn has not ended, or something that was accepted has not begun.
/// </summary>
public sealed record SessionSummary(
    SessionId Id,
    string Workspace,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Title,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Model,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    int Turns,
    long Bytes,
    string? Problem = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsUnfinished = false
);

public sealed record SearchHit(SessionId Session, long Sequence, string Excerpt);

/// <summary>
/// What an examination of a log found. <paramref name="Head"/> is the hash of the newest event, to be compared with one noted
/// elsewhere: a chain alone cannot show that its end was cut off. <paramref name="Problems"/> is empty where all is well.
/// </summary>
public sealed record VerifyReport(
    SessionId Session,
    long Events,
    long Blobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Head,
    IReadOnlyList<string> Problems
)
{
    [JsonIgnore]
    public bool IsIntact => Problems is [];
}
