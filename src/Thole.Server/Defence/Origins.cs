using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace Thole.Server.Defence;

/// <summary>
/// Which web pages may call. A browser says where a request comes from; a program says nothing, and no page can pretend to be one.
/// </summary>
internal sealed class Origins
{
    private const string Methods = "GET, POST, PUT, PATCH, DELETE, OPTIONS";

    private const string RequestHeaders =
        "Authorization, Content-Type, X-Qwen-Client-Id, Last-Event-ID, X-Qwen-Event-Epoch, Idempotency-Key";

    private const string AnswerHeaders = "Retry-After, X-Qwen-Event-Epoch, X-Qwen-SSE-Stream-Id";

    private readonly FrozenSet<string> _allowed;
    private readonly string _own;

    /// <exception cref="CannotListenException">An origin is not written as browsers send it.</exception>
    public Origins(IReadOnlyList<string> allowed, string own)
    {
        foreach (var origin in allowed)
        {
            if (!IsCanonical(origin))
            {
                throw new CannotListenException(
                    $"'{origin}' is no origin that can be allowed; write it as browsers send it: scheme://host or scheme://host:port, in lower case and without a path or a '*'."
                );
            }
        }

        _allowed = allowed.ToFrozenSet(StringComparer.Ordinal);
        _own = own;
    }

    /// <summary>Lets the request pass, or answers it where it only asks whether it may (a preflight).</summary>
    /// <returns>Whether it is answered.</returns>
    public bool Answer(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var origin = request.Headers.Origin;
        var isNamed = origin is [{ } named] && _allowed.Contains(named);
        if (origin.Count > 0)
        {
            response.Headers.Vary = "Origin";
            if (!isNamed && (origin is not [{ } only] || only != _own))
            {
                throw new ProblemException(403, "origin_denied", "Request denied by CORS policy");
            }
        }

        if (isNamed)
        {
            response.Headers.AccessControlAllowOrigin = origin;
            response.Headers.AccessControlExposeHeaders = AnswerHeaders;
        }
        else if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site is not ["same-origin" or "none"])
        {
            throw new ProblemException(
                403,
                "cross_site_denied",
                "A page of another site may not call; start the daemon with --allow-origin to allow it by name."
            );
        }

        if (!isNamed || request.Method != "OPTIONS" || request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return false;
        }

        response.StatusCode = StatusCodes.Status204NoContent;
        response.Headers.AccessControlAllowMethods = Methods;
        response.Headers.AccessControlAllowHeaders = RequestHeaders;
        response.Headers.AccessControlMaxAge = "86400";
        return true;
    }

    private static bool IsCanonical(string origin) =>
        !origin.Contains('*')
        && Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && uri.Host is not ""
        && origin == uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
}
