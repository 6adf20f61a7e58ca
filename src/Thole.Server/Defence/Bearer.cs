using System.Globalization;
using Microsoft.AspNetCore.Http;
using Thole.Protocol;

namespace Thole.Server.Defence;

/// <summary>Asks who it is. Missing, malformed and wrong tokens get one and the same answer.</summary>
internal sealed class Bearer(IAccessTokens tokens, FailedAttempts failed, bool isOpen)
{
    private const int LongestToken = 1024;

    private static readonly Identity s_anybody = new("owner", Scope.All);

    public Identity Identify(HttpContext context)
    {
        if (isOpen)
        {
            return s_anybody;
        }

        var told = context.Request.Headers.Authorization;
        if (told is [{ } header] && Token(header) is { } token && tokens.Identify(token) is { } identity)
        {
            return identity;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        if (told.Count > 0 && failed.Add(context.Connection.RemoteIpAddress) is { } wait)
        {
            throw new ProblemException(
                429,
                "too_many_failed_attempts",
                "Too many wrong tokens came from this address; wait, or send the right one.",
                ("retryAfterMs", (long)wait.TotalMilliseconds)
            )
            {
                RetryAfter = wait,
            };
        }

        throw new ProblemException(401, "unauthorized", "Unauthorized");
    }

    public bool IsCurrent(Identity identity) => isOpen || tokens.IsCurrent(identity);

    private static string? Token(string header)
    {
        const string Scheme = "Bearer";
        if (
            !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || header.Length == Scheme.Length
            || header[Scheme.Length] is not (' ' or '\t')
        )
        {
            return null;
        }

        var token = header.AsSpan(Scheme.Length).Trim(" \t");
        return token.Length is > 0 and <= LongestToken && token.IndexOfAnyExceptInRange('!', '~') < 0 ? token.ToString() : null;
    }
}
