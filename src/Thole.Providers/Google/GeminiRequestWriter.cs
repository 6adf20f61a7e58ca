using System.Buffers;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>
/// Writes the body of a request. Its bytes follow from the context alone, and what never changes between steps stands before what
/// grows, so that each step's body begins with the one before it and the provider's caches hold.
/// </summary>
internal sealed class GeminiRequestWriter(EndpointOptions options, GeminiTraits traits, ModelRequest request)
{
    // A request with data within it has at most 20 MB.
    private static readonly MediaLimits s_limits = new(
        Modalities.Image | Modalities.Pdf | Modalities.Audio | Modalities.Video,
        LongestImage: 18 << 20,
        LongestFile: 18 << 20
    );

    private const string Generation = "generationConfig";

    // What the documentation names for calls that come from elsewhere, and have no signature that would be valid.
    private const string NoSignature = "skip_thought_signature_validator";

    /// <summary>The ids of the last calls; null for those without an id that the provider gave.</summary>
    private IReadOnlyList<string?> _ids = [];

    public async ValueTask WriteAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(output, WireText.Compact);
        json.WriteStartObject();
        WriteSystem(json);
        WriteTools(json);
        WriteSettings(json);
        json.WriteStartArray("contents");
        var contents = new GeminiContents(json);
        foreach (var passage in Passage.Arrange(request.Items, static _ => true))
        {
            switch (passage)
            {
                case UserPassage user:
                    await WriteUserAsync(contents, user.Content, cancellationToken);
                    break;
                case AskedPassage asked:
                    WriteAsked(contents, asked);
                    break;
                case ResultsPassage answered:
                    await WriteResultsAsync(contents, answered, cancellationToken);
                    break;
            }
        }

