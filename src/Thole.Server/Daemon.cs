using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Thole.Protocol;
using Thole.Server.Defence;
using Thole.Server.Requests;
using Thole.Server.Routing;

namespace Thole.Server;

/// <summary>Listens, and serves a table of operations. The web server alone, without the framework's host: that starts in a third of the time.</summary>
/// <param name="log">Takes what must not reach a client: defects, with their stack.</param>
internal sealed class Daemon(
    DaemonOptions options,
    IReadOnlyList<Operation> operations,
    IAccessTokens tokens,
    Action<string> log,
    TimeProvider time
) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private KestrelServer? _server;
    private OpenStreams? _streams;
    private Tls? _tls;

    /// <summary>Streams end by it; see <see cref="Exchange.Stopping"/>.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Returns where it listens.</summary>
    /// <exception cref="CannotListenException">The options contradict each other, or the address is not to be had.</exception>
    public async Task<Uri> StartAsync(CancellationToken cancellationToken)
    {
        var table = new OperationTable(operations);
        _tls = Tls.Load(options);
        var socket = await BindAsync(cancellationToken);
        try
        {
            var bound = (IPEndPoint)socket.LocalEndPoint!;
            var hosts = new HostNames(bound, isSecure: _tls is not null);
            var bearer = new Bearer(tokens, new FailedAttempts(options.Rates.FailedAttempts, time), options.InsecureNoAuth);
            _streams = new OpenStreams(bearer, time, Stopping);
            var gates = new Gates(
                hosts,
                new Origins(options.AllowedOrigins, hosts.OwnOrigin),
                bearer,
                new RequestRates(options.Rates, time),
                _streams
            );
            var failures = new Failures(new PathScrubber(options.PrivatePaths), options.MaxBodyBytes, log);
            _server = Server(socket, bound);
            await _server.StartAsync(
                new RequestPipeline(table, gates, failures, options.MaxBodyBytes, Stopping),
                cancellationToken
            );
            if (_tls is null && !IPAddress.IsLoopback(bound.Address))
            {
                log(
                    $"{bound} is open to the network without TLS: tokens and everything else travel in the clear; use --tls-cert and --tls-key."
                );
            }

            return new Uri($"{hosts.Scheme}://{HostNames.Bracketed(bound.Address)}:{bound.Port}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Accepts nothing new and lets streams close; what still runs when the token is cancelled is cut off.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        if (_server is not null)
        {
            await _server.StopAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _server?.Dispose();
        _streams?.Dispose();
        _tls?.Dispose();
        _stopping.Dispose();
    }

    private async Task<Socket> BindAsync(CancellationToken cancellationToken)
    {
        var address = await AddressAsync(cancellationToken);
        if (options.InsecureNoAuth && !IPAddress.IsLoopback(address))
        {
            throw new CannotListenException(
                $"Without tokens the daemon listens on a loopback address only, and '{options.Hostname}' is none; leave out --insecure-no-auth."
            );
        }

        try
        {
            // Bound by us and not by the server: its port is known before the first request.
            return SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(address, options.Port));
        }
        catch (SocketException refused)
        {
            throw new CannotListenException(
                $"The daemon cannot listen on {HostNames.Bracketed(address)}:{options.Port} ({refused.Message}); choose another with --port and --hostname.",
                refused
            );
        }
    }

    private async Task<IPAddress> AddressAsync(CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(options.Hostname, out var address))
        {
            return address;
        }

        if (options.Hostname is "localhost")
        {
            return IPAddress.Loopback;
        }

        try
        {
            if (
                options.Hostname is not ""
                && await Dns.GetHostAddressesAsync(options.Hostname, cancellationToken) is [var first, ..]
            )
            {
                return first;
            }
        }
        catch (SocketException)
        {
            // No such name: said below.
        }

        throw new CannotListenException($"'{options.Hostname}' is no address of this machine; name one with --hostname.");
    }

    private KestrelServer Server(Socket socket, IPEndPoint bound)
    {
        // Lines end in CR LF. Who lets a bare LF end one reads other headers than a proxy that does not.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var settings = new KestrelServerOptions { AddServerHeader = false, AllowSynchronousIO = false };
        settings.RequestHeaderEncodingSelector = static name => name is "Content-Length" ? DigitsOnly.Instance : null;
        settings.Limits.MaxConcurrentConnections = options.MaxConnections == 0 ? null : options.MaxConnections;
        settings.Limits.MaxRequestBodySize = options.MaxBodyBytes + RequestBody.Discarded;
        settings.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, options.BodyGrace);
        settings.Limits.RequestHeadersTimeout = options.HeadTimeout;
        settings.Limits.KeepAliveTimeout = options.IdleTimeout; // without it a place is held for two minutes by saying nothing
        settings.Listen(
            bound,
            listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                _tls?.Use(settings, listen);
            }
        );
        return new KestrelServer(
            Options.Create(settings),
            new SocketTransportFactory(
                Options.Create(new SocketTransportOptions { CreateBoundListenSocket = _ => socket }),
                NullLoggerFactory.Instance
            ),
            NullLoggerFactory.Instance
        );
    }
}
