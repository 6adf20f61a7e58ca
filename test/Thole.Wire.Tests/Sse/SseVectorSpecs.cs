using System.Text;
using System.Text.Json;
using Thole.Testing;
using Thole.Wire.Sse;

namespace Thole.Wire.Tests.Sse;

/// <summary>The examples of the standard and of the web platform tests.</summary>
public sealed class SseVectorSpecs
{
    [Fact]
    public void Every_vector_reads_as_the_standard_says_whole_and_in_pieces()
    {
        var vectors = Load();
        Assert.True(vectors.Count >= 25);
        foreach (var vector in vectors)
        {
            var wire = Encoding.UTF8.GetBytes(vector.GetProperty("wire").GetString()!);
            for (var size = 1; size <= wire.Length; size++)
            {
                AssertReads(vector, "events", Pieces(wire, size));
            }

            if (vector.TryGetProperty("chunks", out var chunks))
            {
                AssertReads(
                    vector,
                    "chunk_events",
                    chunks.EnumerateArray().Select(chunk => Encoding.UTF8.GetBytes(chunk.GetString()!))
                );
            }
        }
    }

    [Fact]
    public void What_the_writer_writes_of_every_vector_the_reader_reads_back()
    {
        foreach (var vector in Load())
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>();
            var writer = new SseWriter(output);
            foreach (var expected in vector.GetProperty("events").EnumerateArray())
            {
                writer.Write(
                    expected.GetProperty("data").GetString()!,
                    expected.TryGetProperty("event", out var name) ? name.GetString() : null,
                    expected.TryGetProperty("id", out var id) ? id.GetString() : null
                );
            }

            AssertReads(vector, "events", [output.WrittenMemory.ToArray()], retry: false);
        }
    }

    private static void AssertReads(JsonElement vector, string key, IEnumerable<byte[]> pieces, bool retry = true)
    {
        var name = vector.GetProperty("name").GetString();
        var reader = new SseReader();
        List<(string? Name, string Id, string Data)> read = [];
        foreach (var piece in pieces)
        {
            reader.Feed(piece);
            while (reader.TryRead(out var happened))
            {
                read.Add((happened.Name, happened.Id, happened.Text));
            }
        }

        var expected = vector.GetProperty(key).EnumerateArray().ToList();
        Assert.True(expected.Count == read.Count, $"{name}: {read.Count} events, expected {expected.Count}");
        foreach (var (want, have) in expected.Zip(read))
        {
            Assert.Equal((name, want.GetProperty("data").GetString()), (name, have.Data));
            Assert.Equal((name, want.TryGetProperty("event", out var type) ? type.GetString() : null), (name, have.Name));
            Assert.Equal((name, want.TryGetProperty("id", out var id) ? id.GetString() : ""), (name, have.Id));
        }

        if (retry && vector.TryGetProperty("retry", out var wait))
        {
            Assert.Equal(wait.ValueKind is JsonValueKind.Null ? null : TimeSpan.FromMilliseconds(wait.GetInt32()), reader.Retry);
        }
    }

    private static IEnumerable<byte[]> Pieces(byte[] wire, int size) => wire.Chunk(size);

    private static IReadOnlyList<JsonElement> Load()
    {
        var file = Acceptance.Folder is { } folder ? Path.Combine(folder, "sse", "wire-vectors.json") : null;
        if (!File.Exists(file))
        {
            Assert.Skip("needs the acceptance data: set THOLE_ACCEPTANCE to the folder that holds sse/wire-vectors.json");
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. document.RootElement.Clone().EnumerateArray()];
    }
}
