using Thole.Core.Workspaces;

namespace Thole.Tools.Patching;

/// <summary>
/// Applies hunks to lines exactly as <c>git apply</c> does: at the place the header names, else at the nearest place before or
/// after where every old line matches; no fuzz.
/// </summary>
internal sealed class PatchApplier
{
    private readonly List<ImageLine> _image;
    private readonly bool _ignoreCarriageReturns;
    private readonly string _newLine;

    private PatchApplier(IReadOnlyList<ImageLine> image, string? newLine)
    {
        _image = [.. image];
        _newLine = newLine ?? "\n";
        _ignoreCarriageReturns = newLine is not null;
    }

    /// <summary>The old lines that were removed, counted from 1 in the file as it was read.</summary>
    public List<int> Removed { get; } = [];

    /// <param name="lines">The file, with its own line endings.</param>
    /// <param name="newLine">The ending of the file's lines, which a patch written from what the model was shown cannot hold.</param>
    /// <exception cref="WorkspaceException">A hunk does not apply; the sentence says which.</exception>
    public static (List<ImageLine> Lines, IReadOnlyList<int> Removed) Apply(
        FilePatch patch,
        IReadOnlyList<ImageLine> lines,
        string newLine
    )
    {
        try
        {
            return new PatchApplier(lines, newLine: null).Apply(patch);
        }
        catch (WorkspaceException) when (newLine is "\r\n" && !HoldsCarriageReturn(patch))
        {
            return new PatchApplier(lines, newLine).Apply(patch);
        }
    }

    public static List<ImageLine> Image(string raw) =>
        [.. LineSpans.Split(raw).Select((line, index) => new ImageLine(line, index + 1, IsPatched: false))];

    private static bool HoldsCarriageReturn(FilePatch patch) =>
        patch.Hunks.Any(static hunk => hunk.Lines.Any(static line => line.Text.Contains('\r')));

    private (List<ImageLine>, IReadOnlyList<int>) Apply(FilePatch patch)
    {
        var withoutContext = patch.IsWithoutContext;
        foreach (var hunk in patch.Hunks)
        {
            string[] old = [.. hunk.Old];
            var place = withoutContext ? ExactPlace(hunk, old) : Find(hunk, old);
            if (place < 0)
            {
                throw PatchReader.Rejected(
                    $"The hunk at line {hunk.Line} of the patch (around line {hunk.OldStart} of {patch.Path}) does not apply: its old lines "
                        + "are not in the file as the patch has them. Nothing was changed. Read these lines again and make the patch from them."
                );
            }

            Replace(hunk, place, old.Length);
        }

        return (_image, Removed);
    }

    private int ExactPlace(Hunk hunk, string[] old)
    {
        var place = hunk.New.Any() ? hunk.NewStart - 1 : hunk.NewStart;
        return place >= 0 && place <= _image.Count && MatchesAt(place, old, atEnd: false) ? place : -1;
    }

    private int Find(Hunk hunk, string[] old)
    {
        // A hunk that starts at the first line must match there, one without trailing context must match at the end.
        var (atBeginning, atEnd) = (hunk.OldStart <= 1, hunk.Trailing == 0);
        var expected =
            atBeginning ? 0
            : atEnd ? _image.Count - old.Length
            : Math.Max(0, hunk.NewStart - 1);
        if (expected < 0 || expected > _image.Count)
        {
            expected = _image.Count;
        }

        if (MatchesAt(expected, old, atEnd))
        {
            return expected;
        }

        // Places that must match at an end have no neighbours.
        if (atBeginning || atEnd)
        {
            return -1;
        }

        for (var distance = 1; distance <= _image.Count; distance++)
        {
            if (MatchesAt(expected + distance, old, atEnd))
            {
                return expected + distance;
            }

            if (MatchesAt(expected - distance, old, atEnd))
            {
                return expected - distance;
            }
        }

        return -1;
    }

    private bool MatchesAt(int place, string[] old, bool atEnd)
    {
        if (place < 0 || place + old.Length > _image.Count || (atEnd && place + old.Length != _image.Count))
        {
            return false;
        }

        for (var index = 0; index < old.Length; index++)
        {
            var line = _image[place + index];
            if (line.IsPatched || !Matches(line.Text, old[index], isLast: index == old.Length - 1 && !atEnd))
            {
                return false;
            }
        }

        return true;
    }

    private bool Matches(string line, string old, bool isLast)
    {
        if (_ignoreCarriageReturns && line.EndsWith("\r\n", StringComparison.Ordinal))
        {
            line = line[..^2] + "\n";
        }

        // git compares bytes, and a last old line without its newline is the beginning of one that has it.
        return string.Equals(line, old, StringComparison.Ordinal)
            || (
                isLast
                && !old.EndsWith('\n')
                && line.StartsWith(old, StringComparison.Ordinal)
                && line.AsSpan(old.Length).IsWhiteSpace()
            );
    }

    private void Replace(Hunk hunk, int place, int oldCount)
    {
        var replacement = new List<ImageLine>();
        var at = place;
        foreach (var line in hunk.Lines)
        {
            var text =
                !_ignoreCarriageReturns ? line.Text
                : line.Mark is ' ' ? _image[at].Text
                : line.Text.Replace("\n", _newLine, StringComparison.Ordinal);
            switch (line.Mark)
            {
                case ' ':
                    replacement.Add(new ImageLine(text, _image[at++].Origin, IsPatched: true));
                    break;
                case '+':
                    replacement.Add(new ImageLine(text, Origin: 0, IsPatched: true));
                    break;
                default:
                    Removed.Add(_image[at++].Origin);
                    break;
            }
        }

        _image.RemoveRange(place, oldCount);
        _image.InsertRange(place, replacement);
    }
}

/// <param name="Origin">The line of the file as it was read, from 1; 0 where the patch made it.</param>
/// <param name="IsPatched">A hunk put it there: git lets no later hunk of the same file touch it.</param>
internal readonly record struct ImageLine(string Text, int Origin, bool IsPatched);
