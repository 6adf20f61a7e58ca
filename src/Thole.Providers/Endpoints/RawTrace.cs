using System.Buffers;

namespace Thole.Providers.Endpoints;

/// <summary>Keeps the bytes of an answer for the report, should it break: its first and its last part, where it is too long for all.</summary>
internal sealed class RawTrace(int limit = RawTrace.Limit)
{
    public const int Limit = 256 * 1024;

    private static ReadOnlySpan<byte> Gap => "\n[… bytes left out …]\n"u8;

    private readonly ArrayBufferWriter<byte> _head = new();
    private byte[] _tail = [];
    private int _tailEnd;
    private long _tailTotal;

    private int HeadLimit => limit / 2;

    private int TailLimit => limit - HeadLimit - Gap.Length;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        var toHead = (int)Math.Min(bytes.Length, HeadLimit - _head.WrittenCount);
        _head.Write(bytes[..toHead]);
        bytes = bytes[toHead..];
        if (bytes.IsEmpty)
        {
            return;
        }

        if (_tail.Length == 0)
        {
            _tail = new byte[TailLimit];
        }

        _tailTotal += bytes.Length;
        bytes = bytes[Math.Max(0, bytes.Length - _tail.Length)..];
        while (!bytes.IsEmpty)
        {
            var room = Math.Min(bytes.Length, _tail.Length - _tailEnd);
            bytes[..room].CopyTo(_tail.AsSpan(_tailEnd));
            _tailEnd = (_tailEnd + room) % _tail.Length;
            bytes = bytes[room..];
        }
    }

    public byte[] ToArray(Credential credential)
    {
        if (_tailTotal == 0)
        {
            var whole = _head.WrittenSpan.ToArray();
            credential.Hide(whole);
            return whole;
        }

        if (_tailTotal <= _tail.Length)
        {
            byte[] joined = [.. _head.WrittenSpan.ToArray(), .. _tail.AsSpan(0, (int)_tailTotal)];
            credential.Hide(joined);
            return joined;
        }

        // Apart, so that a key which the gap cuts in two is recognised from both sides.
        var head = _head.WrittenSpan.ToArray();
        byte[] tail = [.. _tail.AsSpan(_tailEnd), .. _tail.AsSpan(0, _tailEnd)];
        credential.Hide(head);
        credential.Hide(tail);
        return [.. head, .. Gap, .. tail];
    }
}
