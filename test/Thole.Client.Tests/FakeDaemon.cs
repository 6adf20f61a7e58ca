using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Thole.Client.Tests;

/// <summary>Something on a port that answers what a test says, one request a connection, over plain sockets.</summary>
internal sealed class FakeDaemon : IAsyncDisposable
{
    private readonly Func<FakeRequest, FakeAnswer?> _script;
    private readonly Lock _lock = new();
    private readonly List<FakeRequest> _requests = [];
    private readonly List<Task> _connections = [];
    private readonly CancellationTokenSource _stopping = new();
    private TcpListener _listener = new(IPAddress.Loopback, 0);
    private Task _accepting = Task.CompletedTask;

    /// <param name="script">Null: the connection is closed without a word.</param>
    public FakeDaemon(Func<FakeRequest, FakeAnswer?> script)
    {
        _script = script;
        Listen();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    public static CancellationToken Now => TestContext.Current.CancellationToken;

    public int Port { get; }

    public Uri Address => new($"http://127.0.0.1:{Port}/");

    public IReadOnlyList<FakeRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>A client on a clock that does not wait.</summary>
    public TholeClient Connect(InstantTime time, Func<ClientOptions, ClientOptions>? with = null)
    {
        var options = new ClientOptions { Time = time };
        return new TholeClient(Address, "a-token-of-the-tests", with is null ? options : with(options));
    }

    /// <summary>From now on connections are refused.</summary>
    public void Die() => _listener.Stop();

    /// <summary>As it was, on the same port.</summary>
    public void ComeBack()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        Listen();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] open;
        lock (_lock)
        {
            open = [.. _connections];
        }

        await Task.WhenAll(open);
        _stopping.Dispose();
    }

    private void Listen()
    {
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync(_stopping.Token);
                lock (_lock)
                {
                    _connections.RemoveAll(connection => connection.IsCompleted);
                    _connections.Add(ServeAsync(socket));
                }
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        using var client = socket;
        client.NoDelay = true;
        await using var stream = new NetworkStream(client, ownsSocket: false);
        try
        {
            var request = await ReadAsync(stream);
            lock (_lock)
            {
                _requests.Add(request with { Number = _requests.Count + 1 });
                request = _requests[^1];
            }

            if (_script(request) is not { } answer)
            {
                return;
            }

            var count = Math.Min(answer.CutAt ?? answer.Bytes.Length, answer.Bytes.Length);
            await stream.WriteAsync(answer.Bytes.AsMemory(0, count), _stopping.Token);
            if (answer.StaysOpen)
            {
                await client.ReceiveAsync(new byte[1], _stopping.Token);
            }

            if (answer.IsReset)
            {
                client.LingerState = new LingerOption(enable: true, 0);
            }
            else
            {
                client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or SocketException) { }
    }

    private async Task<FakeRequest> ReadAsync(NetworkStream stream)
    {
        List<byte> head = [];
        var one = new byte[1];
        while (head is not [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
        {
            if (await stream.ReadAsync(one, _stopping.Token) == 0)
            {
                throw new IOException("The client left.");
            }

            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines[1..]
            .Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = new byte[
            headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0
        ];
        await stream.ReadExactlyAsync(body, _stopping.Token);
        var line = lines[0].Split(' ');
        return new FakeRequest(0, line[0], line[1], headers, Encoding.UTF8.GetString(body));
    }
}

/// <param name="Number">From 1, in the order in which requests were whole.</param>
internal sealed record FakeRequest(
    int Number,
    string Method,
    string Path,
    IReadOnlyDictionary<string, string> Headers,
    string Body
)
{
    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>The reader's cursor; null where it has none.</summary>
    public long? After =>
        Headers.TryGetValue("Last-Event-ID", out var text) ? long.Parse(text, CultureInfo.InvariantCulture) : null;
}
