using System.Security.Cryptography;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// The text in a file's bytes, so that an edit changes what it names and nothing else: encoding, byte order mark, the ending of
/// every untouched line and the final newline stay as they were. The model sees <see cref="Text"/>, with LF only.
/// </summary>
public sealed class TextFile
{
    private const int SniffedBytes = 8192;

    private readonly Encoding _encoding;

    private TextFile(Encoding encoding, string raw, string hash)
    {
        _encoding = encoding;
        Raw = raw;
        Hash = hash;
        Text = raw.Replace("\r\n", "\n", StringComparison.Ordinal);
    }

    /// <summary>The characters with the line endings of the file, without its byte order mark.</summary>
    public string Raw { get; }

    /// <summary><see cref="Raw"/> with LF for every CRLF.</summary>
    public string Text { get; }

    /// <summary>SHA-256 of the bytes, lower-case hex.</summary>
    public string Hash { get; }

    /// <summary>Not in a Unicode encoding: every byte is shown as the Latin-1 character that it may not be.</summary>
    public bool IsLegacy => ReferenceEquals(_encoding, TextEncodings.Latin1);

    /// <summary>The name of the encoding, in lower case.</summary>
    public string EncodingName => TextEncodings.NameOf(_encoding);

    public bool HasMark => _encoding.Preamble.Length > 0;

    /// <summary>Counted as people do: a final newline ends the last line and begins no other.</summary>
    public int LineCount => LineSpans.Count(Text);

    /// <summary>What new lines get: the ending that most lines of the file have.</summary>
    public string NewLine
    {
        get
        {
            var crlf = Raw.Length - Text.Length;
            return crlf > 0 && crlf * 2 >= Text.AsSpan().Count('\n') ? "\r\n" : "\n";
        }
    }

    /// <returns>Null where the bytes are no text.</returns>
    public static TextFile? Decode(byte[] bytes)
    {
        foreach (var encoding in TextEncodings.Marked)
        {
            if (bytes.AsSpan().StartsWith(encoding.Preamble) && TryDecode(bytes, encoding, out var marked))
            {
                return new TextFile(encoding, marked, HashOf(bytes));
            }
        }

        if (IsBinary(bytes))
        {
            return null;
        }

        // Latin-1 gives every byte a character and takes it back: a legacy encoding that we cannot name survives an edit.
        return TryDecode(bytes, TextEncodings.Utf8, out var text) ? new TextFile(TextEncodings.Utf8, text, HashOf(bytes))
            : LooksLikeControlCodes(bytes) ? null
            : new TextFile(TextEncodings.Latin1, TextEncodings.Latin1.GetString(bytes), HashOf(bytes));
    }

    public static string HashOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The bytes of a new file.</summary>
    public static byte[] Encode(string text) => Encode(TextEncodings.Utf8, text);

    /// <summary>The bytes of this file with another text, given with the line endings it shall have.</summary>
    public byte[] EncodeRaw(string raw) => Encode(_encoding, raw);

    /// <summary>
    /// The raw text after replacing all of <see cref="Text"/>: lines that are in both keep their own endings, new ones get
    /// <see cref="NewLine"/>.
    /// </summary>
    public string Rewrite(string text) => Replace([new TextChange(0, Text.Length, text)]);

    /// <summary>The raw text after replacing spans of <see cref="Text"/>, given in order and apart from each other.</summary>
    public string Replace(IReadOnlyList<TextChange> changes)
    {
        var result = new StringBuilder(Raw.Length);
        var newLine = NewLine;
        var (text, raw) = (0, 0);
        foreach (var change in changes)
        {
            var start = RawOffset(change.Start, text, raw);
            var end = RawOffset(change.Start + change.Length, change.Start, start);
            result.Append(Raw, raw, start - raw);
            AppendMerged(result, Raw[start..end], LinesOf(change.Text), newLine);
            (text, raw) = (change.Start + change.Length, end);
        }

        return result.Append(Raw, raw, Raw.Length - raw).ToString();
    }

    // A model may write CRLF for LF. In a file with CR CR LF, a CR before the LF is part of the text and stays.
    private string LinesOf(string text) =>
        Text.Contains("\r\n", StringComparison.Ordinal) ? text : text.Replace("\r\n", "\n", StringComparison.Ordinal);

    private static void AppendMerged(StringBuilder result, string oldRaw, string text, string newLine)
    {
        var oldLines = LineSpans.Split(oldRaw);
        var newLines = LineSpans.Split(text);
        var oldText = oldLines.ConvertAll(static line => line.Replace("\r\n", "\n", StringComparison.Ordinal));
        var position = 0;
        foreach (var change in TextDiff.Compare(oldText, newLines))
        {
            oldLines.GetRange(position, change.OldStart - position).ForEach(line => result.Append(line));
            foreach (var line in newLines.GetRange(change.NewStart, change.NewCount))
            {
                result.Append(newLine is "\n" ? line : line.Replace("\n", newLine, StringComparison.Ordinal));
            }

            position = change.OldStart + change.OldCount;
        }

        oldLines.GetRange(position, oldLines.Count - position).ForEach(line => result.Append(line));
    }

    /// <summary>Where a character of <see cref="Text"/> lies in <see cref="Raw"/>, from a pair of places that is known.</summary>
    private int RawOffset(int target, int text, int raw)
    {
        if (Raw.Length == Text.Length)
        {
            return target;
        }

        for (; text < target; text++)
        {
            raw += Raw[raw] is '\r' && Text[text] is '\n' ? 2 : 1;
        }

        return raw;
    }

    internal static byte[] Encode(Encoding encoding, string text)
    {
        try
        {
            return [.. encoding.Preamble, .. encoding.GetBytes(text)];
        }
        catch (EncoderFallbackException unencodable)
        {
            throw new WorkspaceException(
                ToolErrors.WriteFailed,
                encoding.IsSingleByte
                    ? "This file is in a legacy single-byte encoding that has no such character as the new text holds: "
                        + "use only characters up to U+00FF, or convert the file to UTF-8 with a command first."
                    : "The new text holds half of a surrogate pair, which is no character: send the text again without it.",
                unencodable
            );
        }
    }

    private static bool TryDecode(byte[] bytes, Encoding encoding, out string text)
    {
        try
        {
            text = encoding.GetString(bytes, encoding.Preamble.Length, bytes.Length - encoding.Preamble.Length);
            return true;
        }
        catch (ArgumentException)
        {
            text = "";
            return false;
        }
    }

    private static bool IsBinary(byte[] bytes) => bytes.AsSpan().Contains((byte)0);

    // Compressed or machine code without a single NUL is rare; one control code in twenty among bytes that are no UTF-8 gives it away.
    private static bool LooksLikeControlCodes(byte[] bytes)
    {
        var head = bytes.AsSpan(0, Math.Min(bytes.Length, SniffedBytes));
        var controls = 0;
        foreach (var value in head)
        {
            controls += value < 0x20 && value is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or 0x0C or 0x1B or 0x08) ? 1 : 0;
        }

        return controls * 20 > head.Length;
    }
}

/// <summary>Puts <paramref name="Text"/> in the place of a span of characters.</summary>
public readonly record struct TextChange(int Start, int Length, string Text);
