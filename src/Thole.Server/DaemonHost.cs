using Thole.Protocol;
using Thole.Server.OpenApi;

namespace Thole.Server;

/// <summary>The daemon as the front hall starts and ends it.</summary>
/// <param name="version">Of the product, for those who ask what they talk to.</param>
public sealed class DaemonHost(DaemonOptions options, string version, IAccessTokens tokens, Action<string> log, TimeProvider time)
    : IAsyncDisposable
{
    private readonly Daemon _daemon = new(
        options,
        OpenApiRoutes.With([HealthRoutes.Create(_ => ValueTask.FromResult(new Health("ok", 0, 0)))], version),
        tokens,
        log,
        time
    );

    /// <summary>Returns where it listens.</summary>
    /// <exception cref="CannotListenException">The options contradict each other, or the address is not to be had.</exception>
    public Task<Uri> StartAsync(CancellationToken cancellationToken) => _daemon.StartAsync(cancellationToken);

    /// <summary>Accepts nothing new and lets streams close; what still runs when the token is cancelled is cut off.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _daemon.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();
}
