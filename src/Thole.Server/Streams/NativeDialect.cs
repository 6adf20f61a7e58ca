using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Thole.Protocol;
using Thole.Wire.Sse;
using Thole.Wire.Transcripts;

namespace Thole.Server.Streams;

/// <summary>Events as they are: the envelope in JSON, its number as the cursor. Events without a number tell of the stream.</summary>
internal sealed class NativeDialect : StreamDialect
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void WriteWelcome(IBufferWriter<byte> output, Welcome welcome) =>
        Write(
            output,
            "status",
            id: null,
            writer => JsonSerializer.Serialize(writer, welcome.Status, ProtocolJson.Default.SessionStatus)
        );

    public override void WriteSlow(IBufferWriter<byte> output, Lag lag) => WriteLag(output, "slow", null, lag);

    public override void WriteGoodbye(IBufferWriter<byte> output, SessionId session, string reason, Lag lag) =>
        WriteLag(output, "goodbye", reason, lag);

    public override void WriteNews(IBufferWriter<byte> output, WorkspaceNews news, DateTimeOffset at, string? originator) =>
        Write(
            output,
            "news",
            id: null,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("at", at);
                if (originator is not null)
                {
                    writer.WriteString("client", originator);
                }

                writer.WritePropertyName("news");
                JsonSerializer.Serialize(writer, news, WorkspaceJson.Default.WorkspaceNews);
                writer.WriteEndObject();
            }
        );

    protected override void Write(IBufferWriter<byte> output, SessionId session, Envelope envelope) =>
        Write(output, "event", envelope.Sequence, writer => EnvelopeJson.Write(writer, envelope));

    private static void WriteLag(IBufferWriter<byte> output, string name, string? reason, Lag lag) =>
        Write(
            output,
            name,
            id: null,
            writer =>
            {
                writer.WriteStartObject();
                if (reason is not null)
                {
                    writer.WriteString("reason", reason);
                }

                writer.WriteNumber("behind", lag.Behind);
                writer.WriteNumber("after", lag.Last);
                writer.WriteEndObject();
            }
        );

    private static void Write(IBufferWriter<byte> output, string name, long? id, Action<Utf8JsonWriter> write)
    {
        var json = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(json, s_options))
        {
            write(writer);
        }

        new SseWriter(output).Write(json.WrittenSpan, name, id?.ToString(CultureInfo.InvariantCulture));
    }
}
