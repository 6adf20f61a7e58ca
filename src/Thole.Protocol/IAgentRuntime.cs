namespace Thole.Protocol;

/// <summary>
/// The one door. Every client — terminal, HTTP, editor, web page — enters here,
/// in this process or through the wire, and sees the same thing.
/// </summary>
public interface IAgentRuntime
{
    /// <summary>Opens a new session, or an existing one where <see cref="OpenSession.Session"/> names it.</summary>
    /// <exception cref="RefusedException">
    /// There is no such session, it belongs to another workspace, or another process has it; or there is one of the id that a new one shall
    /// have (<c>session_conflict</c>).
    /// </exception>
    ValueTask<SessionId> OpenSessionAsync(OpenSession request, CancellationToken cancellationToken);

    /// <summary>Returns once the command is decided and its consequences are durable in the log.</summary>
    /// <exception cref="RefusedException">The session is not open, or can no longer be written.</exception>
    ValueTask<Receipt> SubmitAsync(SessionId session, Command command, Actor actor, CancellationToken cancellationToken);

    /// <summary>Everything after <paramref name="after"/>, then whatever follows. Loses nothing; may be left at any time.</summary>
    IAsyncEnumerable<Envelope> ReadAsync(SessionId session, long after, CancellationToken cancellationToken);
}

/// <summary>Which session, on which directory tree, with which defaults where it is new.</summary>
public sealed record OpenSession
{
    /// <summary>The root: an absolute path of a directory.</summary>
    public required string Workspace { get; init; }

    /// <summary>An existing session; null for a new one.</summary>
    public SessionId? Session { get; init; }

    /// <summary>The id that a new session shall have, where its client chooses one; it must be free.</summary>
    public SessionId? NewSession { get; init; }

    /// <summary><c>provider/model</c> for a new session.</summary>
    public required string Model { get; init; }

    public ApprovalMode ApprovalMode { get; init; }
}

/// <summary>
/// What became of a command. <paramref name="Sequence"/> is the number of the last event it caused, or of the newest event
/// where it came too late to cause any; <paramref name="Turn"/> is the turn it started, if it did. <paramref name="First"/> is
/// the number of the first event it caused, or caused when it was sent the first time; 0 where there is none.
/// <paramref name="Refusal"/> is set where the command was recorded and not counted: the reason of <see cref="VoteRefused"/>.
/// </summary>
public readonly record struct Receipt(long Sequence, TurnId? Turn, long First = 0, string? Refusal = null);

/// <summary>The client asked for what cannot be. Nothing was logged; the message names the cure.</summary>
public sealed class RefusedException(string reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>A stable word: <c>session_not_found</c>, <c>session_in_use</c>, <c>workspace_mismatch</c>, <c>session_unwritable</c>, …</summary>
    public string Reason { get; } = reason;
}
