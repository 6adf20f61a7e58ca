namespace Thole.Cli.Configuration;

/// <summary>One thing that can be set. To add one: a line in <see cref="SettingDefinitions"/> and a property of <see cref="Settings"/>.</summary>
/// <param name="Path">Where it stands in a settings file, dots between the levels.</param>
/// <param name="Flag">The command line's word for it; null where there is none.</param>
/// <param name="Variables">Environment variables, the first that is set wins.</param>
/// <param name="ProjectMaySet">
/// Whether a repository's own settings file may set it. It may not where a hostile repository could send a key elsewhere, run
/// something, or give itself rights.
/// </param>
/// <param name="Least">Of a number.</param>
/// <param name="Most">Of a number; what counts milliseconds or items later must not overflow.</param>
internal sealed record SettingDefinition(
    string Path,
    SettingType Type,
    string Description,
    string? Flag = null,
    IReadOnlyList<string>? Variables = null,
    object? Default = null,
    bool ProjectMaySet = false,
    bool IsSecret = false,
    IReadOnlyList<string>? Choices = null,
    long Least = 1,
    long Most = int.MaxValue
);

internal enum SettingType
{
    Text,
    Number,
    Share,
    TextList,
    TextMap,
}
