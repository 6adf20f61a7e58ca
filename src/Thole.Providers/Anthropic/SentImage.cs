using Thole.Protocol;

namespace Thole.Providers.Anthropic;

/// <summary>
/// An image as this wire takes it: of four sorts, named rightly, and not too large. One image that it does not take would have it
/// refuse the whole context, now and for good; so words stand in its place.
/// </summary>
/// <param name="Instead">The words; null where the image can be sent.</param>
internal readonly record struct SentImage(string MediaType, byte[] Bytes, string? Instead)
{
    // In base64, which is what the limit counts.
    private const int LongestSent = 5 * 1024 * 1024;

    public static SentImage From(ImageContent named, byte[]? bytes)
    {
        var type = Sniff(bytes) ?? named.MediaType;
        var trouble =
            bytes is null or [] ? "is no longer there"
            : type is not ("image/png" or "image/jpeg" or "image/gif" or "image/webp") ? "this model cannot be shown"
            : (bytes.Length + 2L) / 3 * 4 > LongestSent ? "is too large to be shown"
            : null;
        return new(type, bytes ?? [], trouble is null ? null : $"[an image ({named.MediaType}) that {trouble}]");
    }

    /// <summary>What the bytes themselves say; null where they say nothing.</summary>
    private static string? Sniff(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "image/png"
        : bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? "image/jpeg"
        : bytes.StartsWith("GIF8"u8) ? "image/gif"
        : bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..12].SequenceEqual("WEBP"u8) ? "image/webp"
        : null;
}
