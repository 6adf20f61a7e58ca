using System.Globalization;
using System.Text.Json;

namespace Thole.Cli.Configuration;

/// <summary>A value and where it came from; <paramref name="Origin"/> is a file, a variable or a flag.</summary>
internal sealed record SettingValue(SettingDefinition Definition, object Value, SettingLevel Level, string Origin)
{
    /// <summary>What stands in the file for each <c>*</c> of the definition's path.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public string Path => Definition.HasNames ? Definition.PathOf(Names) : Definition.Path;

    /// <summary>A value from a place where everything is text: a flag or a variable.</summary>
    public static SettingValue FromText(SettingDefinition definition, string text, SettingLevel level, string origin) =>
        new(
            definition,
            definition.Type switch
            {
                SettingType.Text => Check(definition, text, origin),
                SettingType.Number
                    when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                        && number >= definition.Least
                        && number <= definition.Most => number,
                SettingType.Amount
                    when decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
                        && amount is >= 0 and <= 1_000_000 => amount,
                SettingType.TextList => (IReadOnlyList<string>)
                    text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                _ => throw new UsageException($"{origin}: '{text}' will not do; it must be {Expected(definition)}."),
            },
            level,
            origin
        );

    public static string Check(SettingDefinition definition, string text, string origin, string? path = null) =>
        definition.Choices is { } choices && !choices.Contains(text, StringComparer.Ordinal)
            ? throw new UsageException(
                $"{origin}: '{text}' will not do for {path ?? definition.Path}; it must be {Expected(definition)}."
            )
            : text;

    public static string Expected(SettingDefinition definition) =>
        definition switch
        {
            { Type: SettingType.TextList, Choices: { } choices } => $"a list of {string.Join(", ", choices)}",
            { Choices: { } choices } => $"one of {string.Join(", ", choices)}",
            { Type: SettingType.Number } => $"a whole number from {definition.Least} to {definition.Most}",
            { Type: SettingType.Share } => "a number above 0, at most 1",
            { Type: SettingType.TextList } => "a list of texts",
            { Type: SettingType.TextMap } => "an object of texts",
            { Type: SettingType.Flag } => "true or false",
            { Type: SettingType.Amount } => "a number from 0 to 1000000",
            { Type: SettingType.Object } => "an object",
            { Type: SettingType.ObjectList } => "a list of objects",
            _ => "a text",
        };

    /// <summary>For people: lists joined, secrets masked but for their last four characters.</summary>
    public string Show() =>
        Value switch
        {
            IReadOnlyDictionary<string, string> map => string.Join(
                ", ",
                map.Select(item => $"{item.Key}={(Definition.IsSecret ? Mask(item.Value) : item.Value)}")
            ),
            IReadOnlyList<string> list => string.Join(", ", list),
            bool flag => flag ? "true" : "false",
            JsonElement json => json.GetRawText(),
            string text when Definition.IsSecret => Mask(text),
            string text => WithoutPassword(text),
            var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };

    // An address may carry a name and a password, or a key in its query: http://me:secret@host/v1?api-key=secret.
    private static string WithoutPassword(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address))
        {
            return text;
        }

        var shown = address.UserInfo is { Length: > 0 } user ? text.Replace($"{user}@", "****@", StringComparison.Ordinal) : text;
        var query = shown.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? shown : $"{shown[..query]}?****";
    }

    private static string Mask(string secret) => secret.Length < 12 ? "****" : $"****{secret[^4..]}";
}

/// <summary>Where a value may come from; a later one wins.</summary>
internal enum SettingLevel
{
    Default,
    User,
    Project,
    Environment,
    Flag,
}
