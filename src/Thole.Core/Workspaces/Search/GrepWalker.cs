using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>Visits every file of a tree and yields those with matching lines.</summary>
internal sealed class GrepWalker(
    (FileTree Tree, IgnoreRules Rules, byte[] RulesPath, byte[] Start, SearchTally Tally) walk,
    WorkspacePath place,
    LinePattern pattern,
    Glob? glob,
    int maxLines
) : FileWalker<FileMatches>(walk.Tree, walk.Rules, walk.RulesPath, walk.Start, walk.Tally)
{
    private const int FirstWindow = 64 * 1024;

    /// <summary>What is longer is searched in windows of this size.</summary>
    private const int LargestWindow = 32 * 1024 * 1024;

    /// <summary>A NUL this early means that nobody wants to read the file.</summary>
    private const int BinaryProbe = 8 * 1024;

    private int _left = maxLines;

    protected override bool VisitEntry(
        OpenDirectory directory,
        ReadOnlySpan<byte> path,
        ReadOnlySpan<byte> below,
        FileKind kind,
        List<FileMatches> results
    ) => kind is FileKind.File && Volatile.Read(ref _left) > 0 && (glob?.IsMatch(below) ?? true);

    protected override void VisitFile(byte[] path, List<FileMatches> results, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _left) <= 0)
        {
            return;
        }

        using var file = Tree.OpenFile(path);
        if (file is null)
        {
            Tally.AddUnreadable();
            return;
        }

        var scan = new LineScan(pattern, () => Interlocked.Decrement(ref _left) >= 0);
        var window = ArrayPool<byte>.Shared.Rent(FirstWindow);
        try
        {
            string? hash = null;
            int length = 0,
                read;
            long offset = 0;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                read = Tree.Read(file, offset, window.AsSpan(length));
                if (read < 0)
                {
                    Tally.AddUnreadable();
                    return;
                }

                if (offset == 0 && IsBinary(window.AsSpan(0, read)))
                {
                    Tally.AddBinary();
                    return;
                }

                offset += read;
                length += read;
                if (read > 0 && length < window.Length)
                {
                    continue;
                }

                if (read > 0 && length < LargestWindow)
                {
                    Grow(ref window, length);
                    continue;
                }

                var isWhole = offset == length;
                if (isWhole && ScanWhole(scan, window.AsSpan(0, length), isLast: read == 0))
                {
                    hash = scan.Lines.Count > 0 ? Convert.ToHexStringLower(SHA256.HashData(window.AsSpan(0, length))) : null;
                    break;
                }

                if (isWhole && Utf16Of(window.AsSpan(0, length)) is not null)
                {
                    // Decoded as a whole or not at all; nobody writes that much of it.
                    Tally.AddBinary();
                    return;
                }

                // A line longer than a window is searched in parts, and a match across two of them is missed.
                var end = read > 0 && window.AsSpan(0, length).LastIndexOf((byte)'\n') is >= 0 and var last ? last + 1 : length;
                scan.Scan(window.AsSpan(0, end));
                window.AsSpan(end, length - end).CopyTo(window);
                length -= end;
            } while (read > 0 && !scan.IsFull);

            if (scan.Lines.Count > 0)
            {
                results.Add(new FileMatches(place with { Relative = Encoding.UTF8.GetString(path) }, scan.Lines, hash));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(window);
        }
    }

    /// <returns>False where there is more of the file than the window.</returns>
    private static bool ScanWhole(LineScan scan, ReadOnlySpan<byte> content, bool isLast)
    {
        if (!isLast)
        {
            return false;
        }

        if (Utf16Of(content) is { } encoding)
        {
            scan.Scan(Encoding.UTF8.GetBytes(encoding.GetString(content[2..])));
        }
        else
        {
            scan.Scan(content.StartsWith("\uFEFF"u8) ? content[3..] : content);
        }

        return true;
    }

    private static bool IsBinary(ReadOnlySpan<byte> head) =>
        Utf16Of(head) is null && head[..Math.Min(head.Length, BinaryProbe)].Contains((byte)0);

    private static UnicodeEncoding? Utf16Of(ReadOnlySpan<byte> head) =>
        head switch
        {
            [0xFF, 0xFE, ..] => new UnicodeEncoding(bigEndian: false, byteOrderMark: false),
            [0xFE, 0xFF, ..] => new UnicodeEncoding(bigEndian: true, byteOrderMark: false),
            _ => null,
        };

    private static void Grow(ref byte[] window, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(window.Length * 4, LargestWindow));
        window.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(window);
        window = larger;
    }
}
