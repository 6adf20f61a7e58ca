using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>Which part of a text: from a line on, or from where the last window ended.</summary>
public sealed record TextWindow
{
    /// <summary>Of the content as UTF-8, at most <see cref="FileLimits.MaxReadBytes"/>; a character is never cut.</summary>
    public int MaxBytes { get; init; } = FileLimits.MaxReadBytes;

    /// <summary>Counted from 1.</summary>
    public long Line { get; init; } = 1;

    /// <summary>At most so many lines, of which the last comes without its newline; null for all that fits.</summary>
    public int? Limit { get; init; }

    /// <summary>The <see cref="FileText.NextCursor"/> of the window before; takes the place of <see cref="Line"/>.</summary>
    public string? Cursor { get; init; }
}

/// <summary>Part of a text file, with the line endings of the file and without its byte order mark.</summary>
/// <param name="Hash">Of all bytes of the file: <c>sha256:</c> and 64 hex digits.</param>
/// <param name="Truncated">More follows behind this window.</param>
/// <param name="OriginalLineCount">Of the whole file; what follows its last newline counts as a line, also where it is empty.</param>
public sealed record FileText(
    string Path,
    string Content,
    string Encoding,
    bool Bom,
    LineEnding LineEnding,
    long SizeBytes,
    int ReturnedBytes,
    bool Truncated,
    string Hash,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] MatchedIgnore? MatchedIgnore,
    int OriginalLineCount,
    string? NextCursor,
    bool HasMore
);

/// <summary>Part of a file as it is. <paramref name="Hash"/> only where this is all of it.</summary>
public sealed record FileBytes(
    string Path,
    long Offset,
    long SizeBytes,
    int ReturnedBytes,
    bool Truncated,
    ReadOnlyMemory<byte> ContentBase64,
    string? Hash
);

/// <summary>What lies at a path; of a link what it leads to.</summary>
public sealed record FileStat(string Path, EntryKind Type, long SizeBytes, long ModifiedMs);

/// <summary>What a folder holds; <paramref name="Truncated"/> where it holds more than is told.</summary>
public sealed record FolderListing(
    string Path,
    IReadOnlyList<FolderEntry> Entries,
    bool Truncated,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] MatchedIgnore? MatchedIgnore
);

/// <summary>One name in a folder. <paramref name="Ignored"/>: git, or a file that keeps agents out, leaves it out.</summary>
public sealed record FolderEntry(string Name, EntryKind Kind, bool Ignored);

/// <summary>A search for paths. <paramref name="Cwd"/> is the folder that the pattern begins at.</summary>
public sealed record GlobQuery(string Pattern)
{
    public string Cwd { get; init; } = ".";

    /// <summary>Also what git ignores; never what keeps agents out.</summary>
    public bool IncludeIgnored { get; init; }

    public int MaxResults { get; init; } = FileLimits.DefaultMatches;
}

/// <summary>What matched, relative to the workspace; <paramref name="Truncated"/> where more did.</summary>
public sealed record GlobMatches(
    string Pattern,
    string Cwd,
    IReadOnlyList<string> Matches,
    int Count,
    bool Truncated,
    long DurationMs
);

/// <summary>A whole file to be written. What is not said of encoding and line endings stays as the file has it.</summary>
public sealed record FileWrite(string Path, string Content, FileWriteMode Mode)
{
    /// <summary>Of the content that is replaced; required there, without meaning for a new file.</summary>
    public string? ExpectedHash { get; init; }

    public bool? Bom { get; init; }
    public string? Encoding { get; init; }
    public LineEnding? LineEnding { get; init; }

    /// <summary>Whether this client may write files that make programs run. Never told by the client itself.</summary>
    [JsonIgnore]
    public bool MayMakeProgramsRun { get; init; }
}

/// <summary>Where <paramref name="OldText"/> occurs, exactly once, <paramref name="NewText"/> shall stand.</summary>
public sealed record FileEdit(string Path, string OldText, string NewText, string ExpectedHash)
{
    /// <inheritdoc cref="FileWrite.MayMakeProgramsRun"/>
    [JsonIgnore]
    public bool MayMakeProgramsRun { get; init; }
}

/// <summary>A file that was made or replaced, and is on the disk.</summary>
public sealed record FileWritten(
    string Path,
    FileWriteMode Mode,
    bool Created,
    long SizeBytes,
    string Hash,
    string Encoding,
    bool Bom,
    LineEnding LineEnding,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] MatchedIgnore? MatchedIgnore
);

/// <summary>A file that was edited, and is on the disk.</summary>
public sealed record FileEdited(
    string Path,
    int Replacements,
    long SizeBytes,
    string Hash,
    string Encoding,
    bool Bom,
    LineEnding LineEnding,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] MatchedIgnore? MatchedIgnore
);

/// <summary>What became of the instruction file. <paramref name="ExistingSize"/> only where it is in the way.</summary>
public sealed record WorkspaceInit(string Path, InitAction Action, long? ExistingSize = null);

[JsonConverter(typeof(SnakeCaseEnum<InitAction>))]
public enum InitAction
{
    Created,

    /// <summary>There was one that says nothing yet.</summary>
    Noop,
    Overwrote,

    /// <summary>There is one that says something, and nothing was done.</summary>
    Conflict,
}

[JsonConverter(typeof(SnakeCaseEnum<FileWriteMode>))]
public enum FileWriteMode
{
    Create,
    Replace,
}

[JsonConverter(typeof(SnakeCaseEnum<LineEnding>))]
public enum LineEnding
{
    Lf,
    Crlf,
}

[JsonConverter(typeof(SnakeCaseEnum<EntryKind>))]
public enum EntryKind
{
    File,
    Directory,
    Symlink,

    /// <summary>A device, socket or pipe.</summary>
    Other,
}

/// <summary>Which part of a path the rules of an ignore file name.</summary>
[JsonConverter(typeof(SnakeCaseEnum<MatchedIgnore>))]
public enum MatchedIgnore
{
    /// <summary>The file itself.</summary>
    File,

    /// <summary>It, or a folder that it lies in.</summary>
    Directory,
}
