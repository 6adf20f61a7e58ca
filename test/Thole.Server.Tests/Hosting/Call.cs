using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Thole.Server.Tests.Hosting;

/// <summary>A request as a test sends it.</summary>
internal sealed record Request(string Method, string Target)
{
    public string? Body { get; init; }

    public string Token { get; init; } = TestTokens.Owner;

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Where it comes from, without a socket.</summary>
    public IPAddress From { get; init; } = IPAddress.Loopback;

    /// <summary>How much its socket holds, where it is not what the system gives.</summary>
    public int? ReceiveBuffer { get; init; }
}

/// <summary>A request under way, and its answer as it comes.</summary>
internal abstract class Call : IAsyncDisposable
{
    public int Status { get; protected set; }

    public Stream Content { get; protected set; } = Stream.Null;

    /// <summary>The daemon broke off.</summary>
    public abstract bool IsCut { get; }

    public abstract string? Header(string name);

    /// <summary>The client leaves; what was not received by now never is.</summary>
    public abstract void Leave();

    public virtual ValueTask DisposeAsync()
    {
        Leave();
        return ValueTask.CompletedTask;
    }

    public async Task<Answer> ReadAsync(CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await Content.CopyToAsync(body, cancellationToken);
        return IsCut ? Answer.None : new Answer(Status, body.ToArray(), Header);
    }
}

/// <summary>Without a socket: the operation writes into a pipe, and waits where the reader leaves too much in it.</summary>
internal sealed class MemoryCall : Call
{
    private readonly DefaultHttpContext _context;
    private readonly Lifetime _lifetime = new();
    private readonly CancellationTokenSource _left = new();
    private readonly Answering _answering;
    private Task _served = Task.CompletedTask;

    private MemoryCall(Request request, int window)
    {
        _answering = new Answering(
            new Pipe(new PipeOptions(pauseWriterThreshold: window, resumeWriterThreshold: Math.Max(1, window / 2)))
        );
        var body = Encoding.UTF8.GetBytes(request.Body ?? "");
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(
            new HttpRequestFeature
            {
                Method = request.Method,
                RawTarget = request.Target,
                Protocol = "HTTP/1.1",
                Body = new MemoryStream(body),
            }
        );
        features.Set<IHttpRequestBodyDetectionFeature>(new HasBody(body.Length > 0));
        features.Set<IHttpResponseFeature>(_answering);
        features.Set<IHttpResponseBodyFeature>(_answering);
        features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature { RemoteIpAddress = request.From });
        _context = new DefaultHttpContext(features);
        var headers = _context.Request.Headers;
        headers.Host = "127.0.0.1:4170";
        headers.Authorization = $"Bearer {request.Token}";
        if (body.Length > 0)
        {
            headers.ContentType = "application/json";
            headers.ContentLength = body.Length;
        }

        foreach (var (name, value) in request.Headers)
        {
            headers[name] = StringValues.Concat(headers[name], value);
        }

        Content = new Rest(_answering.Pipe.Reader, _left.Token);
    }

    /// <summary>Ends when the operation has.</summary>
    public Task Served => _served;

    /// <summary>How many bytes were written and not read.</summary>
    public long Waiting
    {
        get
        {
            var reader = _answering.Pipe.Reader;
            if (!reader.TryRead(out var read))
            {
                return 0;
            }

            reader.AdvanceTo(read.Buffer.Start);
            return read.Buffer.Length;
        }
    }

    /// <summary>Does not wait for anything of the answer.</summary>
    public static MemoryCall Begin(TestLife life, Request request, int window)
    {
        var call = new MemoryCall(request, window);
        call._served = life.ServeAsync(call.ServeAsync(life));
        return call;
    }

    public static async Task<MemoryCall> SendAsync(TestLife life, Request request, int window)
    {
        var call = Begin(life, request, window);
        await Task.WhenAny(call._answering.Begun, call._served);
        call.Status = call._context.Response.StatusCode;
        return call;
    }

    public override bool IsCut => _lifetime.IsAborted;

    public override string? Header(string name) =>
        _context.Response.Headers.TryGetValue(name, out var values) ? values.ToString() : null;

    public override void Leave()
    {
        _left.Cancel();
        _lifetime.Abort();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _served;
    }

    private Func<Task> ServeAsync(TestLife life) =>
        async () =>
        {
            await life.Pipeline.ProcessRequestAsync(_context);
            await _answering.Pipe.Writer.CompleteAsync();
        };

    /// <summary>What is in the pipe, until the client leaves: then nothing more.</summary>
    private sealed class Rest(PipeReader reader, CancellationToken left) : Incoming
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(left, cancellationToken);
            try
            {
                var read = await reader.ReadAsync(either.Token);
                var count = (int)Math.Min(buffer.Length, left.IsCancellationRequested ? 0 : read.Buffer.Length);
                read.Buffer.Slice(0, count).CopyTo(buffer.Span);
                reader.AdvanceTo(read.Buffer.GetPosition(count));
                return count;
            }
            catch (OperationCanceledException) when (left.IsCancellationRequested)
            {
                return 0;
            }
        }
    }

    private sealed record HasBody(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _aborted = new();

        public Lifetime() => RequestAborted = _aborted.Token;

        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted => _aborted.IsCancellationRequested;

        public void Abort() => _aborted.Cancel();
    }

    private sealed class Answering(Pipe pipe) : HttpResponseFeature, IHttpResponseBodyFeature
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Pipe Pipe => pipe;

        public Task Begun => _begun.Task;

        public override bool HasStarted => _begun.Task.IsCompleted;

        public Stream Stream => Writer.AsStream();

        public PipeWriter Writer => pipe.Writer;

        public Task StartAsync(CancellationToken cancellationToken = default)
        {
            _begun.TrySetResult();
            return Task.CompletedTask;
        }

        public void DisableBuffering() { }

        public Task CompleteAsync() => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();
    }
}
