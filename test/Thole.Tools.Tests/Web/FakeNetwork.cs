using System.Net;
using System.Net.Sockets;
using System.Text;
using Thole.Tools.Web;

namespace Thole.Tools.Tests.Web;

/// <summary>
/// A network of scripted answers: names lead where the test says, and whoever connects is served from memory. The judgement of
/// addresses lies outside of it and stays on.
/// </summary>
internal sealed class FakeNetwork : INetwork
{
    public static IPAddress Public { get; } = IPAddress.Parse("93.184.216.34");

    private readonly Queue<byte[]> _answers = new();
    private readonly Dictionary<string, Queue<IPAddress[]>> _names = new(StringComparer.Ordinal);

    public List<IPEndPoint> Connected { get; } = [];

    public List<string> Requests { get; } = [];

    /// <summary>Where set, a connection says nothing and stays open; this completes once somebody waits for it.</summary>
    public TaskCompletionSource? Silence { get; init; }

    public FakeNetwork Resolve(string host, params string[][] answers)
    {
        _names[host] = new Queue<IPAddress[]>(answers.Select(static answer => answer.Select(IPAddress.Parse).ToArray()));
        return this;
    }

    public FakeNetwork Answer(string head, byte[] body)
    {
        _answers.Enqueue([
            .. Encoding.Latin1.GetBytes($"HTTP/1.1 {head}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"),
            .. body,
        ]);
        return this;
    }

    public FakeNetwork Answer(string head, string body = "") => Answer(head, Encoding.UTF8.GetBytes(body));

    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
        Task.FromResult(
            _names.TryGetValue(host, out var answers) ? (answers.Count > 1 ? answers.Dequeue() : answers.Peek())
            // What this name server does for everybody: the address is in the name.
            : host.EndsWith(".nip.io", StringComparison.Ordinal) ? [IPAddress.Parse(host[..^7])]
            : [Public]
        );

    public async Task<Stream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        Connected.Add(endPoint);
        if (Silence is not null)
        {
            Silence.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return _answers.TryDequeue(out var answer)
            ? new Exchange(this, answer)
            : throw new SocketException((int)SocketError.ConnectionRefused);
    }

    /// <summary>Takes one request, then gives its answer.</summary>
    private sealed class Exchange(FakeNetwork network, byte[] answer) : Stream
    {
        private readonly StringBuilder _request = new();
        private readonly TaskCompletionSource _isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _at;

        public override bool CanRead => true;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _isAsked.Task.WaitAsync(cancellationToken);
            var read = Math.Min(buffer.Length, answer.Length - _at);
            answer.AsMemory(_at, read).CopyTo(buffer);
            _at += read;
            return read;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _request.Append(Encoding.Latin1.GetString(buffer.Span));
            if (_request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                network.Requests.Add(_request.ToString());
                _isAsked.TrySetResult();
            }

            return ValueTask.CompletedTask;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
