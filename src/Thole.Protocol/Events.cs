using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>What happened. Past tense; never edited, never taken back.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(SessionOpened), "session_opened")]
[JsonDerivedType(typeof(ModelSelected), "model_selected")]
[JsonDerivedType(typeof(ApprovalModeSelected), "approval_mode_selected")]
[JsonDerivedType(typeof(PromptQueued), "prompt_queued")]
[JsonDerivedType(typeof(TurnStarted), "turn_started")]
[JsonDerivedType(typeof(ContextAdded), "context_added")]
[JsonDerivedType(typeof(StepStarted), "step_started")]
[JsonDerivedType(typeof(TextPiece), "text_piece")]
[JsonDerivedType(typeof(ReasoningPiece), "reasoning_piece")]
[JsonDerivedType(typeof(AttemptFailed), "attempt_failed")]
[JsonDerivedType(typeof(MessageCompleted), "message_completed")]
[JsonDerivedType(typeof(CallRequested), "call_requested")]
[JsonDerivedType(typeof(PermissionRequested), "permission_requested")]
[JsonDerivedType(typeof(PermissionAnswered), "permission_answered")]
[JsonDerivedType(typeof(CallStarted), "call_started")]
[JsonDerivedType(typeof(CallCompleted), "call_completed")]
[JsonDerivedType(typeof(FileSeen), "file_seen")]
[JsonDerivedType(typeof(TodosChanged), "todos_changed")]
[JsonDerivedType(typeof(ContextCompacted), "context_compacted")]
[JsonDerivedType(typeof(CompactionFailed), "compaction_failed")]
[JsonDerivedType(typeof(MediaDescribed), "media_described")]
[JsonDerivedType(typeof(MediaLeftOut), "media_left_out")]
[JsonDerivedType(typeof(InterruptRequested), "interrupt_requested")]
[JsonDerivedType(typeof(TurnEnded), "turn_ended")]
[JsonDerivedType(typeof(LogRecovered), "log_recovered")]
[JsonDerivedType(typeof(PromptWithdrawn), "prompt_withdrawn")]
[JsonDerivedType(typeof(SteeringReceived), "steering_received")]
[JsonDerivedType(typeof(SteeringTaken), "steering_taken")]
[JsonDerivedType(typeof(PermissionVoted), "permission_voted")]
[JsonDerivedType(typeof(VoteRefused), "vote_refused")]
[JsonDerivedType(typeof(SessionRenamed), "session_renamed")]
[JsonDerivedType(typeof(SessionClosed), "session_closed")]
[JsonDerivedType(typeof(SessionReopened), "session_reopened")]
public abstract record SessionEvent;

/// <summary>
/// The first event of every log. <paramref name="Workspace"/> is the absolute path of the root; <paramref name="Granted"/> is that of the
/// mode, as in <see cref="ApprovalModeSelected"/>.
/// </summary>
public sealed record SessionOpened(
    SessionId Session,
    string Workspace,
    string Model,
    ApprovalMode ApprovalMode,
    string Version,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Granted = false
) : SessionEvent;

public sealed record ModelSelected(string Model) : SessionEvent;

/// <summary>
/// Another mode judges from here on. <paramref name="Granted"/>: whoever chose it may approve what it no longer asks. One that was not, and
/// asks less than the process that opens the session, is taken back by the runtime.
/// </summary>
public sealed record ApprovalModeSelected(
    ApprovalMode Mode,
    ApprovalMode? Previous = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Granted = false
) : SessionEvent;

/// <summary>The prompt is accepted and waits for the active turn to end.</summary>
public sealed record PromptQueued(PromptId Prompt, IReadOnlyList<Content> Content) : SessionEvent
{
    /// <inheritdoc cref="Thole.Protocol.Prompt.Deadline"/>
    public DateTimeOffset? Deadline { get; init; }
}

/// <summary><paramref name="QueuedAt"/> is absent where the prompt did not have to wait.</summary>
public sealed record TurnStarted(TurnId Turn, PromptId Prompt, IReadOnlyList<Content> Content, DateTimeOffset? QueuedAt = null)
    : SessionEvent
{
    /// <inheritdoc cref="Thole.Protocol.Prompt.Deadline"/>
    public DateTimeOffset? Deadline { get; init; }
}

/// <summary>A prompt, or a steering message, was taken back before anything came of it.</summary>
public sealed record PromptWithdrawn(PromptId Prompt) : SessionEvent;

/// <summary>The message is accepted and waits for the next step of the turn.</summary>
public sealed record SteeringReceived(PromptId Prompt, IReadOnlyList<Content> Content) : SessionEvent;

