namespace Thole.Core.Workspaces;

/// <summary>Finds files and lines beneath a workspace, fast, leaving out what git ignores and what agents must not see.</summary>
public interface ISearcher
{
    /// <summary>Files and directories beneath <see cref="FileQuery.Directory"/>, unsorted. Links are listed where they lead to a file beneath the root, and never followed into a directory.</summary>
    /// <exception cref="WorkspaceException">The directory cannot be opened, or the pattern cannot be understood.</exception>
    IAsyncEnumerable<FoundFile> FindAsync(FileQuery query, CancellationToken cancellationToken);

    /// <summary>Lines that match, grouped by file, files in no particular order.</summary>
    /// <exception cref="WorkspaceException">The directory cannot be opened, or a pattern cannot be understood.</exception>
    IAsyncEnumerable<FileMatches> GrepAsync(GrepQuery query, CancellationToken cancellationToken);
}

/// <param name="Glob">Relative to the directory, matched against the whole path; null for everything.</param>
/// <param name="IncludeIgnored">Also what git ignores; never what is inside <c>.git</c> or kept from agents by a <c>.tholeignore</c>.</param>
public sealed record FileQuery(WorkspacePath Directory, string? Glob, bool IncludeIgnored = false)
{
    /// <summary>1 for the entries of the directory itself.</summary>
    public int MaxDepth { get; init; } = int.MaxValue;

    /// <summary>Where given, counts what the answer leaves out.</summary>
    public SearchTally? Tally { get; init; }
}

/// <param name="State">Of a link the state of the file it leads to.</param>
public sealed record FoundFile(WorkspacePath Path, FileState State);

/// <param name="Directory">Or a single file.</param>
/// <param name="Pattern">A regular expression over single lines; matched in time linear in the text.</param>
/// <param name="Glob">Which files: a pattern without a slash matches names at any depth, a leading <c>!</c> means all others.</param>
/// <param name="MaxLines">Stops after so many matching lines in all.</param>
public sealed record GrepQuery(WorkspacePath Directory, string Pattern, string? Glob, bool IgnoreCase, int MaxLines)
{
    /// <summary>Where given, counts what was not searched.</summary>
    public SearchTally? Tally { get; init; }
}

/// <param name="Hash">The SHA-256 of the file, 64 lower-case hex digits; null where it was not read as one piece.</param>
public sealed record FileMatches(WorkspacePath Path, IReadOnlyList<LineMatch> Lines, string? Hash);

/// <param name="Number">Counted from 1.</param>
/// <param name="Text">The line without its end, cut to 2,000 characters.</param>
public sealed record LineMatch(int Number, string Text, bool WasCut = false);

/// <summary>What a search left out, so that its answer can say so. Filled while the search runs.</summary>
public sealed class SearchTally
{
    private int _ignored;
    private int _unreadable;
    private int _binary;

    /// <summary>Entries that ignore rules left out; a directory counts once.</summary>
    public int Ignored => Volatile.Read(ref _ignored);

    /// <summary>Directories and files that could not be read.</summary>
    public int Unreadable => Volatile.Read(ref _unreadable);

    public int Binary => Volatile.Read(ref _binary);

    internal void AddIgnored() => Interlocked.Increment(ref _ignored);

    internal void AddUnreadable() => Interlocked.Increment(ref _unreadable);

    internal void AddBinary() => Interlocked.Increment(ref _binary);
}
