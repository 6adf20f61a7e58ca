using System.Buffers;
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
    Bulletin bulletin,
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
    private Task _flushing = Task.CompletedTask;
    private PipeWriter _output = null!;

    /// <param name="after">The reader's cursor; null for only what follows.</param>
    /// <param name="status">Of the session when the reader came.</param>
    public async Task RunAsync(long? after, SessionStatus status)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted, exchange.Stopping);
        using var news = new NewsReader(bulletin);
        _last = after ?? status.Latest;
        _output = await exchange.StartEventStreamAsync();
        Write("retry: 3000\n\n"u8);
        try
        {
            if (await ReplayAsync(status.Latest, leaving.Token) is not { } replayed)
            {
                return;
            }

            var now = parts.Live.Find(session) ?? status;
            var welcome = new Welcome(now with { Latest = status.Latest }, after, replayed, exchange.QueryFlag("snapshot"));
            Write(output => dialect.WriteWelcome(output, welcome));
            if (now.IsClosed)
            {
                // The stream ends with the session: what happened while the past was sent is told as well.
                if (await ReplayAsync(now.Latest, leaving.Token) is not null)
                {
                    await FlushAsync(leaving.Token);
                }
            }
            else if (await FlushAsync(leaving.Token))
            {
                await FollowAsync(news, leaving.Token);
            }
        }
        catch (OperationCanceledException)
            when (exchange.Stopping.IsCancellationRequested && !exchange.Aborted.IsCancellationRequested)
        {
            var isWelcome = parts.Tokens.IsCurrent(exchange.Identity);
            if (isWelcome)
            {
                await CatchUpAsync();
            }

            await SayGoodbyeAsync(isWelcome ? "daemon_shutdown" : "token_revoked");
        }
        catch (ProblemException gone) // said by its last event, or it was deleted; or nothing is opened any more
        {
            await SayGoodbyeAsync(gone.Code is "daemon_draining" ? "daemon_shutdown" : "session_gone");
        }
        catch (RefusedException broken) // its log cannot be written, or is not opened any more
        {
            await SayGoodbyeAsync(broken.Reason);
        }
    }

    /// <returns>How many events; null where the reader has left, or was sent away.</returns>
    private async Task<long?> ReplayAsync(long latest, CancellationToken cancellationToken)
    {
        var count = 0L;
        await foreach (var envelope in sessions.ReadPastAsync(session, _last, latest, cancellationToken))
        {
            Write(dialect.Of(session, envelope).Span);
            (_last, count) = (envelope.Sequence, count + 1);
            if (_unflushed >= FlushAt && !await FlushAsync(cancellationToken))
            {
                return null;
            }
        }

        return count;
    }

    /// <summary>What has happened before a stop, the end of a turn among it, is told before the goodbye, as far as there is time.</summary>
    private async Task CatchUpAsync()
    {
        if (!_flushing.IsCompleted || parts.Live.Find(session) is not { } now)
        {
            return;
        }

        using var last = new CancellationTokenSource(s_lastChance, parts.Time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted, last.Token);
        await ((Task)ReplayAsync(now.Latest, ends.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task FollowAsync(NewsReader news, CancellationToken cancellationToken)
    {
        await using var events = new Following(token => sessions.ReadAsync(session, _last, token), cancellationToken);
        using var beat = new PeriodicTimer(parts.Sessions.Heartbeat, parts.Time);
        var tick = beat.WaitForNextTickAsync(cancellationToken).AsTask();
        var hasWritten = false;
        while (true)
        {
            var next = events.MoveNextAsync();
            hasWritten |= WriteNews(news);
            if (!next.IsCompleted)
            {
                // Nothing more to say for the moment: what was written goes out, and silence is filled.
                if (!await FlushAsync(cancellationToken))
                {
                    return;
                }

                while (await Task.WhenAny(next, tick, news.Coming) is var first && first != next)
                {
                    if (first != tick)
                    {
                        hasWritten = WriteNews(news);
                        if (!await FlushAsync(cancellationToken))
                        {
                            return;
                        }

                        continue;
                    }

                    await tick;
                    tick = beat.WaitForNextTickAsync(cancellationToken).AsTask();
                    if (!await BeatAsync(hasWritten, cancellationToken))
                    {
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

    /// <summary>What has changed in the workspace since this reader came, once each.</summary>
    private bool WriteNews(NewsReader news)
    {
        var hasWritten = false;
        while (news.TryRead(out var notice))
        {
            Write(output => dialect.WriteNews(output, notice.News!, notice.At, notice.Originator));
            hasWritten = true;
        }

        return hasWritten;
    }

    /// <summary>A reader can tell a silent session from a dead connection.</summary>
    private async Task<bool> BeatAsync(bool hasWritten, CancellationToken cancellationToken)
    {
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
        // Without the token: a flush that is given up breaks the connection, and there may be a goodbye to say.
        var flushing = _output.FlushAsync(CancellationToken.None);
        if (flushing.IsCompletedSuccessfully)
        {
            return !flushing.Result.IsCompleted;
        }

        var began = parts.Time.GetTimestamp();
        var flush = flushing.AsTask();
        _flushing = flush;
        try
        {
            var flushed = await flush.WaitAsync(parts.Sessions.WriterTimeout, parts.Time, cancellationToken);
            WarnIfSlow(parts.Time.GetElapsedTime(began));
            return !flushed.IsCompleted;
        }
        catch (TimeoutException)
        {
            await SayGoodbyeAsync("writer_idle_timeout");
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
            Write(output => dialect.WriteSlow(output, lag));
        }
        else if (lag.Behind <= _most * 3 / 8)
        {
            _isWarned = false;
        }
    }

    /// <summary>The last that a reader hears, if it takes it and what was sent before: where to go on.</summary>
    private async Task SayGoodbyeAsync(string reason)
    {
        try
        {
            Write(output => dialect.WriteGoodbye(output, session, reason, NowBehind()));
            await _flushing.WaitAsync(s_lastChance, parts.Time);
            await _output.FlushAsync(CancellationToken.None).AsTask().WaitAsync(s_lastChance, parts.Time);
        }
        catch (Exception gone)
            when (gone is TimeoutException or OperationCanceledException or IOException or InvalidOperationException)
        {
            exchange.Abort();
        }
    }

    private Lag NowBehind() => new(Math.Max(0, (parts.Live.Find(session)?.Latest ?? _last) - _last), _most, _last);

    /// <summary>Not straight into the connection: one that was cut gives no room, and whoever asks it for some without a size fails.</summary>
    private void Write(Action<IBufferWriter<byte>> write)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        write(bytes);
        Write(bytes.WrittenSpan);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_output.GetSpan(bytes.Length));
        _output.Advance(bytes.Length);
        _unflushed += bytes.Length;
    }

    /// <summary>Events that may be left while the next is waited for: an enumerator must not be disposed of while it moves.</summary>
    private sealed class Following : IAsyncDisposable
    {
        private readonly CancellationTokenSource _left;
        private readonly IAsyncEnumerator<Envelope> _events;
        private Task<bool> _next = Task.FromResult(false);

        public Following(Func<CancellationToken, IAsyncEnumerable<Envelope>> read, CancellationToken cancellationToken)
        {
            _left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _events = read(_left.Token).GetAsyncEnumerator(_left.Token);
        }

        public Envelope Current => _events.Current;

        public Task<bool> MoveNextAsync() => _next = _events.MoveNextAsync().AsTask();

        public async ValueTask DisposeAsync()
        {
            await _left.CancelAsync();
            await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _events.DisposeAsync();
            _left.Dispose();
        }
    }
}
