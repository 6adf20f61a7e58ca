using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>
/// Where a file really is, after all links: an open directory and a name in it. What happens to the path meanwhile
/// changes nothing for whoever works with the place.
/// </summary>
/// <param name="status">Null where there is nothing by that name.</param>
/// <param name="path">The real path, as far as it is known, for people and for rules about names.</param>
internal sealed class Place(Descriptor directory, string name, FileStatus? status, string path) : IDisposable
{
    public const int MostLinks = 40;

    public Descriptor Directory { get; } = directory;

    public string Name { get; } = name;

    public FileStatus? Status { get; } = status;

    public string Path { get; } = path;

    /// <summary>
    /// Any file, by the kernel's resolution of its folder. A link at the end is followed by us, so that the file is
    /// replaced and not the link, and each place it leads to is shown to <paramref name="check"/> first.
    /// </summary>
    public static Place Find(string path, Action<string>? check)
    {
        var at = path;
        for (var links = 0; links <= MostLinks; links++)
        {
            check?.Invoke(at);
            var (folder, name) = Split(at);
            var directory = Libc.Open(folder, OpenFlags.Directory | OpenFlags.PathOnly);
            if (directory.IsInvalid)
            {
                throw Errno.WhileWriting(Libc.LastError, path);
            }

            var status = Libc.StatusAt(directory, name);
            if (status is null && Libc.LastError != Errno.ENOENT)
            {
                directory.Dispose();
                throw Errno.WhileWriting(Libc.LastError, path);
            }

            if (status is not { Kind: FileKind.Link })
            {
                return new Place(directory, name, status, at);
            }

            using (directory)
            {
                // Path.Join keeps the ".." of a relative link for the kernel: only it knows what is above a linked folder.
                var target = Libc.ReadLinkAt(directory, name) ?? throw Errno.WhileWriting(Libc.LastError, path);
                at = target.StartsWith('/') ? target : System.IO.Path.Join(folder, target);
            }
        }

        throw Errno.WhileWriting(Errno.ELOOP, path);
    }

    /// <summary>The directory opened so that it can be synced; a folder that cannot be read cannot be made durable.</summary>
    public Descriptor OpenDirectory()
    {
        var opened = Libc.OpenAt(Directory, ".", OpenFlags.Directory);
        return opened.IsInvalid
            ? throw Errno.WhileWriting(Libc.LastError, System.IO.Path.GetDirectoryName(Path) ?? Path)
            : opened;
    }

    public void Dispose() => Directory.Dispose();

    private static (string Folder, string Name) Split(string path)
    {
        var trimmed = path.TrimEnd('/');
        var slash = trimmed.LastIndexOf('/');
        return trimmed.Length == 0 ? ("/", ".") : (slash <= 0 ? "/" : trimmed[..slash], trimmed[(slash + 1)..]);
    }
}
