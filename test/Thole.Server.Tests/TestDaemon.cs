using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Thole.Protocol;

namespace Thole.Server.Tests;

/// <summary>A daemon on a free port with a few operations of its own, and raw sockets to it.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly Daemon _daemon;
    private int _served;

    private TestDaemon(DaemonOptions options, IEnumerable<Operation> operations, TimeProvider time) =>
        _daemon = new Daemon(options, [.. operations.Select(Counted)], Tokens, Log.Enqueue, time);

    public FakeTokens Tokens { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    public Uri Address { get; private set; } = null!;

    public int Port => Address.Port;

    /// <summary>How many requests an operation served.</summary>
    public int Served => Volatile.Read(ref _served);

    public static Task<TestDaemon> StartAsync(params Operation[] operations) =>
        StartAsync(new DaemonOptions(), operations is [] ? null : operations);

    public static async Task<TestDaemon> StartAsync(
        DaemonOptions options,
        IEnumerable<Operation>? operations = null,
        TimeProvider? time = null
    )
    {
        var daemon = new TestDaemon(
            options with
            {
                Port = 0,
            },
            operations ?? [HealthRoutes.Create(_ => ValueTask.FromResult(new Health("ok", 2, 1))), .. TestRoutes.All],
            time ?? TimeProvider.System
        );
        daemon.Address = await daemon._daemon.StartAsync(Cancelled);
        return daemon;
    }

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port, Cancelled);
        return socket;
    }

    /// <summary>Sends the bytes (PORT in them is our port) and reads until the daemon closes, for at most ten seconds.</summary>
    public async Task<IReadOnlyList<RawAnswer>> SendRawAsync(string text)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.Latin1.GetBytes(text.Replace("PORT", $"{Port}")), Cancelled);
        return await ReadToEndAsync(socket);
    }

    /// <summary>One request with a good Host header and the owner's token, which others take the place of; the connection closes after it.</summary>
    public async Task<RawAnswer> SendAsync(
        string method,
        string target,
        string body = "",
        params (string Name, string? Value)[] headers
    )
    {
        var all = new List<(string Name, string? Value)>
        {
            ("Host", $"127.0.0.1:{Port}"),
            ("Authorization", $"Bearer {FakeTokens.Owner}"),
            ("Connection", "close"),
        };
        if (body.Length > 0)
        {
            all.Add(("Content-Type", "application/json"));
            all.Add(("Content-Length", $"{Encoding.UTF8.GetByteCount(body)}"));
        }

        foreach (var header in headers)
        {
            all.RemoveAll(other => other.Name.Equals(header.Name, StringComparison.OrdinalIgnoreCase));
        }

        all.AddRange(headers);
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\n");
        foreach (var (name, value) in all.Where(header => header.Value is not null))
        {
            head.Append(name).Append(": ").Append(value!.Replace("PORT", $"{Port}")).Append("\r\n");
        }

        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.UTF8.GetBytes(head.Append("\r\n").Append(body).ToString()), Cancelled);
        return await ReadOneAsync(socket, hasBody: method != "HEAD");
    }

    public static async Task<IReadOnlyList<RawAnswer>> ReadToEndAsync(Socket socket) =>
        RawAnswer.All(await ReadBytesAsync(socket));

    /// <summary>The first answer, whether or not the daemon closes after it.</summary>
    public static async Task<RawAnswer> ReadOneAsync(Socket socket, bool hasBody = true)
    {
        var received = Array.Empty<byte>();
        var buffer = new byte[16 * 1024];
        while (RawAnswer.All(received, hasBody) is [])
        {
            var count = await socket.ReceiveAsync(buffer, Cancelled);
            Assert.True(count > 0, "The connection was closed without an answer.");
            received = [.. received, .. buffer.AsSpan(0, count)];
        }

        return RawAnswer.All(received, hasBody)[0];
    }

    /// <summary>Everything until the daemon closes; fails where it does not.</summary>
    public static async Task<byte[]> ReadBytesAsync(Socket socket)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        using var received = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer, patience.Token) is > 0 and var count)
            {
                received.Write(buffer, 0, count);
            }
        }
        catch (SocketException)
        {
            // Reset: it is closed, and not politely.
        }

        return received.ToArray();
    }

    public Task StopAsync() => _daemon.StopAsync(Cancelled);

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    private Operation Counted(Operation operation) =>
        operation with
        {
            Handle = async exchange =>
            {
                await operation.Handle(exchange);
                Interlocked.Increment(ref _served);
            },
        };
}
