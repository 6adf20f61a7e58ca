using System.Text;
using System.Text.Json;

namespace Thole.Testing.Models;

/// <summary>What a client sent to a <see cref="ScriptedModelServer"/>, to the byte.</summary>
public sealed record RecordedRequest
{
    /// <summary>From 1, in the order in which requests were whole.</summary>
    public required int Number { get; init; }

    /// <summary>Which connection it came over, from 1: two requests with one number shared it.</summary>
    public required int Connection { get; init; }

    public required string Method { get; init; }

    public required string Path { get; init; }

    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public required byte[] Body { get; init; }

    /// <summary>Head and body together.</summary>
    public required int WireBytes { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Completes when the client leaves before it has its whole answer.</summary>
    public required Task Abandoned { get; init; }

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => field.ValueKind is JsonValueKind.Undefined ? field = JsonDocument.Parse(Body).RootElement : field;

    public IReadOnlyList<JsonElement> Messages => [.. Json.GetProperty("messages").EnumerateArray()];

    public IReadOnlyList<string> ToolNames =>
        Json.TryGetProperty("tools", out var tools)
            ? [.. tools.EnumerateArray().Select(tool => tool.GetProperty("function").GetProperty("name").GetString()!)]
            : [];
}
