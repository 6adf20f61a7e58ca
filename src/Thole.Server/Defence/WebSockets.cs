using Microsoft.AspNetCore.Http;

namespace Thole.Server.Defence;

/// <summary>
/// Nothing here is upgraded to a WebSocket, and whoever asks for one is told so: an upgrade that is passed over in silence looks like
/// an answer to some clients. A page can open one without a preflight, so who shows no token is forbidden to and not asked for one.
/// </summary>
internal sealed class WebSockets(Bearer bearer)
{
    /// <exception cref="ProblemException">The request asks for a WebSocket.</exception>
    public void Check(HttpContext context)
    {
        if (!IsWanted(context.Request.Headers))
        {
            return;
        }

        try
        {
            _ = bearer.Identify(context);
        }
        catch (ProblemException unknown) when (unknown.Status == 401)
        {
            context.Response.Headers.WWWAuthenticate = default;
            throw new ProblemException(
                403,
                "upgrade_denied",
                "Without a token nothing is upgraded; send Authorization: Bearer, and read events with GET /session/{id}/events."
            );
        }

        throw new ProblemException(
            400,
            "upgrade_unsupported",
            "The daemon speaks no WebSocket; read events with GET /session/{id}/events."
        );
    }

    private static bool IsWanted(IHeaderDictionary headers) =>
        headers.ContainsKey("Sec-WebSocket-Key")
        || headers.ContainsKey("Sec-WebSocket-Version")
        || headers
            .Upgrade.SelectMany(static value => (value ?? "").Split(','))
            .Any(static protocol => protocol.Split('/')[0].Trim().Equals("websocket", StringComparison.OrdinalIgnoreCase));
}
