using System.Globalization;
using System.Text;

namespace Thole.Protocol;

/// <summary>
/// Makes text safe to show: what would command a terminal, reorder a line or hide in it is spelled out (<c>\e</c>, <c>\u202e</c>).
/// For everything that others wrote — tool output, file names, model text — before it reaches a terminal or a log line.
/// </summary>
public static class TerminalText
{
    /// <summary>For text of many lines: line feeds and tabs stay, CR LF becomes LF, a CR that would overwrite its line is spelled out.</summary>
    /// <returns>The same string where there is nothing to spell out.</returns>
    public static string Escape(string text) => Escape(text, isLine: false);

    /// <summary>For what must stay one line: line ends are spelled out too.</summary>
    public static string EscapeLine(string text) => Escape(text, isLine: true);

    /// <summary>
    /// Whether a reader cannot see the character although a model, a parser or a file system does: bidirectional controls,
    /// zero-width and filler characters, tag characters and the variation selectors that carry smuggled text.
    /// </summary>
    public static bool IsInvisible(Rune rune) =>
        rune.Value switch
        {
            0x00AD or 0x034F or 0x061C or 0x115F or 0x1160 or 0x17B4 or 0x17B5 => true,
            >= 0x180B and <= 0x180F => true,
            >= 0x200B and <= 0x200F => true,
            >= 0x202A and <= 0x202E => true,
            >= 0x2060 and <= 0x206F => true,
            0x2800 or 0x3164 or 0xFEFF or 0xFFA0 => true,
            // U+FE0E and U+FE0F choose between the text and the emoji form of the character before: daily use, and no payload.
            >= 0xFE00 and <= 0xFE0D => true,
            >= 0xFFF0 and <= 0xFFFB => true,
            >= 0x1BCA0 and <= 0x1BCA3 => true,
            >= 0x1D173 and <= 0x1D17A => true,
            >= 0xE0000 and <= 0xE0FFF => true,
            _ => false,
        };

    /// <summary>Drops what <see cref="IsInvisible"/>: for text that a model reads, where a spelled-out secret would still be read.</summary>
    /// <returns>The same string where there is nothing to drop.</returns>
    public static string WithoutInvisible(string text, out int removed)
    {
        removed = 0;
        StringBuilder? visible = null;
        var copied = 0;
        for (var index = 0; index < text.Length; )
        {
            if (text[index] <= '~')
            {
                index++;
                continue;
            }

            var length = Rune.TryGetRuneAt(text, index, out var rune) ? rune.Utf16SequenceLength : 1;
            if (IsInvisible(rune))
            {
                (visible ??= new StringBuilder(text.Length)).Append(text, copied, index - copied);
                copied = index + length;
                removed++;
            }

            index += length;
        }

        return visible is null ? text : visible.Append(text, copied, text.Length - copied).ToString();
    }

    private static string Escape(string text, bool isLine)
    {
        StringBuilder? escaped = null;
        var copied = 0;
        for (var index = 0; index < text.Length; )
        {
            if (text[index] is >= ' ' and <= '~')
            {
                index++;
                continue;
            }

            var isWhole = Rune.TryGetRuneAt(text, index, out var rune);
            var length = isWhole ? rune.Utf16SequenceLength : 1;
            if (isWhole && IsHarmless(rune, isLine))
            {
                index += length;
                continue;
            }

            (escaped ??= new StringBuilder(text.Length + 16)).Append(text, copied, index - copied);
            if (!isLine && text[index] == '\r' && index + 1 < text.Length && text[index + 1] == '\n')
            {
                // The line feed that follows is copied with the next run.
            }
            else
            {
                Spell(escaped, isWhole ? rune.Value : text[index]);
            }

            index += length;
            copied = index;
        }

        return escaped is null ? text : escaped.Append(text, copied, text.Length - copied).ToString();
    }

    private static bool IsHarmless(Rune rune, bool isLine) =>
        rune.Value switch
        {
            '\t' => true,
            '\n' => !isLine,
            < ' ' or (>= 0x7F and <= 0x9F) or 0x2028 or 0x2029 => false,
            var value => (value & 0xFFFE) != 0xFFFE && !IsInvisible(rune),
        };

    private static void Spell(StringBuilder escaped, int value) =>
        _ = value switch
        {
            '\e' => escaped.Append(@"\e"),
            '\r' => escaped.Append(@"\r"),
            '\n' => escaped.Append(@"\n"),
            > 0xFFFF => escaped.Append(CultureInfo.InvariantCulture, $@"\U{value:x8}"),
            _ => escaped.Append(CultureInfo.InvariantCulture, $@"\u{value:x4}"),
        };
}
