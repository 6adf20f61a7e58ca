using System.Text;

namespace Thole.Tools.Documents;

/// <summary>Follows the operators of one page that paint text, and breaks lines and words where the pen jumps.</summary>
internal sealed class PdfPageText(PdfFile file, int room, CancellationToken cancellationToken)
{
    private const int MaxOperators = 2_000_000;
    private const int MaxFormDepth = 8;
    private const int MaxForms = 500;

    private readonly StringBuilder _text = new();
    private readonly Dictionary<object, PdfFont> _fonts = [];
    private PdfFont? _font;
    private double _size = 12;
    private double _leading;
    private (double A, double B, double C, double D, double E, double F) _line = (1, 0, 0, 1, 0, 0);
    private double _advance;
    private (double X, double Y)? _end;
    private int _operators;
    private int _forms;

    public string Read(Dictionary<string, object?> page)
    {
        var content = new MemoryStream();
        foreach (var part in file.Get(page, "Contents") is List<object?> parts ? parts : [page.GetValueOrDefault("Contents")])
        {
            if (file.Resolve(part) is PdfStream stream)
            {
                content.Write(file.Decode(stream));
                content.WriteByte((byte)'\n');
            }
        }

        Run(content.ToArray(), file.Dictionary(page.GetValueOrDefault("Resources")), depth: 0);
        return _text.ToString();
    }

    private void Run(byte[] content, Dictionary<string, object?>? resources, int depth)
    {
        var lexer = new PdfLexer(content, 0, content.Length);
        var operands = new List<object?>();
        while (!lexer.AtEnd && _text.Length < room && _operators < MaxOperators)
        {
            var value = lexer.Read(withReferences: false);
            if (value is not PdfWord word)
            {
                if (operands.Count < 64)
                {
                    operands.Add(value);
                }

                continue;
            }

            if ((++_operators & 1023) == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (word.Value is "ID")
            {
                SkipInlineImage(lexer, content);
            }
            else
            {
                Apply(word.Value, operands, resources, depth);
            }

            operands.Clear();
        }
    }

    private void Apply(string name, List<object?> operands, Dictionary<string, object?>? resources, int depth)
    {
        double At(int index) => index < operands.Count && operands[index] is double number ? number : 0;
        switch (name)
        {
            case "BT":
                _line = (1, 0, 0, 1, 0, 0);
                _advance = 0;
                break;
            case "Tf" when operands is [PdfName font, ..]:
                _font = FontOf(resources, font.Value);
                _size = At(1);
                break;
            case "TL":
                _leading = At(0);
                break;
            case "Td":
                Move(At(0), At(1));
                break;
            case "TD":
                _leading = -At(1);
                Move(At(0), At(1));
                break;
            case "T*":
                Move(0, -_leading);
                break;
            case "Tm":
                _line = (At(0), At(1), At(2), At(3), At(4), At(5));
                _advance = 0;
                break;
            case "Tj" when operands is [byte[] shown, ..]:
                Show(shown);
                break;
            case "'" when operands is [byte[] shown, ..]:
                Move(0, -_leading);
                Show(shown);
                break;
            case "\"" when operands is [_, _, byte[] shown, ..]:
                Move(0, -_leading);
                Show(shown);
                break;
            case "TJ" when operands is [List<object?> items, ..]:
                foreach (var item in items)
                {
                    if (item is byte[] shown)
                    {
                        Show(shown);
                    }
                    else if (item is double back)
                    {
                        _advance -= back;
                    }
                }

                break;
            case "Do" when operands is [PdfName form, ..] && depth < MaxFormDepth && _forms < MaxForms:
                if (
                    file.Get(file.Dictionary(resources?.GetValueOrDefault("XObject")), form.Value) is PdfStream stream
                    && file.Get(stream.Entries, "Subtype") is PdfName { Value: "Form" }
                )
                {
                    _forms++;
                    Run(
                        file.Decode(stream),
                        file.Dictionary(stream.Entries.GetValueOrDefault("Resources")) ?? resources,
                        depth + 1
                    );
                }

                break;
        }
    }

    private void Move(double x, double y)
    {
        _line = _line with { E = _line.E + x * _line.A + y * _line.C, F = _line.F + x * _line.B + y * _line.D };
        _advance = 0;
    }

    private void Show(byte[] bytes)
    {
        var (shown, width) = (_font ??= new PdfFont(file, null)).Decode(bytes);
        var em = Math.Max(0.1, Math.Abs(_size) * Math.Max(Math.Abs(_line.A), Math.Abs(_line.B)));
        var x = _line.E + _advance / 1000 * _size * _line.A;
        var y = _line.F + _advance / 1000 * _size * _line.B;
        if (_end is { } end && _text.Length > 0 && _text[^1] is not '\n')
        {
            if (Math.Abs(y - end.Y) > em * 0.4)
            {
                _text.Append('\n', Math.Abs(y - end.Y) > em * 2 ? 2 : 1);
            }
            else if ((x - end.X > em * 0.15 || end.X - x > em * 2) && _text[^1] is not ' ' && !shown.StartsWith(' '))
            {
                _text.Append(' ');
            }
        }

        foreach (var character in shown.Where(static character => character >= ' ' || character is '\n' or '\t'))
        {
            _text.Append(character);
        }

        _advance += width;
        _end = (_line.E + _advance / 1000 * _size * _line.A, _line.F + _advance / 1000 * _size * _line.B);
    }

    private PdfFont FontOf(Dictionary<string, object?>? resources, string name)
    {
        var reference = file.Dictionary(resources?.GetValueOrDefault("Font"))?.GetValueOrDefault(name) ?? name;
        if (!_fonts.TryGetValue(reference, out var font))
        {
            _fonts.Add(reference, font = new PdfFont(file, file.Dictionary(reference)));
        }

        return font;
    }

    // The bytes of an image in the page: up to its end word between white space.
    private static void SkipInlineImage(PdfLexer lexer, byte[] content)
    {
        for (var at = lexer.Position + 1; at + 2 < content.Length; at++)
        {
            if (
                content[at] is (byte)'E'
                && content[at + 1] is (byte)'I'
                && PdfLexer.IsWhite(content[at - 1])
                && PdfLexer.IsWhite(content[at + 2])
            )
            {
                lexer.Position = at + 2;
                return;
            }
        }

        lexer.Position = content.Length;
    }
}
