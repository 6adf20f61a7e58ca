using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>What sort of deed a call is: the Agent Client Protocol's own list, so that no client switches on a tool's name.</summary>
[JsonConverter(typeof(SnakeCaseEnum<ToolKind>))]
public enum ToolKind
{
    Other,
    Read,
    Edit,
    Delete,
    Move,
    Search,
    Execute,
    Think,
    Fetch,
    SwitchMode,
}

/// <summary>
/// A model asks for a tool. <paramref name="Arguments"/> is the text as the model wrote it, which may not be JSON at all;
/// <paramref name="ProviderId"/> is the provider's own id of the call, echoed to it and to nobody else.
/// </summary>
public sealed record ToolCall(CallId Id, string Tool, string Arguments, string? ProviderId = null);

/// <summary>What the model is told about its call, and what a screen may draw. A failed call is an answer, not an exception.</summary>
public sealed record ToolResult
{
    /// <summary>What the model reads. Never null; may be cut, then <see cref="FullText"/> names the whole.</summary>
    public required string Text { get; init; }

    /// <summary>Absent on success; else a stable word of <see cref="ToolErrors"/>, for hooks, screens and scripts.</summary>
    public string? Error { get; init; }

    /// <summary>Images the model is shown beside the text.</summary>
    public IReadOnlyList<ImageContent> Images { get; init; } = [];

    /// <summary>What a screen may draw: diffs, terminals. The model does not see it.</summary>
    public IReadOnlyList<Content> Display { get; init; } = [];

    /// <summary>The whole output, where <see cref="Text"/> is only its head and tail.</summary>
    public BlobId? FullText { get; init; }

    /// <summary>Facts that the call established beyond its answer (files seen, todos changed); recorded with its completion.</summary>
    [JsonIgnore]
    public IReadOnlyList<SessionEvent> Facts { get; init; } = [];

    [JsonIgnore]
    public bool IsError => Error is not null;

    public static ToolResult Ok(string text) => new() { Text = text };

    /// <param name="error">A word of <see cref="ToolErrors"/>.</param>
    /// <param name="text">One clear sentence for the model that names the cure.</param>
    public static ToolResult Failed(string error, string text) => new() { Text = text, Error = error };
}

/// <summary>The stable words for failed calls; the names users of such products know (docs/vocabulary.md).</summary>
public static class ToolErrors
{
    public const string UnknownTool = "tool_not_registered";
    public const string InvalidArguments = "invalid_tool_params";
    public const string PermissionDenied = "permission_denied";
    public const string Failed = "execution_failed";
    public const string Timeout = "execution_timeout";
    public const string Interrupted = "interrupted";
    public const string Unknown = "outcome_unknown";
    public const string OutsideWorkspace = "outside_workspace";
    public const string FileNotFound = "file_not_found";
    public const string FileTooLarge = "file_too_large";
    public const string IsDirectory = "target_is_directory";
    public const string NotRegularFile = "target_not_regular_file";
    public const string ReadFailed = "read_content_failure";
    public const string WriteFailed = "file_write_failure";
    public const string NoSpace = "no_space_left";
    public const string AlreadyExists = "attempt_to_create_existing_file";
    public const string NoOccurrence = "edit_no_occurrence_found";
    public const string OccurrenceMismatch = "edit_expected_occurrence_mismatch";
    public const string NoChange = "edit_no_change";
    public const string RequiresRead = "edit_requires_prior_read";
    public const string ChangedSinceRead = "file_changed_since_read";
    public const string PatchRejected = "patch_rejected";
    public const string GrepFailed = "grep_execution_error";
    public const string GlobFailed = "glob_execution_error";
    public const string ShellFailed = "shell_execute_error";
    public const string NotebookInvalid = "notebook_invalid_json";
    public const string FetchFailed = "web_fetch_failed";
    public const string FetchRefused = "web_fetch_refused";
    public const string NobodyToAsk = "nobody_to_ask";
}

/// <summary>How a call ended.</summary>
[JsonConverter(typeof(SnakeCaseEnum<CallOutcome>))]
public enum CallOutcome
{
    /// <summary>The tool did what was asked.</summary>
    Succeeded,

    /// <summary>The tool ran, or looked at its arguments, and said no.</summary>
    Failed,

    /// <summary>It was not permitted and did not run.</summary>
    Refused,

    /// <summary>It was stopped; what it had done by then is done.</summary>
    Interrupted,

    /// <summary>It never started: the turn ended first.</summary>
    NotStarted,

    /// <summary>The process died after it had started: whether it took effect is not known, and it is not repeated.</summary>
    Unknown,
}

/// <summary>One entry of the agent's own list of what is to be done.</summary>
public sealed record Todo(string Id, string Content, TodoStatus Status);

[JsonConverter(typeof(SnakeCaseEnum<TodoStatus>))]
public enum TodoStatus
{
    Pending,
    InProgress,
    Completed,
}
