using System.Text.Json;

namespace Thole.Wire.Daemon;

/// <summary>Arguments as a model wrote them: JSON where they are, else the text.</summary>
internal static class RawJson
{
    public static void Write(Utf8JsonWriter writer, string name, string text)
    {
        writer.WritePropertyName(name);
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 64 });
            document.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(text);
        }
    }
}
