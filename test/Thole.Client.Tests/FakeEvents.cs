using System.Text.Json.Nodes;
using Thole.Protocol;

namespace Thole.Client.Tests;

/// <summary>The words of the native stream, written without the code that reads them.</summary>
internal static class FakeEvents
{
    public const string Heartbeat = ": heartbeat\n\n";

    public static string Piece(long number, string text) =>
        Event(number, new JsonObject { ["type"] = "text_piece", ["text"] = text });

    public static string Pieces(long first, long last) =>
        string.Concat(Enumerable.Range((int)first, (int)(last - first + 1)).Select(number => Piece(number, TextOf(number))));

    public static string TextOf(long number) => $"piece {number} of käse 船";

    public static string Event(long number, JsonObject happened) =>
        $"event: event\nid: {number}\ndata: {Envelope(number, happened).ToJsonString()}\n\n";

    public static string Status(long latest, bool isClosed = false, string? turn = null)
    {
        var status = new JsonObject
        {
            ["session"] = "s",
            ["workspace"] = "/w",
            ["model"] = "m",
            ["approvalMode"] = "default",
            ["latest"] = latest,
            ["createdAt"] = "2026-01-02T03:04:05+00:00",
            ["updatedAt"] = "2026-01-02T03:04:05+00:00",
            ["isClosed"] = isClosed,
        };
        if (turn is not null)
        {
            status["turn"] = new JsonObject
            {
                ["turn"] = turn,
                ["prompt"] = "p",
                ["asker"] = "owner",
                ["startedAt"] = "2026-01-02T03:04:05+00:00",
            };
        }

        return $"event: status\ndata: {status.ToJsonString()}\n\n";
    }

    public static string Goodbye(string reason, long after) =>
        $"event: goodbye\ndata: {{\"reason\":\"{reason}\",\"behind\":0,\"after\":{after}}}\n\n";

    public static IReadOnlyList<long> Numbers(this IEnumerable<Envelope> envelopes) =>
        [.. envelopes.Select(envelope => envelope.Sequence)];

    public static async Task<List<Envelope>> TakeAsync(this IAsyncEnumerable<Envelope> events, int count)
    {
        var taken = new List<Envelope>();
        await foreach (var envelope in events)
        {
            taken.Add(envelope);
            if (taken.Count == count)
            {
                break;
            }
        }

        return taken;
    }

    private static JsonObject Envelope(long number, JsonObject happened) =>
        new()
        {
            ["sequence"] = number,
            ["at"] = "2026-01-02T03:04:05.678+00:00",
            ["actor"] = "model",
            ["event"] = happened,
        };
}
