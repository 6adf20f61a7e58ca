namespace Thole.Tools.Patching;

/// <summary>What a patch does to one file. A created file has no <see cref="OldPath"/>, a deleted one no <see cref="NewPath"/>.</summary>
internal sealed record FilePatch(string? OldPath, string? NewPath, bool IsCopy, string? NewMode, IReadOnlyList<Hunk> Hunks)
{
    /// <summary>git: a file that is neither said to be new nor known may still be created by a hunk that starts from nothing.</summary>
    public bool MayCreate { get; init; }

    public string Path => NewPath ?? OldPath!;

    /// <summary>Made with no context at all (<c>diff -U0</c>): then the line numbers are all there is, and must be exact.</summary>
    public bool IsWithoutContext => Hunks.All(static hunk => hunk.Leading == 0 && hunk.Trailing == 0);
}

/// <param name="Line">Where it stands in the patch, from 1.</param>
/// <param name="OldStart">As the header says it: from 1, or the line before where there are no old lines.</param>
internal sealed record Hunk(int Line, int OldStart, int NewStart, IReadOnlyList<HunkLine> Lines)
{
    public int Leading => Lines.TakeWhile(static line => line.Mark is ' ').Count();

    public int Trailing => Lines.Reverse().TakeWhile(static line => line.Mark is ' ').Count();

    public IEnumerable<string> Old => Lines.Where(static line => line.Mark is not '+').Select(static line => line.Text);

    public IEnumerable<string> New => Lines.Where(static line => line.Mark is not '-').Select(static line => line.Text);
}

/// <param name="Mark">A space, <c>-</c> or <c>+</c>.</param>
/// <param name="Text">With its newline, unless the patch says that there is none.</param>
internal readonly record struct HunkLine(char Mark, string Text);
