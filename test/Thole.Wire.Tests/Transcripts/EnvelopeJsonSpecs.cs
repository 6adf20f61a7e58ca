using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Protocol;
using Thole.Wire.Transcripts;

namespace Thole.Wire.Tests.Transcripts;

public sealed class EnvelopeJsonSpecs
{
    /// <summary>One event of every kind there is, as logs hold them for ever.</summary>
    public static TheoryData<string, string> Golden { get; } = ReadGolden();

    [Theory]
    [MemberData(nameof(Golden))]
    public void Every_kind_is_read_as_what_was_written(string type, string payload)
    {
        var node = JsonNode.Parse(payload)!.AsObject();
        node.Insert(0, "type", type);
        var happened = node.Deserialize(ProtocolJson.Default.SessionEvent)!;
        var json = Written(new Envelope(7, DateTimeOffset.UnixEpoch.AddTicks(12_345_678), new Actor("owner/a"), happened));

        var read = EnvelopeJson.Read(Encoding.UTF8.GetBytes(json));

        Assert.Equal(happened.GetType(), read.Event.GetType());
        Assert.Equal((7, "owner/a"), (read.Sequence, read.Actor.Value));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddTicks(12_345_678), read.At);
        Assert.Equal(json, Written(read));
    }

    [Theory]
    [InlineData("""{"strength":9,"cups":[1,{"a":null}]}""")]
    [InlineData("{}")]
    [InlineData("\"a text\"")]
    [InlineData("[1,2]")]
    [InlineData("null")]
    [InlineData("""{"payload":{"deep":true}}""")]
    [InlineData("""{"payload":1,"beside":2}""")]
    public void A_kind_that_only_a_newer_version_knows_is_kept_as_it_is(string payload)
    {
        var json = Written(
            new Envelope(2, DateTimeOffset.UnixEpoch, Actor.Model, new UnknownEvent("tea_made", 3, JsonElement.Parse(payload)))
        );

        var read = EnvelopeJson.Read(Encoding.UTF8.GetBytes(json));

        var unknown = Assert.IsType<UnknownEvent>(read.Event);
        Assert.Equal("tea_made", unknown.Type);
        Assert.Equal(payload, unknown.Payload.GetRawText());
        Assert.Equal(json, Written(read));
    }

    [Fact]
    public void A_known_kind_in_a_shape_of_a_newer_version_is_kept_as_it_is()
    {
        const string Json =
            """{"sequence":4,"at":"1970-01-01T00:00:00+00:00","actor":"model","event":{"type":"text_piece","parts":["a","b"]}}""";

        var unknown = Assert.IsType<UnknownEvent>(EnvelopeJson.Read(Encoding.UTF8.GetBytes(Json)).Event);

        Assert.Equal(("text_piece", """{"parts":["a","b"]}"""), (unknown.Type, unknown.Payload.GetRawText()));
    }

    [Fact]
    public void Members_that_a_newer_version_added_are_passed_over()
    {
        const string Json =
            """{"sequence":4,"at":"1970-01-01T00:00:00+00:00","actor":"model","mood":"good","event":{"type":"text_piece","text":"a","tone":"b"}}""";

        Assert.Equal(new TextPiece("a"), EnvelopeJson.Read(Encoding.UTF8.GetBytes(Json)).Event);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"sequence":1,"at":"1970-01-01T00:00:00+00:00","actor":"model","event":{}}""")]
    [InlineData("""{"sequence":1,"at":"1970-01-01T00:00:00+00:00","actor":"model","event":{"type":null}}""")]
    [InlineData("""{"sequence":1,"at":"1970-01-01T00:00:00+00:00","actor":null,"event":{"type":"tea_made"}}""")]
    [InlineData("""{"sequence":1,"at":"yesterday","actor":"model","event":{"type":"tea_made"}}""")]
    [InlineData("""{"sequence":1.5,"at":"1970-01-01T00:00:00+00:00","actor":"model","event":{"type":"tea_made"}}""")]
    [InlineData("""{"sequence":1,"sequence":2,"at":"1970-01-01T00:00:00+00:00","actor":"model","event":{"type":"tea_made"}}""")]
    [InlineData("""{"sequence":1,"at":"1970-01-01T00:00:00+00:00","actor":"model","event":{"type":"tea_made"}""")]
    public void What_is_no_envelope_is_refused(string json) =>
        Assert.ThrowsAny<JsonException>(() => EnvelopeJson.Read(Encoding.UTF8.GetBytes(json)));

    private static string Written(Envelope envelope)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            EnvelopeJson.Write(writer, envelope);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static TheoryData<string, string> ReadGolden()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(folder.FullName, "Thole.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("These specs read test/golden of the repository.");
        }

        var data = new TheoryData<string, string>();
        foreach (
            var line in Directory
                .EnumerateFiles(Path.Join(folder.FullName, "test", "golden"), "*.jsonl", SearchOption.AllDirectories)
                .SelectMany(File.ReadLines)
        )
        {
            var row = JsonElement.Parse(line);
            data.Add(row.GetProperty("type").GetString()!, row.GetProperty("payload").GetRawText());
        }

        return data;
    }
}
