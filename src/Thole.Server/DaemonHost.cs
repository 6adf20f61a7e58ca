using Thole.Protocol;

namespace Thole.Server;

/// <summary>The daemon as the front hall starts and ends it.</summary>
public sealed class DaemonHost(DaemonOptions options, IAccessTokens tokens, Action<string> log, TimeProvider time)
    : IAsyncDisposable
{
    private readonly Daemon _daemon = new(
        options,
        [HealthRoutes.Create(_ => ValueTask.FromResult(new Health("ok", 0, 0)))],
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
