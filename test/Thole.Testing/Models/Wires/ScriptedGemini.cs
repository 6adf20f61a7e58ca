using System.Text.Json.Nodes;

namespace Thole.Testing.Models.Wires;

/// <summary>Google's <c>streamGenerateContent</c>: calls come whole, and there is no end mark.</summary>
internal sealed class ScriptedGemini : ScriptedWire
{
    public override string OutputLimit => "MAX_TOKENS";

    public override IEnumerable<ScriptedEvent> Text(string piece) => [Part(new JsonObject { ["text"] = piece })];

    public override IEnumerable<ScriptedEvent> Reasoning(string piece, string field) =>
        [Part(new JsonObject { ["text"] = piece, ["thought"] = true })];

    public override IEnumerable<ScriptedEvent> Call(string name, string arguments, string id) =>
        [
            Part(
                new JsonObject
                {
                    ["functionCall"] = new JsonObject
                    {
                        ["id"] = id,
                        ["name"] = name,
                        ["args"] = JsonNode.Parse(arguments),
                    },
                }
            ),
        ];

    public override IEnumerable<ScriptedEvent> Done(string? reason, ScriptedUsage? usage)
    {
        var last = Chunk(new JsonObject { ["text"] = "" }, reason ?? "STOP");
        if (usage is not null)
        {
            last["usageMetadata"] = new JsonObject
            {
                ["promptTokenCount"] = usage.Input,
                ["cachedContentTokenCount"] = usage.Cached,
                ["candidatesTokenCount"] = usage.Output,
                ["totalTokenCount"] = usage.Input + usage.Output,
            };
        }

        return [Event(last), .. EndMark()];
    }

    public override IEnumerable<ScriptedEvent> Finish(string? reason) => [Event(Chunk(new JsonObject { ["text"] = "" }, reason))];

    public override IEnumerable<ScriptedEvent> EndMark() => [];

    public override IEnumerable<ScriptedEvent> Error(string message, string type) =>
        [
            Event(
                new JsonObject
                {
                    ["error"] = new JsonObject { ["message"] = message, ["status"] = type },
                }
            ),
        ];

    private static ScriptedEvent Part(JsonObject part) => Event(Chunk(part, null));

    private static JsonObject Chunk(JsonObject part, string? finishReason)
    {
        var candidate = new JsonObject
        {
            ["content"] = new JsonObject { ["parts"] = new JsonArray(part), ["role"] = "model" },
            ["index"] = 0,
        };
        if (finishReason is not null)
        {
            candidate["finishReason"] = finishReason;
        }

        return new JsonObject { ["candidates"] = new JsonArray(candidate), ["modelVersion"] = "scripted" };
    }

    private static ScriptedEvent Event(JsonObject data) => new(null, data.ToJsonString());
}
