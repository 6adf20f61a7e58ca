using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Thole.Core.Workspaces.Native;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// Writes a file that a new one may not replace (hard links, another owner). Before the first byte changes, a journal beside it
/// holds the old and the new content, durably. Whoever finds the journal of a dead process completes the write,
/// but only over bytes that are the old or the new ones: what somebody wrote since is theirs.
/// </summary>
/// <remarks>
/// The journal: magic 16, inode 8, length of name 4, of the old 8, of the new 8; name, old, new; SHA-256 of all that. It is named for the
/// inode, so that it is found under whichever name in the folder the file is opened, and locked while its writer lives.
/// </remarks>
internal static class InPlace
{
    public const string JournalSuffix = ".journal";

    private const int HeaderLength = 44;

    // Both contents are held in memory and in the journal.
    private const long Longest = 256 * 1024 * 1024;

    private static ReadOnlySpan<byte> Magic => "thole-journal-1\n"u8;

    public static void Write(
        Descriptor directory,
        string name,
        FileStatus status,
        string shown,
        ReadOnlySpan<byte> content,
        Basis basis
    )
    {
        using var file = Libc.OpenAt(directory, name, OpenFlags.Write | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (file.IsInvalid)
        {
            throw Errno.WhileWriting(Libc.LastError, shown);
        }

        if (Libc.Status(file) is not { } opened || !opened.IsSameFile(status))
        {
            throw FileWriter.Changed(shown);
        }

        var old =
            FileContent.Read(file, opened.Length, Longest, shown, CancellationToken.None)
            ?? throw new WorkspaceException(
                ToolErrors.FileTooLarge,
                $"{shown} has several names or another owner and is too long to be written in place safely; copy it to a new file and write that."
            );
        if (
            basis.Hash is { } hash
            && !Convert.ToHexStringLower(SHA256.HashData(old)).Equals(hash, StringComparison.OrdinalIgnoreCase)
        )
        {
            throw FileWriter.Changed(shown);
        }

        var journalName = JournalName(opened);
        using var journal = StartJournal(directory, journalName, Describe(opened.Inode, name, old, content), shown);
        try
        {
            Overwrite(file, content, opened.Permissions, shown);
        }
        catch (WorkspaceException)
        {
            // A full disk: the old bytes still have their blocks, so they fit. Where even that fails the journal stays for the next of us.
            Overwrite(file, old, opened.Permissions, shown);
            FileWriter.Remove(directory, journalName, shown);
            throw;
        }

        FileWriter.Remove(directory, journalName, shown);
    }

    /// <summary>Completes what a killed write of this very file left undone.</summary>
    public static void RecoverFor(Descriptor directory, FileStatus status)
    {
        var name = JournalName(status);
        if (Libc.StatusAt(directory, name) is null)
        {
            return;
        }

        using var folder = Libc.OpenAt(directory, ".", OpenFlags.Directory); // one that can be synced
        if (!folder.IsInvalid)
        {
            Recover(folder, name);
        }
    }

    /// <summary>Leaves everything as it is where the journal's writer lives, or the journal is not ours, not whole or not about this file.</summary>
    public static void Recover(Descriptor directory, string journalName)
    {
        using var journal = Libc.OpenAt(directory, journalName, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (
            journal.IsInvalid
            || Libc.Status(journal) is not { Kind: FileKind.File } status
            || status.Owner != (uint)Libc.EffectiveUser
            || status.Permissions != (UnixFileMode)0x180
            || !Libc.TryLock(journal)
            || FileContent.Read(journal, status.Length, 3 * Longest, journalName, CancellationToken.None) is not { } bytes
            || Parse(bytes) is not { } entry
        )
        {
            return;
        }

        using var file = Libc.OpenAt(directory, entry.Name, OpenFlags.Write | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (file.IsInvalid || Libc.Status(file) is not { Kind: FileKind.File } target || target.Inode != entry.Inode)
        {
            return;
        }

        var longest = Math.Max(entry.Old.Length, entry.New.Length);
        if (
            FileContent.Read(file, target.Length, longest, entry.Name, CancellationToken.None) is not { } now
            || !IsMixture(now, entry)
        )
        {
            return;
        }

        if (!now.AsSpan().SequenceEqual(entry.Old.Span))
        {
            Overwrite(file, entry.New.Span, target.Permissions, entry.Name);
        }

        FileWriter.Remove(directory, journalName, entry.Name);
    }

    internal static string JournalName(FileStatus status) => $"{FileWriter.TemporaryPrefix}{status.Inode:x}{JournalSuffix}";

    internal static Descriptor StartJournal(Descriptor directory, string journalName, byte[] entry, string shown)
    {
        var temporary = FileWriter.NewTemporaryName();
        var journal = Libc.OpenAt(
            directory,
            temporary,
            OpenFlags.Write | OpenFlags.Create | OpenFlags.NoFollow,
            (UnixFileMode)0x180
        );
        if (journal.IsInvalid)
        {
            throw Errno.WhileWriting(Libc.LastError, shown);
        }

        try
        {
            if (!Libc.TryLock(journal) || !Libc.WriteAll(journal, entry, 0) || !Libc.Sync(journal))
            {
                throw Errno.WhileWriting(Libc.LastError, shown);
            }

            // Never over another journal: it is the only whole copy of what its dead writer was replacing.
            if (!Libc.Link(directory, temporary, journalName))
            {
                var error = Libc.LastError;
                throw error == Errno.EEXIST
                    ? new WorkspaceException(
                        ToolErrors.WriteFailed,
                        $"{shown} is being written, or a write of it broke off and the file was changed since; look at {journalName} beside it and remove that."
                    )
                    : Errno.WhileWriting(error, shown);
            }

            if (!Libc.Unlink(directory, temporary) || !Libc.Sync(directory))
            {
                var refusal = Errno.WhileWriting(Libc.LastError, shown);
                _ = Libc.Unlink(directory, journalName);
                throw refusal;
            }

            return journal;
        }
        catch
        {
            _ = Libc.Unlink(directory, temporary);
            journal.Dispose();
            throw;
        }
    }

    private static void Overwrite(Descriptor file, ReadOnlySpan<byte> content, UnixFileMode permissions, string shown)
    {
        if (!Libc.WriteAll(file, content, 0) || !Libc.Truncate(file, content.Length))
        {
            throw Errno.WhileWriting(Libc.LastError, shown);
        }

        // Writing takes setuid and setgid away.
        var isSpecial = permissions.HasFlag(UnixFileMode.SetUser) || permissions.HasFlag(UnixFileMode.SetGroup);
        if ((isSpecial && !Libc.SetMode(file, permissions)) || !Libc.Sync(file))
        {
            throw Errno.WhileWriting(Libc.LastError, shown);
        }
    }

    internal static byte[] Describe(ulong inode, string name, ReadOnlySpan<byte> old, ReadOnlySpan<byte> content)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name);
        var entry = new byte[HeaderLength + nameBytes.Length + old.Length + content.Length + SHA256.HashSizeInBytes];
        var at = entry.AsSpan();
        Magic.CopyTo(at);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], inode);
        BinaryPrimitives.WriteInt32LittleEndian(at[24..], nameBytes.Length);
        BinaryPrimitives.WriteInt64LittleEndian(at[28..], old.Length);
        BinaryPrimitives.WriteInt64LittleEndian(at[36..], content.Length);
        at = at[HeaderLength..];
        nameBytes.CopyTo(at);
        old.CopyTo(at[nameBytes.Length..]);
        content.CopyTo(at[(nameBytes.Length + old.Length)..]);
        SHA256.HashData(entry.AsSpan(..^SHA256.HashSizeInBytes), entry.AsSpan(^SHA256.HashSizeInBytes..));
        return entry;
    }

    private static Entry? Parse(byte[] bytes)
    {
        if (bytes.Length < HeaderLength + SHA256.HashSizeInBytes || !bytes.AsSpan().StartsWith(Magic))
        {
            return null;
        }

        var body = bytes.AsMemory(..^SHA256.HashSizeInBytes);
        var nameLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(24));
        var oldLength = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(28));
        var newLength = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(36));
        if (
            nameLength < 1
            || oldLength is < 0 or > Longest
            || newLength is < 0 or > Longest
            || HeaderLength + (long)nameLength + oldLength + newLength != body.Length
            || !SHA256.HashData(body.Span).AsSpan().SequenceEqual(bytes.AsSpan(^SHA256.HashSizeInBytes..))
        )
        {
            return null;
        }

        var name = Encoding.UTF8.GetString(body.Slice(HeaderLength, nameLength).Span);
        var contents = body[(HeaderLength + nameLength)..];
        return name.Contains('/') || name is "." or ".."
            ? null
            : new Entry(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16)),
                name,
                contents[..(int)oldLength],
                contents[(int)oldLength..]
            );
    }

    // Wherever a write in place stops, every byte is the old or the new one of its place.
    private static bool IsMixture(byte[] now, Entry entry)
    {
        for (var i = 0; i < now.Length; i++)
        {
            var isOld = i < entry.Old.Length && now[i] == entry.Old.Span[i];
            if (!isOld && !(i < entry.New.Length && now[i] == entry.New.Span[i]))
            {
                return false;
            }
        }

        return now.Length >= Math.Min(entry.Old.Length, entry.New.Length);
    }

    private sealed record Entry(ulong Inode, string Name, ReadOnlyMemory<byte> Old, ReadOnlyMemory<byte> New);
}
