using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Daemon;

/// <summary>What our words are called in the daemon protocol. Only this room and the door that speaks it know.</summary>
public static class DaemonWords
{
    /// <summary>The options of every permission request.</summary>
    public const string AllowOnce = "proceed_once";
    public const string Reject = "cancel";

    public static string Word(ApprovalMode mode) => JsonNamingPolicy.KebabCaseLower.ConvertName(mode.ToString());

    public static string Word(VotePolicy policy) => JsonNamingPolicy.KebabCaseLower.ConvertName(policy.ToString());

    public static string Word(ToolKind kind) => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    public static string Word(TodoStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    public static string Word(CallOutcome outcome) => JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString());

    /// <summary>Why the turn stopped, in the Agent Client Protocol's words; null where it is an error.</summary>
    public static string? StopReason(TurnEnded ended) =>
        ended switch
        {
            { ProcessEnded: true } or { DeadlinePassed: true } => null,
            { Outcome: TurnOutcome.Completed } => "end_turn",
            { Outcome: TurnOutcome.Interrupted } => "cancelled",
            { Outcome: TurnOutcome.LimitReached } => "max_turn_requests",
            _ => null,
        };

    /// <summary>The stable word of a turn that ended in an error.</summary>
    public static string ErrorCode(TurnEnded ended) =>
        ended.ProcessEnded ? "daemon_stopped"
        : ended.DeadlinePassed ? "prompt_deadline_exceeded"
        : JsonNamingPolicy.SnakeCaseLower.ConvertName(ended.Outcome.ToString());

    /// <summary>Names a question across all sessions and restarts.</summary>
    public static string RequestId(SessionId session, CallId call) => $"{session}.{call}";

    /// <summary>Null where that cannot name a question.</summary>
    public static (SessionId Session, CallId Call)? ParseRequestId(string id) =>
        id.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && dot < id.Length - 1
            ? (new SessionId(id[..dot]), new CallId(id[(dot + 1)..]))
            : null;

    /// <summary>The text of a prompt as a list shows it.</summary>
    public static string TextOf(IReadOnlyList<Content> content) =>
        string.Join('\n', content.OfType<TextContent>().Select(text => text.Text));
}
