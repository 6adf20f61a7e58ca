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
    private readonly EndpointSender _sender = new(wire, options, http);

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
            throw await EndpointSender.RefusedAsync(response, failures, patience);
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
            Content = new ByteArrayContent(body.Segment.Array!, body.Segment.Offset, body.Segment.Count),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var response = await _sender.SendAsync(message, "text/event-stream", failures, patience);
        body.GiveBack();
        return response;
    }
}
