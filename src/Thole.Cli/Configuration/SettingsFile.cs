using System.Text.Json;
using Thole.Core.Workspaces;

namespace Thole.Cli.Configuration;

/// <summary>
/// Reads a settings file: JSON with comments and trailing commas. What does not parse or is of the wrong type ends the start with
/// one sentence that says where; a word that is no setting is a warning, so that a file of a newer version still works.
/// </summary>
internal static class SettingsFile
{
    private const long MaxLength = 1 << 20;

    private static readonly JsonDocumentOptions s_options = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        MaxDepth = 16,
    };

    /// <returns>Nothing where there is no such file.</returns>
    /// <exception cref="UsageException">It cannot be read, does not parse, or has a value of the wrong type.</exception>
    public static IReadOnlyList<SettingValue> Read(string path, SettingLevel level, List<string> warnings)
    {
        byte[] bytes;
        try
        {
            // The user's own file may be a link to wherever they keep such files; a repository's may lead nowhere outside of it.
            var isLink = level is SettingLevel.User && new FileInfo(path).LinkTarget is not null;
            var file = isLink ? File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName : path;
            var folder = Path.GetDirectoryName(level is SettingLevel.User ? file : Path.GetDirectoryName(file))!;
            if (!Directory.Exists(folder))
            {
                return [];
            }

            var workspace = new Workspace(folder, [], TimeProvider.System);
            var found = workspace.Resolve(Path.GetRelativePath(folder, file));
            if (workspace.Stat(found) is null)
            {
                return [];
            }

            bytes = workspace.ReadAsync(found, MaxLength, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is WorkspaceException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The settings file {path} cannot be read: {exception.Message}", exception);
        }

        JsonDocument document;
        try
        {
            var content = bytes.AsMemory();
            document = JsonDocument.Parse(content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content, s_options);
        }
        catch (JsonException malformed)
        {
            var place = malformed.LineNumber is { } line ? $":{line + 1}:{malformed.BytePositionInLine + 1}" : "";
            throw new UsageException(
                $"{path}{place} is not valid JSON: {Reason(malformed)} Mend it, or move it away.",
                malformed
            );
        }

        using (document)
        {
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                throw new UsageException($"{path} must hold a JSON object, as in {{ \"model\": \"openai/gpt-5\" }}.");
            }

            List<SettingValue> values = [];
            Collect(document.RootElement, [], [], path, level, values, warnings);
            return values;
        }
    }

    private static void Collect(
        JsonElement element,
        IReadOnlyList<string> above,
        IReadOnlyList<string> names,
        string file,
        SettingLevel level,
        List<SettingValue> values,
        List<string> warnings
    )
    {
        foreach (var property in element.EnumerateObject())
        {
            // A word that has a meaning here is that word; another may be a name.
            var known = Below([.. above, property.Name]);
            var isName = known is [];
            string[] path = [.. above, isName ? "*" : property.Name];
            known = isName ? Below(path) : known;
            IReadOnlyList<string> named = isName ? [.. names, property.Name] : names;
            if (known.FirstOrDefault(definition => definition.Segments.Count == path.Length) is { } found)
            {
                var value = new SettingValue(found, "", level, file) { Names = named };
                values.Add(value with { Value = ReadValue(property.Value, found, file, value.Path) });
            }
            else if (property.Value.ValueKind is JsonValueKind.Object && known is not [])
            {
                Collect(property.Value, path, named, file, level, values, warnings);
            }
            else if ((above, property.Name) is not ([], "$schema"))
            {
                warnings.Add(
                    $"{file}: '{Shown(above, names, property.Name)}' is not a setting and was passed over; thole config show lists them."
                );
            }
        }
    }

    /// <summary>The definitions whose path begins so.</summary>
    private static List<SettingDefinition> Below(IReadOnlyList<string> path) =>
        [
            .. SettingDefinitions.All.Where(definition =>
                definition.Segments.Count >= path.Count
                && definition.Segments.Take(path.Count).SequenceEqual(path, StringComparer.Ordinal)
            ),
        ];

    private static string Shown(IReadOnlyList<string> above, IReadOnlyList<string> names, string last)
    {
        var name = 0;
        return string.Join('.', [.. above.Select(segment => segment is "*" ? names[name++] : segment), last]);
    }

    private static object ReadValue(JsonElement value, SettingDefinition definition, string file, string path) =>
        (definition.Type, value.ValueKind) switch
        {
            (SettingType.Text, JsonValueKind.String) => SettingValue.Check(definition, value.GetString()!, file, path),
            (SettingType.Number, JsonValueKind.Number)
                when value.TryGetInt64(out var number) && number >= definition.Least && number <= definition.Most => number,
            (SettingType.Share, JsonValueKind.Number) when value.GetDouble() is > 0 and <= 1 and var share => share,
            (SettingType.Amount, JsonValueKind.Number)
                when value.TryGetDecimal(out var amount) && amount is >= 0 and <= 1_000_000 => amount,
            (SettingType.Flag, JsonValueKind.True or JsonValueKind.False) => value.GetBoolean(),
            (SettingType.Object, JsonValueKind.Object) => value.Clone(),
            (SettingType.ObjectList, JsonValueKind.Array)
                when value.EnumerateArray().All(static item => item.ValueKind is JsonValueKind.Object) => value.Clone(),
            (SettingType.TextList, JsonValueKind.Array)
                when value
                    .EnumerateArray()
                    .All(item =>
                        item.ValueKind is JsonValueKind.String
                        && definition.Choices?.Contains(item.GetString()!, StringComparer.Ordinal) is not false
                    ) => (IReadOnlyList<string>)[.. value.EnumerateArray().Select(item => item.GetString()!)],
            (SettingType.TextMap, JsonValueKind.Object)
                when value.EnumerateObject().All(item => item.Value.ValueKind is JsonValueKind.String) => value
                .EnumerateObject()
                .ToDictionary(item => item.Name, item => item.Value.GetString()!, StringComparer.OrdinalIgnoreCase),
            _ => throw new UsageException($"{file}: '{path}' must be {SettingValue.Expected(definition)}."),
        };

    // System.Text.Json appends "LineNumber: 0 | BytePositionInLine: 3.", which counts from 0 and is said before.
    private static string Reason(JsonException malformed)
    {
        var end = malformed.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? malformed.Message : malformed.Message[..end];
    }
}
