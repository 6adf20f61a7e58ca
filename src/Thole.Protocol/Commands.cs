using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>What a client asks of a session. Imperative mood; may be refused.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Prompt), "prompt")]
[JsonDerivedType(typeof(Interrupt), "interrupt")]
[JsonDerivedType(typeof(AnswerPermission), "answer_permission")]
[JsonDerivedType(typeof(SelectModel), "select_model")]
[JsonDerivedType(typeof(SelectApprovalMode), "select_approval_mode")]
[JsonDerivedType(typeof(Steer), "steer")]
[JsonDerivedType(typeof(Withdraw), "withdraw")]
[JsonDerivedType(typeof(RenameSession), "rename_session")]
[JsonDerivedType(typeof(CloseSession), "close_session")]
[JsonDerivedType(typeof(ReopenSession), "reopen_session")]
public abstract record Command;

/// <summary>
/// Starts a turn, or waits its place behind the active one. Sent again with the same id and content it changes nothing; with the
/// same id and other content it is refused (<c>prompt_conflict</c>), and so is one more than may wait (<c>prompt_queue_full</c>).
/// </summary>
public sealed record Prompt(PromptId Id, IReadOnlyList<Content> Content) : Command
{
    /// <summary>
    /// When its turn must have ended, by the runtime's clock: one that runs then is stopped, and one that has waited too long ends as soon as it
    /// begins. Null for no such time. A prompt that is sent again keeps the deadline it had.
    /// </summary>
    public DateTimeOffset? Deadline { get; init; }
}

/// <summary>
/// Tells the model this before its next step, while a turn runs. Where none runs, or the turn ends first, it becomes a prompt.
/// </summary>
public sealed record Steer(PromptId Id, IReadOnlyList<Content> Content) : Command;

/// <summary>Takes back a prompt or a steering message that still waits.</summary>
public sealed record Withdraw(PromptId Id) : Command;

/// <summary>Stops that turn and no other: a late interrupt must not kill its successor.</summary>
public sealed record Interrupt(TurnId Turn) : Command;

/// <summary>
/// Answers the open question of a call. <paramref name="Answers"/> holds what the person chose or typed where the call
/// asked the person (one text a question, in order); otherwise it is empty. <paramref name="Reason"/> tells the model why not.
/// Where the request is an election, it is a vote. <paramref name="Cancels"/> takes the question itself away, whatever the
/// election: with it <paramref name="Allow"/> is false. <paramref name="FromAfar"/> is set by the door, never by the client: it came
/// from another machine.
/// </summary>
public sealed record AnswerPermission(
    CallId Call,
    bool Allow,
    IReadOnlyList<string> Answers,
    string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Cancels = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool FromAfar = false
) : Command;

/// <summary>From the next step on this model thinks. <paramref name="Model"/> is <c>provider/model</c>.</summary>
public sealed record SelectModel(string Model) : Command;

/// <summary>From the next call on this mode judges.</summary>
public sealed record SelectApprovalMode(ApprovalMode Mode) : Command;

/// <summary>A name that people know the session by; null for the one made from its first prompt. At most 256 characters.</summary>
public sealed record RenameSession(string? Name = null) : Command;

/// <summary>
/// Ends the session's work: what waits is withdrawn, what runs is interrupted, and it takes no prompt until it is reopened. Its log stays.
/// </summary>
public sealed record CloseSession : Command;

public sealed record ReopenSession : Command;

/// <summary>How much may be done without a question.</summary>
[JsonConverter(typeof(KebabCaseEnum<ApprovalMode>))]
public enum ApprovalMode
{
    /// <summary>Reading and searching; asks before it edits, executes or fetches.</summary>
    Default,

    /// <summary>Reading and searching only; everything else is refused.</summary>
    Plan,

    /// <summary>As <see cref="Default"/>, and files of the workspace are edited without a question.</summary>
    AutoEdit,

    /// <summary>No questions.</summary>
    Yolo,
}
