using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Server.Sessions;

/// <summary><c>POST /session</c>. Every member may be absent.</summary>
internal sealed record CreateSession
{
    /// <summary>The daemon's own workspace, or nothing.</summary>
    public string? Cwd { get; init; }

    /// <summary><c>single</c>: the session that everybody shares who asks for none in particular; <c>thread</c>: a new one.</summary>
    public string? SessionScope { get; init; }

    public string? ModelServiceId { get; init; }

    public string? ApprovalMode { get; init; }

    /// <summary>The id that the new session shall have: a UUID of version 1 to 5. It is one of its own, whatever the scope says.</summary>
    public string? SessionId { get; init; }
}

internal sealed record CreatedSession
{
    public required string SessionId { get; init; }
    public required string WorkspaceCwd { get; init; }
    public required bool Attached { get; init; }
    public required string ClientId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required bool HasActivePrompt { get; init; }

    /// <summary>The same for ever: event numbers never begin again.</summary>
    public required string EventEpoch { get; init; }
    public bool? ModelApplied { get; init; }
    public string? ModelError { get; init; }

    /// <summary>Of a session that was loaded.</summary>
    public SessionStateShape? State { get; init; }

    /// <summary>Empty: the event stream has the whole history, from <c>Last-Event-ID: 0</c>.</summary>
    public IReadOnlyList<JsonElement>? CompactedReplay { get; init; }
    public IReadOnlyList<JsonElement>? LiveJournal { get; init; }
    public long? LastEventId { get; init; }
    public bool? HistoryHasMore { get; init; }
}

internal sealed record RestoreSession
{
    public string? Cwd { get; init; }
    public string? ApprovalMode { get; init; }
}

internal sealed record SessionStateShape(ModelsShape Models, ModesShape Modes, IReadOnlyList<JsonElement> ConfigOptions);

internal sealed record ModelsShape(string CurrentModelId, IReadOnlyList<ModelShape> AvailableModels);

internal sealed record ModelShape(string ModelId, string Name);

internal sealed record ModesShape(string CurrentModeId, IReadOnlyList<ModeShape> AvailableModes);

internal sealed record ModeShape(string Id, string Name, string Description);

internal sealed record SessionEntry
{
    public required string SessionId { get; init; }
    public required string WorkspaceCwd { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public string? DisplayName { get; init; }
    public string? ModelId { get; init; }
    public int ClientCount { get; init; }

    /// <summary><c>idle</c>, <c>running</c>, <c>waiting</c> for a person, or <c>closed</c>.</summary>
    public required string State { get; init; }
    public bool HasActivePrompt { get; init; }
    public bool IsWaitingForPermission { get; init; }
    public bool IsWaitingForUserQuestion { get; init; }
    public int PendingInteractionCount { get; init; }
    public IReadOnlyList<PendingInteraction> PendingInteractions { get; init; } = [];
    public bool HasTurnError { get; init; }
    public TurnErrorShape? TurnError { get; init; }
    public bool IsArchived { get; init; }

    /// <summary>Why its log cannot be read.</summary>
    public string? Problem { get; init; }
}

internal sealed record PendingInteraction(
    string RequestId,
    string Kind,
    DateTimeOffset CreatedAt,
    string Title,
    IReadOnlyList<OptionShape> Options
);

internal sealed record OptionShape(string OptionId, string Label, string Kind);

internal sealed record TurnErrorShape(string Message, string Code);

internal sealed record SessionPage(IReadOnlyList<SessionEntry> Sessions, string? NextCursor);

internal sealed record SessionContextShape(int V, string SessionId, string WorkspaceCwd, SessionStateShape State);

internal sealed record SupportedCommands(
    int V,
    string SessionId,
    IReadOnlyList<JsonElement> AvailableCommands,
    IReadOnlyList<JsonElement> AvailableSkills
);

internal sealed record ContextUsage(int V, string SessionId, string ModelId, long TokensUsed);

internal sealed record ModelRequest(string? ModelId = null);

internal sealed record ModelReply(string ModelId);

internal sealed record ModeRequest(string? Mode = null, bool? Persist = null);

internal sealed record ModeReply(string SessionId, string Mode, string Previous, bool Persisted);

internal sealed record MetadataRequest(string? DisplayName = null);

internal sealed record MetadataReply(string SessionId, string? DisplayName);

internal sealed record HeartbeatReply(string SessionId, string? ClientId, long LastSeenAt, string State, long LatestEventId);

internal sealed record PromptRequest
{
    /// <summary>Content blocks of the Agent Client Protocol: text, image, resource, resource_link.</summary>
    public JsonElement? Prompt { get; init; }

