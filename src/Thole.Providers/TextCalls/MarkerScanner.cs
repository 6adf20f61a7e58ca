namespace Thole.Providers.TextCalls;

/// <summary>
/// Parts text into markers and what is between them, as it comes in pieces. Held back is only what may be the beginning of a marker,
/// and no letter is looked at more often than a marker is long.
/// </summary>
internal sealed class MarkerScanner
{
    private readonly string[] _markers;
    private readonly int _longest;
    private string _held = "";

    /// <param name="markers">Each begins with &lt;, and none with another.</param>
    public MarkerScanner(params string[] markers)
    {
        _markers = markers;
        _longest = markers.Max(static marker => marker.Length);
    }

    /// <param name="isLast">Nothing more comes: what is held is what it looks like.</param>
    public void Feed(string piece, bool isLast, IMarkedText reader)
    {
        var text = _held + piece;
        _held = "";
        var begin = 0;
        for (var at = text.IndexOf('<'); at >= 0; at = text.IndexOf('<', at))
        {
            var rest = text.AsSpan(at);
            if (MarkerAt(rest) is { } marker)
            {
                Pass(text.AsSpan(begin, at - begin), reader);
                reader.TakeMarker(marker);
                begin = at += marker.Length;
            }
            else if (!isLast && MayBecomeMarker(rest))
            {
                Pass(text.AsSpan(begin, at - begin), reader);
                _held = text[at..];
                return;
            }
            else
            {
                at++;
            }
        }

        Pass(text.AsSpan(begin), reader);
    }

    private static void Pass(ReadOnlySpan<char> text, IMarkedText reader)
    {
        if (!text.IsEmpty)
        {
            reader.TakeText(text);
        }
    }

    private string? MarkerAt(ReadOnlySpan<char> text)
    {
        foreach (var marker in _markers)
        {
            if (text.StartsWith(marker, StringComparison.Ordinal))
            {
                return marker;
            }
        }

        return null;
    }

    private bool MayBecomeMarker(ReadOnlySpan<char> rest)
    {
        if (rest.Length >= _longest)
        {
            return false;
        }

        foreach (var marker in _markers)
        {
            if (marker.AsSpan().StartsWith(rest, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Whoever reads text with markers in it.</summary>
internal interface IMarkedText
{
    void TakeText(ReadOnlySpan<char> text);

    void TakeMarker(string marker);
}
