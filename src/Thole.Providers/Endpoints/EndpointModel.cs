using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>
/// A model behind an endpoint. Makes each request once; <see cref="RetryingModel"/> makes it again. No vendor's library: those there
/// are throw on, or silently drop, half of what compatible endpoints really send.
/// </summary>
/// <param name="http">Asked when the first request goes out: naming a model costs nothing.</param>
internal sealed class EndpointModel(IWire wire, EndpointOptions options, Func<HttpMessageInvoker> http, TimeProvider time)
    : IModel
{
    private const int LongestErrorBody = 64 * 1024;

    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (EndpointFailures.BeforeSending(options) is { } impossible)
        {
            throw impossible;
        }

        var failures = new EndpointFailures(options, request.Model, time);
        using var patience = new Patience(options.IdleTimeout, options.Lifetime, time, cancellationToken);
        using var response = await SendAsync(request, failures, patience, cancellationToken);
        patience.Heard();
        if (!response.IsSuccessStatusCode)
        {
            throw await RefusedAsync(response, failures, patience);
        }

        using var exchange = new EndpointExchange(
            await response.Content.ReadAsStreamAsync(cancellationToken),
            wire.Listen(request),
            failures,
            patience
        );
        List<ModelEvent> said = [];
        for (var goesOn = true; goesOn; )
        {
            ModelException? failure = null;
            try
            {
                goesOn = await exchange.ReadAsync(said);
            }
            catch (ModelException failed)
            {
                failure = failed;
            }

            // What was said before a failure is told before it, however the bytes were packed.
            foreach (var happened in said)
            {
                yield return happened;
            }

            said.Clear();
            if (failure is not null)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    private async ValueTask<HttpResponseMessage> SendAsync(
        ModelRequest request,
        EndpointFailures failures,
        Patience patience,
        CancellationToken cancellationToken
    )
    {
        var body = new PooledBuffer();
        await wire.WriteAsync(request, body, cancellationToken);
        using var message = new HttpRequestMessage(HttpMethod.Post, wire.Address(request))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = new ByteArrayContent(body.Segment.Array!, body.Segment.Offset, body.Segment.Count),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        AddHeaders(message.Headers);

        try
        {
            var response = await http().SendAsync(message, patience.Token);
            body.GiveBack();
            return response;
        }
        catch (OperationCanceledException given)
        {
            throw patience.Explain(failures.Who) ?? failures.Unreachable(given);
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or IOException)
        {
            throw failures.Unreachable(unreachable);
        }
    }

    private void AddHeaders(HttpRequestHeaders headers)
    {
        headers.TryAddWithoutValidation("Accept", "text/event-stream");
        headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        foreach (var (name, value) in options.Headers)
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, value);
        }

        foreach (var (name, value) in wire.Headers)
        {
            if (!headers.Contains(name))
            {
                headers.TryAddWithoutValidation(name, value);
            }
        }

        if (options.Credential.Key is { } key && !options.HasOwnAuthorization)
        {
            var (name, value) = wire.KeyHeader(key);
            headers.TryAddWithoutValidation(name, value);
        }
    }

    private static async ValueTask<ModelException> RefusedAsync(
        HttpResponseMessage response,
        EndpointFailures failures,
        Patience patience
    )
    {
        var raw = new RawTrace();
        using var body = new MemoryStream();
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(patience.Token);
            var buffer = new byte[4096];
            for (int length; body.Length < LongestErrorBody && (length = await stream.ReadAsync(buffer, patience.Token)) > 0; )
            {
                patience.Heard();
                body.Write(buffer, 0, length);
                raw.Add(buffer.AsSpan(0, length));
            }
        }
        catch (OperationCanceledException)
        {
            // The status alone says enough, unless it was the caller who left.
            _ = patience.Explain(failures.Who);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or InvalidDataException)
        {
            // The status alone says enough.
        }

        return failures.Refused((int)response.StatusCode, response.Headers, body.ToArray(), raw);
    }

    private static readonly string s_userAgent = $"Thole/{typeof(EndpointModel).Assembly.GetName().Version?.ToString(3)}";
}
