using System.Buffers;
using System.Security.Cryptography;
using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// The one way in which a user's file or a file of our own state is written: at every moment, also when we are killed or the power
/// goes, the file has its old content or its new one; and when <see cref="Write(string, ReadOnlySpan{byte}, Basis)"/> returns, it has the new one.
/// </summary>
public sealed class FileWriter(TimeProvider time)
{
    internal const string TemporaryPrefix = ".thole-";
    internal const string TemporarySuffix = ".tmp";

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");

    // Long enough for the slowest write of somebody who is still alive.
    private static readonly TimeSpan s_staleAfter = TimeSpan.FromMinutes(15);

    /// <summary>The permissions of new files; null for what the umask leaves. State that nobody else may read says 0600.</summary>
    public UnixFileMode? NewFileMode { get; init; }

    /// <summary>
    /// A file with several names (hard links), or one whose owner or attributes a new file could not have, is written in place under a
    /// journal. Where this is false, it is refused.
    /// </summary>
    public bool AllowInPlace { get; init; } = true;

    /// <summary>Is shown each place a path leads to, link by link, and throws where that is not permitted.</summary>
    public Action<string>? CheckTarget { get; init; }

    /// <param name="path">Absolute. Where it is a symbolic link, what it leads to is written.</param>
    /// <exception cref="WorkspaceException">Nothing was written, or not durably; the message says which.</exception>
    public void Write(string path, ReadOnlySpan<byte> content, Basis basis)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsFiles.Write(path, content, basis);
            return;
        }

        using var place = Place.Find(path, CheckTarget);
        Write(place, path, content, basis);
    }

    /// <summary>Makes a folder that only its owner may enter, and missing ones above it; durable when it returns.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path)) is { } above)
        {
            CreateDirectory(above);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        using var place = Place.Find(path, check: null);
        using var directory = place.OpenDirectory();
        if (!Libc.MakeDirectory(directory, place.Name, (UnixFileMode)0x1C0))
        {
            var error = Libc.LastError;
            if (error != Errno.EEXIST || !Directory.Exists(path))
            {
                throw Errno.WhileWriting(error, path);
            }
        }

        if (!Libc.Sync(directory))
        {
            throw Errno.WhileWriting(Libc.LastError, path);
        }
    }

    /// <summary>Removes a file, durably; a link is removed, not what it leads to. Nothing happens where there is none.</summary>
    public static void Delete(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            File.Delete(path);
            return;
        }

        using var folder = Libc.Open(Path.GetDirectoryName(path) ?? "/", OpenFlags.Directory);
        if (folder.IsInvalid)
        {
            var error = Libc.LastError;
            if (error == Errno.ENOENT)
            {
                return;
            }

            throw Errno.WhileWriting(error, path);
        }

        Remove(folder, Path.GetFileName(path), path);
    }

    /// <summary>
    /// Puts right what a killed process of ours left in a folder: its temporary files go, and a write in place that it began is completed.
    /// What somebody else changed since is not touched.
    /// </summary>
    public void Recover(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var folder = Libc.Open(directory, OpenFlags.Directory);
        if (!folder.IsInvalid)
        {
            Recover(folder, directory);
        }
    }

    internal void Recover(Descriptor folder, string path)
    {
        foreach (var (name, _) in DirectoryListing.Read(folder, path))
        {
            if (!name.StartsWith(TemporaryPrefix, StringComparison.Ordinal) || Libc.StatusAt(folder, name) is not { } status)
            {
                continue;
            }

            if (name.EndsWith(InPlace.JournalSuffix, StringComparison.Ordinal))
            {
                InPlace.Recover(folder, name);
            }
            else if (
                IsTemporary(name)
                && status.Kind == FileKind.File
                && status.Owner == (uint)Libc.EffectiveUser
                && time.GetUtcNow() - status.ModifiedAt > s_staleAfter
            )
            {
                _ = Libc.Unlink(folder, name); // somebody else swept it first, or it stays: it harms nobody
            }
        }
    }

    /// <param name="shown">The path as its user knows it, for messages.</param>
    internal void Write(Place place, string shown, ReadOnlySpan<byte> content, Basis basis)
    {
        using var directory = place.OpenDirectory();
        new Replacement(this, place, directory, shown).Write(content, basis);
    }

    internal static void Remove(Descriptor folder, string name, string shown)
    {
        if (!Libc.Unlink(folder, name))
        {
            var error = Libc.LastError;
            if (error == Errno.ENOENT)
            {
                return;
            }

            throw Errno.WhileWriting(error, shown);
        }

        if (!Libc.Sync(folder))
        {
            throw NotDurable(Libc.LastError, shown);
        }
    }

    internal static string NewTemporaryName() =>
        TemporaryPrefix + Random.Shared.GetHexString(16, lowercase: true) + TemporarySuffix;

    internal static WorkspaceException Changed(string shown) =>
        new(
            ToolErrors.ChangedSinceRead,
            $"{shown} was changed by somebody else since it was read, so nothing was written; read it again."
        );

    internal static WorkspaceException Exists(string shown) =>
        new(ToolErrors.AlreadyExists, $"{shown} already exists, so it was not created; read it first and then edit it.");

    internal static WorkspaceException NotDurable(int errno, string shown) =>
        new(
            ToolErrors.WriteFailed,
            $"{shown} was changed, but the disk did not confirm it ({Errno.WhileWriting(errno, "its folder").Message.TrimEnd('.')}); read it again before going on."
        );

    private static bool IsTemporary(string name) =>
        name.EndsWith(TemporarySuffix, StringComparison.Ordinal)
        && name.Length == TemporaryPrefix.Length + 16 + TemporarySuffix.Length
        && name.AsSpan(TemporaryPrefix.Length, 16).IndexOfAnyExcept(s_hexDigits) < 0;
}
