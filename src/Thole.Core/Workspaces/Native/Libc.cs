using System.Runtime.InteropServices;
using System.Text;

namespace Thole.Core.Workspaces.Native;

/// <summary>
/// The system calls by which files are read and written. The framework's own are not enough: on Linux it returns normally
/// from a failed fsync, and its move falls back to truncate-and-copy where a rename crosses devices.
/// Each method returns the call's result or minus one, and leaves the reason in <see cref="LastError"/>; EINTR is tried again here.
/// </summary>
internal static partial class Libc
{
    public static int LastError => Marshal.GetLastPInvokeError();

    public static int EffectiveUser { get; } = OperatingSystem.IsWindows() ? 0 : (int)GetEffectiveUser();

    /// <summary>Whether the kernel would let us make files in a directory.</summary>
    public static bool MayWrite(string directory)
    {
        const int writeAndSearch = 2 | 1;
        return AccessNative(directory, writeAndSearch) == 0;
    }

    /// <summary>Opens an absolute path, by the kernel's own rules.</summary>
    public static Descriptor Open(string path, OpenFlags flags) => OpenAt(null, path, flags, default);

    /// <summary>Opens what is there under a name in a directory.</summary>
    public static Descriptor OpenAt(Descriptor directory, string name, OpenFlags flags) =>
        OpenAt(directory, name, flags, default);

    /// <summary>Opens a name in a directory; with <see cref="OpenFlags.Create"/> the mode is what the umask leaves of <paramref name="mode"/>.</summary>
    public static Descriptor OpenAt(Descriptor? directory, string name, OpenFlags flags, UnixFileMode mode)
    {
        var native = Native(flags);
        nint m = (nint)mode;
        while (true)
        {
            // Apple's arm64 passes variadic arguments on the stack, everybody else in the next register: it is put in both places.
            var number = directory is null
                ? OpenNative(CurrentDirectory, name, native, m, m, m, m, m, m)
                : OpenNative(directory, name, native, m, m, m, m, m, m);
            if (number >= 0 || LastError != Errno.EINTR)
            {
                return new Descriptor(number);
            }
        }
    }

    /// <summary>
    /// Linux's openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS: the kernel itself refuses every way out. Fails with ENOSYS elsewhere.
    /// </summary>
    public static unsafe Descriptor OpenBeneath(Descriptor directory, string relative, OpenFlags flags)
    {
        if (!OperatingSystem.IsLinux())
        {
            Marshal.SetLastPInvokeError(Errno.ENOSYS);
            return new Descriptor(-1);
        }

        ulong* how = stackalloc ulong[3] { (ulong)Native(flags), 0, 0x08 | 0x02 };
        var path = Encoding.UTF8.GetBytes(relative + "\0");
        fixed (byte* name = path)
        {
            while (true)
            {
                var number = SystemCall(437, directory, name, how, 24, 0);
                if (number >= 0 || LastError != Errno.EINTR)
                {
                    return new Descriptor((int)number);
                }
            }
        }
    }

    /// <summary>The status of a name in a directory, links not followed; null with <see cref="LastError"/> where there is none.</summary>
    public static FileStatus? StatusAt(Descriptor directory, string name) => Status(directory, name, 0x100, 0x20);

    public static FileStatus? Status(Descriptor file) => Status(file, "", 0x1000, 0);

