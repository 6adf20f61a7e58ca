using System.Text;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>What a command printed: all of it counted, its beginning and its end kept. Written by one thread, read by any.</summary>
internal sealed class KeptOutput(int headLimit, int tailLimit)
{
    private const byte ContinuationMask = 0b1100_0000;
    private const byte Continuation = 0b1000_0000;

    private readonly Lock _gate = new();
    private byte[] _head = [];
    private byte[] _tail = [];
    private long _total;
    private long _shown;

    /// <summary>Whatever the console of the platform speaks.</summary>
    public bool IsUtf8 { get; init; } = !OperatingSystem.IsWindows();

    public long Total
    {
        get
        {
            lock (_gate)
            {
                return _total;
            }
        }
    }

    public void Append(ReadOnlySpan<byte> printed)
    {
        lock (_gate)
        {
            var toHead = (int)Math.Min(printed.Length, Math.Max(0, headLimit - _total));
            if (toHead > 0)
            {
                Grow(ref _head, (int)_total + toHead, headLimit);
                printed[..toHead].CopyTo(_head.AsSpan((int)_total));
                _total += toHead;
                printed = printed[toHead..];
            }

            if (printed.Length > tailLimit)
            {
                _total += printed.Length - tailLimit;
                printed = printed[^tailLimit..];
            }

            while (printed.Length > 0)
            {
                var beyondHead = _total - headLimit;
                Grow(ref _tail, (int)Math.Min(tailLimit, beyondHead + printed.Length), tailLimit);
                var at = (int)(beyondHead % tailLimit);
                var count = Math.Min(printed.Length, tailLimit - at);
                printed[..count].CopyTo(_tail.AsSpan(at));
                _total += count;
                printed = printed[count..];
            }
        }
    }

    public string Text()
    {
        lock (_gate)
        {
            var lost = Lost;
            return lost == 0
                ? Decode(Copy(0, _total))
                : Decode(WithoutCutEnd(Copy(0, headLimit)))
                    + $"\n[... {lost:N0} bytes were printed here and not kept ...]\n"
                    + Decode(WithoutCutStart(Copy(headLimit + lost, _total)));
        }
    }

    /// <summary>What came since the last call, at most the newest <paramref name="limit"/> bytes of it.</summary>
    /// <param name="isEnded">No more will come: a character that is cut short is shown as broken, not held back.</param>
    public string ReadNew(int limit, bool isEnded)
    {
        lock (_gate)
        {
            var from = _shown;
            var kept = Math.Max(from, _total - limit);
            if (kept < headLimit + Lost && Lost > 0)
            {
                kept = Math.Max(kept, headLimit + Lost);
            }

            ReadOnlySpan<byte> fresh = Copy(kept, _total);
            if (!isEnded)
            {
                fresh = WithoutCutEnd(fresh);
            }

            _shown = kept + fresh.Length;
            return kept == from
                ? Decode(fresh)
                : $"[... {kept - from:N0} bytes before this are not shown ...]\n{Decode(WithoutCutStart(fresh))}";
        }
    }

    private long Lost => Math.Max(0, _total - headLimit - tailLimit);

    private byte[] Copy(long from, long to)
    {
        var copy = new byte[to - from];
        var fromHead = (int)Math.Max(0, Math.Min(to, headLimit) - from);
        _head.AsSpan((int)Math.Min(from, headLimit), fromHead).CopyTo(copy);
        for (var (at, done) = (from + fromHead - headLimit, fromHead); done < copy.Length; )
        {
            var start = (int)(at % tailLimit);
            var count = Math.Min(copy.Length - done, tailLimit - start);
            _tail.AsSpan(start, count).CopyTo(copy.AsSpan(done));
            at += count;
            done += count;
        }

        return copy;
    }

    private static void Grow(ref byte[] buffer, int needed, int limit)
    {
        if (buffer.Length < needed)
        {
            Array.Resize(ref buffer, (int)Math.Min(limit, Math.Max(needed, Math.Max(4096, buffer.Length * 2L))));
        }
    }

    private string Decode(ReadOnlySpan<byte> bytes) =>
        OperatingSystem.IsWindows() && !IsUtf8 ? ConsoleCodePage.Decode(bytes) : Encoding.UTF8.GetString(bytes);

    private static ReadOnlySpan<byte> WithoutCutStart(ReadOnlySpan<byte> bytes)
    {
        var skip = 0;
        while (skip < Math.Min(3, bytes.Length) && (bytes[skip] & ContinuationMask) == Continuation)
        {
            skip++;
        }

        return bytes[skip..];
    }

    private static ReadOnlySpan<byte> WithoutCutEnd(ReadOnlySpan<byte> bytes)
    {
        for (var back = 1; back <= Math.Min(3, bytes.Length); back++)
        {
            var lead = bytes[^back];
            if ((lead & ContinuationMask) == Continuation)
            {
                continue;
            }

            var length = lead switch
            {
                >= 0xF0 => 4,
                >= 0xE0 => 3,
                >= 0xC0 => 2,
                _ => 1,
            };
            return length > back ? bytes[..^back] : bytes;
        }

        return bytes;
    }
}
