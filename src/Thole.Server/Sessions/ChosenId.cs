using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>The id of a new session, where its client chooses it.</summary>
internal static class ChosenId
{
    /// <summary>In lower case, as every id of ours is: on some disks two that differ in case are one.</summary>
    /// <exception cref="ProblemException"><c>invalid_session_id</c>.</exception>
    public static SessionId? Read(string? text) =>
        text is null ? null
        : Guid.TryParseExact(text, "d", out var id) && id is { Version: >= 1 and <= 5, Variant: >= 8 and <= 11 }
            ? new SessionId(id.ToString("d"))
        : throw new ProblemException(
            400,
            "invalid_session_id",
            "`sessionId` is a UUID of version 1 to 5; leave it out to get one that is free."
        );
}
