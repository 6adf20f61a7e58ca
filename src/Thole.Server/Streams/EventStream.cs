using System.Diagnostics;
using System.IO.Pipelines;
using Thole.Protocol;
using Thole.Server.Sessions;

namespace Thole.Server.Streams;

/// <summary>
/// One reader of one session. It takes events from the log at its own pace, so that nothing queues for it: it holds what fits into its
/// connection and no more, however far behind it is. One that takes nothing for long is closed, and comes back with its cursor.
/// </summary>
internal sealed class EventStream(
    DaemonParts parts,
    SessionDirectory sessions,
    StreamDialect dialect,
    Exchange exchange,
    SessionId session
)
{
    private const int FlushAt = 16 * 1024;

    private static readonly byte[] s_heartbeat = ": heartbeat\n\n"u8.ToArray();
    private static readonly TimeSpan s_slow = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_lastChance = TimeSpan.FromSeconds(2);

    private readonly int _most = (int)(exchange.QueryNumber("maxQueued") ?? 256);
    private long _last;
    private long _unflushed;
    private bool _isWarned;
    private PipeWriter _output = null!;

    /// <param name="after">The reader's cursor; null for only what follows.</param>
    /// <param name="status">Of the session when the reader came.</param>
    public async Task RunAsync(long? after, SessionStatus status)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted, exchange.Stopping);
        _last = after ?? status.Latest;
        _output = await exchange.StartEventStreamAsync();
        Write("retry: 3000\n\n"u8);
        try
        {
            var replayed = await ReplayAsync(after, status.Latest, leaving.Token);
            var now = parts.Live.Find(session) ?? status;
            if (now.IsClosed)
            {
                // The stream ends with the session: what happened while the past was sent is told as well.
                replayed += await ReplayAsync(_last, now.Latest, leaving.Token);
                status = now;
            }

            dialect.WriteWelcome(
                _output,
                new Welcome(now with { Latest = status.Latest }, after, replayed, exchange.QueryFlag("snapshot"))
            );
            if (!await FlushAsync(leaving.Token) || now.IsClosed)
            {
                return;
            }

            await FollowAsync(leaving.Token);
        }
        catch (OperationCanceledException)
            when (exchange.Stopping.IsCancellationRequested && !exchange.Aborted.IsCancellationRequested)
        {
            await SayGoodbyeAsync(parts.Tokens.IsCurrent(exchange.Identity) ? "daemon_shutdown" : "token_revoked");
        }
        catch (ProblemException) // the session is gone: said by its last event, or it was deleted
        {
            await SayGoodbyeAsync("session_gone");
        }
    }

    private async Task<long> ReplayAsync(long? after, long latest, CancellationToken cancellationToken)
    {
        var count = 0L;
        if (after is { } cursor && cursor < latest)
        {
            await foreach (var envelope in sessions.ReadPastAsync(session, cursor, latest, cancellationToken))
            {
                Write(dialect.Of(session, envelope).Span);
                (_last, count) = (envelope.Sequence, count + 1);
                if (_unflushed >= FlushAt && !await FlushAsync(cancellationToken))
                {
                    throw new OperationCanceledException(cancellationToken);
                }
            }
        }

        return count;
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var beat = new PeriodicTimer(parts.Sessions.Heartbeat, parts.Time);
        var tick = beat.WaitForNextTickAsync(cancellationToken).AsTask();
        var hasWritten = false;
        await using var events = sessions.ReadAsync(session, _last, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            var next = events.MoveNextAsync().AsTask();
            if (!next.IsCompleted)
            {
                // Nothing more to say for the moment: what was written goes out, and silence is filled.
                if (!await FlushAsync(cancellationToken))
                {
                    await IgnoreAsync(next);
                    return;
                }

                while (await Task.WhenAny(next, tick) == tick)
                {
                    await tick;
                    tick = beat.WaitForNextTickAsync(cancellationToken).AsTask();
                    if (!await BeatAsync(hasWritten, cancellationToken))
                    {
                        await IgnoreAsync(next);
                        return;
                    }

                    hasWritten = false;
                }
            }

            if (!await next)
            {
                return;
            }

            Write(dialect.Of(session, events.Current).Span);
            (_last, hasWritten) = (events.Current.Sequence, true);
            if (events.Current.Event is SessionClosed && parts.Live.Find(session) is not { IsClosed: false })
            {
                await FlushAsync(cancellationToken);
                return;
            }

            if (_unflushed >= FlushAt && !await FlushAsync(cancellationToken))
            {
                return;
            }
        }
    }

    /// <summary>A reader can tell a silent session from a dead connection; a revoked token ends the stream.</summary>
    private async Task<bool> BeatAsync(bool hasWritten, CancellationToken cancellationToken)
    {
        if (!parts.Tokens.IsCurrent(exchange.Identity))
        {
            await SayGoodbyeAsync("token_revoked");
            return false;
        }

        if (hasWritten)
        {
            return true;
        }

        Write(s_heartbeat);
        return await FlushAsync(cancellationToken);
    }

    /// <returns>False where the reader took nothing for too long, or may read no longer, and was sent away.</returns>
    private async Task<bool> FlushAsync(CancellationToken cancellationToken)
    {
        _unflushed = 0;
        if (!parts.Tokens.IsCurrent(exchange.Identity))
        {
            exchange.Abort();
            return false;
        }

        var flushing = _output.FlushAsync(cancellationToken);
        if (flushing.IsCompletedSuccessfully)
        {
            return !flushing.Result.IsCompleted;
        }

        var began = Stopwatch.GetTimestamp();
        var flush = flushing.AsTask();
        try
        {
            var flushed = await flush.WaitAsync(parts.Sessions.WriterTimeout, parts.Time, cancellationToken);
            WarnIfSlow(Stopwatch.GetElapsedTime(began));
            return !flushed.IsCompleted;
        }
        catch (TimeoutException)
        {
            await SayGoodbyeAsync("writer_idle_timeout", flush);
            return false;
        }
    }

    private void WarnIfSlow(TimeSpan took)
    {
        if (took < s_slow)
        {
            return;
        }

        var lag = NowBehind();
        if (!_isWarned && lag.Behind >= _most * 3 / 4)
        {
            _isWarned = true;
            dialect.WriteSlow(_output, lag);
        }
        else if (lag.Behind <= _most * 3 / 8)
        {
            _isWarned = false;
        }
    }

    /// <summary>The last that a reader hears, if it takes it: where to go on.</summary>
    /// <param name="stuck">What was sent before and not taken.</param>
    private async Task SayGoodbyeAsync(string reason, Task? stuck = null)
    {
        try
        {
            dialect.WriteGoodbye(_output, session, reason, NowBehind());
            if (stuck is not null)
            {
                await stuck.WaitAsync(s_lastChance, parts.Time);
            }

            await _output.FlushAsync(CancellationToken.None).AsTask().WaitAsync(s_lastChance, parts.Time);
        }
        catch (Exception gone)
            when (gone is TimeoutException or OperationCanceledException or IOException or InvalidOperationException)
        {
            exchange.Abort();
        }
    }

    private Lag NowBehind() => new(Math.Max(0, (parts.Live.Find(session)?.Latest ?? _last) - _last), _most, _last);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_output.GetSpan(bytes.Length));
        _output.Advance(bytes.Length);
        _unflushed += bytes.Length;
    }

    /// <summary>An enumerator may not be left while it moves; it is cancelled with the request.</summary>
    private async Task IgnoreAsync(Task<bool> moving)
    {
        exchange.Abort();
        await ((Task)moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
