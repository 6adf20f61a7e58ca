using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Thole.Protocol;
using Thole.Server.Defence;
using Thole.Server.Requests;
using Thole.Server.Routing;

namespace Thole.Server;

/// <summary>
/// The way of a request, in the one order that is safe: whether it is one at all, whether a page may have sent it, who asks, what for,
/// how often, whether they may, and what they bring.
/// </summary>
internal sealed class RequestPipeline(
    OperationTable operations,
    Gates gates,
    Failures failures,
    long bodyLimit,
    CancellationToken stopping
) : IHttpApplication<HttpContext>
{
    private static readonly Identity s_anonymous = new("anonymous", Scope.None);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception) { }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers.CacheControl = "no-store";
            if (Admit(context) is not { } exchange)
            {
                return;
            }

            if (exchange.Operation.Kind is not ReplyKind.EventStream)
            {
                await exchange.Operation.Handle(exchange);
                return;
            }

            using var stream = gates.Streams.Watch(exchange.Identity, context.Abort);
            exchange.Stopping = stream.Ending;
            await exchange.Operation.Handle(exchange);
        }
        catch (Exception failure) // the edge of this door: every failure becomes an answer, and none ends the daemon
        {
            await failures.AnswerAsync(context, failure);
        }
    }

    /// <summary>Null where the request only asked whether a page may call, and is answered.</summary>
    private Exchange? Admit(HttpContext context)
    {
        RequestTarget.Check(context);
        if (!gates.Hosts.IsOurs(context.Request.Headers.Host))
        {
            throw new ProblemException(403, "invalid_host", "Invalid Host header");
        }

        if (gates.Origins.Answer(context))
        {
            return null;
        }

        gates.Sockets.Check(context);
        var match = operations.Find(context.Request.Method, RequestTarget.Path(context));
        var isAnonymous = match.Operation is { IsAnonymous: true } && RequestTarget.Query(context).IsEmpty;
        // Before anything is said of the path: without a token the unknown paths look like the known ones.
        var identity = isAnonymous ? s_anonymous : gates.Bearer.Identify(context);
        if (match.Operation is not { } operation)
        {
            throw Unmatched(context, match);
        }

        if (!isAnonymous)
        {
            gates.Rates.Take(context, identity, operation.Tier);
            if (!identity.May(operation.Scope))
            {
                var required = string.Join(' ', ScopeWords.Of(operation.Scope));
                throw new ProblemException(
                    403,
                    "insufficient_scope",
                    $"This token may not do that; use one that was issued with --scope {required.Replace(' ', ',')}.",
                    ("required", required)
                );
            }
        }

        var query = QueryText.Parse(RequestTarget.Query(context));
        ParameterCheck.Check(operation, query, context.Request.Headers);
        RequestBody.Prepare(context, operation);
        return new Exchange(context, match, query, identity, bodyLimit) { Stopping = stopping };
    }

    private static ProblemException Unmatched(HttpContext context, RouteMatch match)
    {
        if (!match.IsKnownPath)
        {
            return new ProblemException(404, "route_not_found", "There is no such route; /openapi.json lists those there are.");
        }

        context.Response.Headers.Allow = match.Allow;
        return new ProblemException(405, "method_not_allowed", $"This path is for {match.Allow} only.");
    }
}

/// <summary>What a request passes before it reaches an operation.</summary>
internal sealed record Gates(HostNames Hosts, Origins Origins, Bearer Bearer, RequestRates Rates, OpenStreams Streams)
{
    public WebSockets Sockets { get; } = new(Bearer);
}
