using System.Buffers;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>
/// The order of the blocks of a message, so that the same model can be sent exactly what it said. Text, thoughts and calls are in the
/// item already and only measured here; what is nowhere else (signatures, hidden thoughts, the endpoint's own tools) is kept.
/// </summary>
internal static class MessageLayout
{
    private const string Content = "content";

    /// <summary>What is to be kept; null where text before calls, as every message is written, says it all.</summary>
    public static JsonElement? Of(List<MessageBlock> blocks)
    {
        var kept = blocks.FindAll(block => block.Kind is not BlockKind.Endpoints || IsSentBack(block, blocks));
        var isPlain =
            kept.FindLastIndex(static block => block.Kind is BlockKind.Text) <= 0
            && kept.TrueForAll(static block => block.Kind is BlockKind.Text or BlockKind.Call);
        if (isPlain)
        {
            return null;
        }

        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, WireText.Compact))
        {
            json.WriteStartObject();
            json.WriteStartArray(Content);
            foreach (var block in kept)
            {
                Write(json, block);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(output.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>What the model is sent of its own message; the thoughts are left out for a model that did not think them.</summary>
    public static List<MessagePart> Read(AssistantItem item, bool isOfThisModel)
    {
        var parts = (isOfThisModel ? Exact(item) : null) ?? Plain(item);

        // Refused: text that is empty, or ends in blanks at the end of a message, and messages that end with a thought.
        parts.RemoveAll(static part => part is MessagePart.Said { Text: var text } && string.IsNullOrWhiteSpace(text));
        while (parts is [.., { IsThought: true }])
        {
            parts.RemoveAt(parts.Count - 1);
        }

        if (parts is [.., MessagePart.Said last])
        {
            parts[^1] = new MessagePart.Said(last.Text.TrimEnd());
        }

        return parts;
    }

    private static List<MessagePart> Plain(AssistantItem item) =>
        [new MessagePart.Said(item.Text), .. item.Calls.Select(static (_, index) => new MessagePart.Asked(index))];

    /// <summary>Null where there is no layout, or it is not the one of this item.</summary>
    private static List<MessagePart>? Exact(AssistantItem item)
    {
        if (item.ProviderData is not { } data || data.Get(Content) is not { ValueKind: JsonValueKind.Array } blocks)
        {
            return null;
        }

        List<MessagePart> parts = [];
        var (text, thoughts, calls) = (0, 0, 0);
        foreach (var block in blocks.EnumerateArray())
        {
            var length = (int)Math.Clamp(block.GetNumber("length") ?? 0, 0, int.MaxValue);
            switch (block.GetText("type"))
            {
                case "text" when length <= item.Text.Length - text:
                    parts.Add(new MessagePart.Said(item.Text.Substring(text, length)));
                    text += length;
                    break;
                case "thinking" when length <= item.Reasoning.Length - thoughts:
                    parts.Add(new MessagePart.Thought(item.Reasoning.Substring(thoughts, length), block.GetText("signature")));
                    thoughts += length;
                    break;
                case "tool_use" when calls < item.Calls.Count:
                    parts.Add(new MessagePart.Asked(calls++));
                    break;
                case "block" when block.Get("block") is { ValueKind: JsonValueKind.Object } whole:
                    parts.Add(new MessagePart.Kept(whole));
                    break;
                default:
                    return null;
            }
        }

        return text == item.Text.Length && calls == item.Calls.Count ? parts : null;
    }

    private static void Write(Utf8JsonWriter json, MessageBlock block)
    {
        json.WriteStartObject();
        switch (block.Kind)
        {
            case BlockKind.Text:
                json.WriteString("type", "text");
                json.WriteNumber("length", block.Said);
                break;
            case BlockKind.Thought:
                json.WriteString("type", "thinking");
                json.WriteNumber("length", block.Said);
                if (block.Signature is not null)
                {
                    json.WriteString("signature", block.Signature);
                }

                break;
            case BlockKind.Call:
                json.WriteString("type", "tool_use");
                break;
            default:
                json.WriteString("type", "block");
                json.WritePropertyName("block");
                WriteWhole(json, block);
                break;
        }

        json.WriteEndObject();
    }

    /// <summary>A block as it began, with the input that came in pieces.</summary>
    private static void WriteWhole(Utf8JsonWriter json, MessageBlock block)
    {
        json.WriteStartObject();
        foreach (var property in block.Start.EnumerateObject())
        {
            if (property.NameEquals("input"))
            {
                json.WritePropertyName("input");
                json.WriteRawValue(block.Input);
            }
            else
            {
                property.WriteTo(json);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>
    /// A tool of the endpoint's own goes back with its result, or not at all: a half is refused. So is what we do not know.
    /// </summary>
    private static bool IsSentBack(MessageBlock block, List<MessageBlock> blocks)
    {
        var use = block.Start.GetText("tool_use_id");
        return use is null
            ? IsUse(block)
                && block.Id is { } id
                && blocks.Exists(other => IsResult(other) && other.Start.GetText("tool_use_id") == id)
            : IsResult(block) && blocks.Exists(other => IsUse(other) && other.Id == use);
    }

    private static bool IsUse(MessageBlock block) =>
        block.Start.GetText("type") is "server_tool_use" or "mcp_tool_use" && block.IsStopped && MessageCalls.IsJson(block.Input);

    private static bool IsResult(MessageBlock block) =>
        block.Start.GetText("type")?.EndsWith("_tool_result", StringComparison.Ordinal) is true && block.IsStopped;
}

/// <summary>A block of the model's message, as it is sent.</summary>
internal abstract record MessagePart
{
    public bool IsThought =>
        this is Thought || (this is Kept { Block: var block } && block.GetText("type") is "redacted_thinking");

    public sealed record Said(string Text) : MessagePart;

    public sealed record Thought(string Text, string? Signature) : MessagePart;

    public sealed record Kept(JsonElement Block) : MessagePart;

    /// <param name="Call">Which of the item's calls.</param>
    public sealed record Asked(int Call) : MessagePart;
}
