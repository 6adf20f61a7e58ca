using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// Finds a plain text in bytes, sixteen at a time, also where the case of ASCII letters does not count: it looks for the two
/// bytes of the text that are rarest in source code, at their distance, and compares the rest only there.
/// </summary>
internal sealed class ByteFinder
{
    /// <summary>The commonest first; whatever is missing is rare.</summary>
    private const string Common = " etaoinrslcdupmhgfy.b_(),;=\"0w/v1k";

    private readonly byte[] _text;
    private readonly bool _ignoreCase;
    private readonly int _first;
    private readonly int _second;

    public ByteFinder(byte[] text, bool ignoreCase)
    {
        _ignoreCase = ignoreCase && text.Any(static value => char.IsAsciiLetter((char)value));
        _text = _ignoreCase ? [.. text.Select(Wildmatch.Fold)] : text;
        var rarest = Enumerable.Range(0, text.Length).OrderByDescending(at => Rarity(text[at])).Take(2).ToArray();
        (_first, _second) = rarest is [var one, var other] ? (one, other) : (0, 0);
    }

    public int Length => _text.Length;

    public int IndexIn(ReadOnlySpan<byte> content) =>
        !_ignoreCase ? content.IndexOf(_text)
        : _text.Length == 1 ? content.IndexOfAny(_text[0], (byte)(_text[0] & ~0x20))
        : IndexIgnoringCase(content);

    private int IndexIgnoringCase(ReadOnlySpan<byte> content)
    {
        var last = content.Length - _text.Length;
        var at = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            ref var start = ref MemoryMarshal.GetReference(content);
            var (first, second) = (Vector128.Create(_text[_first]), Vector128.Create(_text[_second]));
            var (foldFirst, foldSecond) = (Vector128.Create(CaseBit(_text[_first])), Vector128.Create(CaseBit(_text[_second])));
            for (; at + Vector128<byte>.Count - 1 <= last; at += Vector128<byte>.Count)
            {
                var candidates =
                    Vector128.Equals(Vector128.LoadUnsafe(ref start, (nuint)(at + _first)) | foldFirst, first)
                    & Vector128.Equals(Vector128.LoadUnsafe(ref start, (nuint)(at + _second)) | foldSecond, second);
                for (var bits = candidates.ExtractMostSignificantBits(); bits != 0; bits &= bits - 1)
                {
                    var candidate = at + BitOperations.TrailingZeroCount(bits);
                    if (IsAt(content, candidate))
                    {
                        return candidate;
                    }
                }
            }
        }

        for (; at <= last; at++)
        {
            if (IsAt(content, at))
            {
                return at;
            }
        }

        return -1;
    }

    private bool IsAt(ReadOnlySpan<byte> content, int at)
    {
        for (var index = 0; index < _text.Length; index++)
        {
            if (Wildmatch.Fold(content[at + index]) != _text[index])
            {
                return false;
            }
        }

        return true;
    }

    private static byte CaseBit(byte value) => char.IsAsciiLetter((char)value) ? (byte)0x20 : (byte)0;

    private static int Rarity(byte value) =>
        Common.IndexOf((char)Wildmatch.Fold(value), StringComparison.Ordinal) is >= 0 and var rank ? rank : Common.Length;
}
