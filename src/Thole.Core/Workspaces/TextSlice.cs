using System.Globalization;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>The part of a text that fits into one answer. Without a limit of lines, pieces one after the other are the text.</summary>
internal sealed record TextSlice(string Content, string? NextCursor, bool HasMore)
{
    private const int CursorDigits = 16;

    public static TextSlice Cut(TextFile file, TextWindow window)
    {
        var text = file.Raw;
        var start = window.Cursor is { } cursor ? Position(cursor, file) : LineStart(text, 0, window.Line - 1) ?? text.Length;
        var end = window.Limit is { } limit ? LineStart(text, start, limit) ?? text.Length : text.Length;

        // Lines that are counted come as a list does: without a newline behind the last.
        var isLimited = window.Limit is not null && end > start && end < text.Length;
        var newline =
            !isLimited ? 0
            : text.AsSpan(start, end - start).EndsWith("\r\n") ? 2
            : 1;
        var shown = text.AsSpan(start, end - start - newline);
        var fitting = Fit(shown, window.MaxBytes);
        var next = fitting < shown.Length ? start + fitting : end;
        var hasMore = next < text.Length;
        return new TextSlice(
            shown[..fitting].ToString(),
            hasMore && next > start ? $"{next}.{file.Hash[..CursorDigits]}" : null,
            hasMore
        );
    }

    /// <summary>Where the line begins that lies so many lines further on; null where there are fewer.</summary>
    private static int? LineStart(string text, int from, long lines)
    {
        for (; lines > 0; lines--)
        {
            var newline = text.IndexOf('\n', from);
            if (newline < 0)
            {
                return null;
            }

            from = newline + 1;
        }

        return from;
    }

    /// <summary>How many characters are at most so many bytes of UTF-8.</summary>
    private static int Fit(ReadOnlySpan<char> text, int maxBytes)
    {
        if (text.Length * 3L <= maxBytes || Encoding.UTF8.GetByteCount(text) <= maxBytes)
        {
            return text.Length;
        }

        var (fitting, bytes) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > maxBytes)
            {
                break;
            }

            fitting += rune.Utf16SequenceLength;
        }

        return fitting;
    }

    private static int Position(string cursor, TextFile file)
    {
        var dot = cursor.IndexOf('.', StringComparison.Ordinal);
        if (
            dot < 0
            || !int.TryParse(cursor.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            || cursor.Length != dot + 1 + CursorDigits
        )
        {
            throw new RefusedException(
                FileRefusals.ParseError,
                "This is no cursor: use the nextCursor of an answer as it is, or none."
            );
        }

        return cursor.AsSpan(dot + 1).SequenceEqual(file.Hash.AsSpan(0, CursorDigits))
            ? Math.Min(position, file.Raw.Length)
            : throw new RefusedException(
                FileRefusals.HashMismatch,
                "The file has changed since the cursor was given: read it again from its beginning."
            );
    }
}
