using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>
/// Writes the body of a Responses request. The same items give the same bytes, and what is fixed comes before what grows, so that
/// each step's body begins with the one before it and prompt caches hold.
/// </summary>
internal sealed class ResponsesRequestWriter(EndpointOptions options, ResponsesQuirks quirks, ModelRequest request)
{
    private readonly MediaLimits _limits = new(quirks.TakesDocuments ? Modalities.Image | Modalities.Pdf : Modalities.Image);

    private const int LongestId = 64;

    public async ValueTask WriteAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(output, WireText.Compact);
        json.WriteStartObject();
        json.WriteString("model", request.Model);
        json.WriteBoolean("stream", true);
        WriteSettings(json);
        WriteTools(json);
        json.WriteStartArray("input");
        foreach (var passage in Passage.Arrange(request.Items, TakesId))
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

    private static bool TakesId(string id) => id.Length <= LongestId && id.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    private void WriteSettings(Utf8JsonWriter json)
    {
        // Where nothing is kept, nothing has to be found again: the log is ours.
        if (!options.IsOverridden("store"))
        {
            json.WriteBoolean("store", false);
        }

        if (quirks is { HasEncryptedReasoning: true, Reasons: true } && !options.IsOverridden("include"))
        {
            json.WriteStartArray("include");
            json.WriteStringValue("reasoning.encrypted_content");
            json.WriteEndArray();
        }

        if (request.System.Length > 0 && !options.IsOverridden("instructions"))
        {
            json.WriteString("instructions", request.System);
        }

        if (options.MaxOutput is { } limit && !options.IsOverridden("max_output_tokens"))
        {
            json.WriteNumber("max_output_tokens", limit);
        }

        if (quirks.TakesCacheKey && request.CacheKey is { } key && !options.IsOverridden("prompt_cache_key"))
        {
            json.WriteString("prompt_cache_key", key);
        }

        if (ReasoningModels.Nearest(options.Reasoning, quirks.Efforts) is { } effort && !options.IsOverridden("reasoning"))
        {
            json.WriteStartObject("reasoning");
            json.WriteString("effort", effort);
            if (quirks.HasSummaries && effort is not "none")
            {
                json.WriteString("summary", "auto");
            }

            json.WriteEndObject();
        }

        options.WriteFields(json);
    }

    private void WriteTools(Utf8JsonWriter json)
    {
        if (request.Tools is [])
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in request.Tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            json.WriteRawValue(tool.Schema);
            // Strict is the default here, and refuses every schema with a field that may be left out.
            json.WriteBoolean("strict", false);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteAsked(Utf8JsonWriter json, AskedPassage asked)
    {
        var item = asked.Item;
        var said = 0;
        foreach (var (number, step) in Steps(item).Index())
        {
            switch (step)
            {
                case ReasoningStep { Item: var reasoning }
                    when ReasoningItem.IsEncrypted(reasoning) || quirks.TakesPlainReasoning:
                    ReasoningItem.Write(json, reasoning, quirks.WantsItemIds);
                    break;
                case TextStep text:
                    WriteMessage(json, item.Text.AsSpan(said, text.Length), text.Phase, $"{item.Sequence}_{number}");
                    said += text.Length;
                    break;
                case CallStep call:
                    WriteCall(json, item.Calls[call.Number], asked.Ids[call.Number]);
                    break;
            }
        }
    }

    private IReadOnlyList<OutputStep> Steps(AssistantItem item)
    {
        // What the model thought is the business of the model that thought it: another one cannot read it.
        var kept =
            item.ProviderData is { } data && item.Model == $"{options.Provider}/{request.Model}"
                ? OutputTrail.Read(data, item.Text.Length, item.Calls.Count)
                : null;
        return kept
            ??
            [
                .. item.Text.Length > 0 ? [new TextStep(item.Text.Length, null)] : (OutputStep[])[],
                .. item.Calls.Select(static (_, number) => new CallStep(number)),
            ];
    }

    private void WriteMessage(Utf8JsonWriter json, ReadOnlySpan<char> text, string? phase, string id)
    {
        json.WriteStartObject();
        json.WriteString("type", OutputItem.Message);
        if (quirks.WantsItemIds)
        {
            json.WriteString("id", $"msg_{id}");
            json.WriteString("status", "completed");
        }

        json.WriteString("role", "assistant");
        if (phase is not null)
        {
            json.WriteString("phase", phase);
        }

        json.WriteStartArray("content");
        json.WriteStartObject();
        json.WriteString("type", "output_text");
        json.WriteString("text", text);
        if (quirks.WantsItemIds)
        {
            json.WriteStartArray("annotations");
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCall call, string id)
    {
        json.WriteStartObject();
        json.WriteString("type", OutputItem.Call);
        json.WriteString("call_id", id);
        // No dots here: one name with a dot in the past would have every request refused from then on.
        json.WriteString("name", WireText.Name(call.Tool).Replace('.', '_'));
        json.WriteString("arguments", WireText.Arguments(call));
        json.WriteEndObject();
    }

    private async ValueTask WriteResultsAsync(Utf8JsonWriter json, ResultsPassage answered, CancellationToken cancellationToken)
    {
        foreach (var (id, _, result) in answered.Results)
        {
            json.WriteStartObject();
            json.WriteString("type", "function_call_output");
            json.WriteString("call_id", id);
            if (quirks.TakesImagesInOutputs && result.Images is not [])
            {
                json.WritePropertyName("output");
                await WritePartsAsync(json, [new TextContent(result.Text), .. result.Images], cancellationToken);
            }
            else
            {
                json.WriteString("output", result.Text);
            }

            json.WriteEndObject();
        }

        Content[] images = quirks.TakesImagesInOutputs ? [] : [.. answered.Results.SelectMany(answer => answer.Result.Images)];
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
        json.WriteStartObject();
        json.WriteString("type", OutputItem.Message);
        json.WriteString("role", "user");
        json.WritePropertyName("content");
        await WritePartsAsync(json, content, cancellationToken);
        json.WriteEndObject();
    }

    private async ValueTask WritePartsAsync(
        Utf8JsonWriter json,
        IReadOnlyList<Content> content,
        CancellationToken cancellationToken
    )
    {
        json.WriteStartArray();
        foreach (var piece in content)
        {
            var found = await SentMedia.ReadAsync(piece, request, _limits, cancellationToken);
            json.WriteStartObject();
            switch (found)
            {
                case { Instead: null, Kind: Modalities.Pdf } document:
                    json.WriteString("type", "input_file");
                    json.WriteString("filename", document.Name ?? "document.pdf");
                    json.WriteString("file_data", document.DataUrl);
                    break;
                case { Instead: null } image:
                    json.WriteString("type", "input_image");
                    json.WriteString("image_url", image.DataUrl);
                    json.WriteString("detail", "auto");
                    break;
                default:
                    json.WriteString("type", "input_text");
                    json.WriteString("text", found?.Instead ?? WireText.Of(piece));
                    break;
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
