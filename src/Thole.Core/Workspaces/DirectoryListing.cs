using System.Runtime.InteropServices;
using System.Text;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>The names in an open directory on Unix.</summary>
internal static class DirectoryListing
{
    /// <param name="path">Where the directory is: macOS lists by path, having no such call for descriptors.</param>
    public static IEnumerable<(string Name, FileKind Kind)> Read(Descriptor directory, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return ReadByPath(path);
        }

        var entries = new List<(string, FileKind)>();
        var buffer = new byte[32 * 1024];
        while (true)
        {
            var count = Libc.ReadEntries(directory, buffer);
            if (count < 0)
            {
                throw Errno.WhileReading(Libc.LastError, path);
            }

            if (count == 0)
            {
                return entries;
            }

            for (var rest = buffer.AsSpan(0, count); rest.Length > 0; rest = rest[MemoryMarshal.Read<ushort>(rest[16..])..])
            {
                // struct linux_dirent64: inode 8, offset 8, length 2, type 1, then the name up to a zero.
                var name = rest[19..MemoryMarshal.Read<ushort>(rest[16..])];
                var text = Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
                if (text is not ("." or ".."))
                {
                    entries.Add((text, Kind(rest[18]) ?? Libc.StatusAt(directory, text)?.Kind ?? FileKind.Other));
                }
            }
        }
    }

    private static FileKind? Kind(byte type) =>
        type switch
        {
            0 => null, // some file systems do not say
            4 => FileKind.Directory,
            8 => FileKind.File,
            10 => FileKind.Link,
            _ => FileKind.Other,
        };

    private static IEnumerable<(string Name, FileKind Kind)> ReadByPath(string path) =>
        new DirectoryInfo(path)
            .EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = default })
            .Select(entry => (entry.Name, WindowsFiles.KindOf(entry)));
}