/// <summary>From the next step on the model is shown these messages, in this order.</summary>
public sealed record SteeringTaken(TurnId Turn, IReadOnlyList<SteeringReceived> Messages) : SessionEvent;

/// <summary>
/// The model is shown this text from now on. <paramref name="Source"/> says where it came from: <c>system_prompt</c>,
/// <c>environment</c>, or the path of an instruction file relative to the workspace.
/// </summary>
/// <param name="Touches">The files it was made of, as in <see cref="CallRequested"/>; absent where it was made of none.</param>
public sealed record ContextAdded(string Source, string Text, IReadOnlyList<string>? Touches = null) : SessionEvent;

/// <summary>
/// A model request goes out. <paramref name="Step"/> counts from 1 within the turn. <paramref name="Route"/> says why it is not the
/// session's model that is asked, where it is not.
/// </summary>
public sealed record StepStarted(TurnId Turn, int Step, string Model, string? Route = null) : SessionEvent;

/// <summary>Streamed text, coalesced. The finished message is the sum of its pieces and is not stored twice.</summary>
public sealed record TextPiece(string Text) : SessionEvent;

/// <summary>Streamed reasoning, coalesced.</summary>
public sealed record ReasoningPiece(string Text) : SessionEvent;

/// <summary>
/// A request failed. The pieces since <see cref="StepStarted"/> are void: readers drop them. With <paramref name="RetryIn"/>
/// the step is tried again after that time; without it the turn ends. <paramref name="Raw"/> keeps the bytes of the broken stream.
/// <paramref name="Next"/> is the model that is asked then, where it is another one.
/// </summary>
public sealed record AttemptFailed(
    string Error,
    string Message,
    int Attempt,
    TimeSpan? RetryIn = null,
    BlobId? Raw = null,
    string? Next = null
) : SessionEvent;

/// <summary>
/// The model has said all of this step. Its text and reasoning are the pieces since <see cref="StepStarted"/>.
/// <paramref name="ProviderData"/> is what the wire wants echoed (signatures), opaque to everybody else.
/// </summary>
public sealed record MessageCompleted(string Stop, Usage Usage, JsonElement? ProviderData = null) : SessionEvent;

/// <summary>With a <paramref name="Problem"/> it came damaged and must not run: the sentence is its result.</summary>
/// <param name="Touches">
/// What it reads or writes, from the workspace where it lies in it: a path, <c>folder/*</c> for the names in a folder,
/// <c>folder/**</c> for all that is below it, <c>**</c> where nobody can know. Absent in logs of before this was written.
/// </param>
public sealed record CallRequested(
    ToolCall Call,
    ToolKind Kind,
    string Title,
    string? Problem = null,
    IReadOnlyList<string>? Touches = null
) : SessionEvent;

/// <summary>
/// The call waits for a person. <paramref name="Questions"/> is empty where the question is only: may it run? Without an
/// <paramref name="Election"/> the first answer decides.
/// </summary>
public sealed record PermissionRequested(
    CallId Call,
    string Question,
    IReadOnlyList<Question> Questions,
    Election? Election = null
) : SessionEvent;

/// <summary>
/// A vote was counted and does not decide yet; an identity has one. The actor of its envelope cast it; the numbers are those of all votes so far.
/// </summary>
public sealed record PermissionVoted(CallId Call, bool Allow, int Allowing, int Refusing, int Quorum) : SessionEvent;

/// <summary>
/// A vote that is not counted, because whoever cast it may not decide this question or has voted otherwise before.
/// <paramref name="Reason"/> is <c>designated_mismatch</c>, <c>remote_not_allowed</c>, <c>not_a_voter</c> or <c>already_voted</c>.
/// </summary>
public sealed record VoteRefused(CallId Call, bool Allow, string Reason) : SessionEvent;

/// <summary>The question is settled; the actor of its envelope cast the vote that decided. Where it was taken away, it <paramref name="Cancelled"/>.</summary>
public sealed record PermissionAnswered(
    CallId Call,
    bool Allow,
    IReadOnlyList<string> Answers,
    string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Cancelled = false
) : SessionEvent;

/// <summary>The intent: durable before the call has any effect. A log that ends here does not know how the call ended.</summary>
public sealed record CallStarted(CallId Call) : SessionEvent;

public sealed record CallCompleted(CallId Call, CallOutcome Outcome, ToolResult Result) : SessionEvent;