        contents.Close();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteSystem(Utf8JsonWriter json)
    {
        if (request.System.Length > 0 && options.ExtraBody?.Get("systemInstruction") is null)
        {
            json.WriteStartObject("systemInstruction");
            json.WriteStartArray("parts");
            json.WriteStartObject();
            json.WriteString("text", request.System);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private void WriteTools(Utf8JsonWriter json)
    {
        if (request.Tools is [])
        {
            return;
        }

        json.WriteStartArray("tools");
        json.WriteStartObject();
        json.WriteStartArray("functionDeclarations");
        foreach (var tool in request.Tools)
        {
            json.WriteStartObject();
            json.WriteString("name", Name(tool.Name));
            json.WriteString("description", tool.Description);
            if (TakesArguments(tool.Schema))
            {
                json.WritePropertyName("parametersJsonSchema");
                json.WriteRawValue(tool.Schema);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <summary>
    /// Sampling belongs into <c>generationConfig</c> here, and what the user sets of that object stands beside ours, field by field:
    /// over the sampling, which is over ours.
    /// </summary>
    private void WriteSettings(Utf8JsonWriter json)
    {
        Dictionary<string, JsonElement> set = new(StringComparer.Ordinal);
        foreach (var field in Fields(options.Sampling).Concat(Fields(options.ExtraBody?.Get(Generation))))
        {
            set[field.Name] = field.Value;
        }

        var limit = set.ContainsKey("maxOutputTokens") ? null : options.MaxOutput;
        var saysThinking = !set.ContainsKey(GeminiTraits.ThinkingField) && traits.MayThink(options.Reasoning);
        if (limit is not null || saysThinking || set.Count > 0)
        {
            json.WriteStartObject(Generation);
            if (limit is { } tokens)
            {
                json.WriteNumber("maxOutputTokens", tokens);
            }

            if (saysThinking)
            {
                traits.WriteThinking(json, options.Reasoning);
            }

            foreach (var (name, value) in set)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        foreach (var field in Fields(options.ExtraBody).Where(static field => field.Name != Generation))
        {
            field.WriteTo(json);
        }
    }

    private static JsonElement.ObjectEnumerator Fields(JsonElement? body) =>
        body is { ValueKind: JsonValueKind.Object } fields ? fields.EnumerateObject() : default;

    private void WriteAsked(GeminiContents contents, AskedPassage asked)
    {
        var item = asked.Item;
        // Ids and signatures are the business of the model that made them.
        var isOwn = item.Model == $"{options.Provider}/{request.Model}";
        _ids = [.. item.Calls.Zip(asked.Ids, (call, id) => isOwn && call.ProviderId is { Length: > 0 } ? id : null)];
        var mustSign = traits.DemandsSignatures;
        foreach (var part in PartTrail.Of(item, isOwn))
        {
            if (part.Call is { } number)
            {
                // Of calls made at once only the first is signed.
                WriteCall(contents, item.Calls[number], _ids[number], part.Signature ?? (mustSign ? NoSignature : null));
                mustSign = false;
            }
            else if (part.Signature is not null || (part.Text.Length > 0 && !part.IsThought))
            {
                // A thought without a signature is a summary for people: it would be paid for, and tells the model nothing.
                contents.BeginPart("model");
                contents.Json.WriteString("text", part.Text);
                if (part.IsThought)
                {
                    contents.Json.WriteBoolean("thought", true);
                }

                EndPart(contents, part.Signature);
            }
        }
    }

    private static void WriteCall(GeminiContents contents, ToolCall call, string? id, string? signature)
    {
        contents.BeginPart("model");
        var json = contents.Json;
        json.WriteStartObject("functionCall");
        WriteId(json, id);
        json.WriteString("name", Name(call.Tool));
        json.WritePropertyName("args");
        json.WriteRawValue(WireText.Arguments(call));
        json.WriteEndObject();
        EndPart(contents, signature);
    }

    private static void EndPart(GeminiContents contents, string? signature)
    {
        if (signature is not null)
        {
            contents.Json.WriteString("thoughtSignature", signature);
        }

        contents.EndPart();
    }

    private async ValueTask WriteResultsAsync(
        GeminiContents contents,
        ResultsPassage answered,
        CancellationToken cancellationToken
    )
    {
        foreach (var ((_, tool, result), id) in answered.Results.Zip(_ids))
        {
            contents.BeginPart("user");
            var json = contents.Json;
            json.WriteStartObject("functionResponse");
            WriteId(json, id);
            json.WriteString("name", Name(tool));
            json.WriteStartObject("response");
            json.WriteString(result.IsError ? "error" : "output", result.Text);
            json.WriteEndObject();
            json.WriteEndObject();
            contents.EndPart();
        }

        Content[] images = [.. answered.Results.SelectMany(answer => answer.Result.Images)];
        if (images is not [])
        {
            await WriteUserAsync(contents, [new TextContent("Images of the tool results above:"), .. images], cancellationToken);
        }
    }

    private async ValueTask WriteUserAsync(
        GeminiContents contents,
        IReadOnlyList<Content> content,
        CancellationToken cancellationToken
    )
    {
        foreach (var piece in content)
        {
            var found = await SentMedia.ReadAsync(piece, request, s_limits, cancellationToken);
            if (found is { Instead: null } media)
            {
                contents.BeginPart("user");
                contents.Json.WriteStartObject("inlineData");
                contents.Json.WriteString("mimeType", media.MediaType);
                contents.Json.WriteBase64String("data", media.Bytes);
                contents.Json.WriteEndObject();
                contents.EndPart();
            }
            else if ((found?.Instead ?? WireText.Of(piece)) is { Length: > 0 } text)
            {
                contents.BeginPart("user");
                contents.Json.WriteString("text", text);
                contents.EndPart();
            }
        }
    }

    private static void WriteId(Utf8JsonWriter json, string? id)
    {
        if (id is not null)
        {
            json.WriteString("id", id);
        }
    }

    /// <summary>Names begin with a letter or an underscore here.</summary>
    private static string Name(string name)
    {
        var allowed = WireText.Name(name);
        return char.IsAsciiLetter(allowed[0]) || allowed[0] == '_' ? allowed : $"_{allowed[..Math.Min(allowed.Length, 63)]}";
    }

    /// <summary>An object without properties is refused: a function without arguments is declared without a schema.</summary>
    private static bool TakesArguments(string schema)
    {
        using var parsed = JsonDocument.Parse(schema);
        return parsed.RootElement.ValueKind is JsonValueKind.Object
            && parsed
                .RootElement.EnumerateObject()
                .Any(static keyword =>
                    keyword.Name switch
                    {
                        "properties" or "patternProperties" => keyword.Value.ValueKind is JsonValueKind.Object
                            && keyword.Value.EnumerateObject().Any(),
                        "additionalProperties" => keyword.Value.ValueKind is not JsonValueKind.False,
                        "$ref" or "anyOf" or "oneOf" or "allOf" => true,
                        _ => false,
                    }
                );
    }
}
