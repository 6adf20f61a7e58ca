using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>Enums travel as <c>snake_case</c> words, never as numbers.</summary>
public sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
