using System.Text;

namespace Thole.Server.Requests;

/// <summary>Decodes percent encoding exactly once: what is no UTF-8 afterwards, or a control character, is no text.</summary>
internal static class PercentText
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string? Decode(ReadOnlySpan<char> text, bool plusIsSpace = false)
    {
        if (text.IndexOfAnyExceptInRange('!', '~') >= 0)
        {
            return null; // a request line has neither spaces nor what is not ASCII
        }

        if (text.IndexOfAny('%', '+') < 0)
        {
            return text.ToString();
        }

        var bytes = new byte[text.Length];
        var length = 0;
        for (var index = 0; index < text.Length; index++)
        {
            switch (text[index])
            {
                case '%'
                    when index + 2 < text.Length
                        && Digit(text[index + 1]) is >= 0 and var high
                        && Digit(text[index + 2]) is >= 0 and var low:
                    bytes[length++] = (byte)((high << 4) | low);
                    index += 2;
                    break;
                case '%':
                    return null;
                case '+' when plusIsSpace:
                    bytes[length++] = (byte)' ';
                    break;
                default:
                    bytes[length++] = (byte)text[index];
                    break;
            }
        }

        try
        {
            var decoded = s_strict.GetString(bytes, 0, length);
            return decoded.Contains('\0') ? null : decoded;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static int Digit(char digit) => char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : -1;
}
