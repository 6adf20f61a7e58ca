using System.Text.Json;

namespace Thole.Protocol;

/// <summary>Enums travel as <c>snake_case</c> words, never as numbers.</summary>
public sealed class SnakeCaseEnum<T>() : WordEnum<T>(JsonNamingPolicy.SnakeCaseLower)
    where T : struct, Enum;
