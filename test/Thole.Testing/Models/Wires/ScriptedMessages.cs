using System.Text.Json.Nodes;

namespace Thole.Testing.Models.Wires;

/// <summary>Anthropic's messages: what is said goes into blocks, which are begun and stopped.</summary>
internal sealed class ScriptedMessages : ScriptedWire
{
    private bool _hasBegun;
    private bool _hasCalled;
    private int _block = -1;
    private string? _open;

    public override string OutputLimit => "max_tokens";

    public override IEnumerable<ScriptedEvent> Text(string piece) =>
        [.. Within("text", new JsonObject { ["type"] = "text", ["text"] = "" }), Delta("text_delta", "text", piece)];

    public override IEnumerable<ScriptedEvent> Reasoning(string piece, string field) =>
        [
            .. Within(
                "thinking",
                new JsonObject
                {
                    ["type"] = "thinking",
                    ["thinking"] = "",
                    ["signature"] = "",
                }
            ),
            Delta("thinking_delta", "thinking", piece),
        ];

    public override IEnumerable<ScriptedEvent> Call(string name, string arguments, string id)
    {
        _hasCalled = true;
        var half = arguments.Length / 2;
        return
        [
            .. Within(
                id,
                new JsonObject
                {
                    ["type"] = "tool_use",
                    ["id"] = id,
                    ["name"] = name,
                    ["input"] = new JsonObject(),
                }
            ),
            Delta("input_json_delta", "partial_json", arguments[..half]),
            Delta("input_json_delta", "partial_json", arguments[half..]),
            .. Stop(),
        ];
    }

    public override IEnumerable<ScriptedEvent> Done(string? reason, ScriptedUsage? usage) =>
        [.. Ended(reason ?? (_hasCalled ? "tool_use" : "end_turn"), usage), .. EndMark()];

    public override IEnumerable<ScriptedEvent> Finish(string? reason) => Ended(reason, usage: null);

    public override IEnumerable<ScriptedEvent> EndMark() => [Event("message_stop", [])];

    public override IEnumerable<ScriptedEvent> Error(string message, string type) =>
        [
            Event(
                "error",
                new JsonObject
                {
                    ["error"] = new JsonObject { ["type"] = type, ["message"] = message },
                }
            ),
        ];

    private ScriptedEvent[] Ended(string? reason, ScriptedUsage? usage)
    {
        var end = new JsonObject
        {
            ["delta"] = new JsonObject { ["stop_reason"] = reason, ["stop_sequence"] = null },
        };
        if (usage is not null)
        {
            end["usage"] = new JsonObject
            {
                ["input_tokens"] = usage.Input - usage.Cached,
                ["cache_read_input_tokens"] = usage.Cached,
                ["cache_creation_input_tokens"] = 0,
                ["output_tokens"] = usage.Output,
            };
        }

        return [.. Begin(), .. Stop(), Event("message_delta", end)];
    }

    private ScriptedEvent[] Within(string block, JsonObject start)
    {
        if (_open == block)
        {
            return [];
        }

        ScriptedEvent[] before = [.. Begin(), .. Stop()];
        (_open, _block) = (block, _block + 1);
        return [.. before, Event("content_block_start", new JsonObject { ["index"] = _block, ["content_block"] = start })];
    }

    private ScriptedEvent[] Begin()
    {
        if (_hasBegun)
        {
            return [];
        }

        _hasBegun = true;
        var message = new JsonObject
        {
            ["id"] = "msg_scripted",
            ["type"] = "message",
            ["role"] = "assistant",
            ["model"] = "scripted",
            ["content"] = new JsonArray(),
            ["stop_reason"] = null,
        };
        return [Event("message_start", new JsonObject { ["message"] = message }), Event("ping", [])];
    }

    private ScriptedEvent[] Stop()
    {
        if (_open is null)
        {
            return [];
        }

        _open = null;
        return [Event("content_block_stop", new JsonObject { ["index"] = _block })];
    }

    private ScriptedEvent Delta(string type, string field, string piece) =>
        Event(
            "content_block_delta",
            new JsonObject
            {
                ["index"] = _block,
                ["delta"] = new JsonObject { ["type"] = type, [field] = piece },
            }
        );

    private static ScriptedEvent Event(string name, JsonObject data)
    {
        data.Insert(0, "type", name);
        return new(name, data.ToJsonString());
    }
}
