using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Anthropic;

namespace Thole.Providers.Tests;

/// <summary>
/// Anthropic's messages. Judged by hand, where Anthropic's own parser throws:
/// <list type="bullet">
/// <item>A message_start that a gateway repeats is the same message going on: as expected.</item>
/// <item>
/// Where tools of the endpoint's own call ours, or are searched for, several messages were recorded as one stream. All that they say
/// and stream is taken, the last one's count and reason hold: as expected. Calls that stand whole inside a later message_start are not
/// made; they were answered before the recording went on.
/// </item>
/// <item>The input of a call that came whole inside its block is passed on as it came; the expectation spaces it anew.</item>
/// <item>A missing blank line after message_stop loses nothing: as expected.</item>
/// <item>
/// A refusal without a word is expected as an empty answer with that reason; here it is a failure that says so, with the endpoint's
/// own explanation: there is nothing that a turn could go on with.
/// </item>
/// </list>
/// </summary>
internal sealed class RecordedMessages() : RecordedWire("anthropic-messages", AnthropicProvider.Definition)
{
    public override IReadOnlyList<string> EndSigns => ["\"stop_reason\":\"", "\"stop_reason\": \"", "\"message_stop\""];

    public override string LastSign => "\"message_stop\"";

    public override Usage Usage(JsonElement expected)
    {
        var (read, written) = (Number(expected, "cache_read_input_tokens"), Number(expected, "cache_creation_input_tokens"));
        return new(
            Number(expected, "input_tokens") + (read ?? 0) + (written ?? 0),
            Number(expected, "output_tokens"),
            read,
            Number(Child(expected, "output_tokens_details"), "thinking_tokens"),
            written
        );
    }

    public override StopReason Stop(string? expected) =>
        expected switch
        {
            "end_turn" or "tool_use" or "stop_sequence" or "pause_turn" => StopReason.Done,
            "max_tokens" or "model_context_window_exceeded" => StopReason.OutputLimit,
            "refusal" => StopReason.Filtered,
            _ => throw new ArgumentOutOfRangeException(nameof(expected), expected, "is no reason that was recorded"),
        };

    public override string? Arguments(string? text) => JsonNode.Parse(text!)!.ToJsonString();

    public override bool IsEnded(string before) =>
        before.TrimEnd().TrimEnd('}').TrimEnd().EndsWith(LastSign, StringComparison.Ordinal);
}
