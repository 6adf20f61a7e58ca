using System.Buffers;
using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>Collects the matching lines of one file, window by window.</summary>
internal sealed class LineScan(LinePattern pattern, Func<bool> mayTakeOne)
{
    private const int LongestShown = 2000;

    /// <summary>A piece that is decoded at once: small enough for the processor's cache.</summary>
    private const int PieceSize = 128 * 1024;

    /// <summary>Of the first line of what comes next.</summary>
    private int _number = 1;

    public List<LineMatch> Lines { get; } = [];

    /// <summary>The caller wants no more lines.</summary>
    public bool IsFull { get; private set; }

    /// <param name="window">Whole lines; the last may lack its end.</param>
    public void Scan(ReadOnlySpan<byte> window)
    {
        if (pattern.Required is { } required)
        {
            ScanAround(required, window);
            return;
        }

        while (window.Length > 0 && !IsFull)
        {
            var end =
                window.Length <= PieceSize ? window.Length
                : window[PieceSize..].IndexOf((byte)'\n') is >= 0 and var rest ? PieceSize + rest + 1
                : window.Length;
            var piece = window[..end];
            window = window[end..];
            var characters = ArrayPool<char>.Shared.Rent(piece.Length);
            try
            {
                ScanText(characters.AsSpan(0, Encoding.UTF8.GetChars(piece, characters)));
            }
            finally
            {
                ArrayPool<char>.Shared.Return(characters);
            }
        }
    }

    private void ScanAround(ByteFinder required, ReadOnlySpan<byte> window)
    {
        while (required.IndexIn(window) is >= 0 and var hit && !IsFull)
        {
            var start = window[..hit].LastIndexOf((byte)'\n') + 1;
            _number += window[..start].Count((byte)'\n');
            var length = window[start..].IndexOf((byte)'\n') is >= 0 and var end ? end : window.Length - start;
            var line = window.Slice(start, length);
            if (pattern.Regex is null)
            {
                Take(line);
            }
            else
            {
                var characters = ArrayPool<char>.Shared.Rent(length);
                var text = characters.AsSpan(0, Encoding.UTF8.GetChars(line, characters)).TrimEnd('\r');
                if (pattern.Regex.IsMatch(text))
                {
                    Take(text);
                }

                ArrayPool<char>.Shared.Return(characters);
            }

            window = window[Math.Min(start + length + 1, window.Length)..];
            _number++;
        }

        _number += window.Count((byte)'\n');
    }

    /// <summary>
    /// Where no match can cross lines the expression runs over the whole text from match to match, which is several times as fast
    /// as line by line; each find is then confirmed on its line alone.
    /// </summary>
    private void ScanText(ReadOnlySpan<char> text)
    {
        while (text.Length > 0 && !IsFull)
        {
            var start = 0;
            if (!pattern.NeedsLines)
            {
                var matches = pattern.Regex!.EnumerateMatches(text);
                if (!matches.MoveNext() || matches.Current.Index == text.Length)
                {
                    break;
                }

                start = text[..matches.Current.Index].LastIndexOf('\n') + 1;
                _number += text[..start].Count('\n');
            }

            var length = text[start..].IndexOf('\n') is >= 0 and var end ? end : text.Length - start;
            var line = text.Slice(start, length).TrimEnd('\r');
            if (pattern.Regex!.IsMatch(line))
            {
                Take(line);
            }

            text = text[Math.Min(start + length + 1, text.Length)..];
            _number++;
        }

        _number += text.Count('\n');
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        // Four bytes are the longest character: what is cut away here would be cut anyway.
        var text = Encoding.UTF8.GetString(line[..Math.Min(line.Length, (LongestShown + 1) * 4)].TrimEnd((byte)'\r'));
        Take(text.AsSpan());
    }

    private void Take(ReadOnlySpan<char> line)
    {
        if (!mayTakeOne())
        {
            IsFull = true;
            return;
        }

        var wasCut = line.Length > LongestShown;
        var length =
            !wasCut ? line.Length
            : char.IsHighSurrogate(line[LongestShown - 1]) ? LongestShown - 1
            : LongestShown;
        Lines.Add(new LineMatch(_number, line[..length].ToString(), wasCut));
    }
}
