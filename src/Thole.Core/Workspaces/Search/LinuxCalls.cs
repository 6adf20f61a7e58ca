using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Thole.Core.Workspaces.Search;

/// <summary>The few system calls of a search. The names are the kernel's, the numbers those of x64 and arm64.</summary>
internal static unsafe partial class LinuxCalls
{
    public const int CurrentDirectory = -100;
    public const int Interrupted = 4;
    public const int NonBlocking = 0x800;
    public const int PathOnly = 0x200000;
    private const int CloseOnExec = 0x80000;
    private const int NoSuchCall = 38;
    private const int NotPermitted = 1;
    private const int TryAgain = 11;
    private const int OpenAt2 = 437;
    private const ulong ResolveBeneathWithoutMagicLinks = 0x08 | 0x02;
    private const int SymbolicLinkNoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint TypeSizeAndChange = 0x1 | 0x2 | 0x40 | 0x200;
    private const int LongestPath = 4096;

    private static readonly bool s_isArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64;
    private static readonly int s_getDents64 = s_isArm ? 61 : 217;
    private static volatile bool s_lacksOpenBeneath;

    public static int Directory => s_isArm ? 0x4000 : 0x10000;

    public static int NoFollow => s_isArm ? 0x8000 : 0x20000;

    public static bool HasOpenBeneath => !s_lacksOpenBeneath;

    /// <returns>A descriptor, or -1.</returns>
    public static int OpenBeneath(SafeFileHandle root, ReadOnlySpan<byte> path, int flags)
    {
        Span<byte> text = stackalloc byte[LongestPath];
        if (!Terminate(path, text))
        {
            return -1;
        }

        var how = stackalloc ulong[3];
        (how[0], how[1], how[2]) = ((uint)(flags | CloseOnExec), 0, ResolveBeneathWithoutMagicLinks);
        fixed (byte* name = text)
        {
            // The kernel gives up with EAGAIN where somebody renames folders meanwhile.
            for (var attempt = 0; attempt < 8; attempt++)
            {
                var descriptor = (int)Call(OpenAt2, root.DangerousGetHandle(), (nint)name, (nint)how, 24);
                if (descriptor >= 0)
                {
                    return descriptor;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case TryAgain or Interrupted:
                        continue;
                    case NoSuchCall:
                        s_lacksOpenBeneath = true;
                        return -1;
                    case NotPermitted when !IsOpenBeneathPermitted(root):
                        s_lacksOpenBeneath = true;
                        return -1;
                    default:
                        return -1;
                }
            }
        }

        return -1;
    }

    public static int Open(int directory, ReadOnlySpan<byte> path, int flags)
    {
        Span<byte> text = stackalloc byte[LongestPath];
        if (!Terminate(path, text))
        {
            return -1;
        }

        fixed (byte* name = text)
        {
            return OpenAt(directory, name, flags | CloseOnExec, 0);
        }
    }

    /// <returns>Bytes of whole records, 0 at the end, below 0 where the directory cannot be read.</returns>
    public static int ReadEntries(SafeFileHandle directory, Span<byte> page)
    {
        fixed (byte* start = page)
        {
            return (int)Call(s_getDents64, directory.DangerousGetHandle(), (nint)start, page.Length, 0);
        }
    }

    public static nint Read(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            return ReadAt(file.DangerousGetHandle(), start, buffer.Length, offset);
        }
    }

    /// <summary>Of the entry itself, not of what a link leads to; of the directory itself where there is no name.</summary>
    public static FileState? Stat(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        Span<byte> text = stackalloc byte[LongestPath];
        if (!Terminate(name, text))
        {
            return null;
        }

        // struct statx is the same on every architecture: mode at 28, size at 40, seconds and nanoseconds of the last write at 112.
        Span<byte> answer = stackalloc byte[256];
        fixed (byte* path = text)
        fixed (byte* result = answer)
        {
            var flags = SymbolicLinkNoFollow | (name.Length == 0 ? EmptyPath : 0);
            if (StatX((int)directory.DangerousGetHandle(), path, flags, TypeSizeAndChange, result) != 0)
            {
                return null;
            }
        }

        var kind = (BinaryPrimitives.ReadUInt16LittleEndian(answer[28..]) & 0xF000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Directory,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        var seconds = Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(answer[112..]), -62_135_596_800, 253_402_300_798);
        var modified = DateTimeOffset
            .FromUnixTimeSeconds(seconds)
            .AddTicks(BinaryPrimitives.ReadUInt32LittleEndian(answer[120..]) / 100);
        return new FileState(kind, BinaryPrimitives.ReadInt64LittleEndian(answer[40..]), modified);
    }

    /// <summary>Where an open file really is, by the kernel's own word.</summary>
    public static string? PathOf(SafeFileHandle file)
    {
        var link = Encoding.UTF8.GetBytes($"/proc/self/fd/{file.DangerousGetHandle()}\0");
        Span<byte> answer = stackalloc byte[LongestPath];
        fixed (byte* path = link)
        fixed (byte* result = answer)
        {
            var length = ReadLink(path, result, answer.Length);
            return length is > 0 and < LongestPath ? Encoding.UTF8.GetString(answer[..(int)length]) : null;
        }
    }

    /// <summary>An old container runtime answers EPERM to every call it does not know; a file may do so too.</summary>
    private static bool IsOpenBeneathPermitted(SafeFileHandle root)
    {
        var how = stackalloc ulong[3];
        (how[0], how[1], how[2]) = ((uint)(Directory | CloseOnExec), 0, ResolveBeneathWithoutMagicLinks);
        fixed (byte* self = ".\0"u8)
        {
            var descriptor = (int)Call(OpenAt2, root.DangerousGetHandle(), (nint)self, (nint)how, 24);
            if (descriptor < 0)
            {
                return false;
            }

            new SafeFileHandle(descriptor, ownsHandle: true).Dispose();
            return true;
        }
    }

    private static bool Terminate(ReadOnlySpan<byte> path, Span<byte> text)
    {
        if (path.Length >= text.Length || path.Contains((byte)0))
        {
            return false;
        }

        path.CopyTo(text);
        text[path.Length] = 0;
        return true;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(int directory, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    private static partial nint ReadAt(nint descriptor, byte* buffer, nint length, long offset);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatX(int directory, byte* path, int flags, uint mask, byte* answer);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    private static partial nint ReadLink(byte* path, byte* answer, nint length);
}
