using System.Globalization;
using System.Text;

namespace Thole.Tools.Documents;

/// <summary>
/// Reads PDF objects (ISO 32000-1, 7.2 and 7.3) from bytes of strangers: damage ends an object early, nesting is bounded,
/// nothing throws. An object is null, bool, double, byte[] (a string), <see cref="PdfName"/>, <see cref="PdfReference"/>,
/// <see cref="PdfWord"/>, a list or a dictionary.
/// </summary>
internal sealed class PdfLexer(byte[] bytes, int position, int end)
{
    private const int MaxDepth = 64;
    private const int MaxItems = 200_000;

    // A closing bracket: never seen outside.
    private static readonly object s_close = new();

    public int Position { get; set; } = position;

    public bool AtEnd => Position >= end;

    /// <summary>Null at the end, too: ask <see cref="AtEnd"/>.</summary>
    public object? Read(bool withReferences = true) =>
        Read(0, withReferences) is var value && ReferenceEquals(value, s_close) ? null : value;

    public void SkipWhite()
    {
        while (Position < end)
        {
            if (bytes[Position] is (byte)'%')
            {
                while (Position < end && bytes[Position] is not ((byte)'\r' or (byte)'\n'))
                {
                    Position++;
                }
            }
            else if (!IsWhite(bytes[Position]))
            {
                return;
            }
            else
            {
                Position++;
            }
        }
    }

    public static bool IsWhite(byte value) => value is 0 or 9 or 10 or 12 or 13 or 32;

    private object? Read(int depth, bool withReferences)
    {
        SkipWhite();
        if (Position >= end)
        {
            return s_close;
        }

        switch (bytes[Position])
        {
            case (byte)'/':
                Position++;
                return new PdfName(NameText());
            case (byte)'(':
                return LiteralString();
            case (byte)'[':
                Position++;
                return Items(depth, withReferences);
            case (byte)'<' when Position + 1 < end && bytes[Position + 1] is (byte)'<':
                Position += 2;
                return Dictionary(depth, withReferences);
            case (byte)'<':
                return HexString();
            case (byte)'>' when Position + 1 < end && bytes[Position + 1] is (byte)'>':
                Position += 2;
                return s_close;
            case (byte)']' or (byte)')' or (byte)'>' or (byte)'{' or (byte)'}':
                Position++;
                return s_close;
            default:
                return Word(withReferences);
        }
    }

    private List<object?> Items(int depth, bool withReferences)
    {
        var items = new List<object?>();
        for (StopIfTooDeep(depth); items.Count < MaxItems; )
        {
            var item = Read(depth + 1, withReferences);
            if (EndsContainer(item))
            {
                break;
            }

            items.Add(item);
        }

        return items;
    }

    private Dictionary<string, object?> Dictionary(int depth, bool withReferences)
    {
        var entries = new Dictionary<string, object?>(StringComparer.Ordinal);
        StopIfTooDeep(depth);
        while (entries.Count < MaxItems && Read(depth + 1, withReferences) is PdfName key)
        {
            var value = Read(depth + 1, withReferences);
            if (EndsContainer(value))
            {
                break;
            }

            entries[key.Value] = value;
        }

        return entries;
    }

    // No honest file nests so deep: what follows is not looked at.
    private void StopIfTooDeep(int depth) => Position = depth < MaxDepth ? Position : end;

    // The end of the object ends what its damage left open.
    private static bool EndsContainer(object? item) => ReferenceEquals(item, s_close) || item is PdfWord { Value: "endobj" };

    private object? Word(bool withReferences)
    {
        var start = Position;
        while (Position < end && !IsWhite(bytes[Position]) && !IsDelimiter(bytes[Position]))
        {
            Position++;
        }

        var word = Encoding.Latin1.GetString(bytes, start, Math.Min(Position - start, 64));
        if (
            !double.TryParse(
                word,
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out var number
            )
        )
        {
            return word switch
            {
                "true" => true,
                "false" => false,
                "null" => null,
                _ => new PdfWord(word),
            };
        }

