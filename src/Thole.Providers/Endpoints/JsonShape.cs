namespace Thole.Providers.Endpoints;

/// <summary>Whether what was said so far, piece by piece, may be a whole JSON value: every brace closed, no string open.</summary>
internal struct JsonShape
{
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;
    private bool _hasBegun;

    public readonly bool IsInString => _isInString;

    public readonly bool IsWhole => _hasBegun && IsWholeOrEmpty;

    public readonly bool IsWholeOrEmpty => _depth == 0 && !_isInString;

    public static bool AllowsAsWhole(string text)
    {
        var shape = new JsonShape();
        shape.Add(text);
        return shape.IsWholeOrEmpty;
    }

    public void Add(ReadOnlySpan<char> piece)
    {
        foreach (var letter in piece)
        {
            _hasBegun |= !char.IsWhiteSpace(letter);
            if (_isEscaped)
            {
                _isEscaped = false;
            }
            else if (_isInString)
            {
                _isEscaped = letter == '\\';
                _isInString = letter != '"';
            }
            else if (letter == '"')
            {
                _isInString = true;
            }
            else if (letter is '{' or '[')
            {
                _depth++;
            }
            else if (letter is '}' or ']')
            {
                _depth--;
            }
        }
    }
}
