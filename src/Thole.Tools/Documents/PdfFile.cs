using System.IO.Compression;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Documents;

/// <summary>
/// The objects of a PDF. Objects are found by looking for them, not through the cross-reference table: that works for damaged
/// files too, and needs no code that believes offsets of strangers. Work and memory are bounded for the whole file.
/// </summary>
/// <remarks>
/// Road not taken: PdfPig (Apache-2.0) is clean under AOT, but a page of a megabyte that inflates to half a gigabyte takes it
/// gigabytes and minutes, forms that call each other twice take it forever, and it is 5 MB.
/// </remarks>
internal sealed class PdfFile
{
    private const int MaxDecodedBytes = 64 * 1024 * 1024;
    private const long MaxParsedBytes = 256 * 1024 * 1024;
    private const int MaxObjects = 500_000;
    private const int MaxReferences = 16;

    private readonly byte[] _bytes;
    private readonly Dictionary<int, (byte[] Source, int Offset)> _objects = [];
    private long _decoded;
    private long _parsed;

    public PdfFile(byte[] bytes, CancellationToken cancellationToken)
    {
        _bytes = bytes;
        Index(cancellationToken);
    }

    /// <summary>The entries of all trailers, the newest winning.</summary>
    public Dictionary<string, object?> Trailer { get; } = new(StringComparer.Ordinal);

    public IEnumerable<int> Numbers => _objects.Keys;

    /// <summary>Follows references.</summary>
    public object? Resolve(object? value)
    {
        for (var hops = 0; value is PdfReference reference; hops++)
        {
            if (hops == MaxReferences || !_objects.TryGetValue(reference.Number, out var place))
            {
                return null;
            }

            value = ReadAt(place.Source, place.Offset, out _);
        }

        return value;
    }

    public Dictionary<string, object?>? Dictionary(object? value) =>
        Resolve(value) switch
        {
            Dictionary<string, object?> entries => entries,
            PdfStream stream => stream.Entries,
            _ => null,
        };

    public object? Get(Dictionary<string, object?>? entries, string key) =>
        entries is not null && entries.TryGetValue(key, out var value) ? Resolve(value) : null;

    /// <summary>The decoded bytes; empty for a filter that holds no text (images), what could be decoded for a damaged one.</summary>
    public byte[] Decode(PdfStream stream)
    {
        Spend(ref _decoded, stream.Length, MaxDecodedBytes);
        var data = _bytes[stream.Start..(stream.Start + stream.Length)];
        object?[] filters = Get(stream.Entries, "Filter") switch
        {
            PdfName name => [name],
            List<object?> { Count: <= 8 } names => [.. names.Select(Resolve)],
            _ => [],
        };
        for (var index = 0; index < filters.Length; index++)
        {
            data = (filters[index] as PdfName)?.Value switch
            {
                "FlateDecode" or "Fl" => Unpredict(Inflate(data), Parameters(stream, index)),
                "ASCIIHexDecode" or "AHx" => HexDecode(data),
                "ASCII85Decode" or "A85" => Ascii85(data),
                _ => [],
            };
        }

        return data;
    }

    private Dictionary<string, object?>? Parameters(PdfStream stream, int index) =>
        Get(stream.Entries, "DecodeParms") switch
        {
            Dictionary<string, object?> only => only,
            List<object?> list when index < list.Count => Dictionary(list[index]),
            _ => null,
        };

    private void Index(CancellationToken cancellationToken)
    {
        for (var at = 0; (at = Next(" obj"u8, at)) >= 0 && _objects.Count < MaxObjects; at++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (NumberBefore(at) is not { } number)
            {
                continue;
            }

            _objects[number] = (_bytes, at + 4);
            if (ReadAt(_bytes, at + 4, out at) is PdfStream stream)
            {
                var type = (stream.Entries.GetValueOrDefault("Type") as PdfName)?.Value;
                if (type is "XRef")
                {
                    Merge(stream.Entries);
                }
                else if (type is "ObjStm")
                {
                    IndexObjectStream(stream);
                }
            }
        }

        for (var at = 0; (at = Next("trailer"u8, at)) >= 0; at += 7)
        {
            if (new PdfLexer(_bytes, at + 7, _bytes.Length).Read() is Dictionary<string, object?> trailer)
            {
                Merge(trailer);
            }
        }
    }

    private void Merge(Dictionary<string, object?> trailer)
    {
        foreach (var (key, value) in trailer)
        {
            Trailer[key] = value;
        }
    }

    private void IndexObjectStream(PdfStream stream)
    {
        var content = Decode(stream);
        if (stream.Entries.GetValueOrDefault("First") is not double first || first < 0 || first >= content.Length)
        {
            return;
        }

        var lexer = new PdfLexer(content, 0, (int)first);
        while (!lexer.AtEnd && _objects.Count < MaxObjects)
        {
            if (lexer.Read(withReferences: false) is not double number || lexer.Read(withReferences: false) is not double offset)
            {
                return;
            }

            if (number is >= 0 and < int.MaxValue && offset >= 0 && first + offset < content.Length)
            {
                _objects[(int)number] = (content, (int)(first + offset));
            }
        }
    }

    private int Next(ReadOnlySpan<byte> word, int from)
    {
        var found = from >= _bytes.Length ? -1 : _bytes.AsSpan(from).IndexOf(word);
        return found < 0 ? -1 : from + found;
    }

