using Thole.Cli.Configuration;
using Thole.Cli.Serving;
using Thole.Client;
using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>
/// Where a headless run happens: in the daemon of the workspace, so that a session has one writer, or in this process where there is none.
/// </summary>
internal sealed class RunPlace : IDisposable
{
    // A script must not wait for ever for a daemon that somebody stopped.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly TholeClient? _client;

    private RunPlace(IAgentRuntime runtime, SessionId session, string model, long latest, TholeClient? client) =>
        (Runtime, Session, Model, Latest, _client) = (runtime, session, model, latest, client);

    public IAgentRuntime Runtime { get; }

    public SessionId Session { get; }

    /// <summary>The full name of the model that works.</summary>
    public string Model { get; }

    /// <summary>The number of the newest event of a session that goes on; 0 for a new one.</summary>
    public long Latest { get; }

    /// <summary>Others may speak to the session meanwhile.</summary>
    public bool IsShared => _client is not null;

    /// <param name="known">The session that goes on; null for a new one.</param>
    public static async Task<RunPlace> OpenAsync(Settings settings, Composition house, SessionSummary? known)
    {
        var client = DaemonDoor.Find(settings, s_patience);
        if (client is not null && OnlyHere(settings) is { } flag)
        {
            client.Dispose();
            client = null;
            if (known is not null)
            {
                throw new UsageException(
                    $"A daemon serves this workspace, and its sessions go on in it with its own settings: leave {flag} out, start the daemon with it, or begin a new session."
                );
            }
        }

        try
        {
            return client is null ? await OpenHereAsync(settings, house, known) : await OpenThereAsync(settings, client, known);
        }
        catch
        {
            client?.Dispose();
            throw;
        }
    }

    public void Dispose() => _client?.Dispose();

    private static async Task<RunPlace> OpenHereAsync(Settings settings, Composition house, SessionSummary? known)
    {
        var model = house.Models.Find(IsModelChosen(settings) ? settings.Model : known?.Model ?? settings.Model).Name; // no key, no session
        var session = await OpenAsync(house.Runtime, settings, known, settings.Model);
        var latest = known is null ? 0 : await ChooseAsync(house.Runtime, session, settings);
        return new RunPlace(house.Runtime, session, model, latest, null);
    }

    private static async Task<RunPlace> OpenThereAsync(Settings settings, TholeClient client, SessionSummary? known)
    {
        if (known is not null && known.Workspace != settings.Workspace)
        {
            throw new RefusedException(
                "workspace_mismatch",
                $"The session {known.Id} belongs to {known.Workspace}; start thole there to go on with it."
            );
        }

        var session = await OpenAsync(client.Runtime, settings, known, IsModelChosen(settings) ? settings.Model : "");
        var latest = known is null ? 0 : await ChooseAsync(client.Runtime, session, settings);
        var status = await client.Session(session).StatusAsync(CancellationToken.None);
        return new RunPlace(client.Runtime, session, status.Model, latest, client);
    }

    private static ValueTask<SessionId> OpenAsync(
        IAgentRuntime runtime,
        Settings settings,
        SessionSummary? known,
        string model
    ) =>
        runtime.OpenSessionAsync(
            new OpenSession
            {
                Workspace = settings.Workspace,
                Session = known?.Id,
                Model = model,
                ApprovalMode = settings.ApprovalMode,
            },
            CancellationToken.None
        );

    /// <summary>A session that goes on keeps its model and mode, unless a flag or the environment says otherwise.</summary>
    /// <returns>The number of the newest event.</returns>
    private static async Task<long> ChooseAsync(IAgentRuntime runtime, SessionId session, Settings settings)
    {
        if (IsModelChosen(settings))
        {
            await runtime.SubmitAsync(session, new SelectModel(settings.Model), Actor.User, CancellationToken.None);
        }

        // The mode is a right: it is given for this run, and not inherited from a run that had more of it.
        var mode = new SelectApprovalMode(settings.ApprovalMode);
        return (await runtime.SubmitAsync(session, mode, Actor.User, CancellationToken.None)).Sequence;
    }

    private static bool IsModelChosen(Settings settings) => settings.LevelOf("model") >= SettingLevel.Environment;

    /// <summary>A setting of this run that holds for the process that the turn runs in; null where there is none.</summary>
    private static string? OnlyHere(Settings settings) =>
        SettingDefinitions
            .All.Where(definition => definition.Path is not ("model" or "approvalMode") && definition.Flag is not null)
            .FirstOrDefault(definition => settings.LevelOf(definition.Path) >= SettingLevel.Environment)
            ?.Flag;
}
