using Thole.Protocol;

namespace Thole.Server.Defence;

/// <summary>
/// Event streams outlive the look at their token, so it is looked at again every second while one is open. A stream whose token was
/// revoked is told to end, and is cut off a second later.
/// </summary>
internal sealed class OpenStreams(Bearer bearer, TimeProvider time, CancellationToken stopping) : IDisposable
{
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<Watched> _streams = [];
    private ITimer? _timer;

    /// <summary>Watches a stream until what is returned is disposed.</summary>
    /// <param name="abort">Ends its connection.</param>
    public Watched Watch(Identity identity, Action abort)
    {
        var stream = new Watched(this, identity, abort, CancellationTokenSource.CreateLinkedTokenSource(stopping));
        lock (_lock)
        {
            _streams.Add(stream);
            _timer ??= time.CreateTimer(_ => Look(), null, s_between, s_between);
        }

        return stream;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Look()
    {
        Watched[] streams;
        lock (_lock)
        {
            streams = [.. _streams];
        }

        foreach (var stream in streams.Where(stream => !bearer.IsCurrent(stream.Identity)))
        {
            stream.End();
        }
    }

    private void Forget(Watched stream)
    {
        lock (_lock)
        {
            _streams.Remove(stream);
            if (_streams.Count == 0)
            {
                _timer?.Dispose();
                _timer = null;
            }
        }
    }

    internal sealed class Watched(OpenStreams streams, Identity identity, Action abort, CancellationTokenSource ending)
        : IDisposable
    {
        public Identity Identity { get; } = identity;

        /// <summary>The stream is to end: its token is no longer good, or the daemon stops.</summary>
        public CancellationToken Ending { get; } = ending.Token;

        public void End()
        {
            if (ending.IsCancellationRequested)
            {
                abort(); // told a second ago
                return;
            }

            try
            {
                ending.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended by itself meanwhile.
            }
        }

        public void Dispose()
        {
            streams.Forget(this);
            ending.Dispose();
        }
    }
}
