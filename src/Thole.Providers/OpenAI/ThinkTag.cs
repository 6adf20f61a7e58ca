namespace Thole.Providers.OpenAI;

/// <summary>
/// Parts text that begins with <c>&lt;think&gt;…&lt;/think&gt;</c> into reasoning and text, as it comes in pieces. Only the very
/// beginning counts: a model that writes about the tag later means the text.
/// </summary>
internal sealed class ThinkTag
{
    private const string Opening = "<think>";
    private const string Closing = "</think>";

    private string _held = "";
    private State _state;

    private enum State
    {
        Before,
        Thinking,
        After,
        Text,
    }

    /// <param name="isLast">Nothing more comes: what is held is what it looks like.</param>
    public (string Reasoning, string Text) Take(string piece, bool isLast = false)
    {
        var rest = _held + piece;
        _held = "";
        var reasoning = "";
        if (_state is State.Before)
        {
            var begun = rest.TrimStart();
            if (begun.StartsWith(Opening, StringComparison.Ordinal))
            {
                (_state, rest) = (State.Thinking, begun[Opening.Length..]);
            }
            else if (!isLast && Opening.StartsWith(begun, StringComparison.Ordinal))
            {
                _held = rest;
                return ("", "");
            }
            else
            {
                _state = State.Text;
            }
        }

        if (_state is State.Thinking)
        {
            var end = rest.IndexOf(Closing, StringComparison.Ordinal);
            if (end < 0)
            {
                var kept = isLast ? 0 : BeginningOf(Closing, rest);
                _held = rest[(rest.Length - kept)..];
                return (rest[..(rest.Length - kept)], "");
            }

            (reasoning, rest, _state) = (rest[..end], rest[(end + Closing.Length)..], State.After);
        }

        if (_state is State.After)
        {
            rest = rest.TrimStart();
            _state = rest.Length > 0 ? State.Text : State.After;
        }

        return (reasoning, rest);
    }

    /// <summary>How much of the end of a text may be the beginning of a tag.</summary>
    private static int BeginningOf(string tag, string text)
    {
        for (var length = Math.Min(tag.Length - 1, text.Length); length > 0; length--)
        {
            if (text.EndsWith(tag[..length], StringComparison.Ordinal))
            {
                return length;
            }
        }

        return 0;
    }
}
