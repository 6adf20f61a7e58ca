using Thole.Core.Models;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Tests.TextCalls;

/// <summary>What was made of a model's text.</summary>
internal sealed record Read(string Text, IReadOnlyList<CallProposed> Calls)
{
    private const string Weather = """
        {"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"exact":{"type":"boolean"},"limits":{"$ref":"#/$defs/limits"},
        "tags":{"type":["array","null"]},"note":{"anyOf":[{"type":"string"},{"type":"null"}]},"unit":{"enum":["c","f"]},"share":{"type":"number"}},
        "$defs":{"limits":{"type":"object"}}}
        """;

    public static IReadOnlyList<ToolDefinition> Tools { get; } =
    [
        new("get_weather", "", Weather),
        new("write_file", "", """{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}}}"""),
    ];

    /// <summary>Every call as name, arguments and whether something speaks against it.</summary>
    public IReadOnlyList<(string Name, string Arguments, bool IsRefused)> Said =>
        [.. Calls.Select(call => (call.Name, call.Arguments, call.Problem is not null))];

    public static Read Of(TextCallFormat format, string output, Func<int>? size = null, bool wasCut = false)
    {
        var parser = TextCallParser.For(format, Tools)!;
        var text = "";
        for (int at = 0, length; at < output.Length; at += length)
        {
            length = Math.Min(size?.Invoke() ?? output.Length, output.Length - at);
            text += parser.Take(output.Substring(at, length));
        }

        return new Read(text + parser.Close(wasCut), parser.Calls);
    }
}
