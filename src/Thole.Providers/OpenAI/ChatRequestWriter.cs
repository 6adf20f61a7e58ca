using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.OpenAI;

/// <summary>
/// Writes the body of a chat completions request. The same items give the same bytes, and what is fixed comes before what grows,
/// so that each step's body begins with the one before it and prompt caches hold.
/// </summary>
internal sealed class ChatRequestWriter(ChatOptions options, ModelRequest request)
{
    // Bodies are read by JSON parsers, not pasted into HTML: escaping quotes and letters beyond ASCII would only make them longer.
    private static readonly JsonWriterOptions s_compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<ImageContent> _imagesOfResults = [];
    private readonly List<ContextItem> _afterResults = [];
    private readonly Dictionary<CallId, string> _openCalls = [];

    public async ValueTask WriteAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(output, s_compact);
        json.WriteStartObject();
        json.WriteString("model", request.Model);
        json.WriteBoolean("stream", true);
        WriteSettings(json);
        WriteTools(json);
        json.WriteStartArray("messages");
        WriteMessage(json, "system", request.System);
        foreach (var item in request.Items)
        {
            await WriteItemAsync(json, item, cancellationToken);
        }

        await EndResultsAsync(json, cancellationToken);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteSettings(Utf8JsonWriter json)
    {
        if (options.Quirks.AsksForUsage && !IsOverridden("stream_options"))
        {
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
        }

        if (options.MaxOutput is { } limit && !IsOverridden("max_tokens") && !IsOverridden("max_completion_tokens"))
        {
            json.WriteNumber(options.Quirks.OutputLimitField, limit);
        }

        if (options.Quirks.TakesCacheKey && request.CacheKey is { } key && !IsOverridden("prompt_cache_key"))
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

    private bool IsOverridden(string field) => options.ExtraBody is { } extra && extra.TryGetProperty(field, out _);

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

    private async ValueTask WriteItemAsync(Utf8JsonWriter json, ContextItem item, CancellationToken cancellationToken)
    {
        switch (item)
        {
            case ResultItem result:
                await WriteResultAsync(json, result, cancellationToken);
                break;
            case AssistantItem assistant:
                await EndResultsAsync(json, cancellationToken);
                WriteAssistant(json, assistant);
                break;
            // The wire wants all results directly after the message that asked for them.
            case UserItem or NoteItem when _openCalls.Count > 0:
                _afterResults.Add(item);
                break;
            case UserItem user:
                await EndResultsAsync(json, cancellationToken);
                await WriteUserAsync(json, user.Content, cancellationToken);
                break;
            case NoteItem note:
                await EndResultsAsync(json, cancellationToken);
                WriteMessage(json, "user", NoteFrame.Around(note));
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private void WriteAssistant(Utf8JsonWriter json, AssistantItem assistant)
    {
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        if (assistant.Text.Length > 0 || assistant.Calls is [])
        {
            json.WriteString("content", assistant.Text);
        }
        else
        {
            json.WriteNull("content");
        }

        WriteReasoning(json, assistant);
        if (assistant.Calls is not [])
        {
            json.WriteStartArray("tool_calls");
            foreach (var call in assistant.Calls)
            {
                WriteCall(json, call);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private void WriteReasoning(Utf8JsonWriter json, AssistantItem assistant)
    {
        if (options.Quirks.Reasoning is ReasoningEcho.Always)
        {
            json.WriteString("reasoning_content", assistant.Reasoning);
        }
        else if (
            options.Quirks.Reasoning is ReasoningEcho.AsReceived
            && assistant.ProviderData is { ValueKind: JsonValueKind.Object } echoed
            && IsOfThisModel(assistant)
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

    // Signatures are the business of the model that made them: another one refuses them.
    private bool IsOfThisModel(AssistantItem assistant) =>
        assistant.Model.EndsWith(request.Model, StringComparison.Ordinal)
        && (assistant.Model.Length == request.Model.Length || assistant.Model[^(request.Model.Length + 1)] == '/');

    private void WriteCall(Utf8JsonWriter json, ToolCall call)
    {
        // Ids of providers may be absent or repeat; within one message they must not.
        var id = call.ProviderId is { Length: > 0 } given && !_openCalls.ContainsValue(given) ? given : call.Id.Value;
        _openCalls[call.Id] = id;

        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", WireName(call.Tool));
        // Servers parse the arguments of past calls in their chat templates, and fail on what is no object: what the model wrote
        // wrongly is explained by the result, not by sending it back.
        json.WriteString("arguments", IsObject(call.Arguments) ? call.Arguments : "{}");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private async ValueTask WriteResultAsync(Utf8JsonWriter json, ResultItem result, CancellationToken cancellationToken)
    {
        // A result nobody asked for (its call lies before a compaction) would make the endpoint refuse the whole request.
        if (!_openCalls.Remove(result.Call, out var id))
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "tool");
        json.WriteString("tool_call_id", id);
        json.WriteString("content", result.Result.Text);
        json.WriteEndObject();
        _imagesOfResults.AddRange(result.Result.Images);
        if (_openCalls.Count == 0)
        {
            await EndResultsAsync(json, cancellationToken);
        }
    }

    /// <summary>What had to wait until the last result was written: images, which most servers refuse in tool messages, and notes.</summary>
    private async ValueTask EndResultsAsync(Utf8JsonWriter json, CancellationToken cancellationToken)
    {
        _openCalls.Clear();
        if (_imagesOfResults is not [])
        {
            Content[] shown = [new TextContent("Images of the tool results above:"), .. _imagesOfResults];
            _imagesOfResults.Clear();
            await WriteUserAsync(json, shown, cancellationToken);
        }

        if (_afterResults is not [])
        {
            ContextItem[] waiting = [.. _afterResults];
            _afterResults.Clear();
            foreach (var item in waiting)
            {
                await WriteItemAsync(json, item, cancellationToken);
            }
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
            WriteMessage(json, "user", string.Join('\n', content.Select(Text)));
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
                json.WriteString("text", Text(piece));
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

    private static string Text(Content piece) =>
        piece switch
        {
            TextContent text => text.Text,
            ImageContent image => $"[an image ({image.MediaType}) that is no longer there]",
            DiffContent diff => diff.UnifiedDiff,
            TerminalContent terminal => $"$ {terminal.Command}\n{terminal.Output}",
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static void WriteMessage(Utf8JsonWriter json, string role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", text);
        json.WriteEndObject();
    }

    /// <summary>Models invent names that endpoints refuse to hear again.</summary>
    private static string WireName(string name)
    {
        if (name.Length is > 0 and <= 64 && name.All(IsOfName))
        {
            return name;
        }

        var allowed = new StringBuilder();
        foreach (var letter in name.Take(64))
        {
            allowed.Append(IsOfName(letter) ? letter : '_');
        }

        return allowed.Length > 0 ? allowed.ToString() : "unnamed";
    }

    private static bool IsOfName(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.';

    private static bool IsObject(string arguments)
    {
        try
        {
            using var parsed = JsonDocument.Parse(arguments);
            return parsed.RootElement.ValueKind is JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
