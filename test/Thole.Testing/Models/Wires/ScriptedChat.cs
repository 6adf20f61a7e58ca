using System.Text.Json.Nodes;

namespace Thole.Testing.Models.Wires;

/// <summary>OpenAI's chat completions.</summary>
internal sealed class ScriptedChat : ScriptedWire
{
    private int _calls;

    public override string OutputLimit => "length";

    public override IEnumerable<ScriptedEvent> Text(string piece) => [Delta(new JsonObject { ["content"] = piece })];

    public override IEnumerable<ScriptedEvent> Reasoning(string piece, string field) =>
        [Delta(new JsonObject { [field] = piece })];

    public override IEnumerable<ScriptedEvent> Call(string name, string arguments, string id)
    {
        var index = _calls++;
        var half = arguments.Length / 2;
        return
        [
            Call(
                new JsonObject
                {
                    ["index"] = index,
                    ["id"] = id,
                    ["type"] = "function",
                    ["function"] = new JsonObject { ["name"] = name, ["arguments"] = arguments[..half] },
                }
            ),
            Call(
                new JsonObject
                {
                    ["index"] = index,
                    ["function"] = new JsonObject { ["arguments"] = arguments[half..] },
                }
            ),
        ];
    }

    public override IEnumerable<ScriptedEvent> Done(string? reason, ScriptedUsage? usage) =>
        [
            .. Finish(reason ?? (_calls > 0 ? "tool_calls" : "stop")),
            .. usage is null ? [] : (ScriptedEvent[])[Counted(usage)],
            .. EndMark(),
        ];

    public override IEnumerable<ScriptedEvent> Finish(string? reason) => [Delta([], reason)];

    public override IEnumerable<ScriptedEvent> EndMark() => [new(null, "[DONE]")];

    public override IEnumerable<ScriptedEvent> Error(string message, string type) =>
        [
            Event(
                new JsonObject
                {
                    ["error"] = new JsonObject { ["message"] = message, ["type"] = type },
                }
            ),
        ];

    private static ScriptedEvent Call(JsonObject call) => Delta(new JsonObject { ["tool_calls"] = new JsonArray(call) });

    private static ScriptedEvent Delta(JsonObject delta, string? finishReason = null) =>
        Event(
            new JsonObject
            {
                ["id"] = "chatcmpl-scripted",
                ["object"] = "chat.completion.chunk",
                ["created"] = 1,
                ["model"] = "scripted",
                ["choices"] = new JsonArray(
                    new JsonObject
                    {
                        ["index"] = 0,
                        ["delta"] = delta,
                        ["finish_reason"] = finishReason,
                    }
                ),
            }
        );

    private static ScriptedEvent Counted(ScriptedUsage usage) =>
        Event(
            new JsonObject
            {
                ["choices"] = new JsonArray(),
                ["usage"] = new JsonObject
                {
                    ["prompt_tokens"] = usage.Input,
                    ["completion_tokens"] = usage.Output,
                    ["total_tokens"] = usage.Input + usage.Output,
                    ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.Cached },
                },
            }
        );

    private static ScriptedEvent Event(JsonObject data) => new(null, data.ToJsonString());
}
