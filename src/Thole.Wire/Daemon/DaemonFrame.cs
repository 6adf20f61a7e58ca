using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Thole.Wire.Sse;

namespace Thole.Wire.Daemon;

/// <summary>
/// One frame of the daemon protocol's event stream: <c>{"id"?, "v":1, "type", "data", "originatorClientId"?, "_meta"}</c>. A frame with
/// an <see cref="Id"/> stands for the event of that number; one without tells of the stream itself, or accompanies the next.
/// </summary>
/// <param name="Data">Writes the members of <c>data</c>, whose object is open.</param>
public sealed record DaemonFrame(string Type, Action<Utf8JsonWriter> Data)
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public long? Id { get; init; }

    public DateTimeOffset? At { get; init; }

    /// <summary>The client that caused it, so that a screen can pass over its own echo.</summary>
    public string? Originator { get; init; }

    /// <summary>The frame as JSON.</summary>
    public void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Id is { } id)
        {
            writer.WriteNumber("id", id);
        }

        writer.WriteNumber("v", 1);
        writer.WriteString("type", Type);
        writer.WriteStartObject("data");
        Data(writer);
        writer.WriteEndObject();
        if (Originator is not null)
        {
            writer.WriteString("originatorClientId", Originator);
        }

        if (At is { } at)
        {
            writer.WriteStartObject("_meta");
            writer.WriteNumber("serverTimestamp", at.ToUnixTimeMilliseconds());
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    /// <summary>The frame as an event of a stream, whose <c>id:</c> is the cursor.</summary>
    public void WriteEvent(IBufferWriter<byte> output)
    {
        var json = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(json, s_options))
        {
            WriteJson(writer);
        }

        new SseWriter(output).Write(json.WrittenSpan, Type, Id?.ToString(CultureInfo.InvariantCulture));
    }
}
