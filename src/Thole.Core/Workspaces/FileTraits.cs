using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>Makes a new file another's equal in all but content: owner, group, permissions, access list, attributes, security label.</summary>
internal static class FileTraits
{
    private const string AccessList = "system.posix_acl_access";

    // The kernel computes these two over the content: a copy would be wrong by construction.
    private static bool DependsOnContent(string name) => name is "security.ima" or "security.evm";

    /// <summary>Null where all of it is kept; else what cannot be, as the reason in a sentence.</summary>
    public static string? Copy(Descriptor from, FileStatus status, Descriptor to)
    {
        if (Libc.Status(to) is not { } made)
        {
            return "its new copy cannot be examined";
        }

        // FAT and its like give every file the owner of the mount: then there is nothing to change.
        if ((made.Owner != status.Owner || made.Group != status.Group) && !Libc.SetOwner(to, status.Owner, status.Group))
        {
            return "it belongs to another user or group";
        }

        if (OperatingSystem.IsMacOS())
        {
            if (!Libc.CopyAttributesOnMac(from, to))
            {
                return "its access list or attributes cannot be copied";
            }
        }
        else if (CopyAttributes(from, to) is { } lost)
        {
            return lost;
        }

        // After the owner, because a change of owner clears setuid; and after the access list, which carries the group's bits.
        var modeKept =
            Libc.SetMode(to, status.Permissions) && Libc.Status(to) is { } now && now.Permissions == status.Permissions;
        return modeKept || IsModeless(to) ? null : "its permissions cannot be given to a new file";
    }

    /// <summary>File systems that have no permissions of their own, where chmod fails or does nothing.</summary>
    public static bool IsModeless(Descriptor file) =>
        Libc.FileSystemOf(file)
            is 0x4D44 // vfat
                or 0x2011BAB0 // exfat
                or 0x65735546 // FUSE: exfat, fat and ntfs in user space
                or 0x5346544E // ntfs
                or 0x7366746E // ntfs3
                or 0xFF534D42 // cifs
                or 0xFE534D42 // smb2
                or 0x01021997; // 9p: folders shared with a virtual machine

    private static string? CopyAttributes(Descriptor from, Descriptor to)
    {
        var hasAccessList = false;
        if (Libc.AttributeNames(from) is not { } names)
        {
            return "its attributes cannot be read";
        }

        foreach (var name in names)
        {
            hasAccessList |= name is AccessList;
            if (DependsOnContent(name))
            {
                continue;
            }

            if (Libc.Attribute(from, name) is not { } value)
            {
                if (Libc.LastError == Errno.ENODATA)
                {
                    continue; // removed since it was listed
                }

                return $"its attribute {name} cannot be read";
            }

            var made = Libc.Attribute(to, name);
            if ((made is null || !made.AsSpan().SequenceEqual(value)) && !Libc.SetAttribute(to, name, value))
            {
                return $"its attribute {name} cannot be given to a new file";
            }
        }

        // The folder's default access list came to the new file uninvited.
        if (!hasAccessList && Libc.Attribute(to, AccessList) is not null && !Libc.RemoveAttribute(to, AccessList))
        {
            return "the folder's access list cannot be taken off a new file";
        }

        return null;
    }
}
