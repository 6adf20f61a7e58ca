using System.Collections.Frozen;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Context.Sources;

/// <summary>
/// What people wrote down for agents: <c>AGENTS.md</c>, <c>QWEN.md</c>, <c>CLAUDE.md</c> of the user, from the top of the
/// repository down to the workspace, and of every folder to which work went. Each once, outer before inner.
/// </summary>
/// <param name="userFolder">The user's configuration folder; null where there is none.</param>
/// <param name="homeFolder">The search for the repository's top never goes above it.</param>
public sealed class InstructionFiles(string? userFolder, string? homeFolder, OutsideReader readOutside) : IContextSource
{
    private static readonly string[] s_names = ["AGENTS.md", "QWEN.md", "CLAUDE.md"];

    public async ValueTask<IReadOnlyList<ContextAdded>> CollectAsync(ContextScope scope, CancellationToken cancellationToken)
    {
        List<InstructionFile> present = [];
        var isNewPresent = false;
        foreach (var folder in Folders(scope))
        {
            foreach (var name in s_names)
            {
                var place = folder.Beneath(name);
                isNewPresent |= !scope.Known.Contains(place.Source) && await place.ReadAsync(cancellationToken) is not null;
                present.Add(place);
            }
        }

        return isNewPresent ? await ReadAsync(present, scope.Workspace.Root, scope.Known, cancellationToken) : [];
    }

    /// <summary>What there is for a session that has not worked anywhere yet.</summary>
    public async ValueTask<IReadOnlyList<MemoryFile>> ListAsync(IWorkspace workspace, CancellationToken cancellationToken)
    {
        List<MemoryFile> files = [];
        foreach (var folder in Folders(new ContextScope(workspace, FrozenSet<string>.Empty, [])))
        {
            foreach (var name in s_names)
            {
                var file = folder.Beneath(name);
                if (await file.LengthAsync(cancellationToken) is { } length)
                {
                    var isUsers = file.Source.StartsWith(InstructionFile.UserPrefix, StringComparison.Ordinal);
                    files.Add(
                        new MemoryFile("memory_file", file.Source, isUsers ? MemoryScope.Global : MemoryScope.Workspace, length)
                    );
                }
            }
        }

        return files;
    }

    private static async Task<IReadOnlyList<ContextAdded>> ReadAsync(
        List<InstructionFile> present,
        string root,
        IReadOnlySet<string> known,
        CancellationToken cancellationToken
    )
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        List<(InstructionFile File, string Text)> added = [];

        // What was shown before comes first here, so that a copy of it under another name stays unsaid.
        foreach (var file in present.OrderByDescending(file => known.Contains(file.Source)))
        {
            if (await file.ReadAsync(cancellationToken) is { } text && seen.Add(text) && !known.Contains(file.Source))
            {
                added.Add((file, text));
            }
        }

        var imports = new InstructionImports();
        List<ContextAdded> told = [];
        foreach (var (file, text) in added)
        {
            var expanded = await imports.ExpandAsync(file, text, cancellationToken);
            IEnumerable<InstructionFile> files = [file, .. imports.Imported];
            told.Add(
                new ContextAdded(
                    file.Source,
                    expanded,
                    [.. files.SelectMany(one => one.Touches(root)).Distinct(StringComparer.Ordinal)]
                )
            );
        }

        return told;
    }

    private IEnumerable<InstructionFile> Folders(ContextScope scope)
    {
        var workspace = scope.Workspace;
        if (userFolder is not null)
        {
            yield return InstructionFile.OfUser(userFolder, readOutside);
        }

        foreach (var parent in Parents(workspace.Root))
        {
            yield return parent;
        }

        foreach (var root in workspace.Roots)
        {
            yield return InstructionFile.OfWorkspace(workspace, root, "");
        }

        foreach (var (root, folder) in FoldersOfWork(scope))
        {
            yield return InstructionFile.OfWorkspace(workspace, root, folder);
        }
    }

    private Stack<InstructionFile> Parents(string root)
    {
        var parents = new Stack<InstructionFile>();
        if (
            Path.GetDirectoryName(root) is not { } above
            || string.Equals(root, homeFolder, StringComparison.Ordinal)
            || RepositoryTop.Find(root, homeFolder, readOutside) is not { } top
        )
        {
            return parents;
        }

        for (
            var folder = above;
            folder is not null && folder.Length >= top.Directory.Length;
            folder = Path.GetDirectoryName(folder)
        )
        {
            parents.Push(InstructionFile.OfRepository(top.Directory, folder, root, readOutside));
        }

        return parents;
    }

    private static SortedSet<(string Root, string Folder)> FoldersOfWork(ContextScope scope)
    {
        var folders = new SortedSet<(string Root, string Folder)>();
        foreach (var file in scope.FilesSeen)
        {
            foreach (var root in scope.Workspace.Roots)
            {
                if (
                    file.Length <= root.Length
                    || !file.StartsWith(root, StringComparison.Ordinal)
                    || file[root.Length] is not ('/' or '\\')
                )
                {
                    continue;
                }

                var relative = file[(root.Length + 1)..].Replace('\\', '/');
                for (var slash = relative.LastIndexOf('/'); slash > 0; slash = relative.LastIndexOf('/', slash - 1))
                {
                    if (!folders.Add((root, relative[..slash])))
                    {
                        break;
                    }
                }
            }
        }

        // Sorted by text, "a" comes before "a/b": outer before inner.
        return folders;
    }
}
