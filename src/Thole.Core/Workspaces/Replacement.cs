using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// One write on Unix: a temporary file beside the target, complete and synced, takes the target's name; then the folder is synced.
/// Whatever fails before that leaves the target as it was and nothing beside it.
/// </summary>
/// <param name="directory">The folder of <paramref name="place"/>, opened so that it can be synced.</param>
/// <param name="shown">The path as its user knows it, for messages.</param>
internal sealed class Replacement(FileWriter writer, Place place, Descriptor directory, string shown)
{
    private readonly string _temporary = FileWriter.NewTemporaryName();

    public void Write(ReadOnlySpan<byte> content, Basis basis)
    {
        if (place.Status is { } status)
        {
            Replace(status, content, basis);
        }
        else
        {
            Create(content, basis);
        }
    }

    private void Create(ReadOnlySpan<byte> content, Basis basis)
    {
        if (basis.Hash is not null)
        {
            throw FileWriter.Changed(shown);
        }

        // Made with its final permissions, so that the kernel applies the umask and the folder's default access list.
        using var file = CreateTemporary(writer.NewFileMode ?? (UnixFileMode)0x1B6);
        try
        {
            Require(Libc.WriteAll(file, content, 0));
            if (writer.NewFileMode is { } mode && !Libc.SetMode(file, mode) && !FileTraits.IsModeless(file))
            {
                throw Refusal();
            }

            Require(Libc.Sync(file));
            if (!basis.IsNothing)
            {
                Require(Libc.Rename(directory, _temporary, place.Name));
            }
            else if (!Libc.RenameNew(directory, _temporary, place.Name))
            {
                PublishByLink(Libc.LastError);
            }
        }
        catch
        {
            _ = Libc.Unlink(directory, _temporary);
            throw;
        }

        SyncFolder();
    }

