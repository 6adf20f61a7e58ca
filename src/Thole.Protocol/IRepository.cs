using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>
/// What git says about a workspace. Nothing is changed, nothing is fetched, and no program that the repository names runs. Paths
/// are relative to the workspace. A workspace without a repository is an answer; <see cref="RefusedException"/> is thrown where
/// there is one that cannot be read (<see cref="RepositoryRefusals"/>, <see cref="FileRefusals"/>).
/// </summary>
public interface IRepository
{
    ValueTask<RepositoryStatus> StatusAsync(CancellationToken cancellationToken);

    /// <summary>The files that differ from the last commit, and those that git does not know yet.</summary>
    ValueTask<RepositoryDiff> DiffAsync(CancellationToken cancellationToken);

    /// <summary>The lines of one file that differ from the last commit.</summary>
    /// <param name="oldPath">What it was called in the last commit, where it was renamed since.</param>
    ValueTask<FileHunks> DiffFileAsync(string path, string? oldPath, CancellationToken cancellationToken);

    /// <summary>Commits, newest first.</summary>
    /// <param name="range">What <c>git log</c> takes: a branch, a tag, a commit, <c>a..b</c>; null for what is checked out.</param>
    ValueTask<CommitLog> LogAsync(int limit, int skip, string? range, CancellationToken cancellationToken);

    /// <summary>Branches and tags, newest first.</summary>
    ValueTask<BranchList> BranchesAsync(CancellationToken cancellationToken);
}

/// <summary>Why a repository cannot be read, where it is none of <see cref="FileRefusals"/>.</summary>
public static class RepositoryRefusals
{
    public const string NoGit = "missing_binary";

    /// <summary>It belongs to somebody else, or says that its files lie outside of the workspace.</summary>
    public const string Untrusted = "untrusted_repository";
}

/// <summary>How much of a repository is told at once.</summary>
public static class RepositoryLimits
{
    public const int MaxFiles = 1000;
    public const int MaxHunkLines = 5000;
    public const int DefaultCommits = 50;
    public const int MaxCommits = 200;
    public const int MaxSkip = 1_000_000;
    public const int MaxBranches = 200;
}

/// <summary>Where the work stands. Only <paramref name="Branch"/>, and that null, where there is no repository.</summary>
/// <param name="Branch">Or the beginning of the commit where none is checked out.</param>
/// <param name="ComputedAt">Milliseconds since 1970.</param>
public sealed record RepositoryStatus(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Branch,
    bool? Detached = null,
    int? Staged = null,
    int? Unstaged = null,
    int? Untracked = null,
    int? Conflicted = null,
    bool? HasUpstream = null,
    int? Ahead = null,
    int? Behind = null,
    int? StashCount = null,
    RepositoryOperation? Operation = null,
    long? ComputedAt = null
);

/// <summary>What git was asked to do and has not finished.</summary>
[JsonConverter(typeof(KebabCaseEnum<RepositoryOperation>))]
public enum RepositoryOperation
{
    Merge,
    Rebase,
    CherryPick,
    Revert,
    Bisect,
}

/// <summary>All that differs from the last commit. <paramref name="HiddenCount"/> files are counted and not told.</summary>
public sealed record RepositoryDiff(
    bool Available,
    int FilesCount,
    long LinesAdded,
    long LinesRemoved,
    IReadOnlyList<ChangedFile> Files,
    int HiddenCount
);

/// <summary>One file that differs.</summary>
/// <param name="Added">Lines; null where nobody counted, as in a folder that is a repository of its own.</param>
/// <param name="Truncated">The file is long, and more lines were added than were counted.</param>
public sealed record ChangedFile(
    string Path,
    string? OldPath,
    long? Added,
    long? Removed,
    bool IsBinary,
    bool IsUntracked,
    bool IsDeleted,
    bool Truncated
);

/// <summary>How one file differs; not <paramref name="Available"/> where it does not, or holds no text.</summary>
public sealed record FileHunks(string Path, bool Available, IReadOnlyList<FileHunk> Hunks, bool? Truncated = null);

/// <summary>Lines that differ with those around them; each begins with a space, <c>+</c>, <c>-</c>, or <c>\</c> where a newline is missing.</summary>
public sealed record FileHunk(int OldStart, int OldLines, int NewStart, int NewLines, IReadOnlyList<string> Lines);

/// <summary>A stretch of history; <paramref name="HasMore"/> where it goes on.</summary>
public sealed record CommitLog(bool Available, IReadOnlyList<CommitEntry> Entries, bool HasMore);

/// <summary>One commit. <paramref name="AuthorDate"/> in seconds since 1970; <paramref name="Refs"/> as git decorates it.</summary>
public sealed record CommitEntry(
    string Sha,
    string ShortSha,
    string AuthorName,
    string AuthorEmail,
    long AuthorDate,
    string Subject,
    string? Refs,
    IReadOnlyList<string> Parents
);

/// <summary>Branches and tags. <paramref name="Recent"/> were worked on lately, the latest first.</summary>
public sealed record BranchList(
    bool Available,
    IReadOnlyList<BranchEntry> Local,
    IReadOnlyList<BranchEntry> Remote,
    IReadOnlyList<TagEntry> Tags,
    IReadOnlyList<string> Recent,
    string Head,
    bool Detached
);

/// <summary>A branch, and how it stands to the one it follows. Dates in seconds since 1970.</summary>
public sealed record BranchEntry(
    string Name,
    bool IsHead,
    string? Upstream,
    bool? UpstreamGone,
    int Ahead,
    int Behind,
    long CommitDate,
    string CommitSubject
);

public sealed record TagEntry(string Name, long Date, string Subject);