    // "12 0 obj": the number before the generation.
    private int? NumberBefore(int at)
    {
        var generation = at;
        while (generation > 0 && char.IsAsciiDigit((char)_bytes[generation - 1]) && at - generation < 6)
        {
            generation--;
        }

        if (generation == at || generation < 2 || !PdfLexer.IsWhite(_bytes[generation - 1]))
        {
            return null;
        }

        var number = generation - 1;
        while (number > 0 && char.IsAsciiDigit((char)_bytes[number - 1]) && generation - number < 11)
        {
            number--;
        }

        return int.TryParse(_bytes.AsSpan(number, generation - 1 - number), out var value) ? value : null;
    }

    // The same bytes may be asked for again and again by a file that is made for it.
    private static void Spend(ref long spent, long bytes, long limit)
    {
        if ((spent += bytes) > limit)
        {
            throw new WorkspaceException(
                ToolErrors.FileTooLarge,
                $"This PDF unpacks to more than {limit} bytes: extract its text with a command."
            );
        }
    }

    private object? ReadAt(byte[] source, int offset, out int next)
    {
        var lexer = new PdfLexer(source, offset, source.Length);
        var value = lexer.Read();
        next = lexer.Position;
        Spend(ref _parsed, next - offset, MaxParsedBytes);
        if (value is not Dictionary<string, object?> entries || !ReferenceEquals(source, _bytes))
        {
            return value;
        }

        lexer.SkipWhite();
        if (!_bytes.AsSpan(Math.Min(lexer.Position, _bytes.Length)).StartsWith("stream"u8))
        {
            return value;
        }

        var start = lexer.Position + 6;
        start += start < _bytes.Length && _bytes[start] is (byte)'\r' ? 1 : 0;
        start += start < _bytes.Length && _bytes[start] is (byte)'\n' ? 1 : 0;
        start = Math.Min(start, _bytes.Length);
        var length = LengthOf(entries, start);
        next = start + length;
        return new PdfStream(entries, start, length);
    }

    private int LengthOf(Dictionary<string, object?> entries, int start)
    {
        // The length is believed only where the word that must follow it follows it. A reference is not looked up: most
        // objects are not known yet while the file is being indexed.
        if (
            entries.GetValueOrDefault("Length") is double length
            && length >= 0
            && start + length <= _bytes.Length
            && new PdfLexer(_bytes, start + (int)length, _bytes.Length).Read() is PdfWord { Value: "endstream" }
        )
        {
            return (int)length;
        }

        var end = Next("endstream"u8, start);
        return (end < 0 ? _bytes.Length : end) - start;
    }

    private byte[] Inflate(byte[] data)
    {
        var result = new MemoryStream();
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
            var block = new byte[1 << 14];
            for (int read; (read = zlib.Read(block)) > 0; )
            {
                Spend(ref _decoded, read, MaxDecodedBytes);
                result.Write(block, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            // A damaged stream gives what came before the damage.
        }

        return result.ToArray();
    }

    // PNG predictors (ISO 32000-1, 7.4.4.4): each row begins with the number of its filter.
    private byte[] Unpredict(byte[] data, Dictionary<string, object?>? parameters)
    {
        if (Get(parameters, "Predictor") is not double predictor || predictor < 10)
        {
            return data;
        }

        var colors = Get(parameters, "Colors") as double? ?? 1;
        var bits = Get(parameters, "BitsPerComponent") as double? ?? 8;
        var columns = Get(parameters, "Columns") as double? ?? 1;
        if (colors is < 1 or > 32 || bits is < 1 or > 16 || columns is < 1 or > 1_000_000)
        {
            return [];
        }

        var pixel = (int)Math.Max(1, colors * bits / 8);
        var row = (int)((colors * bits * columns + 7) / 8);
        var rows = data.Length / (row + 1);
        var result = new byte[rows * row];
        for (var line = 0; line < rows; line++)
        {
            for (var index = 0; index < row; index++)
            {
                var at = line * row + index;
                int left = index >= pixel ? result[at - pixel] : 0;
                int up = line > 0 ? result[at - row] : 0;
                int corner = line > 0 && index >= pixel ? result[at - row - pixel] : 0;
                var guess = data[line * (row + 1)] switch
                {
                    1 => left,
                    2 => up,
                    3 => (left + up) / 2,
                    4 => Paeth(left, up, corner),
                    _ => 0,
                };
                result[at] = (byte)(data[line * (row + 1) + 1 + index] + guess);
            }
        }

        return result;
    }

    private static int Paeth(int left, int up, int corner)
    {
        var (byLeft, byUp, byCorner) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - 2 * corner));
        return byLeft <= byUp && byLeft <= byCorner ? left
            : byUp <= byCorner ? up
            : corner;
    }

    private static byte[] HexDecode(byte[] data) =>
        new PdfLexer([(byte)'<', .. data, (byte)'>'], 0, data.Length + 2).Read() as byte[] ?? [];

    private static byte[] Ascii85(byte[] data)
    {
        var result = new List<byte>();
        var (group, count) = (0u, 0);
        foreach (var value in data)
        {
            if (value is (byte)'~')
            {
                break;
            }

            if (value is (byte)'z' && count == 0)
            {
                result.AddRange([0, 0, 0, 0]);
            }
            else if (value is >= (byte)'!' and <= (byte)'u')
            {
                group = unchecked(group * 85 + (value - (uint)'!'));
                if (++count == 5)
                {
                    result.AddRange([(byte)(group >> 24), (byte)(group >> 16), (byte)(group >> 8), (byte)group]);
                    (group, count) = (0, 0);
                }
            }
        }

        if (count > 1)
        {
            for (var missing = count; missing < 5; missing++)
            {
                group = unchecked(group * 85 + 84);
            }

            for (var index = 0; index < count - 1; index++)
            {
                result.Add((byte)(group >> (24 - 8 * index)));
            }
        }

        return [.. result];
    }
}
