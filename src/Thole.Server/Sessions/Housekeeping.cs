using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>
/// What nobody asks for: at the start, sessions with unfinished work are opened, so that it goes on; later those that rest without a reader
/// are closed, and clients that are gone are forgotten.
/// </summary>
internal sealed class Housekeeping(DaemonParts parts, SessionDirectory sessions, Attendance attendance) : IAsyncDisposable
{
    private const int MostSessions = 10_000;

    private readonly CancellationTokenSource _stopping = new();
    private Task _working = Task.CompletedTask;

    public void Start() => _working = Task.Run(RunAsync);

    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        await GoOnAsync();
        var period = TimeSpan.FromMilliseconds(Math.Clamp(parts.Sessions.IdleTimeout.TotalMilliseconds / 4, 50, 15_000));
        using var timer = new PeriodicTimer(period, parts.Time);
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            attendance.Sweep();
            await UnloadAsync();
        }
    }

    private async Task GoOnAsync()
    {
        IReadOnlyList<SessionSummary> all = [];
        await TryAsync(async () => all = await parts.Catalog.ListAsync(parts.Workspace, MostSessions, _stopping.Token));
        foreach (var session in all)
        {
            if (session is { IsUnfinished: true, Problem: null })
            {
                await TryAsync(async () => await sessions.OpenAsync(session.Id, _stopping.Token));
            }
        }
    }

    private async Task TryAsync(Func<Task> work, string complaint = "Unfinished work was not taken up")
    {
        try
        {
            await work();
        }
        catch (Exception failed) when (failed is not OperationCanceledException) // one session that fails keeps no other down
        {
            if (sessions.IsDraining)
            {
                return; // it is left to the next start
            }

            parts.Log($"{complaint}: {failed.Message}");
        }
    }

    private async Task UnloadAsync()
    {
        foreach (var session in parts.Live.All.Where(sessions.IsIdle))
        {
            await TryAsync(async () => await sessions.UnloadAsync(session, _stopping.Token), "A session was not put away");
        }
    }
}
