using System.Net;
using System.Text;

namespace Thole.Tools.Web;

/// <summary>
/// Turns HTML into text or Markdown in one pass from front to end, without a tree: linear, and as indifferent to nesting as to
/// tags that are never closed. It reads what pages say, not how they look.
/// </summary>
internal sealed class HtmlReader(string html, Uri address, bool isMarkdown)
{
    // More text than any page that is read; a page of a million short links must not grow a hundredfold.
    private const int MaxText = 4 * 1024 * 1024;
    private const int MaxIndent = 8;
    private const int MaxBase = 500;

    // Later links stand as the page wrote them: far behind what is shown, and each costs more to resolve than to read.
    private const int MaxResolved = 20_000;

    private readonly StringBuilder _text = new();
    private readonly Stack<int> _lists = new();
    private readonly Stack<string?> _links = new();
    private int _at;
    private int _newlines = 2;
    private bool _isSpaceDue;
    private int _preformatted;
    private int _quotes;
    private string? _skipped;
    private int _skippedDepth;
    private int _cells;
    private bool _isHeaderDone;
    private bool _isWhole;
    private int _resolved;

    public string Read()
    {
        while (_at < html.Length && _text.Length < MaxText)
        {
            var tag = html.IndexOf('<', _at);
            var end = tag < 0 ? html.Length : tag;
            if (end > _at)
            {
                Text(html.AsSpan(_at, end - _at));
            }

            _at = end;
            if (_at < html.Length)
            {
                Markup();
            }
        }

        if (_text.Length >= MaxText)
        {
            _text.Append("\n[cut here: the page is longer than 4 MiB as text]");
        }

        return _text.ToString().Trim();
    }

    private void Markup()
    {
        var next = _at + 1 < html.Length ? html[_at + 1] : '\0';
        if (next is '!' or '?')
        {
            _at = html.AsSpan(_at).StartsWith("<!--", StringComparison.Ordinal) ? After("-->", _at + 4) : After(">", _at + 2);
        }
        else if (char.IsAsciiLetter(next))
        {
            var name = Name(_at + 1);
            var attributes = Attributes(
                _at + 1 + name.Length,
                name is "a" ? "href"
                    : name is "img" ? "alt"
                    : null
            );
            if (_isWhole)
            {
                Open(name, attributes);
            }
        }
        else if (next == '/' && _at + 2 < html.Length && char.IsAsciiLetter(html[_at + 2]))
        {
            var name = Name(_at + 2);
            _at = After(">", _at + 2);
            Close(name);
        }
        else
        {
            Text("<");
            _at++;
        }
    }

    private void Open(string name, string? attribute)
    {
        if (_skipped is not null)
        {
            _skippedDepth += IsSkipped(name) ? 1 : 0;
            return;
        }

        switch (name)
        {
            case "script" or "style":
                // Their content is no markup, and ends at their own end tag only.
                var end = html.IndexOf($"</{name}", _at, StringComparison.OrdinalIgnoreCase);
                _at = end < 0 ? html.Length : After(">", end);
                break;
            case "svg" or "template" or "noscript" or "iframe" or "canvas" or "object" or "select":
                (_skipped, _skippedDepth) = (name, 1);
                break;
            case "br":
                Break(1);
                break;
            case "hr":
                Break(2);
                Mark("---");
                Break(2);
                break;
            case "h1" or "h2" or "h3" or "h4" or "h5" or "h6":
                Break(2);
                Mark(new string('#', name[1] - '0') + " ");
                break;
            case "title":
                Break(2);
                Mark("# ");
                break;
            case "ul":
                Break(_lists.Count == 0 ? 2 : 1);
                _lists.Push(-1);
                break;
            case "ol":
                Break(_lists.Count == 0 ? 2 : 1);
                _lists.Push(0);
                break;
            case "li":
                Break(1);
                Item();
                break;
            case "pre":
                Break(2);
                Mark("```\n");
                _preformatted++;
                break;
            case "blockquote":
                Break(2);
                _quotes++;
                break;
            case "code" when _preformatted == 0:
                Mark("`");
                break;
            case "b" or "strong":
                Mark("**");
                break;
            case "i" or "em":
                Mark("*");
                break;
            case "a":
                var target = Target(attribute);
                _links.Push(target);
                Mark(target is null ? "" : "[");
                break;
            case "img" when attribute is { Length: > 0 }:
                Text($"[image: {attribute}]");
                break;
            case "table":
                Break(2);
                _isHeaderDone = false;
                break;
            case "tr":
                Break(1);
                _cells = 0;
                break;
            case "td" or "th":
                Mark(_cells++ == 0 ? "| " : " | ");
                _isSpaceDue = !isMarkdown && _cells > 1;
                break;
            default:
                Break(IsBlock(name) ? 2 : 0);
                break;
        }
    }

    private void Close(string name)
    {
        if (_skipped is not null)
        {
            if (IsSkipped(name) && --_skippedDepth == 0)
            {
                _skipped = null;
            }

            return;
        }

        switch (name)
        {
            case "ul" or "ol":
                _ = _lists.TryPop(out _);
                Break(_lists.Count == 0 ? 2 : 1);
                break;
            case "pre" when _preformatted > 0:
                _preformatted--;
                Break(1);
                Mark("```");
                Break(2);
                break;
            case "blockquote":
                _quotes = Math.Max(0, _quotes - 1);
                Break(2);
                break;
            case "code" when _preformatted == 0:
                Mark("`");
                break;
            case "b" or "strong":
                Mark("**");
                break;
            case "i" or "em":
                Mark("*");
                break;
            case "a" when _links.TryPop(out var target):
                Mark(target is null ? "" : $"]({target})");
                break;
            case "tr" when _cells > 0:
                Mark(" |");
                if (!_isHeaderDone && isMarkdown)
                {
                    Break(1);
                    Mark("|" + string.Concat(Enumerable.Repeat(" --- |", Math.Min(_cells, 50))));
                }

                _isHeaderDone = true;
                Break(1);
                break;
            case "li":
                Break(1);
                break;
            default:
                Break(name is "title" or ['h', >= '1' and <= '6'] || IsBlock(name) ? 2 : 0);
                break;
        }
    }

