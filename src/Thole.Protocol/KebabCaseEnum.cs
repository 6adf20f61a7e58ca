using System.Text.Json;

namespace Thole.Protocol;

/// <summary>Enums that people type as flags travel as they are typed: <c>auto-edit</c>.</summary>
public sealed class KebabCaseEnum<T>() : WordEnum<T>(JsonNamingPolicy.KebabCaseLower)
    where T : struct, Enum;
