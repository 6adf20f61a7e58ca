using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Thole.Tools.Documents;

/// <summary>Turns the bytes that a page shows into characters: by the font's own table to Unicode, else by its encoding.</summary>
internal sealed class PdfFont
{
    private const int MaxMappings = 70_000;

    // 0x80 to 0x9F of Windows-1252; the rest of it is Latin-1.
    private const string WindowsControls = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

    private const string MacRoman =
        "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

    // Glyph names that Differences use most (Adobe Glyph List); letters name themselves.
    private static readonly Lazy<FrozenDictionary<string, string>> s_glyphs = new(static () =>
        "space: ;exclam:!;quotedbl:\";numbersign:#;dollar:$;percent:%;ampersand:&;quotesingle:';parenleft:(;parenright:);asterisk:*;plus:+;comma:,;hyphen:-;period:.;slash:/;zero:0;one:1;two:2;three:3;four:4;five:5;six:6;seven:7;eight:8;nine:9;less:<;equal:=;greater:>;question:?;at:@;bracketleft:[;backslash:\\;bracketright:];asciicircum:^;underscore:_;grave:`;braceleft:{;bar:|;braceright:};asciitilde:~;quoteleft:‘;quoteright:’;quotedblleft:“;quotedblright:”;endash:–;emdash:—;bullet:•;ellipsis:…;fi:fi;fl:fl;ff:ff;ffi:ffi;ffl:ffl;germandbls:ß;adieresis:ä;odieresis:ö;udieresis:ü;Adieresis:Ä;Odieresis:Ö;Udieresis:Ü;eacute:é;egrave:è;ecircumflex:ê;aacute:á;agrave:à;acircumflex:â;ccedilla:ç;ntilde:ñ;oacute:ó;iacute:í;uacute:ú;aring:å;oslash:ø;ae:æ;Euro:€;copyright:©;registered:®;trademark:™;degree:°;section:§;minus:−;multiply:×;periodcentered:·;dotlessi:ı"
            .Split(';')
            .Select(static pair => pair.Split(':', 2))
            .ToFrozenDictionary(static pair => pair[0], static pair => pair[1], StringComparer.Ordinal)
    );

    private readonly Dictionary<int, string> _toUnicode = [];
    private readonly Dictionary<int, string> _differences = [];
    private readonly List<double> _widths = [];
    private readonly int _firstCode;
    private readonly bool _isMac;
    private readonly int _codeBytes = 1;
    private readonly bool _isComposite;

    public PdfFont(PdfFile file, Dictionary<string, object?>? font)
    {
        _isComposite = file.Get(font, "Subtype") is PdfName { Value: "Type0" };
        _codeBytes = _isComposite ? 2 : 1;
        _firstCode = file.Get(font, "FirstChar") is double first and >= 0 and < 65536 ? (int)first : 0;
        if (file.Get(font, "Widths") is List<object?> widths)
        {
            _widths.AddRange(widths.Take(65536).Select(width => file.Resolve(width) as double? ?? 500));
        }

        var encoding = file.Get(font, "Encoding");
        var baseName = encoding as PdfName ?? file.Get(encoding as Dictionary<string, object?>, "BaseEncoding") as PdfName;
        _isMac = baseName is { Value: "MacRomanEncoding" };
        if (file.Get(encoding as Dictionary<string, object?>, "Differences") is List<object?> differences)
        {
            ReadDifferences(file, differences);
        }

        if (file.Get(font, "ToUnicode") is PdfStream map)
        {
            ReadMap(file.Decode(map));
        }
    }

    /// <returns>The characters, and their width in thousandths of the font size.</returns>
    public (string Text, double Width) Decode(byte[] bytes)
    {
        var text = new StringBuilder();
        var width = 0.0;
        for (var at = 0; at + _codeBytes <= bytes.Length; at += _codeBytes)
        {
            var code = _codeBytes == 2 ? bytes[at] << 8 | bytes[at + 1] : bytes[at];
            text.Append(Character(code));
            width += code >= _firstCode && code - _firstCode < _widths.Count ? _widths[code - _firstCode] : 500;
        }

        return (text.ToString(), width);
    }

    private string Character(int code) =>
        _toUnicode.TryGetValue(code, out var mapped) || _differences.TryGetValue(code, out mapped) ? mapped
        : _isComposite ? "\ufffd"
        : _isMac && code >= 128 ? MacRoman[Math.Min(code - 128, MacRoman.Length - 1)].ToString()
        : code is >= 0x80 and <= 0x9F ? WindowsControls[code - 0x80].ToString()
        : ((char)code).ToString();

    private void ReadDifferences(PdfFile file, List<object?> differences)
    {
        var code = 0;
        foreach (var item in differences)
        {
            switch (file.Resolve(item))
            {
                case double number and >= 0 and < 65536:
                    code = (int)number;
                    break;
                case PdfName name:
                    if (GlyphText(name.Value) is { } text)
                    {
                        _differences[code] = text;
                    }

                    code++;
                    break;
            }
        }
    }

    private static string? GlyphText(string name) =>
        name.Length == 1 ? name
        : s_glyphs.Value.TryGetValue(name, out var text) ? text
        : name.StartsWith("uni", StringComparison.Ordinal)
        && name.Length >= 7
        && ushort.TryParse(name.AsSpan(3, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? ((char)unit).ToString()
        : null;

    // A CMap (Adobe Technical Note 5014): operands, then bfchar and bfrange sections.
    private void ReadMap(byte[] content)
    {
        var lexer = new PdfLexer(content, 0, content.Length);
        var operands = new List<object?>();
        while (!lexer.AtEnd && _toUnicode.Count < MaxMappings)
        {
            var value = lexer.Read(withReferences: false);
            if (value is not PdfWord word)
            {
                operands.Add(value);
                continue;
            }

            if (word.Value is "endbfchar")
            {
                for (var at = 0; at + 1 < operands.Count; at += 2)
                {
                    if (operands[at] is byte[] code && operands[at + 1] is byte[] text)
                    {
                        _toUnicode[Code(code)] = Encoding.BigEndianUnicode.GetString(text);
                    }
                }
            }
            else if (word.Value is "endbfrange")
            {
                for (var at = 0; at + 2 < operands.Count; at += 3)
                {
                    AddRange(operands[at] as byte[], operands[at + 1] as byte[], operands[at + 2]);
                }
            }

            operands.Clear();
        }
    }

    private void AddRange(byte[]? first, byte[]? last, object? target)
    {
        if (first is null || last is null)
        {
            return;
        }

        var (low, high) = (Code(first), Math.Min(Code(last), Code(first) + 65535));
        for (var code = low; code <= high && _toUnicode.Count < MaxMappings; code++)
        {
            if (target is List<object?> list && code - low < list.Count && list[code - low] is byte[] listed)
            {
                _toUnicode[code] = Encoding.BigEndianUnicode.GetString(listed);
            }
            else if (target is byte[] { Length: >= 2 } start)
            {
                var unit = (char)((start[^2] << 8 | start[^1]) + (code - low));
                _toUnicode[code] = Encoding.BigEndianUnicode.GetString(start.AsSpan(0, start.Length - 2)) + unit;
            }
        }
    }

    private static int Code(byte[] bytes) =>
        bytes.Length >= 2 ? bytes[^2] << 8 | bytes[^1]
        : bytes is [var only] ? only
        : 0;
}
