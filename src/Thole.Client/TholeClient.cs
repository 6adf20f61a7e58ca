using Thole.Protocol;

namespace Thole.Client;

/// <summary>One daemon: its sessions, and its runtime. It may be used by many at once.</summary>
public sealed class TholeClient : IDisposable
{
    private readonly DaemonConnection _daemon;

    /// <summary>Connects to nothing yet: the first question does.</summary>
    /// <param name="address"><c>http://127.0.0.1:4170</c>, as <c>thole serve</c> says it.</param>
    /// <param name="token">The owner's, or one of <c>thole token issue</c>; null where the daemon asks for none.</param>
    /// <param name="options">Null for what suits a daemon on this machine.</param>
    public TholeClient(Uri address, string? token, ClientOptions? options = null)
    {
        _daemon = new DaemonConnection(address, token, options ?? new ClientOptions());
        Runtime = new DaemonRuntime(_daemon);
    }

    /// <summary>The door that every client of the runtime has, in its process or through the wire.</summary>
    public DaemonRuntime Runtime { get; }

    internal ClientOptions Options => _daemon.Options;

    /// <summary>Opens a new session.</summary>
    /// <param name="model"><c>provider/model</c>; null for the daemon's own.</param>
    /// <param name="mode">Null for the daemon's own.</param>
    /// <param name="cancellationToken">Gives up waiting; what was sent by then may still happen.</param>
    public async ValueTask<TholeSession> OpenAsync(
        string? model = null,
        ApprovalMode? mode = null,
        CancellationToken cancellationToken = default
    ) => Session((await Runtime.OpenAsync(new OpenRequest(Model: model, ApprovalMode: mode), cancellationToken)).Session);

    /// <summary>Goes on with a session that is known; one that was closed is open again.</summary>
    public async ValueTask<TholeSession> ResumeAsync(SessionId session, CancellationToken cancellationToken = default) =>
        Session((await Runtime.OpenAsync(new OpenRequest(Session: session), cancellationToken)).Session);

    /// <summary>A session by its id; nothing is asked yet.</summary>
    public TholeSession Session(SessionId session) => new(this, session);

    /// <summary>The sessions of the daemon's workspace, newest first.</summary>
    public async ValueTask<IReadOnlyList<SessionSummary>> ListAsync(
        int limit = 100,
        CancellationToken cancellationToken = default
    ) => await Runtime.ListAsync(limit, cancellationToken);

    /// <summary>
    /// Asks the daemon to stop, as a signal does; for the scope <c>administer</c>. It returns when the daemon has said that it will, and is
    /// still there for as long as its turns may take to end.
    /// </summary>
    /// <exception cref="RefusedException">The daemon says no.</exception>
    /// <exception cref="DaemonLostException">It cannot be reached.</exception>
    public async ValueTask StopDaemonAsync(CancellationToken cancellationToken = default) =>
        await _daemon.AskAsync(new DaemonRequest(HttpMethod.Post, "/daemon/shutdown", IsHarmless: true), cancellationToken);

    /// <summary>Ends what is under way.</summary>
    public void Dispose() => _daemon.Dispose();
}
