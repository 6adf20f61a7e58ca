using System.Security.Cryptography;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Testing;

/// <summary>A folder as a workspace, with the conditions of the real one and none of its care for the disk.</summary>
public sealed class FolderWorkspace(string root) : IWorkspace
{
    public string Root { get; } = root;

    public IReadOnlyList<string> Roots => [Root];

    /// <summary>Writes to these paths fail, as on a full disk.</summary>
    public HashSet<string> Full { get; } = [];

    public WorkspacePath Resolve(string path)
    {
        var full = Path.GetFullPath(path, Root);
        return full == Root || full.StartsWith(Root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? new WorkspacePath(Root, full == Root ? "" : Path.GetRelativePath(Root, full).Replace('\\', '/'))
            : throw new WorkspaceException(ToolErrors.OutsideWorkspace, $"{path} is outside the workspace.");
    }

    public FileState? Stat(WorkspacePath path) =>
        Directory.Exists(path.Full) ? new FileState(FileKind.Directory, 0, default)
        : File.Exists(path.Full)
            ? new FileState(
                FileKind.File,
                new FileInfo(path.Full).Length,
                new DateTimeOffset(File.GetLastWriteTimeUtc(path.Full))
            )
        : null;

    public async ValueTask<byte[]> ReadAsync(WorkspacePath path, long limit, CancellationToken cancellationToken) =>
        await File.ReadAllBytesAsync(path.Full, cancellationToken);

    public Stream OpenRead(WorkspacePath path) => File.OpenRead(path.Full);

    public IReadOnlyList<DirectoryEntry> List(WorkspacePath directory) =>
        [
            .. Directory
                .EnumerateFileSystemEntries(directory.Full)
                .Select(entry => new DirectoryEntry(
                    Path.GetFileName(entry),
                    Directory.Exists(entry) ? FileKind.Directory : FileKind.File
                )),
        ];

    public async ValueTask WriteAsync(
        WorkspacePath path,
        ReadOnlyMemory<byte> content,
        string? basedOn,
        CancellationToken cancellationToken
    )
    {
        Demand(path, basedOn);
        Directory.CreateDirectory(Path.GetDirectoryName(path.Full)!);
        await File.WriteAllBytesAsync(path.Full, content, cancellationToken);
    }

    public ValueTask DeleteAsync(WorkspacePath path, string basedOn, CancellationToken cancellationToken)
    {
        Demand(path, basedOn);
        File.Delete(path.Full);
        return ValueTask.CompletedTask;
    }

    private void Demand(WorkspacePath path, string? basedOn)
    {
        if (Full.Contains(path.Relative))
        {
            throw new WorkspaceException(ToolErrors.NoSpace, $"The disk is full: {path} was not written.");
        }

        var current = File.Exists(path.Full) ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path.Full))) : null;
        if (current != basedOn)
        {
            throw new WorkspaceException(ToolErrors.ChangedSinceRead, $"{path} changed meanwhile.");
        }
    }
}
