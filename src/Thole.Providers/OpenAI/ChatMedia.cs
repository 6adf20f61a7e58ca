using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.OpenAI;

/// <summary>Images, documents and sounds as parts of a message of chat completions.</summary>
internal static class ChatMedia
{
    public static MediaLimits Limits { get; } = new(Modalities.Image | Modalities.Pdf | Modalities.Audio);

    /// <summary>The members of a part.</summary>
    public static void Write(Utf8JsonWriter json, SentMedia media)
    {
        switch (media.Kind)
        {
            case Modalities.Pdf:
                json.WriteString("type", "file");
                json.WriteStartObject("file");
                json.WriteString("filename", media.Name ?? "document.pdf");
                json.WriteString("file_data", media.DataUrl);
                break;
            case Modalities.Audio:
                json.WriteString("type", "input_audio");
                json.WriteStartObject("input_audio");
                json.WriteBase64String("data", media.Bytes);
                json.WriteString("format", media.MediaType is "audio/mpeg" or "audio/mp3" ? "mp3" : "wav");
                break;
            default:
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                json.WriteString("url", media.DataUrl);
                break;
        }

        json.WriteEndObject();
    }
}
