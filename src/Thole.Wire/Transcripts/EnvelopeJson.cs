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

    internal static void Write(IBufferWriter<byte> output, Envelope envelope)
    {
        using var writer = new Utf8JsonWriter(output, Options);
        Write(writer, envelope);
    }
}
