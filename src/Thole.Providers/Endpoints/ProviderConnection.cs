using System.Net;

namespace Thole.Providers.Endpoints;

/// <summary>The pooled connections to providers, and what is switched off in them.</summary>
internal static class ProviderConnection
{
    /// <summary>
    /// An invoker, not a client: a client's own timeout, buffering and default headers would only be worked around. It follows no
    /// redirect, which would carry the key to another host, and keeps no cookies.
    /// </summary>
    public static HttpMessageInvoker Open(bool isLoopback) =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                // A proxy on the way out cannot reach this machine's own loopback.
                UseProxy = !isLoopback,
                AutomaticDecompression = DecompressionMethods.All,
                ConnectTimeout = TimeSpan.FromSeconds(30),
                // Names move between addresses: a connection is not kept for ever.
                PooledConnectionLifetime = TimeSpan.FromMinutes(15),
                EnableMultipleHttp2Connections = true,
                // No trace headers for strangers, and no start-up cost for them.
                ActivityHeadersPropagator = null,
            }
        );
}
