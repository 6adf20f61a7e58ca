using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Tests;

/// <summary>How recorded streams of one protocol are asked for, and how its own words are ours.</summary>
internal abstract class RecordedWire(string protocol, Provider provider)
{
    /// <summary>All that the manifest knows.</summary>
    public static IReadOnlyList<RecordedWire> All { get; } =
    [
        new RecordedChat("openai-chat"),
        new RecordedChat("openai-completions"),
        new RecordedResponses(),
        new RecordedMessages(),
        new RecordedGemini(),
    ];

    /// <summary>As the manifest calls it.</summary>
    public string Protocol { get; } = protocol;

    public Asking Asking { get; } = new(provider);

    /// <summary>Texts, one of which must be there before an answer can be whole.</summary>
    public abstract IReadOnlyList<string> EndSigns { get; }

    /// <summary>What the last event holds to its end, beyond which nothing can be lost.</summary>
    public abstract string LastSign { get; }

    public abstract Usage Usage(JsonElement expected);

    public abstract StopReason Stop(string? expected);

    /// <summary>What should have become of the calls, where the manifest's own account of them is not what a call is to us.</summary>
    public virtual IReadOnlyList<RecordedCall> Calls(IReadOnlyList<RecordedCall> expected, byte[] stream) => expected;

    /// <summary>Arguments as they are compared: with the text that came, or with what it means.</summary>
    public virtual string? Arguments(string? text) => text;

    /// <summary>Whether an answer is whole that has come so far, although more was recorded.</summary>
    public virtual bool IsEnded(string before) => false;

    protected static long? Number(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var number)
            ? number.GetInt64()
            : null;

    protected static JsonElement? Child(JsonElement parent, string name) =>
        parent.ValueKind is JsonValueKind.Object && parent.TryGetProperty(name, out var child) ? child : null;

    private sealed class RecordedChat(string protocol) : RecordedWire(protocol, OpenAIProvider.Definition)
    {
        public override IReadOnlyList<string> EndSigns => ["\"finish_reason\":\"", "\"finish_reason\": \"", "[DONE]"];

        public override string LastSign => "[DONE]";

        public override Usage Usage(JsonElement expected) =>
            new(
                Number(expected, "prompt_tokens"),
                Number(expected, "completion_tokens"),
                Number(Child(expected, "prompt_tokens_details"), "cached_tokens"),
                Number(Child(expected, "completion_tokens_details"), "reasoning_tokens")
            );

        public override StopReason Stop(string? expected) =>
            expected switch
            {
                "stop" or "tool_calls" or null => StopReason.Done,
                "length" => StopReason.OutputLimit,
                _ => throw new ArgumentOutOfRangeException(nameof(expected), expected, "is no reason that was recorded"),
            };
    }
}

internal readonly record struct RecordedCall(string? Id, string? Name, string? Arguments);
