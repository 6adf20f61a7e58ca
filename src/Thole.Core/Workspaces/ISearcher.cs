namespace Thole.Core.Workspaces;

/// <summary>Finds files and lines beneath a workspace, fast, leaving out what git ignores.</summary>
public interface ISearcher
{
    /// <summary>Files and directories beneath <see cref="FileQuery.Directory"/>, unsorted.</summary>
    IAsyncEnumerable<FoundFile> FindAsync(FileQuery query, CancellationToken cancellationToken);

    /// <summary>Lines that match, grouped by file, files in no particular order.</summary>
    IAsyncEnumerable<FileMatches> GrepAsync(GrepQuery query, CancellationToken cancellationToken);
}

/// <param name="Glob">Relative to the directory; null for everything.</param>
/// <param name="IncludeIgnored">Also what git ignores; never what is inside <c>.git</c>.</param>
public sealed record FileQuery(WorkspacePath Directory, string? Glob, bool IncludeIgnored = false);

public sealed record FoundFile(WorkspacePath Path, FileState State);

/// <param name="Pattern">A regular expression; matched in time linear in the text.</param>
/// <param name="MaxLines">Stops after so many matching lines in all.</param>
public sealed record GrepQuery(WorkspacePath Directory, string Pattern, string? Glob, bool IgnoreCase, int MaxLines);

public sealed record FileMatches(WorkspacePath Path, IReadOnlyList<LineMatch> Lines);

/// <param name="Number">Counted from 1.</param>
/// <param name="Text">The line without its end, cut to 2,000 characters.</param>
public sealed record LineMatch(int Number, string Text);
