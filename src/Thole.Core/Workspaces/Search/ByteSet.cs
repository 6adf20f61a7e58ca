namespace Thole.Core.Workspaces.Search;

/// <summary>The bytes that a bracket expression of a shell pattern matches, read exactly as git's wildmatch reads it.</summary>
internal sealed class ByteSet
{
    private readonly bool[] _bytes = new bool[256];

    private ByteSet() { }

    public bool Contains(byte value) => _bytes[value];

    /// <param name="at">In: the opening bracket. Out: the closing one.</param>
    /// <returns>Null where the bracket does not close or names an unknown class: git never matches such a pattern.</returns>
    public static ByteSet? Parse(ReadOnlySpan<byte> pattern, ref int at, bool ignoreCase)
    {
        var set = new ByteSet();
        var next = at + 1;
        var isNegated = next < pattern.Length && pattern[next] is (byte)'!' or (byte)'^';
        next += isNegated ? 1 : 0;
        byte previous = 0;

        // A closing bracket in the first place is a member, therefore the loop tests at its end.
        do
        {
            if (next >= pattern.Length)
            {
                return null;
            }

            var current = pattern[next];
            if (current == '\\')
            {
                if (++next >= pattern.Length)
                {
                    return null;
                }

                current = pattern[next];
                set._bytes[current] = true;
            }
            else if (current == '-' && previous != 0 && next + 1 < pattern.Length && pattern[next + 1] != ']')
            {
                current = pattern[++next];
                if (current == '\\')
                {
                    if (++next >= pattern.Length)
                    {
                        return null;
                    }

                    current = pattern[next];
                }

                set.AddRange(previous, current, ignoreCase);
                current = 0;
            }
            else if (current == '[' && next + 1 < pattern.Length && pattern[next + 1] == ':')
            {
                var name = pattern[(next + 2)..];
                var close = name.IndexOf((byte)']');
                if (close < 0)
                {
                    return null;
                }

                if (close > 0 && name[close - 1] == ':')
                {
                    if (!set.AddClass(name[..(close - 1)], ignoreCase))
                    {
                        return null;
                    }

                    next += close + 2;
                    current = 0;
                }
                else
                {
                    set._bytes['['] = true;
                }
            }
            else
            {
                set._bytes[current] = true;
            }

            previous = current;
            next++;
        } while (next >= pattern.Length || pattern[next] != ']');

        if (isNegated)
        {
            for (var value = 0; value < 256; value++)
            {
                set._bytes[value] = !set._bytes[value];
            }
        }

        at = next;
        return set;
    }

    /// <summary>Where case is ignored the text arrives in lower case, and git tries its upper case in ranges only.</summary>
    private void AddRange(byte first, byte last, bool ignoreCase)
    {
        for (int value = first; value <= last; value++)
        {
            _bytes[value] = true;
            if (ignoreCase && value is >= 'A' and <= 'Z')
            {
                _bytes[value | 0x20] = true;
            }
        }
    }

    private bool AddClass(ReadOnlySpan<byte> name, bool ignoreCase)
    {
        Func<int, bool>? isMember = name switch
        {
            [.. var word] when word.SequenceEqual("alnum"u8) => static value => char.IsAsciiLetterOrDigit((char)value),
            [.. var word] when word.SequenceEqual("alpha"u8) => static value => char.IsAsciiLetter((char)value),
            [.. var word] when word.SequenceEqual("blank"u8) => static value => value is ' ' or '\t',
            [.. var word] when word.SequenceEqual("cntrl"u8) => static value => value is < 0x20 or 0x7f,
            [.. var word] when word.SequenceEqual("digit"u8) => static value => char.IsAsciiDigit((char)value),
            [.. var word] when word.SequenceEqual("graph"u8) => static value => value is > 0x20 and < 0x7f,
            [.. var word] when word.SequenceEqual("lower"u8) => static value => char.IsAsciiLetterLower((char)value),
            [.. var word] when word.SequenceEqual("print"u8) => static value => value is >= 0x20 and < 0x7f,
            [.. var word] when word.SequenceEqual("punct"u8) => static value =>
                value is > 0x20 and < 0x7f && !char.IsAsciiLetterOrDigit((char)value),
            // git's own table: no vertical tab, no form feed.
            [.. var word] when word.SequenceEqual("space"u8) => static value => value is ' ' or '\t' or '\n' or '\r',
            [.. var word] when word.SequenceEqual("upper"u8) && ignoreCase => static value => char.IsAsciiLetter((char)value),
            [.. var word] when word.SequenceEqual("upper"u8) => static value => char.IsAsciiLetterUpper((char)value),
            [.. var word] when word.SequenceEqual("xdigit"u8) => static value => char.IsAsciiHexDigit((char)value),
            _ => null,
        };
        if (isMember is null)
        {
            return false;
        }

        for (var value = 0; value < 256; value++)
        {
            _bytes[value] |= isMember(value);
        }

        return true;
    }
}
