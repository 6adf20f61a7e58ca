using System.Runtime.InteropServices;

namespace Thole.Core.Workspaces.Native;

internal static partial class Libc
{
    private static int CurrentDirectory => OperatingSystem.IsMacOS() ? -2 : -100;

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AccessNative(string path, int mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenNative(
        Descriptor directory,
        string path,
        int flags,
        nint mode,
        nint r4,
        nint r5,
        nint r6,
        nint r7,
        nint onStack
    );

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenNative(
        int directory,
        string path,
        int flags,
        nint mode,
        nint r4,
        nint r5,
        nint r6,
        nint r7,
        nint onStack
    );

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlNative(
        Descriptor file,
        int command,
        nint value,
        nint r3,
        nint r4,
        nint r5,
        nint r6,
        nint r7,
        nint onStack
    );

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint SystemCall(
        nint number,
        Descriptor first,
        byte* second,
        void* third,
        nint fourth,
        nint fifth
    );

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint ReadLinkNative(Descriptor directory, string name, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    private static unsafe partial nint ReadNative(Descriptor file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    private static unsafe partial nint WriteNative(Descriptor file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncNative(Descriptor file);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameNative(Descriptor oldDirectory, string oldName, Descriptor newDirectory, string newName);

    [LibraryImport("libc", EntryPoint = "renameatx_np", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameMacNative(
        Descriptor oldDirectory,
        string oldName,
        Descriptor newDirectory,
        string newName,
        uint flags
    );

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkNative(
        Descriptor oldDirectory,
        string oldName,
        Descriptor newDirectory,
        string newName,
        int flags
    );

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkNative(Descriptor directory, string name, int flags);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectoryNative(Descriptor directory, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    private static partial int SetModeNative(Descriptor file, uint mode);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int SetOwnerNative(Descriptor file, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int TruncateNative(Descriptor file, long length);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int LockNative(Descriptor file, int operation);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    private static unsafe partial int FileSystemNative(Descriptor file, byte* buffer);

    [LibraryImport("libc", EntryPoint = "flistxattr", SetLastError = true)]
    private static unsafe partial nint ListAttributesNative(Descriptor file, byte* names, nint size);

    [LibraryImport("libc", EntryPoint = "fgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint GetAttributeNative(Descriptor file, string name, byte* value, nint size);

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int SetAttributeNative(Descriptor file, string name, byte* value, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "fremovexattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RemoveAttributeNative(Descriptor file, string name);

    [LibraryImport("libc", EntryPoint = "fcopyfile", SetLastError = true)]
    private static partial int CopyFileNative(Descriptor from, Descriptor to, nint state, uint flags);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static unsafe partial int StatusMacNative(Descriptor file, byte* buffer);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static unsafe partial int StatusMac64Native(Descriptor file, byte* buffer);

    [LibraryImport("libc", EntryPoint = "fstatat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatusAtMacNative(Descriptor directory, string name, byte* buffer, int flags);

    [LibraryImport("libc", EntryPoint = "fstatat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatusAtMac64Native(Descriptor directory, string name, byte* buffer, int flags);
}
