using System.Text;

namespace Thole.Server.Tests;

/// <summary>S57, S67: what is not one request beyond doubt is none, and what follows it on the connection is never read as another.</summary>
public sealed class RequestLineSpecs
{
    private const string Next =
        "GET /session/smuggled HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer owner-token-of-a-test\r\n\r\n";
    private const string Head = "Host: 127.0.0.1:PORT\r\nAuthorization: Bearer owner-token-of-a-test\r\n";
    private const string Json = "Content-Type: application/json\r\n";

    public static TheoryData<string, string> Ambiguous { get; } =
        new()
        {
            {
                "length and chunks",
                $"POST /session HTTP/1.1\r\n{Head}{Json}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            },
            {
                "chunks and length",
                $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"
            },
            { "two lengths", $"POST /session HTTP/1.1\r\n{Head}{Json}Content-Length: 2\r\nContent-Length: 70\r\n\r\n{{}}" },
            { "a list of lengths", $"POST /session HTTP/1.1\r\n{Head}{Json}Content-Length: 2, 2\r\n\r\n{{}}" },
            { "a signed length", $"POST /session HTTP/1.1\r\n{Head}{Json}Content-Length: +2\r\n\r\n{{}}" },
            { "a hexadecimal length", $"POST /session HTTP/1.1\r\n{Head}{Json}Content-Length: 0x2\r\n\r\n{{}}" },
            { "a space before the colon", $"POST /session HTTP/1.1\r\n{Head}{Json}Content-Length : 2\r\n\r\n{{}}" },
            { "chunks of another name", $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
            { "chunks twice", $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" },
            {
                "chunks in HTTP/1.0",
                $"POST /session HTTP/1.0\r\n{Head}{Json}Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"
            },
            { "a bare line feed in the head", $"GET /session/a HTTP/1.1\n{Head}\r\n" },
            { "bare line feeds", $"GET /session/a HTTP/1.1\n{Head.Replace("\r\n", "\n")}\n" },
            { "a bare line feed after a header", $"GET /session/a HTTP/1.1\r\n{Head}X: a\nY: b\r\n\r\n" },
            {
                "a chunk extension with a line feed",
                $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: chunked\r\n\r\n2;\n{{}}\r\n0\r\n\r\n"
            },
            {
                "a chunk with a bare line feed",
                $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: chunked\r\n\r\n2\n{{}}\n0\n\n"
            },
            {
                "a signed chunk",
                $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: chunked\r\n\r\n+2\r\n{{}}\r\n0\r\n\r\n"
            },
            {
                "a chunk longer than it says",
                $"POST /session HTTP/1.1\r\n{Head}{Json}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}{{}}\r\n0\r\n\r\n"
            },
            { "two hosts", $"GET /session/a HTTP/1.1\r\n{Head}Host: 127.0.0.1:PORT\r\n\r\n" },
            { "no host", "GET /session/a HTTP/1.1\r\nAuthorization: Bearer owner-token-of-a-test\r\n\r\n" },
            { "another address in the line", $"GET http://evil.example/session/a HTTP/1.1\r\n{Head}\r\n" },
            { "our address in the line", $"GET http://127.0.0.1:PORT/session/a HTTP/1.1\r\n{Head}\r\n" },
            { "a server only", $"CONNECT 127.0.0.1:PORT HTTP/1.1\r\n{Head}\r\n" },
            { "everything", $"OPTIONS * HTTP/1.1\r\n{Head}\r\n" },
            { "a folded header", $"GET /session/a HTTP/1.1\r\n{Head}X: a\r\n b\r\n\r\n" },
            { "a null in a header", $"GET /session/a HTTP/1.1\r\n{Head}X: a\0b\r\n\r\n" },
            { "a return in a header", $"GET /session/a HTTP/1.1\r\n{Head}X: a\rY: b\r\n\r\n" },
            { "a header without a name", $"GET /session/a HTTP/1.1\r\n{Head}: a\r\n\r\n" },
            { "a header without a colon", $"GET /session/a HTTP/1.1\r\n{Head}nothing\r\n\r\n" },
            { "a space in the path", $"GET /session/a b HTTP/1.1\r\n{Head}\r\n" },
            { "a byte above ASCII in the path", $"GET /session/\u00e9 HTTP/1.1\r\n{Head}\r\n" },
            { "no version", $"GET /session/a\r\n{Head}\r\n" },
            { "a version to come", $"GET /session/a HTTP/3.0\r\n{Head}\r\n" },
        };

    [Theory]
    [MemberData(nameof(Ambiguous))]
    public async Task S57_a_request_that_can_be_read_in_two_ways_is_refused_and_the_connection_closed(string what, string request)
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answers = await daemon.SendRawAsync(request + Next);

        Assert.True(
            answers is [{ Status: >= 400 and < 600 }],
            $"{what}: {string.Join(", ", answers.Select(answer => answer.Status))}"
        );
        Assert.Equal(0, daemon.Served);
    }
}