    /// <summary>The text of a symbolic link; null where it is none.</summary>
    public static unsafe string? ReadLinkAt(Descriptor directory, string name)
    {
        const int Longest = 4096; // PATH_MAX: no kernel makes a longer one
        byte* buffer = stackalloc byte[Longest];
        var length = ReadLinkNative(directory, name, buffer, Longest);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <summary>Reads at an offset; 0 at the end.</summary>
    public static unsafe int Read(Descriptor file, Span<byte> into, long offset)
    {
        fixed (byte* pointer = into)
        {
            while (true)
            {
                var count = ReadNative(file, pointer, into.Length, offset);
                if (count >= 0 || LastError != Errno.EINTR)
                {
                    return (int)count;
                }
            }
        }
    }

    /// <summary>Writes all of it at an offset, however many pieces the kernel takes it in.</summary>
    public static unsafe bool WriteAll(Descriptor file, ReadOnlySpan<byte> content, long offset)
    {
        fixed (byte* pointer = content)
        {
            long done = 0;
            while (done < content.Length)
            {
                var count = WriteNative(file, pointer + done, (nint)(content.Length - done), offset + done);
                if (count < 0 && LastError != Errno.EINTR)
                {
                    return false;
                }

                done += Math.Max(0, count);
            }
        }

        return true;
    }

    /// <summary>Makes content or a directory's names durable. Its failure must reach whoever waits for the acknowledgement.</summary>
    public static bool Sync(Descriptor file)
    {
        while (true)
        {
            // On macOS fsync only hands the data to the drive; F_FULLFSYNC is what reaches the platter, where the file system has it.
            var result = OperatingSystem.IsMacOS() ? ControlNative(file, 51, 0, 0, 0, 0, 0, 0, 0) : SyncNative(file);
            if (result >= 0)
            {
                return true;
            }

            if (OperatingSystem.IsMacOS() && Errno.IsUnsupported(LastError))
            {
                return SyncNative(file) == 0;
            }

            if (LastError != Errno.EINTR)
            {
                return false;
            }
        }
    }

    /// <summary>Regular files opened without blocking are handed to streams, which take the flag for something else.</summary>
    public static bool MakeBlocking(Descriptor file) => ControlNative(file, 4, 0, 0, 0, 0, 0, 0, 0) >= 0;

    public static bool Rename(Descriptor directory, string from, string to) =>
        Retried(() => RenameNative(directory, from, directory, to));

    /// <summary>Both names change their files in one step; what was replaced can still be looked at.</summary>
    public static bool Exchange(Descriptor directory, string one, string other) =>
        Rename(directory, one, other, linux: 2, darwin: 2);

    /// <summary>Fails with EEXIST where the new name is taken.</summary>
    public static bool RenameNew(Descriptor directory, string from, string to) =>
        Rename(directory, from, to, linux: 1, darwin: 4);

    public static bool Link(Descriptor directory, string from, string to) =>
        Retried(() => LinkNative(directory, from, directory, to, 0));

    public static bool Unlink(Descriptor directory, string name) => Retried(() => UnlinkNative(directory, name, 0));

    public static bool MakeDirectory(Descriptor directory, string name, UnixFileMode mode) =>
        Retried(() => MakeDirectoryNative(directory, name, (uint)mode));

    public static bool SetMode(Descriptor file, UnixFileMode mode) => Retried(() => SetModeNative(file, (uint)mode));

    public static bool SetOwner(Descriptor file, uint owner, uint group) => Retried(() => SetOwnerNative(file, owner, group));

    public static bool Truncate(Descriptor file, long length) => Retried(() => TruncateNative(file, length));

    /// <summary>Takes the advisory lock of a file without waiting; it ends with the descriptor, however the process ends.</summary>
    public static bool TryLock(Descriptor file) => Retried(() => LockNative(file, 2 | 4));

    /// <summary>The kernel's magic number of the file system (Linux); 0 where it does not say.</summary>
    public static unsafe uint FileSystemOf(Descriptor file)
    {
        byte* buffer = stackalloc byte[512]; // struct statfs is 120 bytes here; the first word is the type on every 64-bit Linux
        return OperatingSystem.IsLinux() && FileSystemNative(file, buffer) == 0 ? (uint)*(long*)buffer : 0;
    }

    /// <summary>The names of all extended attributes; none where the file system has none, null where they cannot be read.</summary>
    public static unsafe string[]? AttributeNames(Descriptor file)
    {
        var names = new byte[65536]; // XATTR_LIST_MAX
        fixed (byte* pointer = names)
        {
            var size = ListAttributesNative(file, pointer, names.Length);
            return size >= 0 ? Encoding.UTF8.GetString(names, 0, (int)size).Split('\0', StringSplitOptions.RemoveEmptyEntries)
                : Errno.IsUnsupported(LastError) ? []
                : null;
        }
    }

    /// <summary>Null where there is none, or where it cannot be read: <see cref="LastError"/> says which.</summary>
    public static unsafe byte[]? Attribute(Descriptor file, string name)
    {
        const int Longest = 65536; // XATTR_SIZE_MAX
        var value = new byte[Longest];
        fixed (byte* pointer = value)
        {
            var size = GetAttributeNative(file, name, pointer, Longest);
            return size < 0 ? null : value[..(int)size];
        }
    }

    public static unsafe bool SetAttribute(Descriptor file, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* pointer = value)
        {
            return SetAttributeNative(file, name, pointer, value.Length, 0) == 0;
        }
    }

    public static bool RemoveAttribute(Descriptor file, string name) => RemoveAttributeNative(file, name) == 0;

    /// <summary>macOS: copies the access list and the extended attributes.</summary>
    public static bool CopyAttributesOnMac(Descriptor from, Descriptor to) =>
        CopyFileNative(from, to, 0, (1 << 0) | (1 << 2)) == 0;

