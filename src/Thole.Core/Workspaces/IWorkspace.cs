using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// A directory tree that sessions work on. The only place where paths become files: everything stays beneath the roots, by the
/// kernel's own resolution where there is one. It may be on another machine: nothing else touches the disk for a tool.
/// All methods throw <see cref="WorkspaceException"/> for what the world refuses; the tool base turns it into an answer.
/// </summary>
public interface IWorkspace
{
    /// <summary>Absolute, without a trailing separator.</summary>
    string Root { get; }

    /// <summary><see cref="Root"/> first, then the directories the user included.</summary>
    IReadOnlyList<string> Roots { get; }

    /// <summary>
    /// A path as a model or user writes it, relative to <see cref="Root"/> or absolute. Purely by its text; that no link
    /// leads out of the root is checked again by every method that opens it.
    /// </summary>
    WorkspacePath Resolve(string path);

    /// <summary>Null where there is nothing. Follows links that stay beneath the root.</summary>
    FileState? Stat(WorkspacePath path);

    /// <summary>The whole content, refused where it is longer than <paramref name="limit"/> bytes or is no regular file.</summary>
    ValueTask<byte[]> ReadAsync(WorkspacePath path, long limit, CancellationToken cancellationToken);

    /// <summary>For what is too long to hold. A regular file, opened without blocking.</summary>
    Stream OpenRead(WorkspacePath path);

    /// <summary>Names beneath a directory, unsorted, without <c>.</c> and <c>..</c>.</summary>
    IReadOnlyList<DirectoryEntry> List(WorkspacePath directory);

    /// <summary>
    /// Replaces or creates a file, atomically and durably; makes missing parents. <paramref name="basedOn"/> is the SHA-256 of
    /// the content it replaces, null where there must be no file: anything else is a conflict and nothing is written.
    /// </summary>
    ValueTask WriteAsync(WorkspacePath path, ReadOnlyMemory<byte> content, string? basedOn, CancellationToken cancellationToken);

    /// <summary>Removes a file whose content has that SHA-256.</summary>
    ValueTask DeleteAsync(WorkspacePath path, string basedOn, CancellationToken cancellationToken);
}

/// <summary>
/// A path beneath one of the roots. <paramref name="Relative"/> uses <c>/</c>, has no <c>.</c> or <c>..</c>, and is empty for the root itself.
/// </summary>
public sealed record WorkspacePath(string Root, string Relative)
{
    /// <summary>Beneath a directory that the user included: there a relative path would name a file of the workspace itself.</summary>
    public bool IsIncluded { get; init; }

    public string Full => Relative.Length == 0 ? Root : Path.Join(Root, Relative);

    /// <summary>As a person and the model know it, and as <see cref="IWorkspace.Resolve"/> takes it back.</summary>
    public string Shown =>
        IsIncluded ? Full
        : Relative.Length == 0 ? "."
        : Relative;

    public override string ToString() => Shown;
}

public sealed record FileState(FileKind Kind, long Length, DateTimeOffset ModifiedAt);

public sealed record DirectoryEntry(string Name, FileKind Kind);

public enum FileKind
{
    File,
    Directory,
    Link,

    /// <summary>A device, socket or pipe: never opened.</summary>
    Other,
}

/// <summary>The world refused. <see cref="Error"/> is a word of <see cref="ToolErrors"/>; the message is one sentence with the cure.</summary>
public sealed class WorkspaceException(string error, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Error { get; } = error;
}
