using System.Security.Cryptography;
using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// A small file of our own state that only its owner may read, and that several processes change in turn: in a folder that only its
/// owner may enter, written whole, and cheap to find unchanged.
/// </summary>
public sealed class StateFile(string path, TimeProvider time)
{
    private const int Largest = 1024 * 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    public string Path { get; } = path;

    /// <summary>There may be such a file.</summary>
    public bool HasFolder => Directory.Exists(System.IO.Path.GetDirectoryName(Path));

    /// <summary>Null where there is none.</summary>
    /// <exception cref="WorkspaceException">It cannot be read, or others may read or write it.</exception>
    public byte[]? Read() => Read(out _);

    /// <param name="stamp">Equal stamps: the same content.</param>
    public byte[]? Read(out StateStamp stamp)
    {
        stamp = default;
        if (OperatingSystem.IsWindows())
        {
            // The folder is in the user's profile, whose access list keeps others out.
            stamp = Stamp();
            return File.Exists(Path) ? File.ReadAllBytes(Path) : null;
        }

        using var file = Open();
        if (file is null)
        {
            return null;
        }

        var status = Libc.Status(file) ?? throw Errno.WhileReading(Libc.LastError, Path);
        RequirePrivate(file, status);
        stamp = Stamp(status);
        return FileContent.Read(file, status.Length, Largest, Path, CancellationToken.None)
            ?? throw new WorkspaceException(ToolErrors.FileTooLarge, $"{Path} is larger than any we write; move it away.");
    }

    /// <summary>What tells without reading whether the file is still the same; the default where there is none.</summary>
    public StateStamp Stamp()
    {
        if (OperatingSystem.IsWindows())
        {
            var file = new FileInfo(Path);
            return file.Exists ? new StateStamp(1, 0, file.Length, file.LastWriteTimeUtc.Ticks) : default;
        }

        using var descriptor = Open();
        return descriptor is not null && Libc.Status(descriptor) is { } status ? Stamp(status) : default;
    }

    /// <summary>Changes the content while no other process does. Null from <paramref name="change"/> leaves it as it is.</summary>
    public async Task UpdateAsync(Func<byte[]?, byte[]?> change, CancellationToken cancellationToken)
    {
        FileWriter.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        await using var turn = await LockAsync(cancellationToken);
        var old = Read();
        if (change(old) is { } content)
        {
            var basis = old is null ? Basis.Nothing : Basis.Content(Convert.ToHexStringLower(SHA256.HashData(old)));
            new FileWriter(time) { NewFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }.Write(Path, content, basis);
        }
    }

    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(Path + ".lock", options);
            }
            catch (IOException) when (time.GetElapsedTime(started) < s_patience)
            {
                await Task.Delay(s_pause, time, cancellationToken);
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                throw new WorkspaceException(
                    ToolErrors.WriteFailed,
                    $"{Path} cannot be changed ({refused.Message.TrimEnd('.')}); another process may be changing it, so try again.",
                    refused
                );
            }
        }
    }

    private Descriptor? Open()
    {
        var file = Libc.Open(Path, OpenFlags.Read | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (!file.IsInvalid)
        {
            return file;
        }

        var error = Libc.LastError;
        file.Dispose();
        return error is Errno.ENOENT ? null : throw Errno.WhileReading(error, Path);
    }

    private void RequirePrivate(Descriptor file, FileStatus status)
    {
        const UnixFileMode Others = (UnixFileMode)0x3F;
        if (status.Kind is not FileKind.File || status.Owner != (uint)Libc.EffectiveUser)
        {
            throw new WorkspaceException(
                ToolErrors.PermissionDenied,
                $"{Path} is not a file of this user, so it is not believed; move it away."
            );
        }

        if ((status.Permissions & Others) is not UnixFileMode.None && !FileTraits.IsModeless(file))
        {
            throw new WorkspaceException(
                ToolErrors.PermissionDenied,
                $"{Path} can be read or written by other users, so it is not believed; run chmod 600 on it."
            );
        }
    }

    private static StateStamp Stamp(FileStatus status) =>
        new(status.Inode, status.Device, status.Length, status.ModifiedAt.UtcTicks);
}

/// <summary>Which file it is, how long, and when it was last written.</summary>
public readonly record struct StateStamp(ulong File, ulong Device, long Length, long ChangedAt);
