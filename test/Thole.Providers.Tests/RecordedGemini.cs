using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Google;

namespace Thole.Providers.Tests;

/// <summary>
/// Judged by hand: the parser that made the expectations takes each piece of a call whose arguments are streamed for a call of its
/// own, without a name and with null for arguments. What is expected of those is put together here again, in the simplest way.
/// </summary>
internal sealed class RecordedGemini() : RecordedWire("google-generate", GeminiProvider.Definition)
{
    public override IReadOnlyList<string> EndSigns => ["\"finishReason\":\"", "\"finishReason\": \""];

    public override string LastSign => "}";

    public override Usage Usage(JsonElement expected) =>
        new(
            Sum(Number(expected, "promptTokenCount"), Number(expected, "toolUsePromptTokenCount")),
            Sum(Number(expected, "candidatesTokenCount"), Number(expected, "thoughtsTokenCount")),
            Number(expected, "cachedContentTokenCount"),
            Number(expected, "thoughtsTokenCount")
        );

    public override StopReason Stop(string? expected) =>
        expected switch
        {
            "STOP" or null => StopReason.Done,
            "MAX_TOKENS" => StopReason.OutputLimit,
            "SAFETY" or "RECITATION" or "PROHIBITED_CONTENT" => StopReason.Filtered,
            _ => throw new ArgumentOutOfRangeException(nameof(expected), expected, "is no reason that was recorded"),
        };

    public override string? Arguments(string? text) => text is null ? null : JsonNode.Parse(text)?.ToJsonString() ?? "{}";

    public override IReadOnlyList<RecordedCall> Calls(IReadOnlyList<RecordedCall> expected, byte[] stream)
    {
        if (expected.All(call => call.Name is not null))
        {
            return expected;
        }

        List<RecordedCall> calls = [];
        foreach (var call in Encoding.UTF8.GetString(stream).Split("data: ").Skip(1).SelectMany(CallsOf))
        {
            if (call["name"] is { } name)
            {
                calls.Add(new RecordedCall((string?)call["id"], (string?)name, "{}"));
            }

            foreach (var part in call["partialArgs"]?.AsArray() ?? [])
            {
                var arguments = JsonNode.Parse(calls[^1].Arguments!)!;
                Put(arguments, part!);
                calls[^1] = calls[^1] with { Arguments = arguments.ToJsonString() };
            }
        }

        Assert.Equal(expected.Select(call => call.Name).OfType<string>(), calls.Select(call => call.Name));
        return calls;
    }

    private static IEnumerable<JsonNode> CallsOf(string data) =>
        JsonNode
            .Parse(data)
            ?["candidates"]?[0]?["content"]?["parts"]?.AsArray()
            .Select(part => part?["functionCall"])
            .OfType<JsonNode>()
        ?? [];

    private static void Put(JsonNode place, JsonNode part)
    {
        var steps = ((string)part["jsonPath"]!).Replace("[", ".[").Split('.')[1..];
        foreach (var (step, next) in steps.Zip(steps.Skip(1)))
        {
            if (Get(place, step) is null)
            {
                Set(place, step, next[0] == '[' ? new JsonArray() : new JsonObject());
            }

            place = Get(place, step)!;
        }

        Set(
            place,
            steps[^1],
            part["stringValue"] is { } text
                ? $"{Get(place, steps[^1])}{text}"
                : (part["numberValue"] ?? part["boolValue"])?.DeepClone()
        );
    }

    private static JsonNode? Get(JsonNode place, string step) =>
        place is JsonArray elements ? elements.ElementAtOrDefault(Index(step)) : place[step];

    private static void Set(JsonNode place, string step, JsonNode? value)
    {
        if (place is JsonArray elements && elements.Count == Index(step))
        {
            elements.Add(value);
        }
        else if (place is JsonArray known)
        {
            known[Index(step)] = value;
        }
        else
        {
            place[step] = value;
        }
    }

    private static int Index(string step) => int.Parse(step[1..^1], System.Globalization.CultureInfo.InvariantCulture);

    private static long? Sum(long? one, long? other) => one is null ? other : one + (other ?? 0);
}
