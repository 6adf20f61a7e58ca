using System.Text;

namespace Thole.Server.Requests;

/// <summary>
/// Decodes a Content-Length, and lets nothing pass but digits. The server would take "+5" for five, where another program on the way
/// takes it for nothing; this is the only place where it shows us what was sent.
/// </summary>
internal sealed class DigitsOnly : Encoding
{
    public static DigitsOnly Instance { get; } = new();

    public override int GetByteCount(char[] chars, int index, int count) => count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        for (var index = 0; index < byteCount; index++)
        {
            var digit = (char)bytes[byteIndex + index];
            chars[charIndex + index] = char.IsAsciiDigit(digit) ? digit : '?';
        }

        return byteCount;
    }

    public override int GetMaxByteCount(int charCount) => charCount;

    public override int GetMaxCharCount(int byteCount) => byteCount;
}
