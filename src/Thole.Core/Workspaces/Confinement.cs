using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// Opens paths beneath the roots of a workspace on Unix so that no link, and nobody who moves links about meanwhile, leads out.
/// The kernel resolves where it can (openat2); else, and for writes, we go component by component and hold every folder open.
/// </summary>
internal sealed class Confinement(IReadOnlyList<string> roots)
{
    // A folder that somebody keeps exchanging with a link is looked at again this often, then the call is refused.
    private const int MostRaces = 40;

    private IReadOnlyList<string>? _realRoots;

    /// <summary>The roots as the kernel names them, in the same order: a link may be written either way.</summary>
    public IReadOnlyList<string> RealRoots => _realRoots ??= [.. roots.Select(RealPath)];

    /// <summary>Opens what is there, links followed as long as they stay beneath a root; null where there is nothing.</summary>
    public Descriptor? Open(WorkspacePath path, OpenFlags flags)
    {
        if (path.Relative.Length > 0)
        {
            using var root = OpenRoot(path.Root);
            var opened = Libc.OpenBeneath(root, path.Relative, flags);
            if (!opened.IsInvalid)
            {
                return opened;
            }

            var error = Libc.LastError;
            if (error is Errno.ENOENT or Errno.ENOTDIR)
            {
                return null;
            }

            // EXDEV: an absolute link, which may lead back inside; EAGAIN: somebody renames meanwhile; ENOSYS, EPERM: no
            // openat2 here. In all of them we look for ourselves; what is truly refused is refused there again.
        }

        for (var races = 0; races < MostRaces; races++)
        {
            using var place = Locate(path, createParents: false, reading: true);
            if (place?.Status is null)
            {
                return null;
            }

            var opened = Libc.OpenAt(place.Directory, place.Name, flags | OpenFlags.NoFollow);
            if (!opened.IsInvalid)
            {
                return opened;
            }

            var error = Libc.LastError;
            if (error != Errno.ELOOP && error != Errno.ENOENT)
            {
                throw place.Status.Value.Kind == FileKind.Other ? NotRegular(path) : Errno.WhileReading(error, path.ToString());
            }
        }

        throw KeepsChanging(path);
    }

    /// <summary>Where the path really leads; null where a folder on the way is missing (and none was to be made).</summary>
    public Place? Locate(WorkspacePath path, bool createParents, bool reading)
    {
        var walk = new Walk(path.Root, OpenRoot(path.Root));
        try
        {
            return Go(walk, path, createParents, reading);
        }
        finally
        {
            walk.Dispose();
        }
    }

    private Place? Go(Walk walk, WorkspacePath path, bool createParents, bool reading)
    {
        var pending = new Stack<string>();
        Push(pending, path.Relative);
        int links = 0,
            races = 0;
        while (pending.TryPop(out var name))
        {
            if (name is "" or ".")
            {
                continue;
            }

            if (name is "..")
            {
                // Never the kernel's "..": the folder may have been moved out of the root while we stand in it.
                if (!walk.Up())
                {
                    throw Outside(path);
                }

                continue;
            }

            var status = Libc.StatusAt(walk.Top, name);
            var error = status is null ? Libc.LastError : 0;
            if (status is null && error != Errno.ENOENT)
            {
                throw Refused(error, path, reading);
            }

            if (status is { Kind: FileKind.Link })
            {
                if (++links > Place.MostLinks)
                {
                    throw Refused(Errno.ELOOP, path, reading);
                }

                if (Libc.ReadLinkAt(walk.Top, name) is not { } target)
                {
                    pending.Push(name);
                    Again(ref races, path);
                    continue;
                }

                if (target.StartsWith('/'))
                {
                    var (root, rest) = InsideOf(target) ?? throw Outside(path);
                    walk.Restart(root, OpenRoot(root));
                    target = rest;
                }

                Push(pending, target);
                continue;
            }

            if (pending.Count == 0)
            {
                return walk.Take(name, status);
            }

            if (status is null)
            {
                if (!createParents)
                {
                    return null;
                }

                MakeFolder(walk, name, path);
            }

            var next = Libc.OpenAt(walk.Top, name, OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.PathOnly);
            if (!next.IsInvalid)
            {
                walk.Down(name, next);
                continue;
            }

            if (status is { Kind: FileKind.File or FileKind.Other })
            {
                throw Refused(Errno.ENOTDIR, path, reading);
            }

            error = Libc.LastError;
            if (error != Errno.ENOTDIR && error != Errno.ELOOP && error != Errno.ENOENT)
            {
                throw Refused(error, path, reading);
            }

            pending.Push(name);
            Again(ref races, path);
        }

        return walk.Take(".", Libc.StatusAt(walk.Top, "."));
    }

