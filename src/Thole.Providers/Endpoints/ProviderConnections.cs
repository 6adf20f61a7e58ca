using System.Collections.Concurrent;
using System.Net;

namespace Thole.Providers.Endpoints;

/// <summary>The pooled connections to providers, one pool for each way out; and what is switched off in them.</summary>
internal sealed class ProviderConnections : IDisposable
{
    private readonly ConcurrentDictionary<(bool IsLoopback, Uri? Proxy), HttpMessageInvoker> _pools = [];

    /// <param name="proxy">Null for the one of the environment.</param>
    public HttpMessageInvoker To(Uri address, Uri? proxy) =>
        _pools.GetOrAdd((address.IsLoopback, proxy), static way => Open(way.IsLoopback, way.Proxy));

    public void Dispose()
    {
        foreach (var pool in _pools.Values)
        {
            pool.Dispose();
        }
    }

    /// <summary>
    /// An invoker, not a client: a client's own timeout, buffering and default headers would only be worked around. It follows no
    /// redirect, which would carry the key to another host, and keeps no cookies.
    /// </summary>
    public static HttpMessageInvoker Open(bool isLoopback, Uri? proxy = null) =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                // A proxy of the environment is one on the way out: it cannot reach this machine's own loopback.
                UseProxy = proxy is not null || !isLoopback,
                Proxy = proxy is null ? null : new WebProxy(proxy),
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
