using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Endpoints;

/// <summary>What a wire can carry, whatever the model behind it takes.</summary>
/// <param name="Kinds">What there is a word for.</param>
/// <param name="LongestImage">Bytes, in Base64, which is what providers count.</param>
/// <param name="LongestFile">Bytes, in Base64, of a document or a sound.</param>
internal sealed record MediaLimits(Modalities Kinds, long LongestImage = 20 << 20, long LongestFile = 30 << 20);

/// <summary>
/// An image, a document or a sound as a wire takes it: of a sort that it knows, named rightly, and not too large. One that it does
/// not take would have it refuse the whole context, now and for good; so words stand in its place.
/// </summary>
/// <param name="Instead">The words; null where it can be sent.</param>
internal readonly record struct SentMedia(Modalities Kind, string MediaType, string? Name, byte[] Bytes, string? Instead)
{
    /// <returns>Null for what is text anyway.</returns>
    public static async ValueTask<SentMedia?> ReadAsync(
        Content piece,
        ModelRequest request,
        MediaLimits limits,
        CancellationToken cancellationToken
    )
    {
        if (piece is not MediaContent media)
        {
            return null;
        }

        var kind = MediaTypes.ModalityOf(media.MediaType);
        var bytes = limits.Kinds.HasFlag(kind) ? await request.ReadBlob(media.Blob, cancellationToken) : [];
        var type = kind is Modalities.Image ? SniffImage(bytes) ?? media.MediaType : media.MediaType;
        var longest = kind is Modalities.Image ? limits.LongestImage : limits.LongestFile;
        var trouble =
            kind is Modalities.None || !limits.Kinds.HasFlag(kind) ? "this model cannot be shown"
            : bytes is null or [] ? "is no longer there"
            : kind is Modalities.Image && !s_images.Contains(type, StringComparer.Ordinal) ? "this model cannot be shown"
            : (bytes.Length + 2L) / 3 * 4 > longest ? "is too large to be shown"
            : null;
        return new SentMedia(
            kind,
            type,
            (media as FileContent)?.Name,
            bytes ?? [],
            trouble is null ? null : $"[{MediaTypes.WordsFor(media.MediaType)} ({media.MediaType}) that {trouble}]"
        );
    }

    public string DataUrl => $"data:{MediaType};base64,{Convert.ToBase64String(Bytes)}";

    private static readonly string[] s_images = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    /// <summary>What the bytes themselves say; null where they say nothing.</summary>
    private static string? SniffImage(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "image/png"
        : bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? "image/jpeg"
        : bytes.StartsWith("GIF8"u8) ? "image/gif"
        : bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..12].SequenceEqual("WEBP"u8) ? "image/webp"
        : null;
}
