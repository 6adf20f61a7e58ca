using System.Runtime.InteropServices;

namespace Thole.Core.Workspaces.Native;

/// <summary>What the kernel says of a file: its identity, what it is, and whose.</summary>
internal readonly record struct FileStatus(
    ulong Device,
    ulong Inode,
    uint Mode,
    uint Links,
    uint Owner,
    uint Group,
    long Length,
    DateTimeOffset ModifiedAt
)
{
    private const uint TypeMask = 0xF000;

    public FileKind Kind =>
        (Mode & TypeMask) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Directory,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };

    /// <summary>Permissions with setuid, setgid and sticky.</summary>
    public UnixFileMode Permissions => (UnixFileMode)(Mode & 0xFFF);

    public bool IsSameFile(FileStatus other) => Device == other.Device && Inode == other.Inode;

    /// <summary>The kernel's <c>struct statx</c>, the same on every architecture of Linux.</summary>
    public static FileStatus FromStatx(ReadOnlySpan<byte> statx) =>
        new(
            ((ulong)U32(statx, 136) << 32) | U32(statx, 140),
            MemoryMarshal.Read<ulong>(statx[32..]),
            MemoryMarshal.Read<ushort>(statx[28..]),
            U32(statx, 16),
            U32(statx, 20),
            U32(statx, 24),
            MemoryMarshal.Read<long>(statx[40..]),
            Time(MemoryMarshal.Read<long>(statx[112..]), U32(statx, 120))
        );

    /// <summary>Darwin's <c>struct stat</c> with 64-bit inodes.</summary>
    public static FileStatus FromDarwin(ReadOnlySpan<byte> stat) =>
        new(
            U32(stat, 0),
            MemoryMarshal.Read<ulong>(stat[8..]),
            MemoryMarshal.Read<ushort>(stat[4..]),
            MemoryMarshal.Read<ushort>(stat[6..]),
            U32(stat, 16),
            U32(stat, 20),
            MemoryMarshal.Read<long>(stat[96..]),
            Time(MemoryMarshal.Read<long>(stat[48..]), MemoryMarshal.Read<long>(stat[56..]))
        );

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => MemoryMarshal.Read<uint>(bytes[at..]);

    // A file may claim any time at all (touch -d 9999-12-31 and later); what no calendar holds is clamped, not thrown.
    private static DateTimeOffset Time(long seconds, long nanoseconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, -62_135_596_800, 253_402_300_798)).AddTicks(nanoseconds / 100);
}
