using System.Text.Json;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

/// <summary>Every log that a released version wrote loads for ever: one line an event kind, in test/golden.</summary>
public sealed class EventCodecSpecs
{
    public static TheoryData<string> GoldenLines
    {
        get
        {
            var lines = new TheoryData<string>();
            foreach (var line in Directory.GetFiles(Golden(), "*.jsonl", SearchOption.AllDirectories).SelectMany(File.ReadLines))
            {
                lines.Add(line);
            }

            return lines;
        }
    }

    [Theory]
    [MemberData(nameof(GoldenLines))]
    public void A_golden_line_loads_as_the_event_that_it_was(string line)
    {
        var golden = JsonElement.Parse(line);
        var payload = golden.GetProperty("payload");
        var type = golden.GetProperty("type").GetString()!;
        var row = new EventRow(
            7,
            golden.GetProperty("at").GetInt64(),
            type,
            golden.GetProperty("version").GetInt32(),
            golden.GetProperty("actor").GetString()!,
            JsonSerializer.SerializeToUtf8Bytes(payload),
            []
        );
        var codec = new EventCodec(EventUpgrades.All);
        var envelope = codec.Decode(row);
        Assert.IsNotType<UnknownEvent>(envelope.Event);
        var again = codec.Encode(envelope, EventRow.Root);
        Assert.Equal(type, again.Type);
        if (again.Version == row.Version)
        {
            Assert.True(
                JsonElement.DeepEquals(payload, JsonElement.Parse(again.Payload)),
                $"{line} became {System.Text.Encoding.UTF8.GetString(again.Payload)}"
            );
        }
    }

    [Fact]
    public void Every_kind_of_event_has_a_golden_line()
    {
        var golden = Directory
            .GetFiles(Golden(), "*.jsonl", SearchOption.AllDirectories)
            .SelectMany(File.ReadLines)
            .Select(line => JsonElement.Parse(line).GetProperty("type").GetString()!)
            .ToHashSet();
        Assert.Empty(EventCodec.Kinds.Select(kind => kind.Value).Except(golden));
    }

    [Theory]
    [InlineData("tea_made", 1, """{"strength":9}""")]
    [InlineData("text_piece", 2, """{"words":["a"]}""")]
    [InlineData("text_piece", 1, """{"nothing":"of the kind"}""")]
    [InlineData("text_piece", 1, "no JSON")]
    public void What_cannot_be_understood_is_kept_as_it_is(string type, int version, string payload)
    {
        var row = new EventRow(7, 0, type, version, "model", System.Text.Encoding.UTF8.GetBytes(payload), []);
        var unknown = Assert.IsType<UnknownEvent>(new EventCodec(EventUpgrades.All).Decode(row).Event);
        Assert.Equal((type, version), (unknown.Type, unknown.Version));
        Assert.NotEqual(JsonValueKind.Undefined, unknown.Payload.ValueKind);
    }

    private static string Golden()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var golden = Path.Join(folder, "test", "golden");
            if (Directory.Exists(golden))
            {
                return golden;
            }
        }

        throw new DirectoryNotFoundException("test/golden is above every build of this repository.");
    }
}
