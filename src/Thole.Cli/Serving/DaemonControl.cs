using System.Diagnostics;
using Thole.Cli.Configuration;
using Thole.Client;
using Thole.Core.Access;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Cli.Serving;

/// <summary>The daemon of a workspace as another process of ours sees it.</summary>
internal sealed class DaemonControl(Settings settings)
{
    private const int MostLooks = 10;

    private static readonly TimeSpan s_longestStop = TimeSpan.FromSeconds(60);

    /// <summary>One that hangs is not waited for long: the signal is next.</summary>
    private static readonly ClientOptions s_stopping = new()
    {
        Silence = TimeSpan.FromSeconds(10),
        AskingPatience = TimeSpan.FromSeconds(2),
    };
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="UsageException">Another daemon serves the workspace; the message says where.</exception>
    public static async Task<DaemonRegistration> RegisterAsync(Settings settings, CancellationToken cancellationToken)
    {
        // Who looks for a daemon holds the lock for a moment: that is not yet one.
        for (var attempt = 1; ; attempt++)
        {
            var registration = await DaemonRegistration.TryTakeAsync(
                settings.Locations.Daemons,
                settings.Workspace,
                TimeProvider.System,
                cancellationToken
            );
            if (registration is not null)
            {
                return registration;
            }

            var other = Find(settings);
            if (other is not null || attempt == MostLooks)
            {
                throw new UsageException(
                    $"A daemon serves {settings.Workspace} already{(other is null ? "" : $" on {other.Address}")}; use that one, or stop it with thole serve stop."
                );
            }

            await Task.Delay(s_pause, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>The daemon of this workspace; null where none runs.</summary>
    public static DaemonRecord? Find(Settings settings)
    {
        try
        {
            return DaemonRegistration.Find(settings.Locations.Daemons, settings.Workspace, TimeProvider.System);
        }
        catch (WorkspaceException unreadable)
        {
            throw new UsageException(unreadable.Message, unreadable);
        }
    }

    public Task<int> StatusAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Find(settings) is not { } daemon)
        {
            Terminal.Output.WriteLine($"No daemon serves {TerminalText.EscapeLine(settings.Workspace)}.");
            return Task.FromResult(ExitCodes.Failed);
        }

        Terminal.Output.WriteLine(
            $"{daemon.Address} (workspace={TerminalText.EscapeLine(daemon.Workspace)}, process {daemon.ProcessId}, since {daemon.StartedAt:u}, thole {daemon.Version})"
        );
        return Task.FromResult(ExitCodes.Done);
    }

    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        if (Find(settings) is not { } daemon)
        {
            Terminal.Output.WriteLine($"No daemon serves {TerminalText.EscapeLine(settings.Workspace)}.");
            return ExitCodes.Failed;
        }

        if (await RefusalToStopAsync(cancellationToken) is { } refusal && !ProcessSignals.AskToStop(daemon.ProcessId))
        {
            throw new UsageException(
                $"The daemon does not stop when it is asked ({refusal.TrimEnd('.')}), and its process {daemon.ProcessId} takes no signal from here; end it yourself."
            );
        }

        var began = Stopwatch.GetTimestamp();
        while (Find(settings) is { } still && still.ProcessId == daemon.ProcessId)
        {
            if (Stopwatch.GetElapsedTime(began) > s_longestStop)
            {
                Terminal.Error.WriteLine($"thole: the daemon (process {daemon.ProcessId}) has not stopped yet.");
                return ExitCodes.Failed;
            }

            await Task.Delay(s_pause, TimeProvider.System, cancellationToken);
        }

        return ExitCodes.Done;
    }

    /// <summary>Asks through its door, which there is on every system; where that fails a signal may still do. Null where it will stop.</summary>
    private async Task<string?> RefusalToStopAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var door = DaemonDoor.Find(settings, s_stopping);
            if (door is not null)
            {
                await door.StopDaemonAsync(cancellationToken);
            }

            return null; // it ran a moment ago, and has gone by itself
        }
        catch (RefusedException refused)
        {
            return DaemonDoor.Explain(refused);
        }
        catch (Exception unreachable) when (unreachable is DaemonLostException or UsageException)
        {
            return unreachable.Message;
        }
    }
}
