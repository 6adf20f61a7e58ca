using System.Diagnostics;
using Thole.Cli.Configuration;
using Thole.Core.Access;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Cli.Serving;

/// <summary>The daemon of a workspace as another process of ours sees it.</summary>
internal sealed class DaemonControl(Settings settings)
{
    private static readonly TimeSpan s_longestStop = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="UsageException">Another daemon serves the workspace; the message says where.</exception>
    public static DaemonRegistration Register(Settings settings)
    {
        if (DaemonRegistration.TryTake(settings.Locations.Daemons, settings.Workspace, TimeProvider.System) is { } registration)
        {
            return registration;
        }

        var where = Find(settings) is { } other ? $" on {other.Address}" : "";
        throw new UsageException(
            $"A daemon serves {settings.Workspace} already{where}; use that one, or stop it with thole serve stop."
        );
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

        if (!ProcessSignals.AskToStop(daemon.ProcessId))
        {
            throw new UsageException($"The process {daemon.ProcessId} cannot be asked to stop; end it yourself.");
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
}
