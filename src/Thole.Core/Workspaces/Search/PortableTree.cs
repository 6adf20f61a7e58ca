using System.Text;
using Microsoft.Win32.SafeHandles;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Search;

/// <summary>The same through the framework, for platforms without openat2: no link is followed anywhere.</summary>
internal sealed class PortableTree : FileTree
{
    private readonly string _root;

    public PortableTree(string root)
    {
        if (!Directory.Exists(root))
        {
            throw new WorkspaceException(
                ToolErrors.FileNotFound,
                $"The directory {root} cannot be opened: check that it exists and may be read."
            );
        }

        _root = root;
    }

    public override OpenDirectory? OpenDirectory(ReadOnlySpan<byte> path, bool followLink)
    {
        try
        {
            return
                IsFreeOfLinks(_root, Text(path)) && new DirectoryInfo(Path.Join(_root, Text(path))) is { Exists: true } directory
                ? new PortableDirectory(_root, directory)
                : null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public override SafeFileHandle? OpenFile(ReadOnlySpan<byte> path)
    {
        try
        {
            var file = new FileInfo(Path.Join(_root, Text(path)));
            return IsFreeOfLinks(_root, Text(path)) && file.Exists && !file.Attributes.HasFlag(FileAttributes.Device)
                ? File.OpenHandle(file.FullName, share: FileShare.ReadWrite | FileShare.Delete)
                : null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public override int Read(SafeFileHandle file, long offset, Span<byte> buffer)
    {
        try
        {
            return RandomAccess.Read(file, buffer, offset);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    public override void Dispose() { }

    internal static bool IsFreeOfLinks(string root, string relative)
    {
        for (var end = relative.Length; end > 0; end = relative.LastIndexOf('/', end - 1))
        {
            if (new FileInfo(Path.Join(root, relative[..end])).LinkTarget is not null)
            {
                return false;
            }
        }

        return true;
    }

    private static string Text(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path);

    private sealed class PortableDirectory(string root, DirectoryInfo directory) : OpenDirectory
    {
        private readonly IEnumerator<FileSystemInfo> _entries = directory
            .EnumerateFileSystemInfos(
                "*",
                new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true }
            )
            .GetEnumerator();

        public override bool MayHoldIgnoreFiles => true;

        public override bool Next(out ReadOnlySpan<byte> name, out FileKind kind)
        {
            name = default;
            kind = default;
            try
            {
                if (!_entries.MoveNext())
                {
                    return false;
                }
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                return false;
            }

            name = Encoding.UTF8.GetBytes(_entries.Current.Name);
            kind = Kind(_entries.Current);
            return true;
        }

        public override FileState? Stat(ReadOnlySpan<byte> name, FileKind kind)
        {
            try
            {
                FileSystemInfo entry = new FileInfo(Path.Join(directory.FullName, Text(name)));
                if (kind is FileKind.Link)
                {
                    var target = entry.ResolveLinkTarget(returnFinalTarget: true);
                    var relative = target is null
                        ? ".."
                        : Path.GetRelativePath(root, target.FullName).Replace(Path.DirectorySeparatorChar, '/');
                    if (
                        target is not FileInfo { Exists: true }
                        || relative is ".."
                        || relative.StartsWith("../", StringComparison.Ordinal)
                    )
                    {
                        return null;
                    }

                    if (Path.IsPathRooted(relative) || !IsFreeOfLinks(root, relative))
                    {
                        return null;
                    }

                    (entry, kind) = (target, FileKind.File);
                }

                return new FileState(
                    kind,
                    kind is FileKind.File ? ((FileInfo)entry).Length : 0,
                    new DateTimeOffset(entry.LastWriteTimeUtc)
                );
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }

        public override void Dispose() => _entries.Dispose();

        private static FileKind Kind(FileSystemInfo entry) =>
            entry.LinkTarget is not null ? FileKind.Link
            : entry.Attributes.HasFlag(FileAttributes.Directory) ? FileKind.Directory
            : entry.Attributes.HasFlag(FileAttributes.Device) ? FileKind.Other
            : FileKind.File;
    }
}
