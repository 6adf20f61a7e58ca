using System.Globalization;
using System.Text;

namespace Thole.Tools;

/// <summary>File names as an answer may hold them: a name cannot begin a line, move a cursor or turn the reading direction.</summary>
internal static class ShownText
{
    public static string Of(string name)
    {
        if (!name.Any(IsHidden))
        {
            return name;
        }

        var text = new StringBuilder(name.Length + 16);
        foreach (var character in name)
        {
            _ = IsHidden(character)
                ? text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}")
                : text.Append(character);
        }

        return text.ToString();
    }

    private static bool IsHidden(char character) =>
        char.GetUnicodeCategory(character)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
