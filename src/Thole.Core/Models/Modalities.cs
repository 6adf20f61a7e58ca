namespace Thole.Core.Models;

/// <summary>What a model takes besides text.</summary>
[Flags]
public enum Modalities
{
    None = 0,
    Image = 1,
    Pdf = 2,
    Audio = 4,
    Video = 8,
}

/// <summary>What media are, by their names.</summary>
public static class MediaTypes
{
    /// <summary>None for what no model is known to take.</summary>
    public static Modalities ModalityOf(string mediaType) =>
        mediaType.StartsWith("image/", StringComparison.OrdinalIgnoreCase) ? Modalities.Image
        : mediaType.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) ? Modalities.Audio
        : mediaType.StartsWith("video/", StringComparison.OrdinalIgnoreCase) ? Modalities.Video
        : mediaType.Equals("application/pdf", StringComparison.OrdinalIgnoreCase) ? Modalities.Pdf
        : Modalities.None;

    /// <summary>For sentences: <c>an image</c>.</summary>
    public static string WordsFor(string mediaType) =>
        ModalityOf(mediaType) switch
        {
            Modalities.Image => "an image",
            Modalities.Audio => "a sound",
            Modalities.Video => "a film",
            Modalities.Pdf => "a PDF document",
            _ => "a file",
        };
}
