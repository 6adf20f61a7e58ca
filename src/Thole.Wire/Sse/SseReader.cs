using System.Buffers.Text;
using System.Text;

namespace Thole.Wire.Sse;

/// <summary>
/// Reads an event stream as WHATWG defines it, from bytes in pieces of any size. It does no input of its own: feed it, then
/// take what is whole. The framework's SseParser is not used because it leaks the name of a block without data into the next one.
/// </summary>
public sealed class SseReader(SseLimits? limits = null)
{
    private const byte Lf = (byte)'\n';
    private const byte Cr = (byte)'\r';

    private readonly SseLimits _limits = limits ?? new SseLimits();
    private byte[] _input = [];
    private int _start;
    private int _scanned;
    private int _end;
    private byte[] _data = [];
    private int _dataLength;
    private bool _hasData;
    private string? _name;
    private string _id = "";
    private bool _isFirstLine = true;
    private bool _lastWasCr;
    private bool _isOpen;
    private bool _wasDispatched;

    /// <summary>How long the stream asked its readers to wait before they come back.</summary>
    public TimeSpan? Retry { get; private set; }

    /// <summary>
    /// Whether a line or an event has begun and not ended. Where the bytes end like this, the stream was cut
    /// (or its writer forgets the last blank line: <see cref="TryReadUnfinished"/>).
    /// </summary>
    public bool IsInsideEvent => _isOpen || _end > _start;

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        if (_start == _end)
        {
            _start = _scanned = _end = 0;
        }
        else if (_end + bytes.Length > _input.Length && _start > 0)
        {
            _input.AsSpan(_start.._end).CopyTo(_input);
            (_start, _scanned, _end) = (0, _scanned - _start, _end - _start);
        }

        Append(ref _input, _end, bytes);
        _end += bytes.Length;
    }

    /// <returns>Whether an event was whole; false asks for more bytes.</returns>
    /// <exception cref="SseLimitException">The stream is too long for what it may be; it cannot be read any further.</exception>
    public bool TryRead(out SseEvent read)
    {
        ForgetDispatched();
        while (TryTakeLine(out var line))
        {
            if (line.Length > 0)
            {
                Take(line);
            }
            else if (TryDispatch(out read))
            {
                return true;
            }
        }

        read = default;
        return false;
    }

    /// <summary>
    /// After the last byte: the event that lacks only its blank line. The standard throws it away; who takes it must know
    /// from its content that it is whole.
    /// </summary>
    public bool TryReadUnfinished(out SseEvent read)
    {
        ForgetDispatched();
        if (_end > _start)
        {
            var line = TrimBom(_input.AsSpan(_start.._end));
            _start = _scanned = _end;
            Take(line);
        }

        return TryDispatch(out read);
    }

    private void ForgetDispatched()
    {
        if (_wasDispatched)
        {
            _wasDispatched = _hasData = false;
            _dataLength = 0;
        }
    }

    private bool TryDispatch(out SseEvent read)
    {
        // A block without data is no event, and its name dies with it.
        read = _hasData ? new SseEvent(_name is "" ? null : _name, _id, _data.AsMemory(0, _dataLength)) : default;
        _wasDispatched = _hasData;
        _name = null;
        _isOpen = false;
        return _wasDispatched;
    }

    private bool TryTakeLine(out ReadOnlySpan<byte> line)
    {
        // A line ends at CR at once, so that an event is not held back; an LF that follows, maybe in the next piece, is its second half.
        if (_lastWasCr && _start < _end)
        {
            _lastWasCr = false;
            if (_input[_start] == Lf)
            {
                _scanned = ++_start;
            }
        }

        var length = _input.AsSpan(_scanned.._end).IndexOfAny(Cr, Lf);
        if (length < 0)
        {
            _scanned = _end;
            Refuse(_end - _start > _limits.Line, "a line", _limits.Line);
            line = default;
            return false;
        }

        var ending = _scanned + length;
        Refuse(ending - _start > _limits.Line, "a line", _limits.Line);
        line = TrimBom(_input.AsSpan(_start..ending));
        _lastWasCr = _input[ending] == Cr;
        _start = _scanned = ending + 1;
        return true;
    }

    private ReadOnlySpan<byte> TrimBom(ReadOnlySpan<byte> line)
    {
        var trimmed = _isFirstLine && line.StartsWith("\uFEFF"u8) ? line[3..] : line;
        _isFirstLine = false;
        return trimmed;
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon == 0)
        {
            return; // a comment: servers send them to keep the line alive
        }

        _isOpen = true;
        var field = colon < 0 ? line : line[..colon];
        var value = colon < 0 ? [] : line[(colon + 1)..];
        if (value is [(byte)' ', ..])
        {
            value = value[1..];
        }

        if (field.SequenceEqual("data"u8))
        {
            TakeData(value);
        }
        else if (field.SequenceEqual("event"u8))
        {
            _name = Encoding.UTF8.GetString(value);
        }
        else if (field.SequenceEqual("id"u8) && !value.Contains((byte)0))
        {
            _id = Encoding.UTF8.GetString(value);
        }
        else if (
            field.SequenceEqual("retry"u8)
            && value.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && Utf8Parser.TryParse(value, out int milliseconds, out _)
        )
        {
            Retry = TimeSpan.FromMilliseconds(milliseconds);
        }
    }

    private void TakeData(ReadOnlySpan<byte> value)
    {
        Refuse(_dataLength + value.Length + 1L > _limits.Event, "an event", _limits.Event);
        if (_hasData)
        {
            Append(ref _data, _dataLength++, "\n"u8);
        }

        Append(ref _data, _dataLength, value);
        _dataLength += value.Length;
        _hasData = true;
    }

    private static void Append(ref byte[] buffer, int length, ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(length + bytes.Length, Math.Max(4096, buffer.Length * 2)));
        }

        bytes.CopyTo(buffer.AsSpan(length));
    }

    private static void Refuse(bool isTooLong, string what, int limit)
    {
        if (isTooLong)
        {
            throw new SseLimitException($"The stream sent {what} of more than {limit:N0} bytes.");
        }
    }
}
