using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>An event in its envelope as JSON, also one of a kind that only a newer version knows.</summary>
public static class EnvelopeJson
{
    internal static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Utf8JsonWriter writer, Envelope envelope)
    {
        if (envelope.Event is not UnknownEvent unknown)
        {
            JsonSerializer.Serialize(writer, envelope, ProtocolJson.Default.Envelope);
            return;
        }

        writer.WriteStartObject();
        writer.WriteNumber("sequence", envelope.Sequence);
        writer.WriteString("at", envelope.At);
        writer.WriteString("actor", envelope.Actor.Value);
        writer.WriteStartObject("event");
        writer.WriteString("type", unknown.Type);
        if (unknown.Payload.ValueKind is JsonValueKind.Object)
        {
            foreach (var property in unknown.Payload.EnumerateObject().Where(property => property.Name is not "type"))
            {
                property.WriteTo(writer);
            }
        }
        else
        {
            writer.WritePropertyName("payload");
            unknown.Payload.WriteTo(writer);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>
    /// Reads what was written. An event of a kind that only a newer version knows, or of a known kind in a shape that this one does not, is
    /// kept as <see cref="UnknownEvent"/>; its version was not said and is 0.
    /// </summary>
    /// <exception cref="JsonException">It is no envelope.</exception>
    public static Envelope Read(ReadOnlySpan<byte> json)
    {
        try
        {
            if (JsonSerializer.Deserialize(json, ProtocolJson.Default.Envelope) is { } envelope)
            {
                return envelope;
            }
        }
        catch (Exception unknown) when (unknown is JsonException or NotSupportedException)
        {
            // A name or a shape that we do not have.
        }

        try
        {
            return ReadUnknown(JsonElement.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false }));
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new JsonException("This is no event in its envelope.", wrong);
        }
    }

    internal static void Write(IBufferWriter<byte> output, Envelope envelope)
    {
        using var writer = new Utf8JsonWriter(output, Options);
        Write(writer, envelope);
    }

    private static Envelope ReadUnknown(JsonElement envelope)
    {
        var happened = envelope.GetProperty("event");
        return new Envelope(
            envelope.GetProperty("sequence").GetInt64(),
            envelope.GetProperty("at").GetDateTimeOffset(),
            new Actor(Text(envelope.GetProperty("actor"))),
            new UnknownEvent(Text(happened.GetProperty("type")), Version: 0, PayloadOf(happened))
        );

        static string Text(JsonElement value) =>
            value.GetString() ?? throw new JsonException("This is no event in its envelope.");
    }

    private static JsonElement PayloadOf(JsonElement happened)
    {
        var members = happened.EnumerateObject().Where(member => member.Name is not "type").ToList();
        if (members is [{ Name: "payload", Value: { ValueKind: not JsonValueKind.Object } value }])
        {
            return value;
        }

        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            members.ForEach(member => member.WriteTo(writer));
            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
