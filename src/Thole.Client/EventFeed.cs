using System.Text.Json;
using Thole.Protocol;
using Thole.Wire.Sse;
using Thole.Wire.Transcripts;

namespace Thole.Client;

/// <summary>One connection to the events of a session: what follows a cursor, as the daemon sends it, until the connection ends.</summary>
internal sealed class EventFeed : IDisposable
{
    // Of our own daemon, which bounds what it takes in; a limit only against what is none.
    private static readonly SseLimits s_limits = new(Line: 256 << 20, Event: 256 << 20);

    private readonly DaemonConnection _daemon;
    private readonly DaemonRequest _request;
    private readonly CancellationToken _leaving;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationTokenRegistration _left;
    private readonly SseReader _sse = new(s_limits);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private HttpResponseMessage? _response;
    private Stream? _body;
    private SessionStatus? _status;
    private bool _isWhole;

    public EventFeed(DaemonConnection daemon, SessionId session, long after, CancellationToken leaving)
    {
        (_daemon, _leaving) = (daemon, leaving);
        _request = new DaemonRequest(
            HttpMethod.Get,
            $"/v1/sessions/{Uri.EscapeDataString(session.Value)}/events",
            IsHarmless: true
        )
        {
            Accept = "text/event-stream",
            After = after,
        };
        _ending = new CancellationTokenSource(Timeout.InfiniteTimeSpan, daemon.Options.Time);
        _left = leaving.UnsafeRegister(static ending => ((CancellationTokenSource)ending!).Cancel(), _ending);
    }

    public bool IsOpen => _body is not null;

    /// <summary>The daemon has said all there is: the session is closed, and nothing of it runs any more.</summary>
    public bool IsOver => _isWhole && _status is { IsClosed: true, Turn: null };

    /// <summary>Why it is not open, or ended.</summary>
    public string Failure { get; private set; } = "The daemon ended the stream.";

    /// <summary>How long the daemon wants its readers to wait before they come back.</summary>
    public TimeSpan? RetryAfter { get; private set; }

    /// <summary>The longest wait that the stream itself asks for.</summary>
    public TimeSpan? Retry => _sse.Retry;

    /// <returns>False where it cannot be opened just now.</returns>
    /// <exception cref="RefusedException">The daemon says no, and would again.</exception>
    public async Task<bool> OpenAsync()
    {
        try
        {
            _ending.CancelAfter(_daemon.Options.Silence);
            _response = await _daemon.SendAsync(_request, _ending.Token);
            if (!_response.IsSuccessStatusCode)
            {
                var refusal = await Refusal.ReadAsync(_response, _daemon.Options.Time, _ending.Token);
                (Failure, RetryAfter) = (refusal.Sentence, refusal.RetryAfter);
                return refusal.IsFinal ? throw refusal.ToException() : false;
            }

            if (_response.Content.Headers.ContentType?.MediaType is not "text/event-stream")
            {
                throw new RefusedException("not_a_daemon", "What answers is no daemon of ours: it sends no events.");
            }

            _body = await _response.Content.ReadAsStreamAsync(_ending.Token);
            return true;
        }
        catch (Exception failed) when (failed is OperationCanceledException or IOException or HttpRequestException)
        {
            Explain(failed);
            return false;
        }
    }

    /// <returns>Null where the connection has ended.</returns>
    /// <exception cref="DaemonLostException">What came is no event.</exception>
    public async ValueTask<Envelope?> NextAsync()
    {
        try
        {
            while (true)
            {
                if (_sse.TryRead(out var read))
                {
                    if (Take(read) is { } envelope)
                    {
                        return envelope;
                    }
                }
                else if (!await FillAsync())
                {
                    return null;
                }
            }
        }
        catch (Exception wrong) when (wrong is JsonException or SseLimitException)
        {
            throw new DaemonLostException($"The daemon sent what is no event: {wrong.Message}", wrong);
        }
    }

    public void Dispose()
    {
        _left.Dispose();
        _body?.Dispose();
        _response?.Dispose();
        _ending.Dispose();
    }

    private Envelope? Take(SseEvent read)
    {
        switch (read.Name)
        {
            case "event":
                return EnvelopeJson.Read(read.Data.Span);
            case "status":
                _status = JsonSerializer.Deserialize(read.Data.Span, ProtocolJson.Default.SessionStatus);
                break;
            case "goodbye":
                Failure = "The daemon closed the stream.";
                break;
        }

        return null; // slow, or what a newer daemon tells of the stream
    }

    /// <returns>False where no more comes.</returns>
    private async ValueTask<bool> FillAsync()
    {
        try
        {
            _ending.CancelAfter(_daemon.Options.Silence);
            var count = await _body!.ReadAsync(_buffer, _ending.Token);
            _ending.CancelAfter(Timeout.InfiniteTimeSpan); // who takes long to use what came is not who waits for more
            _sse.Feed(_buffer.AsSpan(0, count));
            _isWhole = count == 0 && !_sse.IsInsideEvent;
            return count > 0;
        }
        catch (Exception failed) when (failed is OperationCanceledException or IOException or HttpRequestException)
        {
            Explain(failed);
            return false;
        }
    }

    /// <exception cref="OperationCanceledException">The reader left; whatever failed, failed by that.</exception>
    private void Explain(Exception failed)
    {
        _leaving.ThrowIfCancellationRequested();
        Failure = failed switch
        {
            OperationCanceledException => $"The daemon was silent for {_daemon.Options.Silence.TotalSeconds:0} seconds.",
            NoAnswerException => failed.Message,
            _ => "The connection to the daemon was cut.",
        };
    }
}
