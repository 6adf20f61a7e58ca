using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Protocol;

namespace Thole.Core.Models;

/// <summary>
/// What a turn leaves in the context. <see cref="Sequence"/> is the number of the event that completed it, by which a
/// compaction says what it kept.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "item")]
[JsonDerivedType(typeof(UserItem), "user")]
[JsonDerivedType(typeof(NoteItem), "note")]
[JsonDerivedType(typeof(AssistantItem), "assistant")]
[JsonDerivedType(typeof(ResultItem), "result")]
public abstract record ContextItem(long Sequence);

/// <summary>A prompt of a person.</summary>
public sealed record UserItem(long Sequence, IReadOnlyList<Content> Content) : ContextItem(Sequence);

/// <summary>Something the runtime adds in the user's place: instructions found on the way, a summary, a notice.</summary>
public sealed record NoteItem(long Sequence, string Source, string Text) : ContextItem(Sequence);

/// <summary>What the model said in one step, and what it asked for.</summary>
public sealed record AssistantItem(
    long Sequence,
    string Text,
    string Reasoning,
    IReadOnlyList<ToolCall> Calls,
    string Model,
    JsonElement? ProviderData
) : ContextItem(Sequence);

/// <summary>The answer to one call. Every call of an <see cref="AssistantItem"/> has one before the next request.</summary>
public sealed record ResultItem(
    long Sequence,
    CallId Call,
    string? ProviderId,
    string Tool,
    CallOutcome Outcome,
    ToolResult Result
) : ContextItem(Sequence);