/// <summary>
/// The agent knows this state of a file: it read it, or wrote it. <paramref name="Lines"/> are the ranges shown
/// (first and last, from 1), null for all; <paramref name="Hash"/> is the SHA-256 of the bytes, null where the file is gone.
/// </summary>
public sealed record FileSeen(string Path, string? Hash = null, IReadOnlyList<LineRange>? Lines = null) : SessionEvent;

public sealed record TodosChanged(IReadOnlyList<Todo> Todos) : SessionEvent;

/// <summary>
/// From here on the model is shown <paramref name="Summary"/> in place of every item before <paramref name="KeepFrom"/>,
/// a number of this log. The log keeps everything.
/// </summary>
public sealed record ContextCompacted(string Summary, long KeepFrom, Usage Usage) : SessionEvent;

public sealed record CompactionFailed(string Message) : SessionEvent;

/// <summary>Another model said what an image or a file shows, for models that do not take it.</summary>
/// <param name="Model"><c>provider/model</c> of who said it.</param>
public sealed record MediaDescribed(BlobId Blob, string MediaType, string Text, string Model, Usage Usage) : SessionEvent;

/// <summary>The model was not shown an image or a file, and nobody could say what it shows. <paramref name="Message"/> says why, and the cure.</summary>
public sealed record MediaLeftOut(BlobId Blob, string MediaType, string Message) : SessionEvent;

public sealed record InterruptRequested(TurnId Turn, PromptId? Prompt = null) : SessionEvent;

/// <summary>
/// Written when nothing of the turn is still running, and not before. <paramref name="Message"/> says why, unless completed;
/// <paramref name="Prompt"/> is the one that began it, <paramref name="HadWaited"/> whether it had to wait. With
/// <paramref name="ProcessEnded"/> nobody asked for the end: the process was stopped, or died. With <paramref name="DeadlinePassed"/> the
/// limit that was reached is the time that the prompt was given.
/// </summary>
public sealed record TurnEnded(
    TurnId Turn,
    TurnOutcome Outcome,
    string? Message = null,
    PromptId? Prompt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool HadWaited = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ProcessEnded = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool DeadlinePassed = false
) : SessionEvent;

public sealed record SessionRenamed(string? Name = null) : SessionEvent;

/// <summary>It takes no prompt until it is reopened; its log stays.</summary>
public sealed record SessionClosed : SessionEvent;

public sealed record SessionReopened : SessionEvent;

/// <summary>
/// The log was opened after an unclean stop of the machine, or was salvaged. Numbers between <paramref name="After"/> and this
/// event were never used, or were lost; <paramref name="Message"/> says which.
/// </summary>
public sealed record LogRecovered(long After, string Message) : SessionEvent;

/// <summary>An event of a newer version: kept as it is, passed over by state, shown as JSON.</summary>
public sealed record UnknownEvent(string Type, int Version, JsonElement Payload) : SessionEvent;

/// <summary>An event with its place in the log. The number is the SSE id and the resume cursor.</summary>
public sealed record Envelope(long Sequence, DateTimeOffset At, Actor Actor, SessionEvent Event);

[JsonConverter(typeof(SnakeCaseEnum<TurnOutcome>))]
public enum TurnOutcome
{
    /// <summary>The model asked for nothing more.</summary>
    Completed,

    /// <summary>A client asked for the end, or the process died.</summary>
    Interrupted,

    /// <summary>The provider could not be made to answer.</summary>
    ProviderFailed,

    /// <summary>The provider did not accept our key, or there is none.</summary>
    Unauthorized,

    /// <summary>A limit was reached: steps, context window, calls that make no progress, or the time that its prompt was given.</summary>
    LimitReached,

    /// <summary>A defect of ours.</summary>
    Failed,

    /// <summary>
    /// A budget lets no further request through: it is spent, or cannot be kept because nobody told what the model costs. Nothing is
    /// lost, and the next prompt goes on once there is more of it.
    /// </summary>
    BudgetExhausted,
}

/// <summary>
/// Tokens of one request as the provider counted them; null where it did not say. Those read from a cache, and those written to one,
/// are among the input; those of reasoning among the output.
/// </summary>
public sealed record Usage(
    long? InputTokens = null,
    long? OutputTokens = null,
    long? CachedTokens = null,
    long? ReasoningTokens = null,
    long? CacheWriteTokens = null
);

/// <summary>Lines <paramref name="First"/> to <paramref name="Last"/>, both counted from 1 and both included.</summary>
public readonly record struct LineRange(int First, int Last);

/// <summary>A question with its choices; the person may also type an answer of their own.</summary>
public sealed record Question(string Header, string Text, IReadOnlyList<Choice> Choices, bool MultiSelect = false);

public sealed record Choice(string Label, string Description);
