namespace Thole.Providers.Endpoints;

/// <summary>Holds back half a surrogate pair: a letter must not be torn when its halves are stored apart.</summary>
internal struct WholeLetters
{
    private string? _held;

    /// <summary>What may be said of a piece now.</summary>
    public string Add(string piece)
    {
        var text = _held is null ? piece : _held + piece;
        _held = null;
        if (text is [.., var last] && char.IsHighSurrogate(last))
        {
            (text, _held) = (text[..^1], text[^1..]);
        }

        return text;
    }

    /// <summary>What is left when nothing more comes.</summary>
    public string Rest()
    {
        var rest = _held ?? "";
        _held = null;
        return rest;
    }
}
