using System.Text.Json;

namespace Thole.Cli.Headless;

/// <summary>The words of the log for our enums, in messages that are written by hand.</summary>
internal static class Words
{
    /// <summary><c>not_started</c></summary>
    public static string Snake<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary><c>auto-edit</c></summary>
    public static string Kebab<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
