using System.Buffers;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>A session for programs that read as they go: one event a line, nothing joined and nothing left out.</summary>
public static class JsonLinesTranscript
{
    public static async Task WriteAsync(IAsyncEnumerable<Envelope> events, Stream output, CancellationToken cancellationToken)
    {
        var line = new ArrayBufferWriter<byte>(1024);
        await foreach (var envelope in events.WithCancellation(cancellationToken))
        {
            line.ResetWrittenCount();
            EnvelopeJson.Write(line, envelope);
            line.Write("\n"u8);
            await output.WriteAsync(line.WrittenMemory, cancellationToken);
        }

        await output.FlushAsync(cancellationToken);
    }
}
