using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Thole.Protocol;
using Thole.Server.Requests;
using Thole.Server.Routing;

namespace Thole.Server;

/// <summary>One request and its answer, as an operation sees them.</summary>
internal sealed class Exchange(HttpContext context, RouteMatch match, QueryText query, Identity identity, long bodyLimit)
{
    public HttpContext Context { get; } = context;

    /// <summary>Who asks, as the token proves.</summary>
    public Identity Identity { get; } = identity;

    public Operation Operation { get; } = match.Operation!;

    /// <summary>The client is gone.</summary>
    public CancellationToken Aborted => Context.RequestAborted;

    /// <summary>The daemon stops, or the token of a stream was revoked: a stream says where it stands, and closes.</summary>
    public CancellationToken Stopping { get; set; }

    /// <summary>The client runs on this machine, as far as its socket tells.</summary>
    public bool IsLocal => Context.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address);

    /// <summary>The decoded value of a placeholder in the path.</summary>
    public string Route(string name) => match.Value(name);

    /// <summary>Null where it is absent; present without a value is the empty text.</summary>
    public string? Query(string name) => query.Value(name);

    /// <summary>The number of a parameter that the operation declares as one.</summary>
    public long? QueryNumber(string name) => query.Value(name) is { } text ? long.Parse(text) : null;

    /// <summary>Present, and not <c>0</c> or <c>false</c>.</summary>
    public bool QueryFlag(string name) => query.Value(name) is not (null or "0" or "false");

    public string? Header(string name) => Context.Request.Headers[name] is [var value] ? value : null;

    /// <summary>The body, read strictly. Where there is none it counts as <c>{}</c>.</summary>
    /// <exception cref="ProblemException">It is no JSON, or does not fit.</exception>
    public async ValueTask<T> ReadAsync<T>(JsonTypeInfo<T> type)
    {
        var body = await ReadBytesAsync();
        var read = StrictJson.Read(body.Length == 0 ? "{}"u8 : body.Span, type);
        if (Operation.Unsupported is not [])
        {
            UnsupportedMembers.Check(body.Span, Operation.Unsupported);
        }

        return read;
    }

    /// <summary>The body as it came, of an operation with a <see cref="Operation.RawBodyLimit"/>.</summary>
    public ValueTask<ReadOnlyMemory<byte>> ReadBytesAsync() =>
        RequestBody.ReadAsync(Context.Request, Operation.RawBodyLimit ?? bodyLimit, Aborted);

    public async Task ReplyAsync<T>(T reply, JsonTypeInfo<T> type, int status = 0)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(writer, reply, type);
        }

        var content = Operation.Head is { } head ? head.Before(buffer.WrittenSpan) : buffer.WrittenMemory;
        await ReplyBytesAsync(content, "application/json; charset=utf-8", status);
    }

    public async Task ReplyBytesAsync(ReadOnlyMemory<byte> content, string mediaType, int status = 0)
    {
        var response = Context.Response;
        response.StatusCode = status == 0 ? Operation.Status : status;
        response.ContentType = mediaType;
        response.ContentLength = content.Length;
        await response.BodyWriter.WriteAsync(content, Aborted);
    }

    public Task NoContentAsync()
    {
        Context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>Begins a stream of events and sends its head. What is written is sent by <see cref="PipeWriter.FlushAsync"/>.</summary>
    /// <remarks>Nothing limits how slowly it is read: whoever writes bounds what waits, and ends with <see cref="Abort"/>.</remarks>
    public async Task<PipeWriter> StartEventStreamAsync()
    {
        var response = Context.Response;
        Context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        Context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        response.StatusCode = Operation.Status;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(Aborted);
        return response.BodyWriter;
    }

    public void SetHeader(string name, string value) => Context.Response.Headers[name] = value;

    /// <summary>Ends the connection at once, whatever was not sent yet.</summary>
    public void Abort() => Context.Abort();
}