    private bool IsSkipped(string name) => string.Equals(name, _skipped, StringComparison.Ordinal);

    private static bool IsBlock(string name) =>
        name
            is "p"
                or "div"
                or "section"
                or "article"
                or "main"
                or "header"
                or "footer"
                or "nav"
                or "aside"
                or "table"
                or "form"
                or "fieldset"
                or "figure"
                or "figcaption"
                or "details"
                or "summary"
                or "dl"
                or "dt"
                or "dd"
                or "address"
                or "body";

    private void Item()
    {
        var number = _lists.TryPop(out var last) ? last : -1;
        var mark = number < 0 ? "- " : $"{number + 1}. ";
        _lists.Push(number < 0 ? number : number + 1);
        Raw(new string(' ', 2 * Math.Min(_lists.Count - 1, MaxIndent)) + mark);
    }

    private void Text(ReadOnlySpan<char> raw)
    {
        if (_skipped is not null)
        {
            return;
        }

        var text = raw.Contains('&') ? WebUtility.HtmlDecode(raw.ToString()) : raw;
        if (_preformatted > 0)
        {
            Raw(text);
            return;
        }

        while (!text.IsEmpty)
        {
            var word = text.TrimStart();
            _isSpaceDue |= word.Length < text.Length;
            var end = IndexOfSpace(word);
            if (end > 0)
            {
                Raw(word[..end]);
            }

            text = word[end..];
        }
    }

    private static int IndexOfSpace(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && !char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return end;
    }

    private void Mark(string mark)
    {
        if (isMarkdown && mark.Length > 0)
        {
            Raw(mark);
        }
    }

    private void Raw(ReadOnlySpan<char> text)
    {
        if (_newlines > 0 && _quotes > 0 && isMarkdown)
        {
            _text.Insert(_text.Length, "> ", Math.Min(_quotes, MaxIndent));
        }

        if (_isSpaceDue && _newlines == 0)
        {
            _text.Append(' ');
        }

        _isSpaceDue = false;
        _newlines = 0;
        _text.Append(text);
    }

    private void Break(int lines)
    {
        if (_preformatted > 0 && lines > 0)
        {
            lines = 1;
        }

        for (; _newlines < lines; _newlines++)
        {
            _text.Append('\n');
        }

        _isSpaceDue &= lines == 0;
    }

    private string? Target(string? href)
    {
        if (!isMarkdown || string.IsNullOrWhiteSpace(href) || href[0] == '#')
        {
            return null;
        }

        if (address.AbsoluteUri.Length > MaxBase || ++_resolved > MaxResolved)
        {
            return href;
        }

        return Uri.TryCreate(address, href, out var target) && target.Scheme is "http" or "https" or "mailto"
            ? target.AbsoluteUri
            : null;
    }

    private string Name(int start)
    {
        var end = start;
        while (end < html.Length && (char.IsAsciiLetterOrDigit(html[end]) || html[end] is '-' or ':'))
        {
            end++;
        }

        // No element that matters has a long name, and each would be a string.
        return end - start > 16 ? "long" + html[(end - 12)..end] : html[start..end].ToLowerInvariant();
    }

    /// <summary>Passes over the attributes to behind the tag; gives the value of the one that is wanted.</summary>
    private string? Attributes(int start, string? wanted)
    {
        string? found = null;
        _at = start;
        while (_at < html.Length && html[_at] != '>')
        {
            if (char.IsWhiteSpace(html[_at]) || html[_at] is '/' or '=' or '"' or '\'')
            {
                _at++;
                continue;
            }

            var name = Until(" \t\r\n\f/>=");
            SkipSpace();
            if (_at >= html.Length || html[_at] != '=')
            {
                continue;
            }

            _at++;
            SkipSpace();
            var value = Value();
            if (wanted is not null && found is null && name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            {
                found = WebUtility.HtmlDecode(value.ToString());
            }
        }

        _isWhole = _at < html.Length;
        _at = Math.Min(_at + 1, html.Length);
        return found;
    }

    private ReadOnlySpan<char> Value()
    {
        if (_at >= html.Length || html[_at] is not ('"' or '\''))
        {
            return Until(" \t\r\n\f>");
        }

        var quote = html[_at++];
        var start = _at;
        var end = html.IndexOf(quote, start);
        _at = end < 0 ? html.Length : end + 1;
        return html.AsSpan(start, (end < 0 ? html.Length : end) - start);
    }

    private ReadOnlySpan<char> Until(string stops)
    {
        var start = _at;
        var length = html.AsSpan(start).IndexOfAny(stops);
        _at = length < 0 ? html.Length : start + length;
        return html.AsSpan(start, _at - start);
    }

    private void SkipSpace()
    {
        while (_at < html.Length && char.IsWhiteSpace(html[_at]))
        {
            _at++;
        }
    }

    private int After(string end, int from)
    {
        var found = from >= html.Length ? -1 : html.IndexOf(end, from, StringComparison.Ordinal);
        return found < 0 ? html.Length : found + end.Length;
    }
}