        return withReferences && number is >= 0 and < int.MaxValue && IsReference() ? new PdfReference((int)number) : number;
    }

    // "12 0 R": two numbers and the letter.
    private bool IsReference()
    {
        var at = Position;
        while (at < end && IsWhite(bytes[at]))
        {
            at++;
        }

        var digits = at;
        while (at < end && char.IsAsciiDigit((char)bytes[at]))
        {
            at++;
        }

        if (at == digits)
        {
            return false;
        }

        while (at < end && IsWhite(bytes[at]))
        {
            at++;
        }

        if (at >= end || bytes[at] is not (byte)'R' || (at + 1 < end && !IsWhite(bytes[at + 1]) && !IsDelimiter(bytes[at + 1])))
        {
            return false;
        }

        Position = at + 1;
        return true;
    }

    private string NameText()
    {
        var name = new StringBuilder();
        while (Position < end && !IsWhite(bytes[Position]) && !IsDelimiter(bytes[Position]))
        {
            var value = bytes[Position++];
            if (
                value is (byte)'#'
                && Position + 1 < end
                && Hex(bytes[Position]) is >= 0 and var high
                && Hex(bytes[Position + 1]) is >= 0 and var low
            )
            {
                value = (byte)(high * 16 + low);
                Position += 2;
            }

            name.Append((char)value);
        }

        return name.ToString();
    }

    private byte[] HexString()
    {
        var result = new List<byte>();
        var high = -1;
        for (Position++; Position < end && bytes[Position] is not (byte)'>'; Position++)
        {
            var digit = Hex(bytes[Position]);
            if (digit >= 0 && high >= 0)
            {
                result.Add((byte)(high * 16 + digit));
                high = -1;
            }
            else if (digit >= 0)
            {
                high = digit;
            }
        }

        Position++;
        if (high >= 0)
        {
            result.Add((byte)(high * 16));
        }

        return [.. result];
    }

    private byte[] LiteralString()
    {
        var result = new List<byte>();
        var open = 1;
        for (Position++; Position < end; Position++)
        {
            var value = bytes[Position];
            if (value is (byte)'\\' && Position + 1 < end)
            {
                Position++;
                Escape(result);
                continue;
            }

            open +=
                value is (byte)'(' ? 1
                : value is (byte)')' ? -1
                : 0;
            if (open == 0)
            {
                break;
            }

            result.Add(value);
        }

        Position++;
        return [.. result];
    }

    private void Escape(List<byte> result)
    {
        var value = bytes[Position];
        if (value is >= (byte)'0' and <= (byte)'7')
        {
            var code = 0;
            for (var digits = 0; digits < 3 && Position < end && bytes[Position] is >= (byte)'0' and <= (byte)'7'; digits++)
            {
                code = code * 8 + bytes[Position++] - '0';
            }

            Position--;
            result.Add((byte)code);
        }
        else if (value is (byte)'\r')
        {
            Position += Position + 1 < end && bytes[Position + 1] is (byte)'\n' ? 1 : 0;
        }
        else if (value is not (byte)'\n')
        {
            result.Add(
                value switch
                {
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    _ => value,
                }
            );
        }
    }

    private static bool IsDelimiter(byte value) => "()<>[]{}/%".Contains((char)value);

    public static int Hex(byte value) =>
        value switch
        {
            >= (byte)'0' and <= (byte)'9' => value - '0',
            >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => value - 'A' + 10,
            _ => -1,
        };
}

internal sealed record PdfName(string Value);

/// <summary>The generation is left out: the newest object with that number counts.</summary>
internal sealed record PdfReference(int Number);

/// <summary>A keyword or an operator.</summary>
internal sealed record PdfWord(string Value);

internal sealed record PdfStream(Dictionary<string, object?> Entries, int Start, int Length);
