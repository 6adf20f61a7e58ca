using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Thole.Server.Requests;

/// <summary>
/// What was asked for, as it stood in the request line. Whatever two programs on the way could read differently is refused, and the
/// connection with it: the next bytes on it may be a request that somebody smuggled in.
/// </summary>
internal static class RequestTarget
{
    public static void Check(HttpContext context)
    {
        var target = Raw(context);
        if (target is not ['/', ..] || target.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0 || target.Contains('#'))
        {
            throw Bad("The request line must name a path that begins with '/', in ASCII.");
        }

        // Where both were sent, the server takes the length away and keeps what it took under the other name.
        var headers = context.Request.Headers;
        if (headers.TransferEncoding.Count > 0)
        {
            if (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length"))
            {
                throw Bad("A request has a Content-Length or a Transfer-Encoding, not both.");
            }

            if (context.Request.Protocol != "HTTP/1.1")
            {
                throw Bad("A request in chunks is HTTP/1.1.");
            }
        }
    }

    public static ReadOnlySpan<char> Path(HttpContext context)
    {
        var target = Raw(context).AsSpan();
        var query = target.IndexOf('?');
        return query < 0 ? target : target[..query];
    }

    public static ReadOnlySpan<char> Query(HttpContext context)
    {
        var target = Raw(context).AsSpan();
        var query = target.IndexOf('?');
        return query < 0 ? default : target[(query + 1)..];
    }

    private static string Raw(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    private static ProblemException Bad(string message) => new(400, "bad_request", message) { ClosesConnection = true };
}
