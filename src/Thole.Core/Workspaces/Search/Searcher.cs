using System.Runtime.CompilerServices;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// Finds files and lines in this process. It does not start ripgrep where there is one: on fifty thousand files it was not
/// faster than this, its ignore rules are not git's in every corner, and a program of the user's PATH is one more thing to trust.
/// </summary>
public sealed class Searcher(IWorkspace workspace) : ISearcher
{
    public async IAsyncEnumerable<FoundFile> FindAsync(
        FileQuery query,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var glob = query.Glob is null ? null : Glob.Parse(query.Glob, anywhere: false);
        Expect(query.Directory, isDirectory: true);
        if (
            IgnoreRules.Load(query.Directory.Root, query.Directory.Relative, Environment.GetEnvironmentVariable)
            is not var (rules, rulesPath)
        )
        {
            yield break;
        }

        using var tree = FileTree.Open(query.Directory.Root);
        var walk = (tree, rules, rulesPath, Encoding.UTF8.GetBytes(query.Directory.Relative), query.Tally ?? new SearchTally());
        using var walker = new FindWalker(walk, query.Directory, glob)
        {
            IncludeIgnored = query.IncludeIgnored,
            MaxDepth = query.MaxDepth,
        };
        await foreach (var found in walker.RunAsync(isFile: false, cancellationToken))
        {
            yield return found;
        }
    }

    public async IAsyncEnumerable<FileMatches> GrepAsync(
        GrepQuery query,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var pattern = LinePattern.Parse(query.Pattern, query.IgnoreCase);
        var glob = query.Glob is null ? null : Glob.Parse(query.Glob, anywhere: true);
        var isFile = Expect(query.Directory, isDirectory: false) is FileKind.File;
        if (
            IgnoreRules.Load(query.Directory.Root, query.Directory.Relative, Environment.GetEnvironmentVariable)
            is not var (rules, rulesPath)
        )
        {
            yield break;
        }

        using var tree = FileTree.Open(query.Directory.Root);
        var walk = (tree, rules, rulesPath, Encoding.UTF8.GetBytes(query.Directory.Relative), query.Tally ?? new SearchTally());
        var left = query.MaxLines;
        using var walker = new GrepWalker(walk, query.Directory, pattern, glob, query.MaxLines);
        await foreach (var file in walker.RunAsync(isFile, cancellationToken))
        {
            left -= file.Lines.Count;
            yield return file;
            if (left <= 0)
            {
                break;
            }
        }
    }

    /// <summary>The workspace says what the path is: it alone knows what leads out of it.</summary>
    private FileKind Expect(WorkspacePath path, bool isDirectory) =>
        workspace.Stat(path)?.Kind switch
        {
            FileKind.Directory => FileKind.Directory,
            FileKind.File when !isDirectory => FileKind.File,
            null => throw new WorkspaceException(
                ToolErrors.FileNotFound,
                $"There is no {path}: list its parent directory to see what there is."
            ),
            _ => throw new WorkspaceException(ToolErrors.Failed, $"{path} is not a directory: give the directory that holds it."),
        };
}
