using Thole.Protocol;
using Thole.Server.OpenApi;
using Thole.Server.Routes;
using Thole.Server.Sessions;
using Thole.Server.Streams;

namespace Thole.Server;

/// <summary>The daemon as the front hall starts and ends it.</summary>
public sealed class DaemonHost : IAsyncDisposable
{
    private readonly DaemonParts _parts;
    private readonly SessionDirectory _sessions;
    private readonly Attendance _attendance;
    private readonly Housekeeping _housekeeping;
    private readonly Daemon _daemon;
    private readonly TaskCompletionSource _stopAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DaemonHost(DaemonOptions options, DaemonParts parts)
    {
        _parts = parts;
        _attendance = new Attendance(parts.ClientKey, parts.Sessions.ClientTimeout, parts.Time, parts.NewId);
        _sessions = new SessionDirectory(parts, _attendance);
        _housekeeping = new Housekeeping(parts, _sessions, _attendance);
        var bulletin = new Bulletin(parts.Time);
        var capabilities = new CapabilityRoutes(parts, _attendance, options);
        Operations = OpenApiRoutes.With(
            [
                HealthRoutes.Create(_ => capabilities.HealthAsync()),
                .. capabilities.Operations,
                .. ShutdownRoutes.Create(AskToStop),
                .. new SessionRoutes(parts, _sessions, _attendance).Operations,
                .. new PromptRoutes(parts, _sessions, _attendance).Operations,
                .. new PermissionRoutes(parts, _sessions, _attendance).Operations,
                .. new EventRoutes(parts, _sessions, _attendance, bulletin).Operations,
                .. new NativeRoutes(parts, _sessions, _attendance, bulletin).Operations,
                .. FileRoutes.Create(parts.Files),
                .. GitRoutes.Create(parts.Repository, parts.Workspace),
                .. WorkspaceRoutes.Create(
                    parts.Inventory,
                    parts.Files,
                    parts.Workspace,
                    (exchange, news) => bulletin.Post(news, _attendance.ClientOf(exchange))
                ),
            ],
            parts.Version
        );
        _daemon = new Daemon(options, Operations, parts.Tokens, parts.Log, parts.Time);
    }

    /// <summary>Everything that may be asked. To add routes: write them in Routes/, name them here.</summary>
    internal IReadOnlyList<Operation> Operations { get; }

    /// <summary>Completes when a client has asked for the end; whoever started the daemon then stops it.</summary>
    public Task StopAsked => _stopAsked.Task;

    /// <summary>Streams end by it.</summary>
    internal CancellationToken Stopping => _daemon.Stopping;

    /// <summary>Who decides a question of that session; the runtime asks when it asks.</summary>
    public Election? Elect(SessionId session, Actor asker) =>
        Electorate.Of(
            _parts.Sessions,
            [.. _attendance.Voters(session).Where(_parts.Tokens.IsCurrent).Select(identity => identity.Name)],
            asker
        );

    /// <summary>Returns where it listens; what was accepted before it stopped the last time goes on behind it.</summary>
    /// <exception cref="CannotListenException">The options contradict each other, or the address is not to be had.</exception>
    public async Task<Uri> StartAsync(CancellationToken cancellationToken)
    {
        var address = await _daemon.StartAsync(cancellationToken);
        _housekeeping.Start();
        return address;
    }

    /// <summary>
    /// Takes no more work, lets turns that are at work end within their grace, tells readers where to go on, and stops listening.
    /// Turns that wait for a person, and prompts that wait their turn, are kept by whoever closes the runtime after this.
    /// </summary>
    /// <param name="cancellationToken">Ends the grace at once.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _sessions.Drain();
        await _housekeeping.StopAsync();
        using (var grace = new CancellationTokenSource(_parts.Sessions.ShutdownGrace, _parts.Time))
        using (var ends = CancellationTokenSource.CreateLinkedTokenSource(grace.Token, cancellationToken))
        {
            await _parts.Live.DrainAsync(ends.Token);
        }

        using var last = new CancellationTokenSource(TimeSpan.FromSeconds(5), _parts.Time);
        await _daemon.StopAsync(last.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _housekeeping.DisposeAsync();
        await _daemon.DisposeAsync();
        _sessions.Dispose();
    }

    private void AskToStop(Identity by)
    {
        if (_stopAsked.TrySetResult())
        {
            _parts.Log($"{by.Name} asked the daemon to stop.");
        }
    }
}
