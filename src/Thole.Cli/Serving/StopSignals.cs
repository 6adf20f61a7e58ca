using System.Runtime.InteropServices;

namespace Thole.Cli.Serving;

/// <summary>The first signal asks the daemon to stop, the second to stop at once, the third ends the process.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _again = new();
    private int _count;

    public StopSignals(PosixSignal[] signals) =>
        _registrations = Array.ConvertAll(signals, signal => PosixSignalRegistration.Create(signal, Receive));

    public Task Asked => _asked.Task;

    public CancellationToken AskedAgain => _again.Token;

    public void Dispose()
    {
        Array.ForEach(_registrations, static registration => registration.Dispose());
        _again.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        context.Cancel = Interlocked.Increment(ref _count) < 3;
        _asked.TrySetResult();
        if (_count == 2)
        {
            _ = _again.CancelAsync();
        }
    }
}