    private static void MakeFolder(Walk walk, string name, WorkspacePath path)
    {
        if (ProtectedPaths.IsGit(name))
        {
            throw new WorkspaceException(
                ToolErrors.PermissionDenied,
                $"{path} is git's own; use git commands to change what is in .git."
            );
        }

        if (!Libc.MakeDirectory(walk.Top, name, (UnixFileMode)0x1FF))
        {
            var error = Libc.LastError;
            if (error == Errno.EEXIST)
            {
                return;
            }

            throw Errno.WhileWriting(error, path.ToString());
        }

        using var parent = Libc.OpenAt(walk.Top, ".", OpenFlags.Directory);
        if (parent.IsInvalid || !Libc.Sync(parent))
        {
            throw Errno.WhileWriting(Libc.LastError, path.ToString());
        }
    }

    private (string Root, string Below)? InsideOf(string target)
    {
        for (var i = 0; i < roots.Count; i++)
        {
            foreach (var root in (string[])[roots[i], RealRoots[i]])
            {
                if (PathText.IsBeneath(target, root))
                {
                    return (roots[i], target[root.Length..]);
                }
            }
        }

        return null;
    }

    private static Descriptor OpenRoot(string root)
    {
        var opened = Libc.Open(root, OpenFlags.Directory | OpenFlags.PathOnly);
        if (!opened.IsInvalid)
        {
            return opened;
        }

        throw Libc.LastError is Errno.ENOENT or Errno.ENOTDIR
            ? new WorkspaceException(
                ToolErrors.FileNotFound,
                $"The workspace {root} is not there any more; create it again or start in another folder."
            )
            : Errno.WhileReading(Libc.LastError, root);
    }

    /// <summary>
    /// The path without links, so that two ways to one folder are one. What is not there is itself; links that go in a circle, or are
    /// more than a kernel follows, are left where that was noticed.
    /// </summary>
    public static string RealPath(string path)
    {
        for (var links = 0; links < Place.MostLinks; links++)
        {
            if (WithoutFirstLink(path) is not { } next)
            {
                return path;
            }

            path = next;
        }

        return path;
    }

    /// <summary>From the top down, since what <c>..</c> means in a link depends on where the folder of the link really is. Null where there is no link.</summary>
    private static string? WithoutFirstLink(string path)
    {
        var top = System.IO.Path.GetPathRoot(path)!.Length;
        for (var end = top; end < path.Length; )
        {
            end = path.IndexOf(System.IO.Path.DirectorySeparatorChar, Math.Max(end + 1, top)) is >= 0 and var next
                ? next
                : path.Length;
            try
            {
                if (Directory.ResolveLinkTarget(path[..end], returnFinalTarget: false) is { } target)
                {
                    return System.IO.Path.GetFullPath(target.FullName + path[end..]);
                }
            }
            catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
            {
                return null; // nothing is there, or nothing that we may see: what is below it is no link that we could follow
            }
        }

        return null;
    }

    private static void Push(Stack<string> pending, string path)
    {
        var parts = path.Split('/');
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            pending.Push(parts[i]);
        }
    }

    private static void Again(ref int races, WorkspacePath path)
    {
        if (++races > MostRaces)
        {
            throw KeepsChanging(path);
        }
    }

    private static WorkspaceException Refused(int error, WorkspacePath path, bool reading) =>
        reading ? Errno.WhileReading(error, path.ToString()) : Errno.WhileWriting(error, path.ToString());

    private static WorkspaceException KeepsChanging(WorkspacePath path) =>
        new(ToolErrors.ReadFailed, $"{path} keeps being changed by another program; wait until that is done and try again.");

    private static WorkspaceException NotRegular(WorkspacePath path) =>
        new(ToolErrors.NotRegularFile, $"{path} is a device, pipe or socket, not a file; name a regular file.");

    private static WorkspaceException Outside(WorkspacePath path) =>
        new(
            ToolErrors.OutsideWorkspace,
            $"{path} is a link that leads out of the workspace; use a path inside, or start with --include-directories for the folder it leads to."
        );

    /// <summary>The folders from a root to where we stand, each held open.</summary>
    private sealed class Walk(string root, Descriptor top) : IDisposable
    {
        private readonly List<(string Name, Descriptor Folder)> _folders = [(root, top)];

        public Descriptor Top => _folders[^1].Folder;

        public void Down(string name, Descriptor folder) => _folders.Add((name, folder));

        public bool Up()
        {
            if (_folders.Count == 1)
            {
                return false;
            }

            Top.Dispose();
            _folders.RemoveAt(_folders.Count - 1);
            return true;
        }

        public void Restart(string root, Descriptor top)
        {
            Dispose();
            _folders.Add((root, top));
        }

        public Place Take(string name, FileStatus? status)
        {
            var path = string.Join('/', _folders.Select(folder => folder.Name).Append(name));
            var place = new Place(Top, name, status, path);
            _folders.RemoveAt(_folders.Count - 1);
            return place;
        }

        public void Dispose()
        {
            foreach (var (_, folder) in _folders)
            {
                folder.Dispose();
            }

            _folders.Clear();
        }
    }
}
