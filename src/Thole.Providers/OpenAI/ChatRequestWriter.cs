using System.Buffers;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.OpenAI;

/// <summary>
/// Writes the body of a chat completions request. The same items give the same bytes, and what is fixed comes before what grows,
/// so that each step's body begins with the one before it and prompt caches hold.
/// </summary>
internal sealed class ChatRequestWriter(EndpointOptions options, ChatQuirks quirks, ModelRequest request)
{
    private readonly bool _marks = quirks.MarksCache && options.CacheControl;

    public async ValueTask WriteAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(output, WireText.Compact);
        json.WriteStartObject();
        json.WriteString("model", request.Model);
        json.WriteBoolean("stream", true);
        WriteSettings(json);
        WriteTools(json);
        json.WriteStartArray("messages");
        WriteMessage(json, "system", request.System, isMarked: _marks);
        var passages = Passage.Arrange(request.Items, static _ => true);
        foreach (var (number, passage) in passages.Index())
        {
            // The next request begins with all of this one, so a cache that ends here serves it.
            var isMarked = _marks && number == passages.Count - 1;
            switch (passage)
            {
                case UserPassage user:
                    await WriteUserAsync(json, user.Content, isMarked, cancellationToken);
                    break;
                case AskedPassage asked:
                    WriteAsked(json, asked);
                    break;
                case ResultsPassage answered:
                    await WriteResultsAsync(json, answered, isMarked, cancellationToken);
                    break;
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteSettings(Utf8JsonWriter json)
    {
        if (quirks.AsksForUsage && !options.IsOverridden("stream_options"))
        {
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
        }

        if (
            options.MaxOutput is { } limit
            && !options.IsOverridden("max_tokens")
            && !options.IsOverridden("max_completion_tokens")
        )
        {
            json.WriteNumber(quirks.OutputLimitField, limit);
        }

        if (quirks.TakesCacheKey && request.CacheKey is { } key && !options.IsOverridden("prompt_cache_key"))
        {
            json.WriteString("prompt_cache_key", key);
        }

        ThinkingWriter.Write(json, quirks, options);
        options.WriteFields(json);
    }

    private void WriteTools(Utf8JsonWriter json)
    {
        // An empty list is refused by several endpoints.
        if (request.Tools is [])
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in request.Tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            json.WriteRawValue(tool.Schema);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteAsked(Utf8JsonWriter json, AskedPassage asked)
    {
        var item = asked.Item;
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        var text = ThoughtInText(item) + item.Text;
        if (text.Length > 0 || item.Calls is [])
        {
            json.WriteString("content", text);
        }
        else
        {
            json.WriteNull("content");
        }

        WriteReasoning(json, item);
        if (item.Calls is not [])
        {
            json.WriteStartArray("tool_calls");
            foreach (var (call, id) in item.Calls.Zip(asked.Ids))
            {
                WriteCall(json, call, id);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private void WriteReasoning(Utf8JsonWriter json, AssistantItem assistant)
    {
        if (quirks.Reasoning is ReasoningEcho.Always)
        {
            json.WriteString("reasoning_content", assistant.Reasoning);
        }
        else if (Received(assistant) is { } echoed)
        {
            if (FieldOf(echoed) is { } name and not ReasoningTrail.ThinkTagField)
            {
                json.WriteString(name, assistant.Reasoning);
            }

            if (echoed.TryGetProperty(ReasoningTrail.DetailsKey, out var details))
            {
                json.WritePropertyName(ReasoningTrail.DetailsKey);
                details.WriteTo(json);
            }
        }
    }

    private string ThoughtInText(AssistantItem assistant) =>
        Received(assistant) is { } echoed && FieldOf(echoed) is ReasoningTrail.ThinkTagField
            ? $"<think>{assistant.Reasoning}</think>\n\n"
            : "";

    /// <summary>What is echoed: signatures are the business of the model that made them, another one refuses them.</summary>
    private JsonElement? Received(AssistantItem assistant) =>
        quirks.Reasoning is ReasoningEcho.AsReceived
        && assistant.ProviderData is { ValueKind: JsonValueKind.Object }
        && assistant.Model == $"{options.Provider}/{request.Model}"
            ? assistant.ProviderData
            : null;

    private static string? FieldOf(JsonElement echoed) =>
        echoed.TryGetProperty(ReasoningTrail.FieldKey, out var field) ? field.GetString() : null;

    private static void WriteCall(Utf8JsonWriter json, ToolCall call, string id)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", WireText.Name(call.Tool));
        json.WriteString("arguments", WireText.Arguments(call));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Most servers refuse images in tool messages: they follow all results, in the user's place.</summary>
    private async ValueTask WriteResultsAsync(
        Utf8JsonWriter json,
        ResultsPassage answered,
        bool isMarked,
        CancellationToken cancellationToken
    )
    {
        Content[] images = [.. answered.Results.SelectMany(answer => answer.Result.Images)];
        foreach (var (number, (id, _, result)) in answered.Results.Index())
        {
            json.WriteStartObject();
            json.WriteString("role", "tool");
            json.WriteString("tool_call_id", id);
            WriteText(json, result.Text, isMarked && images is [] && number == answered.Results.Count - 1);
            json.WriteEndObject();
        }

        if (images is not [])
        {
            Content[] shown = [new TextContent("Images of the tool results above:"), .. images];
            await WriteUserAsync(json, shown, isMarked, cancellationToken);
        }
    }

    private async ValueTask WriteUserAsync(
        Utf8JsonWriter json,
        IReadOnlyList<Content> content,
        bool isMarked,
        CancellationToken cancellationToken
    )
    {
        // Text alone is sent flat: some servers take nothing else.
        if (!content.Any(static piece => piece is MediaContent))
        {
            WriteMessage(json, "user", string.Join('\n', content.Select(WireText.Of)), isMarked);
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteStartArray("content");
        foreach (var (number, piece) in content.Index())
        {
            var found = await SentMedia.ReadAsync(piece, request, ChatMedia.Limits, cancellationToken);
            json.WriteStartObject();
            if (found is { Instead: null } media)
            {
                ChatMedia.Write(json, media);
            }
            else
            {
                json.WriteString("type", "text");
                json.WriteString("text", found?.Instead ?? WireText.Of(piece));
            }

            if (isMarked && number == content.Count - 1)
            {
                WriteMark(json);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, string role, string text, bool isMarked = false)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        WriteText(json, text, isMarked);
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string text, bool isMarked)
    {
        if (!isMarked)
        {
            json.WriteString("content", text);
            return;
        }

        json.WriteStartArray("content");
        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", text);
        WriteMark(json);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteMark(Utf8JsonWriter json)
    {
        json.WriteStartObject("cache_control");
        json.WriteString("type", "ephemeral");
        json.WriteEndObject();
    }
}
