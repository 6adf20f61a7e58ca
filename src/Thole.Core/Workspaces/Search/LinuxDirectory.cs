using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Thole.Core.Workspaces.Search;

/// <summary>One directory through getdents64, a page of entries at a time: a huge directory costs no more memory than a small one.</summary>
internal sealed class LinuxDirectory : OpenDirectory
{
    private const int PageSize = 64 * 1024;

    /// <summary>The longest record: its head, a name of 255 bytes, its end, aligned.</summary>
    private const int LongestRecord = 280;

    // struct linux_dirent64: inode 8, offset 8, length of the record 2, type 1, name with its NUL.
    private const int LengthOffset = 16;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;

    private readonly SafeFileHandle _directory;
    private readonly Lazy<string?> _realRoot;
    private readonly byte[] _page = ArrayPool<byte>.Shared.Rent(PageSize);
    private readonly bool _isWhole;
    private int _length;
    private int _at;

    public LinuxDirectory(SafeFileHandle directory, Lazy<string?> realRoot)
    {
        (_directory, _realRoot) = (directory, realRoot);
        while (!_isWhole && _page.Length - _length > LongestRecord)
        {
            var read = LinuxCalls.ReadEntries(_directory, _page.AsSpan(_length));
            _isWhole = read <= 0;
            _length += Math.Max(read, 0);
        }

        MayHoldIgnoreFiles = !_isWhole || HasIgnoreFile();
        _at = 0;
    }

    public override bool MayHoldIgnoreFiles { get; }

    public override bool Next(out ReadOnlySpan<byte> name, out FileKind kind)
    {
        while (true)
        {
            if (_at >= _length)
            {
                // The only page stays as it is: it is gone through once more after the look for ignore files.
                var read = _isWhole ? 0 : LinuxCalls.ReadEntries(_directory, _page);
                if (read > 0)
                {
                    (_at, _length) = (0, read);
                }
                else
                {
                    name = default;
                    kind = default;
                    return false;
                }
            }

            var record = _page.AsSpan(_at);
            record = record[..BinaryPrimitives.ReadUInt16LittleEndian(record[LengthOffset..])];
            _at += record.Length;
            name = record[NameOffset..];
            name = name[..name.IndexOf((byte)0)];
            if (name is [(byte)'.'] or [(byte)'.', (byte)'.'])
            {
                continue;
            }

            kind = record[TypeOffset] switch
            {
                4 => FileKind.Directory,
                8 => FileKind.File,
                10 => FileKind.Link,
                // Some file systems do not say.
                0 => LinuxCalls.Stat(_directory, name)?.Kind ?? FileKind.Other,
                _ => FileKind.Other,
            };
            return true;
        }
    }

    public override FileState? Stat(ReadOnlySpan<byte> name, FileKind kind)
    {
        if (kind is not FileKind.Link)
        {
            return LinuxCalls.Stat(_directory, name);
        }

        // Opened first and asked where it is afterwards, so that nobody can change the link in between.
        var descriptor = LinuxCalls.Open((int)_directory.DangerousGetHandle(), name, LinuxCalls.PathOnly);
        if (descriptor < 0)
        {
            return null;
        }

        using var target = new SafeFileHandle(descriptor, ownsHandle: true);
        return
            _realRoot.Value is { } root
            && LinuxCalls.PathOf(target) is { } path
            && path.StartsWith(root.EndsWith('/') ? root : root + "/", StringComparison.Ordinal)
            && LinuxCalls.Stat(target, []) is { Kind: FileKind.File } state
            ? state
            : null;
    }

    public override void Dispose()
    {
        _directory.Dispose();
        ArrayPool<byte>.Shared.Return(_page);
    }

    private bool HasIgnoreFile()
    {
        while (_at < _length && Next(out var name, out _))
        {
            if (name.EndsWith("ignore"u8))
            {
                return true;
            }
        }

        return false;
    }
}
