using System.CommandLine;

namespace Thole.Cli.Configuration;

/// <summary>The settings as flags of the command line, and the way from a command line to the settings that hold.</summary>
internal sealed class SettingFlags
{
    private readonly Option<string?> _workspace = new("--workspace", "-C")
    {
        Description = "The directory to work in; the current one if left out.",
        Recursive = true,
    };
    private readonly List<(SettingDefinition Definition, Option<string[]> Option)> _options = [];

    public void AddTo(RootCommand root)
    {
        root.Options.Add(_workspace);
        foreach (var definition in SettingDefinitions.All)
        {
            if (definition.Flag is null)
            {
                continue;
            }

            var option = new Option<string[]>(definition.Flag)
            {
                Description = definition.Description,
                Recursive = true,
                Arity = ArgumentArity.OneOrMore,
            };
            if (definition.Choices is { } choices)
            {
                OneOf.Accept(option, choices);
            }

            _options.Add((definition, option));
            root.Options.Add(option);
        }
    }

    /// <summary>
    /// What follows <c>-p</c> is the prompt, also where it begins with a dash; the parser would take it for an option. Only what is
    /// exactly an option of ours stays one, so that a forgotten prompt is noticed.
    /// </summary>
    public static IEnumerable<string> KeepTexts(IReadOnlyList<string> args, RootCommand root)
    {
        var options = root.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet(StringComparer.Ordinal);
        for (var index = 0; index < args.Count; index++)
        {
            var word = args[index];
            if (word is "--")
            {
                foreach (var rest in args.Skip(index))
                {
                    yield return rest;
                }

                yield break;
            }

            var isText = word is "-p" or "--prompt" or "--system-prompt" or "--append-system-prompt";
            if (isText && index + 1 < args.Count && args[index + 1] is ['-', ..] text && !IsOption(text))
            {
                yield return $"{word}={text}";
                index++;
            }
            else
            {
                yield return word;
            }
        }

        bool IsOption(string text) =>
            options.Contains(text) || (!text.Any(char.IsWhiteSpace) && options.Contains(text.Split('=')[0]));
    }

    /// <exception cref="UsageException">The workspace is not there, or a level holds what cannot be.</exception>
    public Settings Load(ParseResult arguments)
    {
        var given = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (definition, option) in _options)
        {
            if (arguments.GetValue(option) is { Length: > 0 } texts)
            {
                given[definition.Path] = texts;
            }
        }

        var settings = Settings.Load(
            Locations.Find(Environment.GetEnvironmentVariable),
            FindWorkspace(arguments.GetValue(_workspace)),
            Environment.GetEnvironmentVariable,
            given
        );
        foreach (var warning in settings.Warnings)
        {
            Terminal.Error.WriteLine($"thole: {Protocol.TerminalText.EscapeLine(warning)}");
        }

        return settings;
    }

    private static string FindWorkspace(string? given)
    {
        if (given is { Length: 0 })
        {
            throw new UsageException("--workspace is empty; pass a directory, or leave it out to work in the current one.");
        }

        string asked;
        try
        {
            asked = Path.GetFullPath(given ?? Environment.CurrentDirectory);
        }
        catch (IOException gone)
        {
            throw new UsageException("The current directory is not there any more; go to another one.", gone);
        }

        if (!Directory.Exists(asked))
        {
            throw new UsageException(
                File.Exists(asked)
                    ? $"The workspace {asked} is a file; --workspace takes a directory."
                    : $"There is no directory {asked}; make it, or pass another with --workspace."
            );
        }

        return Core.Workspaces.Workspace.RealPath(asked);
    }
}
