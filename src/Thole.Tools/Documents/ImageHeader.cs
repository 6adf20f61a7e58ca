using System.Buffers.Binary;

namespace Thole.Tools.Documents;

/// <summary>What the first bytes of an image say: enough to know that a provider will take it, without decoding it.</summary>
internal sealed record ImageHeader(string MediaType, int Width, int Height)
{
    /// <summary>Providers refuse longer sides.</summary>
    public const int MaxSide = 8000;

    public const int MaxBytes = 10 * 1024 * 1024;

    public bool IsSane => Width is > 0 and <= MaxSide && Height is > 0 and <= MaxSide;

    /// <returns>Null where the bytes do not begin like an image of a kind that models take; a width of 0 where the rest is broken.</returns>
    public static ImageHeader? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Png))
        {
            return bytes.Length >= 33 && bytes[12..16].SequenceEqual("IHDR"u8)
                ? new(
                    "image/png",
                    BinaryPrimitives.ReadInt32BigEndian(bytes[16..]),
                    BinaryPrimitives.ReadInt32BigEndian(bytes[20..])
                )
                : new("image/png", 0, 0);
        }

        if (bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8))
        {
            return bytes.Length >= 13
                ? new(
                    "image/gif",
                    BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
                    BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..])
                )
                : new("image/gif", 0, 0);
        }

        if (bytes.Length >= 12 && bytes.StartsWith("RIFF"u8) && bytes[8..12].SequenceEqual("WEBP"u8))
        {
            return Webp(bytes);
        }

        return bytes.StartsWith(JpegStart) ? Jpeg(bytes) : null;
    }

    private static ReadOnlySpan<byte> Png => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private static ReadOnlySpan<byte> JpegStart => [0xFF, 0xD8, 0xFF];

    private static ImageHeader Webp(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 30)
        {
            return new("image/webp", 0, 0);
        }

        var kind = bytes[12..16];
        if (kind.SequenceEqual("VP8X"u8))
        {
            return new("image/webp", 1 + UInt24(bytes[24..]), 1 + UInt24(bytes[27..]));
        }

        if (kind.SequenceEqual("VP8L"u8) && bytes[20] is 0x2F)
        {
            var packed = BinaryPrimitives.ReadUInt32LittleEndian(bytes[21..]);
            return new("image/webp", 1 + (int)(packed & 0x3FFF), 1 + (int)((packed >> 14) & 0x3FFF));
        }

        return kind.SequenceEqual("VP8 "u8)
            ? new(
                "image/webp",
                BinaryPrimitives.ReadUInt16LittleEndian(bytes[26..]) & 0x3FFF,
                BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]) & 0x3FFF
            )
            : new("image/webp", 0, 0);
    }

    private static int UInt24(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);

    // Segments up to the frame header (SOFn), which holds the size.
    private static ImageHeader Jpeg(ReadOnlySpan<byte> bytes)
    {
        for (var at = 2; at + 9 < bytes.Length && bytes[at] is 0xFF; )
        {
            var marker = bytes[at + 1];
            if (marker is 0xFF)
            {
                at++;
                continue;
            }

            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return new(
                    "image/jpeg",
                    BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 7)..]),
                    BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 5)..])
                );
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
        }

        return new("image/jpeg", 0, 0);
    }
}
