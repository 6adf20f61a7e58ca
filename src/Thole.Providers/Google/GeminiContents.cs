using System.Text.Json;

namespace Thole.Providers.Google;

/// <summary>Contents of one role after the other: what the same side says in a row is one content.</summary>
internal sealed class GeminiContents(Utf8JsonWriter json)
{
    private string? _role;

    public Utf8JsonWriter Json => json;

    public void BeginPart(string role)
    {
        if (_role != role)
        {
            Close();
            json.WriteStartObject();
            json.WriteString("role", role);
            json.WriteStartArray("parts");
            _role = role;
        }

        json.WriteStartObject();
    }

    public void EndPart() => json.WriteEndObject();

    public void Close()
    {
        if (_role is not null)
        {
            json.WriteEndArray();
            json.WriteEndObject();
            _role = null;
        }
    }
}
