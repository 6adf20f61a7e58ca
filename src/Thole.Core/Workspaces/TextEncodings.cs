using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>The encodings that we read and write, each refusing what it cannot say, and the names that people call them by.</summary>
internal static class TextEncodings
{
    // UTF-32 before UTF-16: the mark of UTF-16 LE is the beginning of that of UTF-32 LE.
    public static IReadOnlyList<Encoding> Marked { get; } =
    [
        new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true),
        new UTF32Encoding(bigEndian: false, byteOrderMark: true, throwOnInvalidCharacters: true),
        new UTF32Encoding(bigEndian: true, byteOrderMark: true, throwOnInvalidCharacters: true),
        new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true),
        new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true),
    ];

    public static Encoding Utf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Encoding Latin1 { get; } =
        Encoding.GetEncoding("iso-8859-1", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);

    public static string NameOf(Encoding encoding) =>
        encoding.CodePage switch
        {
            65001 => "utf-8",
            12000 => "utf-32le",
            12001 => "utf-32be",
            1200 => "utf-16le",
            1201 => "utf-16be",
            _ => "iso-8859-1",
        };

    /// <param name="hasMark">Null for what the encoding needs.</param>
    /// <exception cref="WorkspaceException">There is no such encoding, or it cannot be told without its mark, or has none.</exception>
    public static Encoding Find(string name, bool? hasMark)
    {
        var known = name.ToLowerInvariant() switch
        {
            "utf8" => "utf-8",
            "utf-16" or "utf16" or "utf16le" => "utf-16le",
            "utf16be" => "utf-16be",
            "utf-32" or "utf32" or "utf32le" => "utf-32le",
            "utf32be" => "utf-32be",
            "latin1" or "latin-1" => "iso-8859-1",
            var other => other,
        };
        if (known is "iso-8859-1")
        {
            return hasMark is true ? throw Refused("ISO-8859-1 has no byte order mark: leave bom out.") : Latin1;
        }

        if (known is "utf-8" && hasMark is not true)
        {
            return Utf8;
        }

        var marked =
            Marked.FirstOrDefault(encoding => NameOf(encoding) == known)
            ?? throw Refused("There is no such encoding here: use utf-8, utf-16le, utf-16be, utf-32le, utf-32be or iso-8859-1.");
        return hasMark is false
            ? throw Refused($"A file in {known} without its byte order mark is taken for binary: leave bom out, or use utf-8.")
            : marked;
    }

    private static WorkspaceException Refused(string message) => new(ToolErrors.InvalidArguments, message);
}
