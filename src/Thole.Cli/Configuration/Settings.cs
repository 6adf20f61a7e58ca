using Thole.Cli.Keys;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Providers;

namespace Thole.Cli.Configuration;

/// <summary>What is set, from all levels: default, the user's file, the project's file, environment, flags; a later one wins.</summary>
internal sealed class Settings
{
    private readonly Dictionary<string, SettingValue> _values = new(StringComparer.Ordinal);

    private readonly Func<Settings> _again;

    private Settings(Locations locations, string workspace, Func<Settings> again) =>
        (Locations, Workspace, _again) = (locations, workspace, again);

    public Locations Locations { get; }

    /// <summary>Absolute, links resolved: two ways to one directory are one workspace.</summary>
    public string Workspace { get; }

    /// <summary>What was passed over, and why; for standard error.</summary>
    public List<string> Warnings { get; } = [];

    public string Model => Text("model")!;
    public ApprovalMode ApprovalMode =>
        Enum.Parse<ApprovalMode>(Text("approvalMode")!.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
    public IReadOnlyList<string> AllowedTools => List("allowedTools");
    public int? MaxTurns => (int?)Number("maxTurns");

    /// <summary>Absolute: a flag is meant from where it was typed, a settings file from the workspace.</summary>
    public IReadOnlyList<string> IncludeDirectories =>
        [
            .. List("includeDirectories")
                .Select(folder =>
                    Path.GetFullPath(
                        folder,
                        LevelOf("includeDirectories") is SettingLevel.Flag ? Environment.CurrentDirectory : Workspace
                    )
                ),
        ];
    public string? SystemPrompt => Text("systemPrompt");
    public string? AppendSystemPrompt => Text("appendSystemPrompt");
    public double CompactAt => (double)_values["context.compactAt"].Value;
    public IReadOnlyList<string> PassEnvironment => List("shell.passEnvironment");

    /// <summary>The value itself, for who knows its type.</summary>
    public SettingValue? Find(string path) => _values.GetValueOrDefault(path);

    /// <summary>Where one of the settings came from, for those that matter twice.</summary>
    public SettingLevel LevelOf(string path) => _values.TryGetValue(path, out var value) ? value.Level : SettingLevel.Default;

    /// <summary>What is set, in the order of the definitions.</summary>
    public IEnumerable<SettingValue> All => SettingDefinitions.All.SelectMany(ValuesOf);

    /// <summary>None, one, or as many as there are names for a definition that has names.</summary>
    public IEnumerable<SettingValue> ValuesOf(SettingDefinition definition) =>
        definition.HasNames
            ? _values
                .Values.Where(value => value.Definition == definition)
                .OrderBy(static value => value.Path, StringComparer.Ordinal)
        : _values.TryGetValue(definition.Path, out var value) ? [value]
        : [];

    public string? Text(string path) => _values.GetValueOrDefault(path)?.Value as string;

    public long? Number(string path) => _values.GetValueOrDefault(path)?.Value as long?;

    public IReadOnlyDictionary<string, string>? Map(string path) =>
        _values.GetValueOrDefault(path)?.Value as IReadOnlyDictionary<string, string>;

    public IReadOnlyList<string> List(string path) => _values.GetValueOrDefault(path)?.Value as IReadOnlyList<string> ?? [];

    /// <summary>What holds by now: the files may have changed, environment and flags are the same.</summary>
    /// <exception cref="UsageException">A level holds what cannot be.</exception>
    public Settings LoadAgain() => _again();

    /// <param name="flags">By the definition's path, the texts of the flags that were given.</param>
    /// <exception cref="UsageException">A level holds what cannot be.</exception>
    public static Settings Load(
        Locations locations,
        string workspace,
        Func<string, string?> environment,
        IReadOnlyDictionary<string, IReadOnlyList<string>> flags
    )
    {
        var settings = new Settings(locations, workspace, () => Load(locations, workspace, environment, flags));
        foreach (var definition in SettingDefinitions.All)
        {
            if (definition.Default is { } value)
            {
                settings.Set(
                    new SettingValue(definition, value is int number ? (long)number : value, SettingLevel.Default, "built in")
                );
            }
        }

        foreach (var value in SettingsFile.Read(locations.UserSettings, SettingLevel.User, settings.Warnings))
        {
            settings.Set(value);
        }

        foreach (var value in SettingsFile.Read(Locations.ProjectSettings(workspace), SettingLevel.Project, settings.Warnings))
        {
            settings.SetFromProject(value);
        }

        foreach (var definition in SettingDefinitions.All)
        {
            var variable = definition.Variables?.FirstOrDefault(name => environment(name) is { Length: > 0 });
            if (variable is not null)
            {
                settings.Set(SettingValue.FromText(definition, environment(variable)!, SettingLevel.Environment, variable));
            }
        }

        settings.SetFromProviders(environment);
        foreach (var definition in SettingDefinitions.All)
        {
            if (flags.TryGetValue(definition.Path, out var texts))
            {
                settings.Set(FromFlag(definition, texts));
            }
        }

        return settings;
    }

    /// <summary>The vendors' usual variables for key, address and model.</summary>
    private void SetFromProviders(Func<string, string?> environment)
    {
        var (key, address) = (SettingDefinitions.Find("providers.*.apiKey"), SettingDefinitions.Find("providers.*.baseUrl"));
        var model = SettingDefinitions.Find("model");
        foreach (var provider in ProviderCatalog.Known)
        {
            SetFrom(key, provider.KeyVariables, provider.Name);
            SetFrom(address, provider.BaseUrlVariables, provider.Name);
            if (
                LevelOf("model") < SettingLevel.Environment
                && provider.ModelVariable is { } variable
                && environment(variable) is { Length: > 0 } wanted
            )
            {
                Set(new SettingValue(model, FullName(provider, wanted), SettingLevel.Environment, variable));
            }
        }

        if (LevelOf("model") is SettingLevel.Default && FirstWithKey() is ({ } served, var origin))
        {
            Set(new SettingValue(model, $"{served.Name}/{served.Models[0]}", SettingLevel.Default, origin));
        }

        void SetFrom(SettingDefinition definition, IReadOnlyList<string> variables, string provider)
        {
            if (variables.FirstOrDefault(name => environment(name) is { Length: > 0 }) is { } variable)
            {
                Set(
                    new SettingValue(definition, environment(variable)!, SettingLevel.Environment, variable)
                    {
                        Names = [provider],
                    }
                );
            }
        }
    }

    /// <summary>Who has one key only is not asked which model: it is one that the key is for.</summary>
    private (KnownProvider Provider, string Origin)? FirstWithKey()
    {
        if (Served().FirstOrDefault(provider => _values.ContainsKey($"providers.{provider.Name}.apiKey")) is { } named)
        {
            return (named, "built in");
        }

        try
        {
            // The names alone: a keyring is not asked before somebody is.
            var keys = new KeyFile(Locations.Config, TimeProvider.System);
            var kept = keys.Read();
            return Served().FirstOrDefault(provider => kept.ContainsKey(provider.Name)) is { } stored
                ? (stored, keys.Path)
                : null;
        }
        catch (WorkspaceException)
        {
            return null; // whoever needs a key of it is told
        }

        static IEnumerable<KnownProvider> Served() => ProviderCatalog.Known.Where(static provider => provider.Models is not []);
    }

    private static string FullName(KnownProvider provider, string model) =>
        provider == ProviderCatalog.Known[0]
        || ProviderCatalog.Known.Any(known => model.StartsWith($"{known.Name}/", StringComparison.Ordinal))
            ? model
            : $"{provider.Name}/{model}";

    private static SettingValue FromFlag(SettingDefinition definition, IReadOnlyList<string> texts) =>
        definition.Type is SettingType.TextList
            ? new SettingValue(
                definition,
                texts.SelectMany(SplitOutsideParentheses).ToArray(),
                SettingLevel.Flag,
                definition.Flag!
            )
            : SettingValue.FromText(definition, texts[^1], SettingLevel.Flag, definition.Flag!);

    // "edit,run_shell_command(a,b)" is two entries: a comma inside a command does not part them.
    private static IEnumerable<string> SplitOutsideParentheses(string text)
    {
        var (start, depth) = (0, 0);
        for (var index = 0; index <= text.Length; index++)
        {
            if (index == text.Length || (text[index] == ',' && depth == 0))
            {
                if (text[start..index].Trim() is { Length: > 0 } entry)
                {
                    yield return entry;
                }

                start = index + 1;
            }
            else
            {
                depth += text[index] switch
                {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
            }
        }
    }

    /// <summary>A repository is somebody else's: it may make things stricter, and what it may not set is said, not obeyed.</summary>
    private void SetFromProject(SettingValue value)
    {
        var loosens =
            (value.Definition.Path is "approvalMode" && Strictness((string)value.Value) < Strictness(Text("approvalMode")!))
            || (
                value.Definition.ProjectLowers
                && Find(value.Path) is { } mine
                && Comparer<object>.Default.Compare(value.Value, mine.Value) > 0
            );
        if (value.Definition.ProjectAdds)
        {
            Set(value with { Value = (IReadOnlyList<string>)[.. List(value.Path), .. (IReadOnlyList<string>)value.Value] });
            return;
        }

        if ((value.Definition.ProjectMaySet || value.Definition.ProjectLowers) && !loosens)
        {
            Set(value);
            return;
        }

        Warnings.Add(
            $"{value.Origin}: '{value.Path}' was passed over, since a repository may not "
                + (loosens ? "loosen it" : "set it")
                + $"; if you want it, set it in {Locations.UserSettings}."
        );
    }

    private static int Strictness(string mode) =>
        -SettingDefinitions.ApprovalModes.Index().First(known => known.Item == mode).Index;

    private void Set(SettingValue value) => _values[value.Path] = value;
}
