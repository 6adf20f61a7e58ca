using System.Runtime.InteropServices;

namespace Thole.Cli.Attached;

/// <summary>What the keyboard and the system say to an attached terminal.</summary>
internal sealed class AttachSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="interrupt">Ctrl+C.</param>
    /// <param name="leave">The terminal was closed, or the process is to end.</param>
    public AttachSignals(Action interrupt, Action leave)
    {
        _registrations =
        [
            PosixSignalRegistration.Create(
                PosixSignal.SIGINT,
                context =>
                {
                    context.Cancel = true;
                    interrupt();
                }
            ),
            Leaving(PosixSignal.SIGHUP, 1),
            Leaving(PosixSignal.SIGTERM, 15),
        ];

        PosixSignalRegistration Leaving(PosixSignal signal, int number) =>
            PosixSignalRegistration.Create(
                signal,
                context =>
                {
                    (context.Cancel, Received) = (true, number);
                    leave();
                }
            );
    }

    /// <summary>The number of the signal that ended it; null where the person left.</summary>
    public int? Received { get; private set; }

    public void Dispose() => Array.ForEach(_registrations, static registration => registration.Dispose());
}
