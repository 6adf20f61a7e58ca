namespace Thole.Cli.Configuration;

/// <summary>One thing that can be set. To add one: a line in <see cref="SettingDefinitions"/> and a property of <see cref="Settings"/>.</summary>
/// <param name="Path">Where it stands in a settings file, dots between the levels; <c>*</c> is any name, as of a provider.</param>
/// <param name="Flag">The command line's word for it; null where there is none.</param>
/// <param name="Variables">Environment variables, the first that is set wins.</param>
/// <param name="ProjectMaySet">
/// Whether a repository's own settings file may set it. It may not where a hostile repository could send a key elsewhere, run
/// something, or give itself rights.
/// </param>
/// <param name="ProjectAdds">Whether what a repository's own settings file says is added to what the user says, and takes nothing away.</param>
/// <param name="ProjectLowers">Whether a repository's own settings file may make the number smaller, or set it where nobody has.</param>
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
    bool ProjectAdds = false,
    bool ProjectLowers = false,
    long Least = 1,
    long Most = int.MaxValue
)
{
    public IReadOnlyList<string> Segments { get; } = Path.Split('.');

    public bool HasNames => Segments.Contains("*", StringComparer.Ordinal);

    /// <summary>The path with its names; a name that could be misread is quoted.</summary>
    public string PathOf(IReadOnlyList<string> names)
    {
        var name = 0;
        return string.Join('.', Segments.Select(segment => segment is "*" ? Quoted(names[name++]) : segment));
    }

    private static string Quoted(string name) =>
        name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_') ? name : $"\"{name}\"";
}

internal enum SettingType
{
    Text,
    Number,
    Share,
    Flag,

    /// <summary>An amount of money, or a price.</summary>
    Amount,
    TextList,
    TextMap,

    /// <summary>A JSON object, passed on as it is.</summary>
    Object,

    /// <summary>A JSON array of objects, read by who knows them.</summary>
    ObjectList,
}
