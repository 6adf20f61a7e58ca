using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>What a client asks of a session. Imperative mood; may be refused.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Prompt), "prompt")]
[JsonDerivedType(typeof(Interrupt), "interrupt")]
[JsonDerivedType(typeof(AnswerPermission), "answer_permission")]
[JsonDerivedType(typeof(SelectModel), "select_model")]
[JsonDerivedType(typeof(SelectApprovalMode), "select_approval_mode")]
public abstract record Command;

/// <summary>Starts a turn, or waits its place behind the active one.</summary>
public sealed record Prompt(PromptId Id, IReadOnlyList<Content> Content) : Command;

/// <summary>Stops that turn and no other: a late interrupt must not kill its successor.</summary>
public sealed record Interrupt(TurnId Turn) : Command;

/// <summary>
/// Answers the open question of a call. <paramref name="Answers"/> holds what the person chose or typed where the call
/// asked the person (one text a question, in order); otherwise it is empty. <paramref name="Reason"/> tells the model why not.
/// </summary>
public sealed record AnswerPermission(CallId Call, bool Allow, IReadOnlyList<string> Answers, string? Reason = null) : Command;

/// <summary>From the next step on this model thinks. <paramref name="Model"/> is <c>provider/model</c>.</summary>
public sealed record SelectModel(string Model) : Command;

/// <summary>From the next call on this mode judges.</summary>
public sealed record SelectApprovalMode(ApprovalMode Mode) : Command;

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
