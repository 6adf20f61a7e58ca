using System.Text.Json.Nodes;

namespace Thole.Testing.Models.Wires;

/// <summary>OpenAI's Responses: numbered events that open items, fill and close them, and all of it once more at the end.</summary>
internal sealed class ScriptedResponses : ScriptedWire
{
    private readonly JsonArray _output = [];
    private JsonObject? _open;
    private string _said = "";
    private int _number;

    public override string OutputLimit => "max_output_tokens";

    public override IEnumerable<ScriptedEvent> Text(string piece) =>
        [
            .. Open("message"),
            Event("response.output_text.delta", InPart("content_index", new JsonObject { ["delta"] = Said(piece) })),
        ];

    public override IEnumerable<ScriptedEvent> Reasoning(string piece, string field) =>
        [
            .. Open("reasoning"),
            Event("response.reasoning_summary_text.delta", InPart("summary_index", new JsonObject { ["delta"] = Said(piece) })),
        ];

    public override IEnumerable<ScriptedEvent> Call(string name, string arguments, string id)
    {
        var half = arguments.Length / 2;
        return
        [
            .. Close(),
            .. Open("function_call", name, id),
            Event("response.function_call_arguments.delta", InItem(new JsonObject { ["delta"] = Said(arguments[..half]) })),
            Event("response.function_call_arguments.delta", InItem(new JsonObject { ["delta"] = Said(arguments[half..]) })),
            Event("response.function_call_arguments.done", InItem(new JsonObject { ["arguments"] = arguments })),
            .. Close(),
        ];
    }

    /// <param name="reason">Why the response is incomplete; null for one that is complete.</param>
    public override IEnumerable<ScriptedEvent> Done(string? reason, ScriptedUsage? usage) =>
        [
            .. Close(),
            Event(
                reason is null ? "response.completed" : "response.incomplete",
                new JsonObject { ["response"] = Response(reason is null ? "completed" : "incomplete", reason, usage) }
            ),
        ];

    public override IEnumerable<ScriptedEvent> Finish(string? reason) => Done(reason, usage: null);

    public override IEnumerable<ScriptedEvent> EndMark() => [];

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

    private JsonObject Response(string status, string? reason, ScriptedUsage? usage) =>
        new()
        {
            ["id"] = "resp_scripted",
            ["object"] = "response",
            ["status"] = status,
            ["error"] = null,
            ["incomplete_details"] = reason is null ? null : new JsonObject { ["reason"] = reason },
            ["model"] = "scripted",
            ["output"] = _output.DeepClone(),
            ["usage"] = usage is null
                ? null
                : new JsonObject
                {
                    ["input_tokens"] = usage.Input,
                    ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.Cached },
                    ["output_tokens"] = usage.Output,
                    ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
                    ["total_tokens"] = usage.Input + usage.Output,
                },
        };

    private IEnumerable<ScriptedEvent> Open(string type, string? name = null, string? callId = null)
    {
        if (_open?["type"]?.GetValue<string>() == type)
        {
            return [];
        }

        List<ScriptedEvent> events = [.. _number == 0 ? Begin() : [], .. Close()];
        var id = $"{type}_{_output.Count}";
        _open = type switch
        {
            "message" => new JsonObject { ["role"] = "assistant", ["content"] = new JsonArray() },
            "reasoning" => new JsonObject { ["summary"] = new JsonArray() },
            _ => new JsonObject
            {
                ["call_id"] = callId,
                ["name"] = name,
                ["arguments"] = "",
            },
        };
        _open["id"] = id;
        _open["type"] = type;
        _open["status"] = "in_progress";
        events.Add(Event("response.output_item.added", AtPlace(new JsonObject { ["item"] = _open.DeepClone() })));
        return events;
    }

    private IEnumerable<ScriptedEvent> Begin() =>
        [Event("response.created", new JsonObject { ["response"] = Response("in_progress", null, null) })];

    private IEnumerable<ScriptedEvent> Close()
    {
        if (_open is not { } closed)
        {
            return [];
        }

        closed["status"] = "completed";
        switch (closed["type"]!.GetValue<string>())
        {
            case "message":
                closed["content"]!.AsArray().Add(new JsonObject { ["type"] = "output_text", ["text"] = _said });
                break;
            case "reasoning":
                closed["summary"]!.AsArray().Add(new JsonObject { ["type"] = "summary_text", ["text"] = _said });
                break;
            default:
                closed["arguments"] = _said;
                break;
        }

        var done = Event("response.output_item.done", AtPlace(new JsonObject { ["item"] = closed.DeepClone() }));
        _output.Add(closed);
        _open = null;
        _said = "";
        return [done];
    }

    private string Said(string piece)
    {
        _said += piece;
        return piece;
    }

    private JsonObject InPart(string place, JsonObject data)
    {
        data[place] = 0;
        return InItem(data);
    }

    private JsonObject InItem(JsonObject data)
    {
        data["item_id"] = _open!["id"]!.DeepClone();
        return AtPlace(data);
    }

    private JsonObject AtPlace(JsonObject data)
    {
        data["output_index"] = _output.Count;
        return data;
    }

    private ScriptedEvent Event(string type, JsonObject data)
    {
        data["type"] = type;
        data["sequence_number"] = _number++;
        return new ScriptedEvent(type, data.ToJsonString());
    }
}
