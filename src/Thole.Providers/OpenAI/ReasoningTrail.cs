using System.Buffers;
using System.Text;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.OpenAI;

/// <summary>
/// What an endpoint wants back of a model's reasoning: the name of the field it came in, and the blocks of
/// <c>reasoning_details</c> with their signatures, put together from their pieces.
/// </summary>
internal sealed class ReasoningTrail
{
    public const string FieldKey = "reasoning_field";

    /// <summary>The name of the field where the reasoning came as a tag within the text.</summary>
    public const string ThinkTagField = "<think>";
    public const string DetailsKey = "reasoning_details";

    private readonly List<Dictionary<string, object>> _blocks = [];

    /// <summary>The field in which text came first.</summary>
    public string? Field { get; set; }

    public void Add(JsonElement piece)
    {
        if (piece.ValueKind is not JsonValueKind.Object)
        {
            return;
        }

        if (_blocks is not [.., var block] || !Continues(block, piece, "index") || !Continues(block, piece, "type"))
        {
            _blocks.Add(block = new(StringComparer.Ordinal));
        }

        foreach (var property in piece.EnumerateObject())
        {
            if (property.Value.ValueKind is JsonValueKind.String && property.Name is "text" or "summary" or "data")
            {
                if (!block.TryGetValue(property.Name, out var text) || text is not StringBuilder)
                {
                    block[property.Name] = text = new StringBuilder();
                }

                ((StringBuilder)text).Append(property.Value.Text());
            }
            else if (!block.ContainsKey(property.Name) || property.Value is not { ValueKind: JsonValueKind.Null })
            {
                block[property.Name] = property.Value.Clone();
            }
        }
    }

    /// <summary>Null where there is nothing to echo.</summary>
    public JsonElement? ToProviderData()
    {
        if (Field is null && _blocks is [])
        {
            return null;
        }

        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            if (Field is not null)
            {
                json.WriteString(FieldKey, Field);
            }

            if (_blocks is not [])
            {
                WriteBlocks(json);
            }

            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(output.WrittenMemory);
        return document.RootElement.Clone();
    }

    private void WriteBlocks(Utf8JsonWriter json)
    {
        json.WriteStartArray(DetailsKey);
        foreach (var block in _blocks)
        {
            json.WriteStartObject();
            foreach (var (name, value) in block)
            {
                json.WritePropertyName(name);
                if (value is StringBuilder text)
                {
                    json.WriteStringValue(text.ToString());
                }
                else
                {
                    ((JsonElement)value).WriteTo(json);
                }
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static bool Continues(Dictionary<string, object> block, JsonElement piece, string name) =>
        piece.Get(name) is not { } now
        || (block.TryGetValue(name, out var before) && before is JsonElement was && JsonElement.DeepEquals(was, now));
}
