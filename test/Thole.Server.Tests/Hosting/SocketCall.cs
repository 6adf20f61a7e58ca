using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Thole.Server.Tests.Hosting;

/// <summary>Over a socket of its own. Nothing is read ahead: what the test does not read waits in the connection.</summary>
internal sealed class SocketCall : Call
{
    private readonly Socket _socket;
    private readonly Chunks _content;
    private readonly List<(string Name, string Value)> _headers = [];

    private SocketCall(Socket socket) => (_socket, _content) = (socket, new Chunks(new NetworkStream(socket)));

    public override bool IsCut => _content.IsCut;

    /// <param name="address">Where the daemon listens.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="receiveBuffer">How much the connection holds, where it is not what the system gives.</param>
    /// <param name="cancellationToken">Ends the wait for the head of the answer.</param>
    public static async Task<SocketCall> SendAsync(
        Uri address,
        Request request,
        int? receiveBuffer,
        CancellationToken cancellationToken
    )
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (receiveBuffer is { } size)
            {
                socket.ReceiveBufferSize = size;
            }

            await socket.ConnectAsync(IPAddress.Loopback, address.Port, cancellationToken);
            var body = Encoding.UTF8.GetBytes(request.Body ?? "");
            var head = new StringBuilder($"{request.Method} {request.Target} HTTP/1.1\r\nHost: 127.0.0.1:{address.Port}\r\n");
            head.Append($"Authorization: Bearer {request.Token}\r\nConnection: close\r\n");
            if (body.Length > 0)
            {
                head.Append($"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n");
            }

            foreach (var (name, value) in request.Headers)
            {
                head.Append($"{name}: {value}\r\n");
            }

            await socket.SendAsync((byte[])[.. Encoding.ASCII.GetBytes($"{head}\r\n"), .. body], cancellationToken);
            var call = new SocketCall(socket);
            await call.ReadHeadAsync(cancellationToken);
            return call;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override string? Header(string name) =>
        _headers
            .Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(header => header.Value)
            .FirstOrDefault();

    public override void Leave() => _socket.Dispose();

    private async Task ReadHeadAsync(CancellationToken cancellationToken)
    {
        var status = await _content.LineAsync(cancellationToken) ?? throw new IOException("There is no answer.");
        Status = int.Parse(status.Split(' ')[1], CultureInfo.InvariantCulture);
        while (await _content.LineAsync(cancellationToken) is { Length: > 0 } line)
        {
            _headers.Add((line[..line.IndexOf(':')], line[(line.IndexOf(':') + 1)..].Trim()));
        }

        _content.Begin(
            Header("Transfer-Encoding") is "chunked",
            long.Parse(Header("Content-Length") ?? "0", CultureInfo.InvariantCulture)
        );
        Content = _content;
    }

    /// <summary>A body as it comes in chunks, or in so many bytes.</summary>
    private sealed class Chunks(NetworkStream inner) : Incoming
    {
        private readonly byte[] _one = new byte[1];
        private bool _isChunked;
        private bool _isOver;
        private long _left;

        public bool IsCut { get; private set; }

        public void Begin(bool isChunked, long length) => (_isChunked, _left) = (isChunked, length);

        public async Task<string?> LineAsync(CancellationToken cancellationToken)
        {
            var line = new StringBuilder();
            while (await inner.ReadAsync(_one, cancellationToken) == 1)
            {
                if (_one[0] == '\n')
                {
                    return line.ToString().TrimEnd('\r');
                }

                line.Append((char)_one[0]);
            }

            return null;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0 && (_isOver || !await NextAsync(cancellationToken)))
            {
                return 0;
            }

            var count = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= count;
            IsCut |= count == 0;
            if (_isChunked && _left == 0)
            {
                await LineAsync(cancellationToken);
            }

            return count;
        }

        private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
        {
            _isOver = true;
            if (!_isChunked)
            {
                return false;
            }

            var line = await LineAsync(cancellationToken);
            IsCut = line is null;
            _left = line is null ? 0 : long.Parse(line, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            _isOver = _left == 0;
            return !_isOver;
        }
    }
}
