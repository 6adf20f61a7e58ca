using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// openat2 and getdents64: names stay the bytes they are (they need not be UTF-8), the kind of an entry comes for free, and no
/// object is made for an entry that nobody wants.
/// </summary>
internal sealed class LinuxTree : FileTree
{
    private readonly SafeFileHandle _root;
    private readonly Lazy<string?> _realRoot;

    public LinuxTree(string root)
    {
        var descriptor = LinuxCalls.Open(LinuxCalls.CurrentDirectory, Encoding.UTF8.GetBytes(root), LinuxCalls.Directory);
        if (descriptor < 0)
        {
            throw new WorkspaceException(
                ToolErrors.FileNotFound,
                $"The directory {root} cannot be opened: check that it exists and may be read."
            );
        }

        _root = new SafeFileHandle(descriptor, ownsHandle: true);
        _realRoot = new Lazy<string?>(() => LinuxCalls.PathOf(_root));
    }

    /// <summary>The layout of system calls is known for these two; everything else takes the portable way.</summary>
    public static bool IsUsable =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public override OpenDirectory? OpenDirectory(ReadOnlySpan<byte> path, bool followLink)
    {
        var descriptor = Open(path.Length == 0 ? "."u8 : path, LinuxCalls.Directory | (followLink ? 0 : LinuxCalls.NoFollow));
        return descriptor < 0 ? null : new LinuxDirectory(new SafeFileHandle(descriptor, ownsHandle: true), _realRoot);
    }

    // Not blocking: a pipe with the name of a file must not hold the search for ever.
    public override SafeFileHandle? OpenFile(ReadOnlySpan<byte> path) =>
        Open(path, LinuxCalls.NoFollow | LinuxCalls.NonBlocking) is >= 0 and var descriptor
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : null;

    public override int Read(SafeFileHandle file, long offset, Span<byte> buffer)
    {
        var read = LinuxCalls.Read(file, buffer, offset);
        while (read < 0 && Marshal.GetLastPInvokeError() == LinuxCalls.Interrupted)
        {
            read = LinuxCalls.Read(file, buffer, offset);
        }

        return (int)read;
    }

    public override void Dispose() => _root.Dispose();

    private int Open(ReadOnlySpan<byte> path, int flags)
    {
        if (LinuxCalls.HasOpenBeneath)
        {
            return LinuxCalls.OpenBeneath(_root, path, flags);
        }

        // Before Linux 5.6, or where a container forbids openat2: part by part, and no link anywhere.
        SafeFileHandle? folder = null;
        try
        {
            while (path.IndexOf((byte)'/') is >= 0 and var slash)
            {
                var next = LinuxCalls.Open(
                    Descriptor(folder ?? _root),
                    path[..slash],
                    LinuxCalls.Directory | LinuxCalls.NoFollow
                );
                folder?.Dispose();
                folder = null;
                if (next < 0)
                {
                    return next;
                }

                folder = new SafeFileHandle(next, ownsHandle: true);
                path = path[(slash + 1)..];
            }

            return LinuxCalls.Open(Descriptor(folder ?? _root), path, flags | LinuxCalls.NoFollow);
        }
        finally
        {
            folder?.Dispose();
        }

        static int Descriptor(SafeFileHandle handle) => (int)handle.DangerousGetHandle();
    }
}
