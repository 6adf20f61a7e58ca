using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>Enums that people type as flags travel as they are typed: <c>auto-edit</c>.</summary>
public sealed class KebabCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
