using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Thole.Client.Tests;

/// <summary>What a <see cref="FakeDaemon"/> sends, byte for byte, and how it ends.</summary>
internal sealed record FakeAnswer(byte[] Bytes)
{
    /// <summary>Only so many of the bytes are sent, and then the connection is closed.</summary>
    public int? CutAt { get; init; }

    /// <summary>The connection is reset instead of closed.</summary>
    public bool IsReset { get; init; }

    /// <summary>The connection stays open until the client leaves.</summary>
    public bool StaysOpen { get; init; }

    public static FakeAnswer Json(string body, int status = 200, string headers = "")
    {
        var content = Encoding.UTF8.GetBytes(body);
        return new FakeAnswer([
            .. Encoding.ASCII.GetBytes(
                $"HTTP/1.1 {status} Said\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {content.Length}\r\nConnection: close\r\n{headers}\r\n"
            ),
            .. content,
        ]);
    }

    public static FakeAnswer Refusal(int status, string code, string sentence = "No.", string headers = "") =>
        Json(new JsonObject { ["error"] = sentence, ["code"] = code }.ToJsonString(), status, headers);

    /// <summary>A stream of what <see cref="FakeEvents"/> makes.</summary>
    public static FakeAnswer Stream(string events, bool isChunked = true) =>
        new(
            isChunked
                ?
                [
                    .. "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8,
                    .. Encoding.UTF8.GetBytes(events).Chunk(61).SelectMany(Chunk),
                    .. "0\r\n\r\n"u8,
                ]
                :
                [
                    .. "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"u8,
                    .. Encoding.UTF8.GetBytes(events),
                ]
        );

    /// <summary>The same, and then silence.</summary>
    public static FakeAnswer OpenStream(string events)
    {
        var whole = Stream(events);
        return whole with { CutAt = whole.Bytes.Length - "0\r\n\r\n".Length, StaysOpen = true };
    }

    private static byte[] Chunk(byte[] piece) =>
        [
            .. Encoding.ASCII.GetBytes(piece.Length.ToString("x", CultureInfo.InvariantCulture)),
            .. "\r\n"u8,
            .. piece,
            .. "\r\n"u8,
        ];
}
