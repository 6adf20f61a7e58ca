using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Thole.Testing.Models;

/// <summary>
/// A model server on loopback that speaks what is asked for by the path, over plain sockets, and says what a test scripted. It shares no code
/// with the client it tests. Replies are taken by the first predicate that fits, then in order.
/// </summary>
public sealed class ScriptedModelServer : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(Func<RecordedRequest, bool> When, Action<ScriptedReply> Script)> _conditional = [];
    private readonly Queue<Action<ScriptedReply>> _inOrder = new();
    private readonly List<RecordedRequest> _requests = [];
    private readonly List<(int Number, TaskCompletionSource<RecordedRequest> Arrived)> _waiting = [];
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;
    private Action<ScriptedReply>? _otherwise;

    private ScriptedModelServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public static ScriptedModelServer Start() => new();

    /// <summary>What a client sets as its base address.</summary>
    public Uri BaseAddress => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1");

    public IReadOnlyList<RecordedRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Answers the next request that no predicate takes.</summary>
    public ScriptedModelServer Reply(Action<ScriptedReply> script)
    {
        lock (_lock)
        {
            _inOrder.Enqueue(script);
        }

        return this;
    }

    /// <summary>Answers every request that fits.</summary>
    public ScriptedModelServer ReplyWhen(Func<RecordedRequest, bool> when, Action<ScriptedReply> script)
    {
        lock (_lock)
        {
            _conditional.Add((when, script));
        }

        return this;
    }

    /// <summary>Answers every request for which nothing else is left.</summary>
    public ScriptedModelServer ReplyOtherwise(Action<ScriptedReply> script)
    {
        lock (_lock)
        {
            _otherwise = script;
        }

        return this;
    }

    /// <summary>Completes when the request of that number, counted from 1, has arrived whole.</summary>
    public Task<RecordedRequest> RequestAsync(int number, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_requests.Count >= number)
            {
                return Task.FromResult(_requests[number - 1]);
            }

            var arrived = new TaskCompletionSource<RecordedRequest>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((number, arrived));
            return arrived.Task.WaitAsync(cancellationToken);
        }
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

    private async Task AcceptAsync()
    {
        try
        {
            for (var connection = 1; ; connection++)
            {
                var socket = await _listener.AcceptSocketAsync(_stopping.Token);
                lock (_lock)
                {
                    _connections.Add(ServeAsync(socket, connection));
                }
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(Socket socket, int connection)
    {
        await Task.Yield();
        using var client = socket;
        client.NoDelay = true;
        await using var stream = new NetworkStream(client, ownsSocket: false);
        var incoming = new BufferedStream(stream);
        try
        {
            while (await ReadHeadAsync(incoming) is { Count: > 0 } head)
            {
                if (!await AnswerAsync(client, stream, await ReadRequestAsync(incoming, head, connection)))
                {
                    return;
                }
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or SocketException) { }
    }

    private async Task<bool> AnswerAsync(
        Socket client,
        NetworkStream stream,
        (RecordedRequest Request, TaskCompletionSource Abandoned) asked
    )
    {
        var reply = new ScriptedReply(asked.Request.Path);
        Record(asked.Request)(reply);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var watching = WatchAsync(client, asked.Abandoned, gone);
        try
        {
            return await SendAsync(client, stream, reply, gone.Token);
        }
        finally
        {
            await gone.CancelAsync();
            await watching;
        }
    }

    private Action<ScriptedReply> Record(RecordedRequest request)
    {
        lock (_lock)
        {
            request = request with { Number = _requests.Count + 1 };
            _requests.Add(request);
            foreach (var waiter in _waiting.Where(waiter => waiter.Number == request.Number).ToList())
            {
                _waiting.Remove(waiter);
                waiter.Arrived.SetResult(request);
            }

            return _conditional.Find(rule => rule.When(request)).Script
                ?? (_inOrder.TryDequeue(out var next) ? next : _otherwise)
                // A status that nobody repeats, so that a test with a hole in its script ends at once.
                ?? (
                    reply =>
                        reply.Status(
                            400,
                            $$$"""{"error":{"message":"The script has no reply for request {{{request.Number}}}."}}"""
                        )
                );
        }
    }

    private static async Task<bool> SendAsync(
        Socket client,
        NetworkStream stream,
        ScriptedReply reply,
        CancellationToken cancellationToken
    )
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(reply.Head(reply.AllBytes().Length)), cancellationToken);
        foreach (var step in reply.Steps)
        {
            switch (step)
            {
                case ScriptedReply.Bytes bytes:
                    foreach (var piece in bytes.Content.Chunk(Math.Max(1, Math.Min(reply.PieceSize, bytes.Content.Length))))
                    {
                        await stream.WriteAsync(Framed(reply, piece), cancellationToken);
                    }

                    break;
                case ScriptedReply.Gate gate:
                    await gate.Opened.WaitAsync(cancellationToken);
                    break;
                case ScriptedReply.Break { Reset: var reset }:
                    client.LingerState = new LingerOption(reset, 0);
                    return false;
            }
        }

        if (reply.Framing is Framing.Chunked)
        {
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
        }

        return reply.Framing is not Framing.UntilClose;
    }

    private static byte[] Framed(ScriptedReply reply, byte[] piece) =>
        reply.Framing is Framing.Chunked
            ?
            [
                .. Encoding.ASCII.GetBytes(piece.Length.ToString("x", CultureInfo.InvariantCulture)),
                .. "\r\n"u8,
                .. piece,
                .. "\r\n"u8,
            ]
            : piece;

    /// <summary>Notices that the client left, without taking a byte of its next request.</summary>
    private static async Task WatchAsync(Socket client, TaskCompletionSource abandoned, CancellationTokenSource gone)
    {
        try
        {
            if (await client.ReceiveAsync(new byte[1], SocketFlags.Peek, gone.Token) > 0)
            {
                return;
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (SocketException) { }

        abandoned.TrySetResult();
        await gone.CancelAsync();
    }

    private async Task<List<byte>> ReadHeadAsync(Stream incoming)
    {
        List<byte> head = [];
        var one = new byte[1];
        while (await incoming.ReadAsync(one, _stopping.Token) > 0)
        {
            head.Add(one[0]);
            if (head is [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
            {
                return head;
            }
        }

        return [];
    }

    private async Task<(RecordedRequest, TaskCompletionSource)> ReadRequestAsync(Stream incoming, List<byte> head, int connection)
    {
        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var request = lines[0].Split(' ');
        var headers = lines[1..]
            .Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = new byte[
            headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0
        ];
        await incoming.ReadExactlyAsync(body, _stopping.Token);
        var abandoned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (
            new RecordedRequest
            {
                Number = 0,
                Connection = connection,
                Method = request[0],
                Path = request[1],
                Headers = headers,
                Body = body,
                WireBytes = head.Count + body.Length,
                At = TimeProvider.System.GetUtcNow(),
                Abandoned = abandoned.Task,
            },
            abandoned
        );
    }
}