    /// <summary>Sent again with the same text it changes nothing; the header <c>Idempotency-Key</c> does the same.</summary>
    public string? PromptId { get; init; }

    /// <summary>How long it may take from now on, waiting included; its turn then ends with <c>prompt_deadline_exceeded</c>.</summary>
    public long? DeadlineMs { get; init; }
}

internal sealed record PromptAccepted(string PromptId, long LastEventId, string EventEpoch);

internal sealed record PromptResult(string StopReason, string? PromptId = null);

internal sealed record PendingPrompts(IReadOnlyList<PendingPrompt> Prompts)
{
    [JsonPropertyName("pendingPrompts")]
    public IReadOnlyList<PendingPrompt> Prompts { get; init; } = Prompts;
}

internal sealed record PendingPrompt(string PromptId, string Text, long QueuedAt, string State, string? OriginatorClientId);

internal sealed record Removed([property: JsonPropertyName("removed")] bool WasRemoved);

internal sealed record SteeringRequest(string? Message = null, string? MessageId = null, JsonElement? Content = null);

internal sealed record SteeringReply(bool Accepted, string? MessageId = null, string? Reason = null);

internal sealed record SteeringMessages(
    IReadOnlyList<SteeringMessage> Messages,
    IReadOnlyList<string> SettledMessageIds,
    IReadOnlyList<string> PromotedMessageIds
);

internal sealed record SteeringMessage(string MessageId, string Text);

internal sealed record VoteRequest(JsonElement? Outcome = null, IReadOnlyDictionary<string, string>? Answers = null);

internal sealed record Nothing;

internal sealed record TranscriptPage(
    int V,
    string SessionId,
    IReadOnlyList<JsonElement> Events,
    bool HasMore,
    string? NextCursor
);

/// <summary>The JSON of the session routes.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(CreateSession))]
[JsonSerializable(typeof(CreatedSession))]
[JsonSerializable(typeof(RestoreSession))]
[JsonSerializable(typeof(SessionPage))]
[JsonSerializable(typeof(SessionEntry))]
[JsonSerializable(typeof(SessionContextShape))]
[JsonSerializable(typeof(SupportedCommands))]
[JsonSerializable(typeof(ContextUsage))]
[JsonSerializable(typeof(ModelRequest))]
[JsonSerializable(typeof(ModelReply))]
[JsonSerializable(typeof(ModeRequest))]
[JsonSerializable(typeof(ModeReply))]
[JsonSerializable(typeof(MetadataRequest))]
[JsonSerializable(typeof(MetadataReply))]
[JsonSerializable(typeof(HeartbeatReply))]
[JsonSerializable(typeof(PromptRequest))]
[JsonSerializable(typeof(PromptAccepted))]
[JsonSerializable(typeof(PromptResult))]
[JsonSerializable(typeof(PendingPrompts))]
[JsonSerializable(typeof(Removed))]
[JsonSerializable(typeof(SteeringRequest))]
[JsonSerializable(typeof(SteeringReply))]
[JsonSerializable(typeof(SteeringMessages))]
[JsonSerializable(typeof(VoteRequest))]
[JsonSerializable(typeof(Nothing))]
[JsonSerializable(typeof(TranscriptPage))]
internal sealed partial class SessionJson : JsonSerializerContext;
