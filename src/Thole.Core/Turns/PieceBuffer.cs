using System.Text;
using Thole.Protocol;

namespace Thole.Core.Turns;

/// <summary>
/// Coalesces streamed text into pieces: the first at once, so that a person sees that it begins; then what came within 25 ms or
/// 4 KB. A model that says a thousand tokens a second costs forty events a second.
/// </summary>
internal sealed class PieceBuffer : IAsyncDisposable
{
    private static readonly TimeSpan s_window = TimeSpan.FromMilliseconds(25);
    private const int MaxLength = 4_096;

    private readonly ISessionJournal _journal;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly SemaphoreSlim _writing = new(1, 1); // the timer and the stream write in turns
    private readonly StringBuilder _text = new();
    private bool _isReasoning;
    private long _flushedAt;

    public PieceBuffer(ISessionJournal journal, TimeProvider time)
    {
        (_journal, _time) = (journal, time);
        _timer = time.CreateTimer(_ => _ = FlushLateAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Something was said since the last <see cref="Reset"/>.</summary>
    public bool HasAny { get; private set; }

    public void Reset() => HasAny = false;

    public async ValueTask AddAsync(string text, bool isReasoning)
    {
        if (text.Length == 0)
        {
            return;
        }

        await _writing.WaitAsync();
        try
        {
            if (isReasoning != _isReasoning)
            {
                await WriteAsync(isLast: true);
                _isReasoning = isReasoning;
            }

            var isFirst = !HasAny;
            HasAny = true;
            _text.Append(text);
            if (isFirst || _text.Length >= MaxLength || _time.GetElapsedTime(_flushedAt) >= s_window)
            {
                await WriteAsync();
            }
            else if (_text.Length == text.Length)
            {
                _timer.Change(s_window, Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Writes all that was said, to its last character.</summary>
    public ValueTask FlushAsync() => FlushAsync(isLast: true);

    private async ValueTask FlushAsync(bool isLast)
    {
        await _writing.WaitAsync();
        try
        {
            await WriteAsync(isLast);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>What was said before an interrupt or a failure is a fact too.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        try
        {
            await FlushAsync();
        }
        catch (RefusedException)
        {
            // The log can no longer be written; whoever disposes is on the way out for that reason.
        }

        _writing.Dispose();
    }

    private async Task FlushLateAsync()
    {
        try
        {
            await FlushAsync(isLast: false);
        }
        catch (Exception exception) when (exception is RefusedException or ObjectDisposedException)
        {
            // A broken log is told to the turn by its own next write; a timer that fires while we dispose has nothing left to write.
        }
    }

    private async ValueTask WriteAsync(bool isLast = false)
    {
        // A provider may cut between the halves of a surrogate pair; a half alone is no text and would not survive UTF-8.
        var length = !isLast && _text.Length > 0 && char.IsHighSurrogate(_text[^1]) ? _text.Length - 1 : _text.Length;
        if (length == 0)
        {
            return;
        }

        var text = _text.ToString(0, length);
        _text.Remove(0, length);
        _flushedAt = _time.GetTimestamp();
        await _journal.RecordAsync(_isReasoning ? new ReasoningPiece(text) : new TextPiece(text));
    }
}