    private void Replace(FileStatus status, ReadOnlySpan<byte> content, Basis basis)
    {
        RequireRegular(status);
        if (basis.IsNothing)
        {
            throw FileWriter.Exists(shown);
        }

        if (status.Links > 1)
        {
            InPlace.RecoverFor(directory, status);
        }

        using var old = Libc.OpenAt(directory, place.Name, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (old.IsInvalid)
        {
            throw Libc.LastError == Errno.ENOENT || Libc.LastError == Errno.ELOOP ? FileWriter.Changed(shown) : Refusal();
        }

        if (Libc.Status(old) is not { } opened || !opened.IsSameFile(status))
        {
            throw FileWriter.Changed(shown);
        }

        if (opened.Links > 1)
        {
            WriteInPlace(opened, content, basis, "it has several names (hard links)");
            return;
        }

        using var file = CreateTemporary((UnixFileMode)0x180);
        try
        {
            Require(Libc.WriteAll(file, content, 0));
            if (FileTraits.Copy(old, opened, file) is { } lost)
            {
                _ = Libc.Unlink(directory, _temporary);
                WriteInPlace(opened, content, basis, lost);
                return;
            }

            Require(Libc.Sync(file));
            Swap(file, old, opened, basis);
        }
        catch
        {
            _ = Libc.Unlink(directory, _temporary);
            throw;
        }

        SyncFolder();
    }

    // The check comes last, and where names can be exchanged it is made once more on what was displaced: a change that
    // slipped in between check and exchange is put back, not lost.
    private void Swap(Descriptor file, Descriptor old, FileStatus status, Basis basis)
    {
        if (basis.Hash is not { } hash)
        {
            Require(Libc.Rename(directory, _temporary, place.Name));
            return;
        }

        if (!IsStill(place.Name, old, status, hash))
        {
            throw FileWriter.Changed(shown);
        }

        if (!Libc.Exchange(directory, _temporary, place.Name))
        {
            var error = Libc.LastError;
            if (error == Errno.ENOENT)
            {
                throw FileWriter.Changed(shown);
            }

            if (!Errno.IsUnsupported(error))
            {
                throw Errno.WhileWriting(error, shown);
            }

            Require(Libc.Rename(directory, _temporary, place.Name));
            return;
        }

        if (IsStill(_temporary, old, status, hash))
        {
            // Where even this fails the file is replaced all the same; the old content is swept later.
            _ = Libc.Unlink(directory, _temporary);
            return;
        }

        var isBack =
            Libc.Exchange(directory, _temporary, place.Name)
            && Libc.Status(file) is { } ours
            && Libc.StatusAt(directory, _temporary) is { } back
            && back.IsSameFile(ours);
        throw isBack ? FileWriter.Changed(shown) : Kept();
    }

    private bool IsStill(string name, Descriptor old, FileStatus status, string hash) =>
        Libc.StatusAt(directory, name) is { } now
        && now.IsSameFile(status)
        && FileContent.Hash(old, shown).Equals(hash, StringComparison.OrdinalIgnoreCase);

    // Under a name that no sweep takes: it is somebody's newest work.
    private WorkspaceException Kept()
    {
        var mark = _temporary.AsSpan(FileWriter.TemporaryPrefix.Length, 8);
        var kept = $"{place.Name[..Math.Min(place.Name.Length, 50)]}.conflict-{mark}";
        return Libc.RenameNew(directory, _temporary, kept)
            ? new WorkspaceException(
                ToolErrors.ChangedSinceRead,
                $"{shown} was changed by somebody else while it was written; their version is kept beside it as {kept}: compare the two."
            )
            : FileWriter.Changed(shown);
    }

    private void WriteInPlace(FileStatus status, ReadOnlySpan<byte> content, Basis basis, string reason)
    {
        if (!writer.AllowInPlace)
        {
            throw new WorkspaceException(
                ToolErrors.WriteFailed,
                $"{shown} cannot be replaced by a new file because {reason}; copy it to a new file (cp, then mv) and write that."
            );
        }

        InPlace.Write(directory, place.Name, status, shown, content, basis);
    }

    private Descriptor CreateTemporary(UnixFileMode mode)
    {
        var file = Libc.OpenAt(directory, _temporary, OpenFlags.Write | OpenFlags.Create | OpenFlags.NoFollow, mode);
        if (!file.IsInvalid)
        {
            return file;
        }

        throw Libc.LastError is Errno.EACCES or Errno.EPERM
            ? new WorkspaceException(
                ToolErrors.PermissionDenied,
                $"The folder of {shown} is not writable, and a file is replaced safely only by a new one beside it; make the folder writable (chmod u+w)."
            )
            : Refusal();
    }

    private void PublishByLink(int error)
    {
        if (Errno.IsUnsupported(error))
        {
            if (Libc.Link(directory, _temporary, place.Name))
            {
                _ = Libc.Unlink(directory, _temporary);
                return;
            }

            error = Libc.LastError;
            if ((error == Errno.EPERM || Errno.IsUnsupported(error)) && Libc.StatusAt(directory, place.Name) is null)
            {
                // FAT knows neither: the one place where a file that appears in this very moment would be replaced.
                Require(Libc.Rename(directory, _temporary, place.Name));
                return;
            }
        }

        throw error == Errno.EEXIST ? FileWriter.Exists(shown) : Errno.WhileWriting(error, shown);
    }

    private void RequireRegular(FileStatus status)
    {
        if (status.Kind == FileKind.Directory)
        {
            throw Errno.WhileWriting(Errno.EISDIR, shown);
        }

        if (status.Kind != FileKind.File)
        {
            throw new WorkspaceException(
                ToolErrors.NotRegularFile,
                $"{shown} is a device, pipe or socket, not a file; name a regular file."
            );
        }
    }

    private void SyncFolder()
    {
        if (!Libc.Sync(directory))
        {
            throw FileWriter.NotDurable(Libc.LastError, shown);
        }
    }

    private void Require(bool done)
    {
        if (!done)
        {
            throw Refusal();
        }
    }

    private WorkspaceException Refusal() => Errno.WhileWriting(Libc.LastError, shown);
}
