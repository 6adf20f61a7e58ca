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
    public async ValueTask WriteAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(output, WireText.Compact);
        json.WriteStartObject();
        json.WriteString("model", request.Model);
        json.WriteBoolean("stream", true);
        WriteSettings(json);
        WriteTools(json);
        json.WriteStartArray("messages");
        WriteMessage(json, "system", request.System);
        foreach (var passage in Passage.Arrange(request.Items, static _ => true))
        {
            switch (passage)
            {
                case UserPassage user:
                    await WriteUserAsync(json, user.Content, cancellationToken);
                    break;
                case AskedPassage asked:
                    WriteAsked(json, asked);
                    break;
                case ResultsPassage answered:
                    await WriteResultsAsync(json, answered, cancellationToken);
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

        if (options.ExtraBody is { } extra)
        {
            foreach (var field in extra.EnumerateObject())
            {
                field.WriteTo(json);
            }
        }
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
        if (item.Text.Length > 0 || item.Calls is [])
        {
            json.WriteString("content", item.Text);
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
        else if (
            quirks.Reasoning is ReasoningEcho.AsReceived
            && assistant.ProviderData is { ValueKind: JsonValueKind.Object } echoed
            // Signatures are the business of the model that made them: another one refuses them.
            && assistant.Model == $"{options.Provider}/{request.Model}"
        )
        {
            if (echoed.TryGetProperty(ReasoningTrail.FieldKey, out var field) && field.GetString() is { } name)
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
    private async ValueTask WriteResultsAsync(Utf8JsonWriter json, ResultsPassage answered, CancellationToken cancellationToken)
    {
        foreach (var (id, _, result) in answered.Results)
        {
            json.WriteStartObject();
            json.WriteString("role", "tool");
            json.WriteString("tool_call_id", id);
            json.WriteString("content", result.Text);
            json.WriteEndObject();
        }

        Content[] images = [.. answered.Results.SelectMany(answer => answer.Result.Images)];
        if (images is not [])
        {
            await WriteUserAsync(json, [new TextContent("Images of the tool results above:"), .. images], cancellationToken);
        }
    }

    private async ValueTask WriteUserAsync(
        Utf8JsonWriter json,
        IReadOnlyList<Content> content,
        CancellationToken cancellationToken
    )
    {
        // Text alone is sent flat: some servers take nothing else.
        if (!content.Any(static piece => piece is ImageContent))
        {
            WriteMessage(json, "user", string.Join('\n', content.Select(WireText.Of)));
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteStartArray("content");
        foreach (var piece in content)
        {
            var image = piece is ImageContent named ? await request.ReadBlob(named.Blob, cancellationToken) : null;
            json.WriteStartObject();
            if (piece is ImageContent { MediaType: var mediaType } && image is not null)
            {
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                WriteDataUrl(json, mediaType, image);
                json.WriteEndObject();
            }
            else
            {
                json.WriteString("type", "text");
                json.WriteString("text", WireText.Of(piece));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDataUrl(Utf8JsonWriter json, string mediaType, byte[] image)
    {
        json.WritePropertyName("url");
        json.WriteStringValueSegment($"data:{mediaType};base64,", isFinalSegment: false);
        json.WriteStringValueSegment(Convert.ToBase64String(image), isFinalSegment: true);
    }

    private static void WriteMessage(Utf8JsonWriter json, string role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", text);
        json.WriteEndObject();
    }
}
