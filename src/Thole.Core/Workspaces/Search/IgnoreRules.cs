using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// What is left out beneath one directory: git's ignore rules to the letter, and before them the files that keep an agent out
/// of something (<c>.tholeignore</c> and its kin), which no <c>.gitignore</c> can take back.
/// </summary>
internal sealed class IgnoreRules
{
    private const long LongestIgnoreFile = 16 * 1024 * 1024;

    /// <summary>Of two agent files in one directory the later one wins.</summary>
    private static readonly byte[][] s_agentFiles =
    [
        [.. ".tholeignore"u8],
        [.. ".qwenignore"u8],
        [.. ".agentignore"u8],
        [.. ".aiignore"u8],
    ];

    private readonly bool _ignoreCase;

    /// <summary>The weakest first.</summary>
    private readonly Source[] _git;
    private readonly Source[] _agent;

    private IgnoreRules(bool ignoreCase, Source[] git, Source[] agent) => (_ignoreCase, _git, _agent) = (ignoreCase, git, agent);

    /// <summary>The rules that hold at <paramref name="directory"/>, which itself counts as not ignored by git: somebody asked for it by name.</summary>
    /// <param name="directory">Relative to <paramref name="root"/>.</param>
    /// <param name="environment">Looks up an environment variable: where the user's git configuration lies.</param>
    /// <returns>The rules and what <paramref name="directory"/> is called in them; null where an agent file keeps us out of it.</returns>
    public static (IgnoreRules Rules, byte[] Path)? Load(string root, string directory, Func<string, string?> environment)
    {
        var repository = GitFolder.Find(root);
        var top = repository?.Top ?? root;
        var settings = GitSettings.Read(repository?.Common, environment);
        Source[] git =
        [
            .. Outside(settings.ExcludesFile),
            .. Outside(repository is null ? null : Path.Join(repository.Common, "info", "exclude")),
        ];
        var rules = new IgnoreRules(settings.IgnoreCase, git, []);

        using var tree = FileTree.Open(top);
        var parts = Path.Join(Path.GetRelativePath(top, root), directory)
            .Replace(Path.DirectorySeparatorChar, '/')
            .Split('/')
            .Where(static part => part is not ("" or "."));
        var path = Encoding.UTF8.GetBytes(string.Join('/', parts));
        rules = rules.Enter(tree, [], []);
        for (var end = 1; end <= path.Length; end++)
        {
            if (end < path.Length && path[end] != '/')
            {
                continue;
            }

            if (Judge(rules._agent, path.AsSpan(0, end), isDirectory: true) is true)
            {
                return null;
            }

            rules = rules.Enter(tree, path.AsSpan(0, end), path.AsSpan(0, end));
        }

        return (rules, path);

        Source[] Outside(string? file) =>
            file is not null
            && OutsideFile.Read(file, LongestIgnoreFile) is { } content
            && IgnoreList.Parse(content, settings.IgnoreCase) is { } list
                ? [new Source(0, list)]
                : [];
    }

    /// <summary>For a single set of patterns at the top, without files.</summary>
    public static IgnoreRules FromText(string gitIgnore, bool ignoreCase) =>
        new(
            ignoreCase,
            IgnoreList.Parse(Encoding.UTF8.GetBytes(gitIgnore), ignoreCase) is { } list ? [new Source(0, list)] : [],
            []
        );

    /// <summary>The rules inside of a directory: these, and those of its own ignore files.</summary>
    /// <param name="directory">Relative to <paramref name="tree"/>.</param>
    /// <param name="path">The same directory relative to the top of the rules.</param>
    public IgnoreRules Enter(FileTree tree, ReadOnlySpan<byte> directory, ReadOnlySpan<byte> path)
    {
        var depth = path.Length == 0 ? 0 : path.Length + 1;
        var git = Append(_git, tree, directory, ".gitignore"u8, depth);
        var agent = _agent;
        foreach (var file in s_agentFiles)
        {
            agent = Append(agent, tree, directory, file, depth);
        }

        return git == _git && agent == _agent ? this : new IgnoreRules(_ignoreCase, git, agent);
    }

    /// <param name="path">Relative to the top of the rules; its parents are known not to be ignored.</param>
    /// <param name="agentOnly">Leave out what git ignores: only what an agent must not see counts.</param>
    public bool IsIgnored(ReadOnlySpan<byte> path, bool isDirectory, bool agentOnly) =>
        Judge(_agent, path, isDirectory) ?? (!agentOnly && (Judge(_git, path, isDirectory) ?? false));

    /// <summary>What only <c>.git</c> may be called; nothing is ever searched inside of it.</summary>
    public bool IsGitFolder(ReadOnlySpan<byte> name) =>
        name.Length == 4
        && name[0] == '.'
        && (_ignoreCase ? name.SequenceEqual(".git"u8) || Ascii.EqualsIgnoreCase(name, ".git"u8) : name.SequenceEqual(".git"u8));

    private static bool? Judge(Source[] sources, ReadOnlySpan<byte> path, bool isDirectory)
    {
        var name = path[(path.LastIndexOf((byte)'/') + 1)..];
        for (var at = sources.Length - 1; at >= 0; at--)
        {
            if (sources[at].List.Judge(path[sources[at].Depth..], name, isDirectory) is { } judgement)
            {
                return judgement;
            }
        }

        return null;
    }

    private Source[] Append(Source[] sources, FileTree tree, ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name, int depth) =>
        tree.ReadWhole(directory, name, LongestIgnoreFile) is { } content && IgnoreList.Parse(content, _ignoreCase) is { } list
            ? [.. sources, new Source(depth, list)]
            : sources;

    /// <param name="Depth">How many bytes of a path name the directory of the ignore file, with its slash.</param>
    private readonly record struct Source(int Depth, IgnoreList List);
}
