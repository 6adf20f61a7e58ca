namespace Thole.Core.Workspaces.Search;

/// <summary>One line of an ignore file, understood as git's dir.c understands it.</summary>
internal sealed class IgnorePattern
{
    private readonly byte[] _text;

    /// <summary>How much of <see cref="_text"/> is plain before the first wildcard.</summary>
    private readonly int _plain;

    private readonly bool _isNameOnly;
    private readonly bool _isSuffix;
    private readonly bool _ignoreCase;
    private readonly Wildmatch? _wild;

    private IgnorePattern(ReadOnlySpan<byte> line, bool ignoreCase)
    {
        _ignoreCase = ignoreCase;
        if (line is [(byte)'!', ..])
        {
            IsNegated = true;
            line = line[1..];
        }

        // Before the slash at the end goes: git looks at the whole line here, and "*foo/" is no plain suffix only by its name.
        _isSuffix = line is [(byte)'*', ..] && PlainLength(line[1..]) == line.Length - 1;
        if (line is [.., (byte)'/'])
        {
            IsForDirectories = true;
            line = line[..^1];
        }

        _isNameOnly = !line.Contains((byte)'/');
        if (!_isNameOnly && line[0] == '/')
        {
            line = line[1..];
        }

        _text = line.ToArray();
        _plain = PlainLength(_text);

        // git compares what is plain by itself and matches the rest alone, so that "foo**/bar" is "foo" and then "**/bar".
        _wild = Wildmatch.Compile(_isNameOnly ? _text : _text.AsSpan(_plain), ignoreCase);
    }

    public bool IsNegated { get; }

    public bool IsForDirectories { get; }

    /// <summary>The name that alone can match, where the pattern is a plain name.</summary>
    public ReadOnlySpan<byte> Name => _isNameOnly && _plain == _text.Length ? _text : default;

    /// <summary><c>.log</c> of <c>*.log</c>: what follows the last dot of every name that can match.</summary>
    public ReadOnlySpan<byte> Extension =>
        _isNameOnly && _isSuffix && _text.AsSpan(1).LastIndexOf((byte)'.') == 0 ? _text.AsSpan(1) : default;

    /// <param name="path">Relative to the directory of the ignore file.</param>
    /// <param name="name">The last part of <paramref name="path"/>.</param>
    public bool IsMatch(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name)
    {
        if (_isNameOnly)
        {
            return _plain == _text.Length ? AreEqual(_text, name)
                : _isSuffix ? name.Length >= _text.Length - 1 && AreEqual(_text.AsSpan(1), name[^(_text.Length - 1)..])
                : _wild?.IsMatch(name) ?? false;
        }

        return path.Length >= _plain
            && AreEqual(_text.AsSpan(0, _plain), path[.._plain])
            && (_wild?.IsMatch(path[_plain..]) ?? false);
    }

    public static IgnorePattern[] ParseFile(ReadOnlySpan<byte> content, bool ignoreCase)
    {
        List<IgnorePattern> patterns = [];
        if (content.StartsWith("\uFEFF"u8))
        {
            content = content[3..];
        }

        foreach (var range in content.Split((byte)'\n'))
        {
            var line = content[range];
            if (line is [] or [(byte)'#', ..])
            {
                continue;
            }

            // Every line of git is a C string, and the last one gets its newline added.
            line = line is [.. var text, (byte)'\r'] ? text : line;
            line = line.IndexOf((byte)0) is >= 0 and var end ? line[..end] : line;
            line = WithoutTrailingSpaces(line);
            if (line is not ([] or [(byte)'!']))
            {
                patterns.Add(new IgnorePattern(line, ignoreCase));
            }
        }

        return [.. patterns];
    }

    private bool AreEqual(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        _ignoreCase ? EqualsIgnoringAsciiCase(left, right) : left.SequenceEqual(right);

    /// <summary>Ascii.EqualsIgnoreCase will not do: it is false wherever there is a byte above 127.</summary>
    private static bool EqualsIgnoringAsciiCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (var at = 0; at < left.Length; at++)
        {
            if (Wildmatch.Fold(left[at]) != Wildmatch.Fold(right[at]))
            {
                return false;
            }
        }

        return true;
    }

    private static int PlainLength(ReadOnlySpan<byte> text) =>
        text.IndexOfAny("*?[\\"u8) is >= 0 and var special ? special : text.Length;

    /// <summary>Spaces at the end do not count unless a backslash keeps them.</summary>
    private static ReadOnlySpan<byte> WithoutTrailingSpaces(ReadOnlySpan<byte> line)
    {
        var spaces = -1;
        for (var at = 0; at < line.Length; at++)
        {
            if (line[at] == ' ')
            {
                spaces = spaces < 0 ? at : spaces;
                continue;
            }

            spaces = -1;
            if (line[at] == '\\' && ++at == line.Length)
            {
                return line;
            }
        }

        return spaces < 0 ? line : line[..spaces];
    }
}
