using System.Buffers;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>
/// Writes the body of a request. The same items give the same bytes; only the marks of the cache move, with the end that they mark.
/// </summary>
internal sealed class MessagesRequestWriter(EndpointOptions options, ThinkingPlan thinking, ModelRequest request)
{
    private static readonly MediaLimits s_limits = new(Modalities.Image | Modalities.Pdf, LongestImage: 5 << 20);

    private static readonly string[] s_sampling = ["temperature", "top_p", "top_k"];

    public async ValueTask WriteAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        var turns = WireTurn.Arrange(request.Items, $"{options.Provider}/{request.Model}");
        await using var json = new Utf8JsonWriter(output, WireText.Compact);
        json.WriteStartObject();
        json.WriteString("model", request.Model);
        json.WriteBoolean("stream", true);
        WriteSettings(json, turns);
        WriteTools(json);
        WriteSystem(json);
        json.WriteStartArray("messages");
        var marked = Marked(turns);
        for (var at = 0; at < turns.Count; at++)
        {
            json.WriteStartObject();
            json.WriteString("role", turns[at].Role);
            json.WriteStartArray("content");
            await WriteTurnAsync(json, turns[at], marked.Contains(at), cancellationToken);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>
    /// The last two places where the user speaks: the last is where this context will be read from again, the one before it is where
    /// the context before this one ended. Two, and those of the tools and the system prompt, are as many marks as are taken.
    /// </summary>
    private HashSet<int> Marked(List<WireTurn> turns) =>
        options.CacheControl ? [.. Enumerable.Range(0, turns.Count).Where(at => turns[at] is UserTurn).TakeLast(2)] : [];

    private void WriteSettings(Utf8JsonWriter json, List<WireTurn> turns)
    {
        var thinks = thinking.Type is not null && !(thinking.WantsThoughtFirst && WireTurn.RunsWithoutThought(turns));
        if (!options.IsOverridden("max_tokens"))
        {
            // The wire refuses a request that sets no limit.
            json.WriteNumber("max_tokens", thinking.MaxTokens(options.MaxOutput ?? ModelSizes.Unknown.MaxOutput));
        }

        if (thinks)
        {
            json.WriteStartObject("thinking");
            json.WriteString("type", thinking.Type);
            if (thinking.Budget is { } budget)
            {
                json.WriteNumber("budget_tokens", budget);
            }

            if (thinking.AsksForWords)
            {
                json.WriteString("display", "summarized");
            }

            json.WriteEndObject();
        }

        if (thinking.Effort is { } effort)
        {
            json.WriteStartObject("output_config");
            json.WriteString("effort", effort);
            json.WriteEndObject();
        }

        // A model that thinks refuses to be told how to draw its words.
        options.WriteFields(json, thinks && thinking.Thinks ? s_sampling : []);
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
            json.WriteString("name", Name(tool.Name));
            json.WriteString("description", tool.Description);
            json.WritePropertyName("input_schema");
            json.WriteRawValue(tool.Schema);
            WriteMark(json, options.CacheControl && tool == request.Tools[^1]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteSystem(Utf8JsonWriter json)
    {
        if (string.IsNullOrWhiteSpace(request.System) || options.IsOverridden("system"))
        {
            return;
        }

        json.WriteStartArray("system");
        WriteText(json, request.System, options.CacheControl);
        json.WriteEndArray();
    }

    private async ValueTask WriteTurnAsync(Utf8JsonWriter json, WireTurn turn, bool isMarked, CancellationToken cancellationToken)
    {
        if (turn is AskedTurn asked)
        {
            foreach (var (passage, parts) in asked.Messages)
            {
                parts.ForEach(part => WritePart(json, passage, part));
            }

            return;
        }

        var user = (UserTurn)turn;
        foreach (var result in user.Results)
        {
            await WriteResultAsync(json, result, isMarked && user.Content is [] && result == user.Results[^1], cancellationToken);
        }

        for (var at = 0; at < user.Content.Count; at++)
        {
            await WriteContentAsync(json, user.Content[at], isMarked && at == user.Content.Count - 1, cancellationToken);
        }
    }

    private static void WritePart(Utf8JsonWriter json, AskedPassage passage, MessagePart part)
    {
        switch (part)
        {
            case MessagePart.Said said:
                WriteText(json, said.Text, isMarked: false);
                break;
            case MessagePart.Thought thought:
                json.WriteStartObject();
                json.WriteString("type", "thinking");
                json.WriteString("thinking", thought.Text);
                if (thought.Signature is not null)
                {
                    json.WriteString("signature", thought.Signature);
                }

                json.WriteEndObject();
                break;
            case MessagePart.Kept kept:
                kept.Block.WriteTo(json);
                break;
            case MessagePart.Asked(var index):
                var call = passage.Item.Calls[index];
                json.WriteStartObject();
                json.WriteString("type", "tool_use");
                json.WriteString("id", passage.Ids[index]);
                json.WriteString("name", Name(call.Tool));
                json.WritePropertyName("input");
                json.WriteRawValue(WireText.Arguments(call));
                json.WriteEndObject();
                break;
        }
    }

    private async ValueTask WriteResultAsync(
        Utf8JsonWriter json,
        AnsweredCall answer,
        bool isMarked,
        CancellationToken cancellationToken
    )
    {
        var result = answer.Result;
        json.WriteStartObject();
        json.WriteString("type", "tool_result");
        json.WriteString("tool_use_id", answer.Id);
        if (result.Images is not [])
        {
            json.WriteStartArray("content");
            if (!string.IsNullOrWhiteSpace(result.Text))
            {
                WriteText(json, result.Text, isMarked: false);
            }

            foreach (var image in result.Images)
            {
                await WriteContentAsync(json, image, isMarked: false, cancellationToken);
            }

            json.WriteEndArray();
        }
        else if (!string.IsNullOrWhiteSpace(result.Text))
        {
            json.WriteString("content", result.Text);
        }

        // An error that shows an image is refused; its text says that it is one.
        if (result is { IsError: true, Images: [] })
        {
            json.WriteBoolean("is_error", true);
        }

        WriteMark(json, isMarked);
        json.WriteEndObject();
    }

    private async ValueTask WriteContentAsync(
        Utf8JsonWriter json,
        Content piece,
        bool isMarked,
        CancellationToken cancellationToken
    )
    {
        var found = await SentMedia.ReadAsync(piece, request, s_limits, cancellationToken);
        if (found is not { Instead: null } media)
        {
            WriteText(json, found?.Instead ?? WireText.Of(piece), isMarked);
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", media.Kind is Modalities.Pdf ? "document" : "image");
        json.WriteStartObject("source");
        json.WriteString("type", "base64");
        json.WriteString("media_type", media.MediaType);
        json.WriteBase64String("data", media.Bytes);
        json.WriteEndObject();
        if (media.Name is { } title)
        {
            json.WriteString("title", title);
        }

        WriteMark(json, isMarked);
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string text, bool isMarked)
    {
        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", text);
        WriteMark(json, isMarked);
        json.WriteEndObject();
    }

    private static void WriteMark(Utf8JsonWriter json, bool isMarked)
    {
        if (isMarked)
        {
            json.WriteStartObject("cache_control");
            json.WriteString("type", "ephemeral");
            json.WriteEndObject();
        }
    }

    private static string Name(string name) => WireText.Name(name).Replace('.', '_');
}
