using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Search;

/// <summary>Says of single paths beneath a root whether ignore rules leave them out.</summary>
internal sealed class IgnoreLookup : IDisposable
{
    private readonly FileTree _tree;
    private readonly IgnoreRules? _rules;
    private readonly byte[] _prefix;

    private IgnoreLookup(FileTree tree, IgnoreRules? rules, byte[] prefix) => (_tree, _rules, _prefix) = (tree, rules, prefix);

    public static IgnoreLookup Open(string root)
    {
        var loaded = IgnoreRules.Load(root, "", Environment.GetEnvironmentVariable);
        return new IgnoreLookup(FileTree.Open(root), loaded?.Rules, loaded?.Path ?? []);
    }

    /// <summary>Null where no rule leaves the path out.</summary>
    public MatchedIgnore? Judge(WorkspacePath path, bool isDirectory)
    {
        var (rules, ignored) = Enter(path.Relative.LastIndexOf('/') is >= 0 and var slash ? path.Relative[..slash] : "");
        return ignored || rules is null ? MatchedIgnore.Directory
            : path.Relative.Length == 0 || !IsIgnored(rules, path.Relative, isDirectory) ? null
            : isDirectory ? MatchedIgnore.Directory
            : MatchedIgnore.File;
    }

    /// <summary>Judges the names in a folder.</summary>
    public Func<DirectoryEntry, bool> Inside(WorkspacePath directory)
    {
        var (rules, ignored) = Enter(directory.Relative);
        return entry =>
            ignored
            || rules is null
            || IsIgnored(
                rules,
                directory.Relative.Length == 0 ? entry.Name : $"{directory.Relative}/{entry.Name}",
                entry.Kind is FileKind.Directory
            );
    }

    public void Dispose() => _tree.Dispose();

    // The rules inside of a folder; or that the folder, or one above it, is left out.
    private (IgnoreRules? Rules, bool IsIgnored) Enter(string directory)
    {
        var rules = _rules;
        for (var end = 0; end < directory.Length && rules is not null; )
        {
            end = directory.IndexOf('/', end + 1) is >= 0 and var slash ? slash : directory.Length;
            var folder = directory[..end];
            if (IsIgnored(rules, folder, isDirectory: true))
            {
                return (rules, true);
            }

            var bytes = Encoding.UTF8.GetBytes(folder);
            rules = rules.Enter(_tree, bytes, FileTree.Join(_prefix, bytes));
        }

        return (rules, false);
    }

    private bool IsIgnored(IgnoreRules rules, string path, bool isDirectory)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        return rules.IsGitFolder(bytes.AsSpan(bytes.AsSpan().LastIndexOf((byte)'/') + 1))
            || rules.IsIgnored(FileTree.Join(_prefix, bytes), isDirectory, agentOnly: false);
    }
}
