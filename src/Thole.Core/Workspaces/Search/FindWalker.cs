using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>Yields every entry of a tree that matches a pattern.</summary>
internal sealed class FindWalker(
    (FileTree Tree, IgnoreRules Rules, byte[] RulesPath, byte[] Start, SearchTally Tally) walk,
    WorkspacePath place,
    Glob? glob
) : FileWalker<FoundFile>(walk.Tree, walk.Rules, walk.RulesPath, walk.Start, walk.Tally)
{
    protected override bool VisitEntry(
        OpenDirectory directory,
        ReadOnlySpan<byte> path,
        ReadOnlySpan<byte> below,
        FileKind kind,
        List<FoundFile> results
    )
    {
        if (glob?.IsMatch(below) ?? true)
        {
            var name = path[(path.LastIndexOf((byte)'/') + 1)..];
            if (directory.Stat(name, kind) is { } state)
            {
                // A name that is not UTF-8 is shown with U+FFFD in it: it can be seen, and opened by no one who has only text.
                results.Add(new FoundFile(place with { Relative = Encoding.UTF8.GetString(path) }, state));
            }
        }

        return false;
    }

    /// <summary>Only where the search was asked for a single file, which is no directory to find anything in.</summary>
    protected override void VisitFile(byte[] path, List<FoundFile> results, CancellationToken cancellationToken) =>
        Tally.AddUnreadable();
}
