using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Testing;
using Thole.Testing.Models;

namespace Thole.Providers.Tests;

/// <summary>
/// Streams that real providers sent, and what another parser made of them. Expectations were judged by hand where two parsers
/// disagreed: magistral streams its content as parts (thinking, text); taking the parts apart, as expected, is right.
/// </summary>
public sealed class RecordedStreamSpecs
{
    public static TheoryData<string> Streams()
    {
        var names = new TheoryData<string>();
        foreach (var name in Manifest().Keys)
        {
            names.Add(name);
        }

        if (names.Count == 0)
        {
            names.Add("");
        }

        return names;
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_recorded_stream_says_what_was_expected_whole_and_with_crlf(string name)
    {
        var (wire, bytes, expected) = Load(name);
        await using var server = ScriptedModelServer.Start();
        server
            .Reply(reply => reply.Raw(bytes))
            .Reply(reply => reply.Raw(bytes).WithCrLf())
            .Reply(reply => reply.Raw(bytes).UntilClose());

        AssertEqual(wire, bytes, expected, await wire.Asking.AskAsync(server));
        AssertEqual(wire, bytes, expected, await wire.Asking.AskAsync(server));
        AssertEqual(wire, bytes, expected, await wire.Asking.AskAsync(server));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_recorded_stream_says_the_same_byte_by_byte_and_in_random_pieces(string name)
    {
        var (wire, bytes, expected) = Load(name);
        AssertEqual(wire, bytes, expected, await wire.Asking.AskAsync(bytes, () => 1));

        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 5; round++)
        {
            var asked = await wire.Asking.AskAsync(bytes, () => random.Next(1, 200));
            Assert.True(
                asked.Finished is not null || TellsError(expected) || IsRefused(wire, expected),
                $"seed {seed}: {asked.Failure}"
            );
            AssertEqual(wire, bytes, expected, asked);
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_cut_stream_never_ends_as_a_finished_answer(string name)
    {
        var (wire, bytes, expected) = Load(name);
        foreach (var quarter in (int[])[1, 2, 3])
        {
            var offset = bytes.Length * quarter / 4;
            await using var server = ScriptedModelServer.Start();
            server
                .Reply(reply => reply.Raw(bytes).CutAt(offset))
                .Reply(reply => reply.Raw(bytes).CutAt(offset).UntilClose())
                .Reply(reply => reply.Raw(bytes).CutAt(offset).Cut())
                .Reply(reply => reply.Raw(bytes).CutAt(offset).Cut(reset: true));
            for (var way = 0; way < 4; way++)
            {
                // A reset may overtake what was sent before it, even the head of the answer.
                AssertCut(expected, await wire.Asking.AskAsync(server), orUnreachable: way == 3);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Wherever_a_connection_breaks_between_events_nothing_is_finished_and_no_call_is_made(string name)
    {
        var (wire, bytes, expected) = Load(name);
        await using var server = ScriptedModelServer.Start();
        var borders = Borders(bytes);
        // After the last event there is nothing left to lose, nor between the answers of a recording that joins several.
        var before = borders[..^1].FindAll(border => !wire.IsEnded(Encoding.Latin1.GetString(bytes, 0, border)));
        foreach (var border in before.Where((_, number) => number % Math.Max(1, before.Count / 12) == 0))
        {
            server.Reply(reply => reply.Raw(bytes).CutAt(border).Cut());
            AssertCut(expected, await wire.Asking.AskAsync(server));
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Without_any_sign_of_its_end_a_stream_that_stops_at_any_byte_is_cut(string name)
    {
        var (wire, bytes, expected) = Load(name);
        var text = Encoding.Latin1.GetString(bytes);
        var sign = wire.EndSigns.Select(mark => text.IndexOf(mark, StringComparison.Ordinal)).Where(at => at >= 0).Min();
        for (var offset = 0; offset < sign; offset += 1 + (sign / 40))
        {
            AssertCut(expected, await wire.Asking.AskAsync(bytes[..offset]));
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_stream_that_stops_inside_its_last_events_is_cut_however_much_it_has_said(string name)
    {
        var (wire, bytes, expected) = Load(name);
        var borders = Borders(bytes);
        var endMark =
            Encoding.Latin1.GetString(bytes).LastIndexOf(wire.LastSign, StringComparison.Ordinal) + wire.LastSign.Length;
        var first = borders[Math.Max(0, borders.Count - 4)] + 1;
        for (var offset = first; offset < endMark; offset += 1 + ((endMark - first) / 12))
        {
            if (!borders.Contains(offset))
            {
                AssertCut(expected, await wire.Asking.AskAsync(bytes[..offset]));
            }
        }
    }

    private static void AssertCut(JsonElement expected, Asked asked, bool orUnreachable = false)
    {
        // A stream that tells of an error may have told of it before the cut.
        var mayTell = TellsError(expected);
        Assert.NotNull(asked.Failure);
        Assert.True(
            asked.Failure.Failure is ModelFailure.StreamCut
                || (orUnreachable && asked.Failure.Failure is ModelFailure.Network)
                || mayTell,
            asked.Failure.ToString()
        );
        Assert.Null(asked.Finished);
        Assert.Empty(asked.Calls);
    }

    private static void AssertEqual(RecordedWire wire, byte[] stream, JsonElement expected, Asked asked)
    {
        if (expected.GetProperty("error") is { ValueKind: JsonValueKind.Object } error)
        {
            Assert.Contains(Get(error, "message")!, asked.Failure?.Message);
            return;
        }

        if (IsRefused(wire, expected))
        {
            Assert.Equal(ModelFailure.ContentRefused, asked.Failure?.Failure);
            return;
        }

        Assert.Null(asked.Failure);
        Assert.Equal(expected.GetProperty("text").GetString(), asked.Text);
        Assert.Equal(expected.GetProperty("reasoning").GetString(), asked.Reasoning);
        Assert.All(asked.Calls, call => Assert.Null(call.Problem));
        RecordedCall[] calls =
        [
            .. expected
                .GetProperty("tool_calls")
                .EnumerateArray()
                .Select(call => new RecordedCall(Get(call, "id"), Get(call, "name"), Get(call, "arguments"))),
        ];
        Assert.Equal(
            wire.Calls(calls, stream).Select(call => call with { Arguments = wire.Arguments(call.Arguments) }),
            asked.Calls.Select(call => new RecordedCall(call.ProviderId, call.Name, wire.Arguments(call.Arguments)))
        );
        Assert.Equal(wire.Usage(expected.GetProperty("usage")), asked.Finished!.Usage);
        Assert.Equal(wire.Stop(Get(expected, "finish_reason")), asked.Finished.Stop);
    }

    private static bool TellsError(JsonElement expected) => expected.GetProperty("error").ValueKind is JsonValueKind.Object;

    private static bool IsRefused(RecordedWire wire, JsonElement expected) =>
        wire.Stop(Get(expected, "finish_reason")) is StopReason.Filtered && Get(expected, "text") is "";

    private static string? Get(JsonElement parent, string name) => parent.GetProperty(name).GetString();

    private static List<int> Borders(byte[] bytes)
    {
        List<int> borders = [];
        for (var at = 0; at + 1 < bytes.Length; at++)
        {
            if (bytes[at] == '\n' && bytes[at + 1] == '\n')
            {
                borders.Add(at + 2);
            }
            else if (bytes.AsSpan(at).StartsWith("\n\r\n"u8))
            {
                borders.Add(at + 3);
            }
        }

        return borders;
    }

    private static (RecordedWire Wire, byte[] Bytes, JsonElement Expected) Load(string name)
    {
        if (!Manifest().TryGetValue(name, out var entry))
        {
            Assert.Skip("needs the acceptance data: set THOLE_ACCEPTANCE to the folder that holds streams/manifest.jsonl");
        }

        return (
            RecordedWire.All.Single(wire => wire.Protocol == Get(entry, "protocol")),
            File.ReadAllBytes(Path.Combine(Acceptance.Folder!, "streams", Get(entry, "file")!)),
            entry.GetProperty("expected")
        );
    }

    private static string Hash(string file) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Acceptance.Folder!, "streams", file))));

    private static Dictionary<string, JsonElement> Manifest()
    {
        var file = Acceptance.Folder is { } folder ? Path.Combine(folder, "streams", "manifest.jsonl") : null;
        return File.Exists(file)
            ? File.ReadLines(file)
                .Select(line => JsonDocument.Parse(line).RootElement)
                .Where(entry => RecordedWire.All.Any(wire => wire.Protocol == Get(entry, "protocol")))
                .GroupBy(entry => Get(entry, "file")!)
                // Rows may share a file name; the one that was written last describes the bytes that are there.
                .ToDictionary(
                    same => same.Key,
                    same => same.First(entry => Get(entry, "sha256") == Hash(same.Key)),
                    StringComparer.Ordinal
                )
            : [];
    }
}
