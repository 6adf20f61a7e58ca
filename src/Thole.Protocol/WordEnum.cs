using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>Enums travel as words, never as numbers.</summary>
// The framework's own converter is made by reflection, so that ReadyToRun compiles nothing of it ahead: over a hundred methods a start.
public abstract class WordEnum<T>(JsonNamingPolicy naming) : JsonConverter<T>, IJsonText
    where T : struct, Enum
{
    private readonly T[] _values = Enum.GetValues<T>();
    private readonly string[] _words = Array.ConvertAll(Enum.GetNames<T>(), naming.ConvertName);

    public IReadOnlyList<string> Words => _words;

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        for (var index = 0; index < _words.Length && reader.TokenType is JsonTokenType.String; index++)
        {
            if (reader.ValueTextEquals(_words[index]))
            {
                return _values[index];
            }
        }

        throw new JsonException($"This must be one of {string.Join(", ", _words)}.");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        for (var index = 0; index < _words.Length; index++)
        {
            if (EqualityComparer<T>.Default.Equals(_values[index], value))
            {
                writer.WriteStringValue(_words[index]);
                return;
            }
        }

        throw new JsonException($"{value} is no {typeof(T).Name}.");
    }
}
