using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>How long one request may be silent, and how long it may take; and which of the two, or who else, ended it.</summary>
internal sealed class Patience : IDisposable
{
    private static readonly TimeSpan s_briefly = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _idle;
    private readonly TimeSpan _lifetime;
    private readonly CancellationTokenSource _idleClock;
    private readonly CancellationTokenSource _lifetimeClock;
    private readonly CancellationTokenSource _any;
    private readonly CancellationToken _caller;

    public Patience(TimeSpan idle, TimeSpan lifetime, TimeProvider time, CancellationToken caller)
    {
        (_idle, _lifetime, _caller) = (idle, lifetime, caller);
        _idleClock = new CancellationTokenSource(idle, time);
        _lifetimeClock = new CancellationTokenSource(lifetime, time);
        _any = CancellationTokenSource.CreateLinkedTokenSource(caller, _idleClock.Token, _lifetimeClock.Token);
    }

    public CancellationToken Token => _any.Token;

    /// <summary>Something was said: the silence begins anew.</summary>
    public void Heard() => _idleClock.CancelAfter(_idle);

    /// <summary>All that has to come has come: the end of the connection is waited for only briefly.</summary>
    public void Linger() => _idleClock.CancelAfter(_idle < s_briefly ? _idle : s_briefly);

    /// <summary>Why waiting ended; null where it was none of the clocks. What the caller cancelled is thrown as the caller's own.</summary>
    public ModelException? Explain(string who)
    {
        _caller.ThrowIfCancellationRequested();
        return _idleClock.IsCancellationRequested
                ? new ModelException(ModelFailure.StreamIdle, $"{who} said nothing for {Words(_idle)}.")
            : _lifetimeClock.IsCancellationRequested
                ? new ModelException(ModelFailure.StreamCut, $"{who} had not finished its answer after {Words(_lifetime)}.")
            : null;
    }

    public void Dispose()
    {
        _any.Dispose();
        _idleClock.Dispose();
        _lifetimeClock.Dispose();
    }

    private static string Words(TimeSpan time) => $"{time.TotalSeconds:0.###} seconds";
}
