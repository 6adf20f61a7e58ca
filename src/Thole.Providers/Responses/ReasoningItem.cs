using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>Reasoning as it is sent back: the fields of the documented shape alone, since the others are refused as input.</summary>
internal static class ReasoningItem
{
    public static bool IsEncrypted(JsonElement item) => item.GetText("encrypted_content") is not null;

    public static bool IsPlain(JsonElement item) =>
        item.Get("content") is { ValueKind: JsonValueKind.Array } parts && parts.GetArrayLength() > 0;

    public static void Write(Utf8JsonWriter json, JsonElement item, bool withId)
    {
        json.WriteStartObject();
        json.WriteString("type", OutputItem.Reasoning);
        if (withId && item.GetText("id") is { } id)
        {
            json.WriteString("id", id);
        }

        WriteParts(json, "summary", item, "summary_text");
        if (IsPlain(item))
        {
            WriteParts(json, "content", item, "reasoning_text");
        }

        if (item.GetText("encrypted_content") is { } encrypted)
        {
            json.WriteString("encrypted_content", encrypted);
        }

        json.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter json, string name, JsonElement item, string type)
    {
        json.WriteStartArray(name);
        if (item.Get(name) is { ValueKind: JsonValueKind.Array } parts)
        {
            foreach (var part in parts.EnumerateArray())
            {
                json.WriteStartObject();
                json.WriteString("type", part.GetText("type") ?? type);
                json.WriteString("text", part.GetText("text") ?? "");
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }
}
