using System.Security.Cryptography;
using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>A workspace on the disk of this machine.</summary>
public sealed class Workspace : IWorkspace
{
    // A file that is being written in place while we read it is read again this often.
    private const int MostReads = 3;

    private readonly Confinement _confinement;
    private readonly FileWriter _writer;

    // Folders already swept of what a killed process left.
    private readonly HashSet<string> _swept = new(StringComparer.Ordinal);

    /// <param name="root">The folder to work in; made absolute by the caller's rules before.</param>
    /// <param name="included">More folders that the user allows (--include-directories).</param>
    /// <exception cref="WorkspaceException">One of them is not there.</exception>
    public Workspace(string root, IReadOnlyList<string> included, TimeProvider time)
    {
        string[] roots = [root, .. included];
        foreach (var folder in roots)
        {
            if (!Path.IsPathFullyQualified(folder) || !Directory.Exists(folder))
            {
                throw new WorkspaceException(
                    ToolErrors.FileNotFound,
                    $"The folder {folder} is not there; create it or name another one as the workspace or in --include-directories."
                );
            }
        }

        Roots =
        [
            .. roots
                .Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))
                .Distinct(StringComparer.Ordinal),
        ];
        _confinement = new Confinement(Roots);
        _writer = new FileWriter(time);
    }

    public string Root => Roots[0];

    /// <summary>A path without links, so that two ways to one folder are one workspace. What is not there is itself.</summary>
    public static string RealPath(string path) => Confinement.RealPath(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>Whether we may make files in the folder, as far as it can be known without making one.</summary>
    public static bool IsWritable(string folder) =>
        Directory.Exists(folder) && (OperatingSystem.IsWindows() || Libc.MayWrite(folder));

    public IReadOnlyList<string> Roots { get; }

    public WorkspacePath Resolve(string path)
    {
        PathText.Check(path);
        var full = PathText.Normalize(Root, path);
        for (var i = 0; i < Roots.Count; i++)
        {
            if (PathText.IsBeneath(full, Roots[i]))
            {
                return Beneath(Roots[i], full[Roots[i].Length..]) with { IsIncluded = i > 0 };
            }
        }

        // What a command prints is the real path, where the root was reached through a link.
        for (var i = 0; i < Roots.Count && !OperatingSystem.IsWindows(); i++)
        {
            if (PathText.IsBeneath(full, _confinement.RealRoots[i]))
            {
                return Beneath(Roots[i], full[_confinement.RealRoots[i].Length..]) with { IsIncluded = i > 0 };
            }
        }

        throw new WorkspaceException(
            ToolErrors.OutsideWorkspace,
            $"{path} is outside of the workspace {Root}; use a path inside, or start with --include-directories {Includable(full)}."
        );
    }

    // The folder itself where it is one, else the one it is in; never the whole disk.
    private static string Includable(string full) =>
        Directory.Exists(full) && Path.GetDirectoryName(full) is not null ? full
        : Path.GetDirectoryName(full) is { } folder && Path.GetDirectoryName(folder) is not null ? folder
        : "the folder it is in";

    public FileState? Stat(WorkspacePath path)
    {
        if (OperatingSystem.IsWindows())
        {
            var real = WindowsFiles.Real(path, Roots);
            FileSystemInfo entry = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
            return entry.Exists
                ? new FileState(
                    WindowsFiles.KindOf(entry),
                    (entry as FileInfo)?.Length ?? 0,
                    new DateTimeOffset(entry.LastWriteTimeUtc)
                )
                : null;
        }

        FileStatus? status;
        if (OperatingSystem.IsLinux())
        {
            using var file = _confinement.Open(path, OpenFlags.PathOnly);
            status = file is null ? null : Libc.Status(file);
        }
        else
        {
            using var place = _confinement.Locate(path, createParents: false, reading: true);
            status = place?.Status;
        }

        return status is { } found ? new FileState(found.Kind, found.Length, found.ModifiedAt) : null;
    }

    public ValueTask<byte[]> ReadAsync(WorkspacePath path, long limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (OperatingSystem.IsWindows())
        {
            return ReadOnWindowsAsync(path, limit, cancellationToken);
        }

        for (var attempt = 1; ; attempt++)
        {
            using var file = OpenFile(path, out var before);
            var content =
                FileContent.Read(file, before.Length, limit, path.ToString(), cancellationToken)
                ?? throw TooLarge(path, limit, Libc.Status(file)?.Length ?? before.Length);
            if (Libc.Status(file) is { } after && after.ModifiedAt == before.ModifiedAt && after.Length == content.Length)
            {
                return ValueTask.FromResult(content);
            }

            if (attempt == MostReads)
            {
                throw new WorkspaceException(
                    ToolErrors.ReadFailed,
                    $"{path} is being written by another program; wait until that is done and read it again."
                );
            }
        }
    }

    public Stream OpenRead(WorkspacePath path)
    {
        if (OperatingSystem.IsWindows())
        {
            return OpenOnWindows(path);
        }

        using var file = OpenFile(path, out _);
        return Libc.MakeBlocking(file)
            ? new FileStream(file.Release(), FileAccess.Read, bufferSize: 64 * 1024)
            : throw Errno.WhileReading(Libc.LastError, path.ToString());
    }

    public IReadOnlyList<DirectoryEntry> List(WorkspacePath directory)
    {
        if (OperatingSystem.IsWindows())
        {
            var real = new DirectoryInfo(WindowsFiles.Real(directory, Roots));
            return real.Exists
                ? [.. real.EnumerateFileSystemInfos().Select(entry => new DirectoryEntry(entry.Name, WindowsFiles.KindOf(entry)))]
                : throw NotFound(directory);
        }

        if (Stat(directory) is { Kind: not FileKind.Directory })
        {
            throw new WorkspaceException(
                ToolErrors.InvalidArguments,
                $"{directory} is a file, not a folder; read it or list the folder it is in."
            );
        }

        using var folder = _confinement.Open(directory, OpenFlags.Directory) ?? throw NotFound(directory);
        return [.. DirectoryListing.Read(folder, directory.Full).Select(entry => new DirectoryEntry(entry.Name, entry.Kind))];
    }

    public ValueTask WriteAsync(
        WorkspacePath path,
        ReadOnlyMemory<byte> content,
        string? basedOn,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        RefuseGit(path, path.Relative);
        var basis = basedOn is null ? Basis.Nothing : Basis.Content(basedOn);
        if (OperatingSystem.IsWindows())
        {
            var real = WindowsFiles.Real(path, Roots);
            RefuseDetour(path, real);
            Directory.CreateDirectory(Path.GetDirectoryName(real)!);
            _writer.Write(real, content.Span, basis);
            return ValueTask.CompletedTask;
        }

        // Missing folders are made for a new file only: an edit of what is gone is a conflict, and leaves nothing behind.
        using var place =
            _confinement.Locate(path, createParents: basedOn is null, reading: false)
            ?? throw FileWriter.Changed(path.ToString());
        RefuseDetour(path, place.Path);
        Sweep(place);
        _writer.Write(place, path.ToString(), content.Span, basis);
        return ValueTask.CompletedTask;
    }

    public ValueTask DeleteAsync(WorkspacePath path, string basedOn, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RefuseGit(path, path.Relative);
        if (OperatingSystem.IsWindows())
        {
            return DeleteOnWindowsAsync(path, basedOn, cancellationToken);
        }

        using var place = _confinement.Locate(path, createParents: false, reading: false) ?? throw NotFound(path);
        RefuseDetour(path, place.Path);
        if (place.Status is not { } status)
        {
            throw NotFound(path);
        }

        RequireRegular(path, status);
        using var folder = place.OpenDirectory();
        using var file = Libc.OpenAt(place.Directory, place.Name, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (file.IsInvalid)
        {
            throw Errno.WhileReading(Libc.LastError, path.ToString());
        }

        if (
            Libc.Status(file) is not { } opened
            || !FileContent.Hash(file, path.ToString()).Equals(basedOn, StringComparison.OrdinalIgnoreCase)
            || Libc.StatusAt(folder, place.Name) is not { } now
            || !now.IsSameFile(opened)
        )
        {
            throw FileWriter.Changed(path.ToString());
        }

        FileWriter.Remove(folder, place.Name, path.ToString());
        return ValueTask.CompletedTask;
    }

    private Descriptor OpenFile(WorkspacePath path, out FileStatus status)
    {
        var file = _confinement.Open(path, OpenFlags.NonBlocking) ?? throw NotFound(path);
        try
        {
            status = Libc.Status(file) ?? throw Errno.WhileReading(Libc.LastError, path.ToString());
            RequireRegular(path, status);
            if (status.Links > 1 && _confinement.Locate(path, createParents: false, reading: true) is { } place)
            {
                using (place)
                {
                    InPlace.RecoverFor(place.Directory, status);
                    status = Libc.Status(file) ?? status;
                }
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Sweep(Place place)
    {
        lock (_swept)
        {
            if (!_swept.Add(Path.GetDirectoryName(place.Path) ?? ""))
            {
                return;
            }
        }

        try
        {
            using var folder = place.OpenDirectory();
            _writer.Recover(folder, Path.GetDirectoryName(place.Path) ?? "/");
        }
        catch (WorkspaceException)
        {
            // What another write left behind does not stop this one; whoever opens that file meets the reason.
        }
    }

    private static WorkspacePath Beneath(string root, string rest) =>
        new(root, rest.Replace('\\', OperatingSystem.IsWindows() ? '/' : '\\').Trim('/'));

    private static void RefuseGit(WorkspacePath path, string relative)
    {
        if (ProtectedPaths.IsInGit(relative))
        {
            throw new WorkspaceException(
                ToolErrors.PermissionDenied,
                $"{path} is git's own; use git commands to change what is in .git."
            );
        }
    }

    // The person was asked about the name that the model gave; a link must not turn a harmless name into one that runs.
    private void RefuseDetour(WorkspacePath path, string target)
    {
        var root = Roots.First(root => PathText.IsBeneath(target, root));
        var real = target[root.Length..];
        RefuseGit(path, real);
        if (ProtectedPaths.IsProtected(real) && !ProtectedPaths.IsProtected(path.Relative))
        {
            throw new WorkspaceException(
                ToolErrors.PermissionDenied,
                $"{path} is a link to {real.TrimStart('/')}, which makes programs run; write to it by its own name, so that the user is asked."
            );
        }
    }

    private static void RequireRegular(WorkspacePath path, FileStatus status)
    {
        if (status.Kind == FileKind.Directory)
        {
            throw new WorkspaceException(
                ToolErrors.IsDirectory,
                $"{path} is a folder; name a file in it (list_directory shows them)."
            );
        }

        if (status.Kind != FileKind.File)
        {
            throw new WorkspaceException(
                ToolErrors.NotRegularFile,
                $"{path} is a device, pipe or socket, not a file; name a regular file."
            );
        }
    }

    private static WorkspaceException NotFound(WorkspacePath path) =>
        new(ToolErrors.FileNotFound, $"There is no {path}; check the name with list_directory or glob.");

    private static WorkspaceException TooLarge(WorkspacePath path, long limit, long length) =>
        new(ToolErrors.FileTooLarge, $"{path} has {length:N0} bytes and at most {limit:N0} are read at once; read a part of it.");

    private FileStream OpenOnWindows(WorkspacePath path)
    {
        var real = WindowsFiles.Real(path, Roots);
        return File.Exists(real)
            ? new FileStream(real, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
            : throw NotFound(path);
    }

    private async ValueTask<byte[]> ReadOnWindowsAsync(WorkspacePath path, long limit, CancellationToken cancellationToken)
    {
        await using var file = OpenOnWindows(path);
        if (file.Length > limit)
        {
            throw TooLarge(path, limit, file.Length);
        }

        var content = new byte[file.Length];
        var length = await file.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancellationToken);
        return content[..length];
    }

    private async ValueTask DeleteOnWindowsAsync(WorkspacePath path, string basedOn, CancellationToken cancellationToken)
    {
        var content = await ReadOnWindowsAsync(path, long.MaxValue, cancellationToken);
        if (!Convert.ToHexStringLower(SHA256.HashData(content)).Equals(basedOn, StringComparison.OrdinalIgnoreCase))
        {
            throw FileWriter.Changed(path.ToString());
        }

        FileWriter.Delete(WindowsFiles.Real(path, Roots));
    }
}