    /// <summary>Raw directory entries (Linux); 0 at the end.</summary>
    public static unsafe int ReadEntries(Descriptor directory, Span<byte> into)
    {
        fixed (byte* pointer = into)
        {
            while (true)
            {
                var count = SystemCall(IsArm ? 61 : 217, directory, pointer, (void*)(nint)into.Length, 0, 0);
                if (count >= 0 || LastError != Errno.EINTR)
                {
                    return (int)count;
                }
            }
        }
    }

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    // Linux numbers O_DIRECTORY and O_NOFOLLOW differently on arm64.
    private static int Native(OpenFlags flags)
    {
        var mac = OperatingSystem.IsMacOS();
        var native = flags.HasFlag(OpenFlags.Write) ? 2 : 0;
        native |= flags.HasFlag(OpenFlags.Create) ? (mac ? 0x200 | 0x800 : 0x40 | 0x80) : 0;
        native |= flags.HasFlag(OpenFlags.Directory)
            ? (
                mac ? 0x100000
                : IsArm ? 0x4000
                : 0x10000
            )
            : 0;
        native |= flags.HasFlag(OpenFlags.NoFollow)
            ? (
                mac ? 0x100
                : IsArm ? 0x8000
                : 0x20000
            )
            : 0;
        native |= flags.HasFlag(OpenFlags.NonBlocking) ? (mac ? 0x4 | 0x20000 : 0x800 | 0x100) : 0; // with O_NOCTTY
        native |= flags.HasFlag(OpenFlags.PathOnly) ? (mac ? 0x40000000 : 0x200000) : 0; // O_SEARCH is the nearest that macOS has
        return native | (mac ? 0x1000000 : 0x80000); // O_CLOEXEC, always: a child inherits no file of ours
    }

    private static unsafe FileStatus? Status(Descriptor file, string name, int linuxFlags, int macFlags)
    {
        byte* buffer = stackalloc byte[256];
        if (OperatingSystem.IsMacOS())
        {
            var result = macFlags == 0 ? StatusOfMac(file, buffer) : StatusAtMac(file, name, buffer, macFlags);
            return result == 0 ? FileStatus.FromDarwin(new ReadOnlySpan<byte>(buffer, 256)) : null;
        }

        var path = Encoding.UTF8.GetBytes(name + "\0");
        fixed (byte* pointer = path)
        {
            nint result;
            do
            {
                result = SystemCall(IsArm ? 291 : 332, file, pointer, (void*)linuxFlags, 0x7FF, (nint)buffer);
            } while (result < 0 && LastError == Errno.EINTR);

            return result == 0 ? FileStatus.FromStatx(new ReadOnlySpan<byte>(buffer, 256)) : null;
        }
    }

    // Intel Macs have an older structure under the plain name.
    private static unsafe int StatusOfMac(Descriptor file, byte* buffer) =>
        IsArm ? StatusMacNative(file, buffer) : StatusMac64Native(file, buffer);

    private static unsafe int StatusAtMac(Descriptor directory, string name, byte* buffer, int flags) =>
        IsArm ? StatusAtMacNative(directory, name, buffer, flags) : StatusAtMac64Native(directory, name, buffer, flags);

    // By number: older C libraries lack a wrapper.
    private static unsafe bool Rename(Descriptor directory, string from, string to, int linux, uint darwin)
    {
        if (OperatingSystem.IsMacOS())
        {
            return Retried(() => RenameMacNative(directory, from, directory, to, darwin));
        }

        var held = false;
        directory.DangerousAddRef(ref held);
        try
        {
            fixed (byte* old = Encoding.UTF8.GetBytes(from + "\0"))
            {
                fixed (byte* now = Encoding.UTF8.GetBytes(to + "\0"))
                {
                    nint result;
                    do
                    {
                        result = SystemCall(
                            IsArm ? 276 : 316,
                            directory,
                            old,
                            (void*)directory.DangerousGetHandle(),
                            (nint)now,
                            linux
                        );
                    } while (result < 0 && LastError == Errno.EINTR);

                    return result == 0;
                }
            }
        }
        finally
        {
            directory.DangerousRelease();
        }
    }

    private static bool Retried(Func<int> call)
    {
        while (true)
        {
            if (call() == 0)
            {
                return true;
            }

            if (LastError != Errno.EINTR)
            {
                return false;
            }
        }
    }
}

/// <summary>How a file is opened; every one is closed on exec.</summary>
[Flags]
internal enum OpenFlags
{
    Read = 0,
    Write = 1,

    /// <summary>It must not exist yet (O_CREAT with O_EXCL).</summary>
    Create = 2,
    Directory = 4,
    NoFollow = 8,

    /// <summary>Neither a pipe nor a terminal can hold us up.</summary>
    NonBlocking = 16,

    /// <summary>Only a place to start from: needs no right to read it.</summary>
    PathOnly = 32,
}
