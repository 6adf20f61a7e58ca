using Microsoft.Win32.SafeHandles;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// Reads what lies beneath one directory, by paths of bytes relative to it, and nothing else. Apart from the workspace's own
/// door because a search opens fifty thousand files and a path object each would cost more than the reading; the fence is
/// the same one: the kernel resolves beneath the root, and the last part of a path is never followed where it is a link.
/// </summary>
internal abstract class FileTree : IDisposable
{
    /// <exception cref="WorkspaceException">There is no such directory.</exception>
    public static FileTree Open(string root) => LinuxTree.IsUsable ? new LinuxTree(root) : new PortableTree(root);

    /// <returns>Null where it is no directory or cannot be read.</returns>
    public abstract OpenDirectory? OpenDirectory(ReadOnlySpan<byte> path, bool followLink);

    /// <returns>Null where it is no regular file or cannot be read.</returns>
    public abstract SafeFileHandle? OpenFile(ReadOnlySpan<byte> path);

    /// <returns>How much was read, 0 at the end, -1 where the file cannot be read.</returns>
    public abstract int Read(SafeFileHandle file, long offset, Span<byte> buffer);

    public abstract void Dispose();

    /// <returns>Null where there is no such regular file, it cannot be read or it is longer than <paramref name="limit"/>.</returns>
    public byte[]? ReadWhole(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name, long limit)
    {
        using var file = OpenFile(Join(directory, name));
        if (file is null)
        {
            return null;
        }

        var content = new byte[4096];
        for (var length = 0; ; )
        {
            var read = Read(file, length, content.AsSpan(length));
            if (read <= 0 || length + read > limit)
            {
                return read == 0 ? content[..length] : null;
            }

            length += read;
            if (length == content.Length)
            {
                Array.Resize(ref content, length * 2);
            }
        }
    }

    public static byte[] Join(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name) =>
        directory.Length == 0 ? name.ToArray()
        : name.Length == 0 ? directory.ToArray()
        : [.. directory, (byte)'/', .. name];
}

/// <summary>A directory whose entries are being read, once, in the order of the file system.</summary>
internal abstract class OpenDirectory : IDisposable
{
    /// <summary>False only where it is known that no name in it ends in <c>ignore</c>: most directories are spared six opens.</summary>
    public abstract bool MayHoldIgnoreFiles { get; }

    /// <param name="name">Valid until the next call.</param>
    public abstract bool Next(out ReadOnlySpan<byte> name, out FileKind kind);

    /// <returns>Of a link the state of what it leads to, if that is a regular file beneath the root; null where there is nothing to see.</returns>
    public abstract FileState? Stat(ReadOnlySpan<byte> name, FileKind kind);

    public abstract void Dispose();
}
