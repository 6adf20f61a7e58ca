using System.Runtime.InteropServices;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Native;

/// <summary>The error numbers we tell apart, and what each one means to whoever asked for a file.</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ETXTBSY = 26;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;

    public static int EAGAIN => OperatingSystem.IsMacOS() ? 35 : 11;
    public static int ENODATA => OperatingSystem.IsMacOS() ? 93 : 61;
    public static int ENOTSUP => OperatingSystem.IsMacOS() ? 45 : 95;
    public static int ELOOP => OperatingSystem.IsMacOS() ? 62 : 40;
    public static int ENAMETOOLONG => OperatingSystem.IsMacOS() ? 63 : 36;
    public static int EDQUOT => OperatingSystem.IsMacOS() ? 69 : 122;
    public static int ESTALE => OperatingSystem.IsMacOS() ? 70 : 116;
    public static int ENOSYS => OperatingSystem.IsMacOS() ? 78 : 38;

    /// <summary>The file system has no such operation (a kernel or FUSE file system of lesser abilities).</summary>
    public static bool IsUnsupported(int errno) => errno == ENOSYS || errno == ENOTSUP || errno == EINVAL;

    public static WorkspaceException WhileReading(int errno, string path) => Refusal(errno, path, "read", ToolErrors.ReadFailed);

    public static WorkspaceException WhileWriting(int errno, string path) =>
        Refusal(errno, path, "written", ToolErrors.WriteFailed);

    private static WorkspaceException Refusal(int errno, string path, string verb, string otherwise)
    {
        var (error, reason) = errno switch
        {
            ENOSPC => (ToolErrors.NoSpace, "the disk is full; free some space and try again"),
            _ when errno == EDQUOT => (ToolErrors.NoSpace, "the disk quota is used up; free some space and try again"),
            EROFS => (otherwise, "its file system is mounted read-only; remount it writable or use another folder"),
            EACCES or EPERM => (
                ToolErrors.PermissionDenied,
                "the system does not permit it; check the permissions and attributes of the file and its folder (ls -ld, lsattr)"
            ),
            ENOENT when verb is "written" => (ToolErrors.FileNotFound, "a folder on its path is missing; create that first"),
            ENOENT => (ToolErrors.FileNotFound, "there is no such file; check the name with list_directory or glob"),
            ENOTDIR => (
                ToolErrors.FileNotFound,
                "a part of its path is a file, not a folder; check the path with list_directory"
            ),
            EISDIR => (ToolErrors.IsDirectory, "it is a folder; name a file in it"),
            _ when errno == ELOOP => (
                ToolErrors.NotRegularFile, // whoever named it is wrong, and not the disk: to try again helps nobody
                "its symbolic links go in a circle or are too many; name the real file"
            ),
            _ when errno == ENAMETOOLONG => (
                ToolErrors.InvalidArguments,
                "the name is too long for this file system; use a shorter one"
            ),
            EIO => (otherwise, "the disk reported an error; check the disk (dmesg) before trying again"),
            EXDEV => (
                otherwise,
                "its folder spans two file systems, so it cannot be replaced in one step; write to the real location"
            ),
            EBUSY => (otherwise, "it is a mount point or in use by the system; write to the file behind the mount"),
            ETXTBSY => (otherwise, "it is a program that is running; stop the program first"),
            EFBIG => (otherwise, "it would be larger than this file system or limit allows; write less"),
            EMFILE or ENFILE => (otherwise, "too many files are open; close some programs or raise the limit (ulimit -n)"),
            _ => (
                otherwise,
                $"the system says \"{Marshal.GetPInvokeErrorMessage(errno)}\" (error {errno}); try again when that is mended"
            ),
        };
        return new WorkspaceException(error, $"{path} could not be {verb}: {reason}.");
    }
}
