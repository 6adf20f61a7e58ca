using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Tools.Editing;

/// <summary>Shows a window of a file that is too long to hold, reading it once from its beginning to its end.</summary>
internal static class LongFile
{
    private const int BlockBytes = 1 << 16;

    /// <returns>The window and the number of all lines; null where the bytes are no text of ours.</returns>
    public static async ValueTask<(FileWindow Window, long Lines)?> ReadAsync(
        Stream stream,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        // Bytes of the window: more than this many cannot be shown, whatever they encode.
        const int Budget = FileWindow.MaxCharacters * 4;
        var block = new byte[BlockBytes];
        var kept = new MemoryStream();
        var (line, lastByte) = (0L, (byte)'\n');
        for (int read; (read = await stream.ReadAsync(block, cancellationToken)) > 0; )
        {
            if (block.AsSpan(0, read).Contains((byte)0))
            {
                return null;
            }

            for (var start = 0; start < read; )
            {
                var newline = block.AsSpan(start, read - start).IndexOf((byte)'\n');
                var end = newline < 0 ? read : start + newline + 1;
                if (line >= offset && line < (long)offset + limit && kept.Length < Budget)
                {
                    kept.Write(block, start, (int)Math.Min(end - start, Budget - kept.Length));
                }

                line += newline < 0 ? 0 : 1;
                start = end;
            }

            lastByte = block[read - 1];
        }

        var text = Decode(kept.ToArray(), complete: kept.Length < Budget).Replace("\r\n", "\n", StringComparison.Ordinal);
        var window = FileWindow.Open(text, 0, limit);
        return (
            window with
            {
                First = offset + 1,
                Last = offset + window.Last,
                Seen = [],
            },
            line + (lastByte is (byte)'\n' ? 0 : 1)
        );
    }

    // A window cut in the middle of a character is still UTF-8 up to there.
    private static string Decode(byte[] bytes, bool complete)
    {
        for (var back = 0; back <= (complete ? 0 : 3) && back <= bytes.Length; back++)
        {
            if (TextFile.Decode(bytes[..^back]) is { IsLegacy: false } text)
            {
                return text.Raw;
            }
        }

        return Encoding.Latin1.GetString(bytes);
    }
}
