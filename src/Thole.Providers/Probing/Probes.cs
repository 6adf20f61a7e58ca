using System.Globalization;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Probing;

/// <summary>The small requests of a test.</summary>
internal static class Probes
{
    /// <summary>The smallest limit that every wire takes.</summary>
    public const long LeastOutput = 16;

    /// <summary>Room for a model that thinks before it says a few words.</summary>
    public const long Output = 1_024;

    /// <summary>What all requests together hold, roughly.</summary>
    public const long InputTokens = 11_000;

    public const long OutputTokens = (5 * Output) + (3 * LeastOutput);

    public const string RecordTool = "record";

    /// <summary>Quotes, a backslash, letters of many scripts, a nested list, numbers and a truth value.</summary>
    public const string Arguments =
        """{"title":"He said \"yes\" \\ no","place":"Zürich – 東京 🙂","grid":[[1,2],[3]],"count":42,"ratio":0.5,"done":true}""";

    // A red square of 64 by 64: some models refuse smaller ones.
    private static readonly byte[] s_square = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAS0lEQVR42u3PQQkAAAgAsetfWiP4FgYrsKZeS0BAQEBAQEBAQEBAQEBAQEBAQEBA"
            + "QEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEDgsqnc8OJg6Ln3AAAAAElFTkSuQmCC"
    );

    private static readonly ImageContent s_image = new("image/png", BlobId.From(new string('0', 64)));

    private static readonly ToolDefinition s_record = new(
        RecordTool,
        "Writes an entry down.",
        """
        {"type":"object","properties":{"title":{"type":"string"},"place":{"type":"string"},"grid":{"type":"array","items":{"type":"array","items":{"type":"integer"}}},"count":{"type":"integer"},"ratio":{"type":"number"},"done":{"type":"boolean"}},"required":["title","place","grid","count","ratio","done"]}
        """.Trim()
    );

    private static readonly ToolDefinition s_weather = new(
        "weather",
        "Says how the weather is in one city.",
        """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"""
    );

    public static ModelRequest Greeting(string model) => Request(model, "Say ok.");

    public static ModelRequest Counting(string model, int last) =>
        Request(
            model,
            string.Create(CultureInfo.InvariantCulture, $"Count from 1 to {last}, in digits, with spaces between them.")
        );

    public static ModelRequest Recording(string model) =>
        Request(model, $"Call the tool {RecordTool} once, with exactly these arguments: {Arguments}", s_record);

    /// <summary>What comes after the model has said something: its own words go back to it.</summary>
    public static ModelRequest Echo(string model, ModelRequest asked, AssistantItem said) =>
        asked with
        {
            Model = model,
            Items =
            [
                .. asked.Items,
                said,
                .. said.Calls.Select(call => new ResultItem(
                    3,
                    call.Id,
                    call.ProviderId,
                    call.Tool,
                    CallOutcome.Succeeded,
                    ToolResult.Ok("It is written down.")
                )),
                .. said.Calls is [] ? [new UserItem(4, [new TextContent("Now say ok.")])] : (ContextItem[])[],
            ],
        };

    public static ModelRequest TwoCalls(string model) =>
        Request(model, "How is the weather in Rome and in Oslo? Call the tool weather for both, in one answer.", s_weather);

    public static ModelRequest Looking(string model) =>
        Request(model, "Which colour is this square? Answer with one English word.") with
        {
            Items = [new UserItem(1, [new TextContent("Which colour is this square? Answer with one English word."), s_image])],
        };

    /// <summary>Long enough for the caches of all vendors, the longest least length of which is 4096 tokens.</summary>
    public static ModelRequest Long(string model) =>
        Request(model, "Say ok.") with
        {
            System = string.Join(
                '\n',
                Enumerable
                    .Range(1, 300)
                    .Select(static room =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"Rule {room}: the lamp in room {room} is never lit before noon."
                        )
                    )
            ),
        };

    /// <summary>Which kinds of values did not arrive as they were asked for; none where all did.</summary>
    public static IReadOnlyList<string> Differences(string arguments)
    {
        try
        {
            using var expected = JsonDocument.Parse(Arguments);
            using var found = JsonDocument.Parse(arguments);
            return found.RootElement.ValueKind is not JsonValueKind.Object
                ? ["no object"]
                :
                [
                    .. s_kinds
                        .Where(kind =>
                            !found.RootElement.TryGetProperty(kind.Field, out var value)
                            || !JsonElement.DeepEquals(value, expected.RootElement.GetProperty(kind.Field))
                        )
                        .Select(static kind => kind.Words),
                ];
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return ["no JSON"];
        }
    }

    private static readonly (string Field, string Words)[] s_kinds =
    [
        ("title", "quotes and backslashes"),
        ("place", "letters beyond ASCII"),
        ("grid", "lists in lists"),
        ("count", "whole numbers"),
        ("ratio", "fractions"),
        ("done", "true and false"),
    ];

    private static ModelRequest Request(string model, string prompt, params IReadOnlyList<ToolDefinition> tools) =>
        new()
        {
            Model = model,
            System = "You answer briefly and do exactly what is asked.",
            Items = [new UserItem(1, [new TextContent(prompt)])],
            Tools = tools,
            CacheKey = "thole-models-test",
            ReadBlob = static (_, _) => ValueTask.FromResult<byte[]?>(s_square),
        };
}
