using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>A session as one JSON document: what it is, then every event as it was.</summary>
public static class JsonTranscript
{
    public static async Task WriteAsync(
        SessionSummary session,
        IAsyncEnumerable<Envelope> events,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        await using var writer = new Utf8JsonWriter(output, EnvelopeJson.Options with { Indented = true, NewLine = "\n" });
        writer.WriteStartObject();
        writer.WritePropertyName("session");
        JsonSerializer.Serialize(writer, session, ProtocolJson.Default.SessionSummary);
        writer.WriteStartArray("events");
        await foreach (var envelope in events.WithCancellation(cancellationToken))
        {
            EnvelopeJson.Write(writer, envelope);
            await writer.FlushAsync(cancellationToken);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken);
        await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
    }
}
