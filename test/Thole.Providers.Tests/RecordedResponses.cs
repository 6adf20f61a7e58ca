using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Responses;

namespace Thole.Providers.Tests;

/// <summary>
/// Recorded Responses. One of the streams holds several answers, one after the other: their calls and texts count together, and
/// the usage of the last.
/// </summary>
internal sealed class RecordedResponses() : RecordedWire("openai-responses", ResponsesProvider.Definition)
{
    public override IReadOnlyList<string> EndSigns =>
        ["\"response.completed\"", "\"response.incomplete\"", "\"response.failed\"", "event: error"];

    /// <summary>The last event is one object, whatever the order of its fields.</summary>
    public override string LastSign => "}";

    public override Usage Usage(JsonElement expected) =>
        new(
            Number(expected, "input_tokens"),
            Number(expected, "output_tokens"),
            Number(Child(expected, "input_tokens_details"), "cached_tokens"),
            Number(Child(expected, "output_tokens_details"), "reasoning_tokens"),
            Number(Child(expected, "input_tokens_details"), "cache_write_tokens")
        );

    public override StopReason Stop(string? expected) =>
        expected switch
        {
            "completed" => StopReason.Done,
            "incomplete" => StopReason.OutputLimit,
            _ => throw new ArgumentOutOfRangeException(nameof(expected), expected, "is no status that was recorded"),
        };

    public override bool IsEnded(string before) =>
        before.TrimEnd().Split("\n\n")[^1].Contains("\"response.completed\"", StringComparison.Ordinal);
}
