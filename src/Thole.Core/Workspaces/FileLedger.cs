using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// Which state of which file this session knows, and which lines of it were shown: an edit needs a read of what it replaces.
/// Seeded from the session's <see cref="FileSeen"/> facts, so that it survives a restart.
/// </summary>
public sealed class FileLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FileSeen> _known = new(StringComparer.Ordinal);

    /// <summary>Applying a fact twice is harmless.</summary>
    public void Apply(FileSeen fact)
    {
        lock (_gate)
        {
            _known[fact.Path] = Merge(_known.GetValueOrDefault(fact.Path), fact);
        }
    }

    /// <summary>Ranges of the same state add up; another state takes the place of what was known.</summary>
    public static FileSeen Merge(FileSeen? known, FileSeen fact)
    {
        if (fact.Lines is null)
        {
            return fact;
        }

        var isSame = string.Equals(known?.Hash, fact.Hash, StringComparison.Ordinal);
        return isSame && known is { Lines: null }
            ? known
            : fact with
            {
                Lines = Union(isSame ? [.. known!.Lines!, .. fact.Lines] : fact.Lines),
            };
    }

    /// <param name="path">The full path.</param>
    public FileSeen? Find(string path)
    {
        lock (_gate)
        {
            return _known.GetValueOrDefault(path);
        }
    }

    /// <summary>Refuses unless these lines of exactly this state were shown. Null stands for the whole file.</summary>
    /// <exception cref="WorkspaceException">Not read, or not this state; the sentence says what to read.</exception>
    public void Require(WorkspacePath path, string hash, int lineCount, IReadOnlyList<LineRange>? needed)
    {
        var known = Find(path.Full);
        if (known is null)
        {
            throw new WorkspaceException(
                ToolErrors.RequiresRead,
                $"{path} was not read in this session: read {(needed is [var only] ? Lines(only) + " of it" : "it")} first, then change it."
            );
        }

        if (!string.Equals(known.Hash, hash, StringComparison.Ordinal))
        {
            throw new WorkspaceException(
                ToolErrors.ChangedSinceRead,
                $"{path} changed since it was read, and nothing was overwritten: "
                    + $"read {(needed is [var only] ? Lines(only) + " of it" : "it")} again, then repeat the change."
            );
        }

        foreach (var range in needed ?? [new LineRange(1, lineCount)])
        {
            if (FirstGap(known.Lines, range) is { } gap)
            {
                throw new WorkspaceException(
                    ToolErrors.RequiresRead,
                    $"{Capital(Lines(gap))} of {path} {(gap.First == gap.Last ? "was" : "were")} never shown whole: "
                        + $"read {Lines(gap)} of {path} first (offset {gap.First - 1}, limit {gap.Last - gap.First + 1}). "
                        + "A line too long for read_file can only be changed with a command."
                );
            }
        }
    }

    /// <summary>
    /// What is known after a change of our own: lines that were shown move to where they are now, lines that the model wrote
    /// count as shown.
    /// </summary>
    public static IReadOnlyList<LineRange> Move(IReadOnlyList<LineRange> seen, IReadOnlyList<LineChange> changes)
    {
        var moved = new List<LineRange>();
        var (oldPosition, shift) = (0, 0);
        foreach (var change in changes)
        {
            Keep(oldPosition + 1, change.OldStart);
            if (change.NewCount > 0)
            {
                moved.Add(new LineRange(change.NewStart + 1, change.NewEnd));
            }

            (oldPosition, shift) = (change.OldEnd, change.NewEnd - change.OldEnd);
        }

        Keep(oldPosition + 1, int.MaxValue - Math.Max(shift, 0));
        return Union(moved);

        void Keep(int first, int last)
        {
            foreach (var range in seen)
            {
                var (from, to) = (Math.Max(range.First, first), Math.Min(range.Last, last));
                if (from <= to)
                {
                    moved.Add(new LineRange(from + shift, to + shift));
                }
            }
        }
    }

    private static LineRange? FirstGap(IReadOnlyList<LineRange>? seen, LineRange needed)
    {
        if (seen is null || needed.First > needed.Last)
        {
            return null;
        }

        var next = needed.First;
        foreach (var range in seen)
        {
            if (range.First > next)
            {
                return new LineRange(next, Math.Min(needed.Last, range.First - 1));
            }

            next = Math.Max(next, range.Last + 1);
            if (next > needed.Last)
            {
                return null;
            }
        }

        return new LineRange(next, needed.Last);
    }

    private static List<LineRange> Union(IReadOnlyList<LineRange> ranges)
    {
        var union = new List<LineRange>();
        foreach (var range in ranges.OrderBy(range => range.First))
        {
            if (union is [.., var last] && range.First <= last.Last + 1L)
            {
                union[^1] = last with { Last = Math.Max(last.Last, range.Last) };
            }
            else
            {
                union.Add(range);
            }
        }

        return union;
    }

    private static string Lines(LineRange range) =>
        range.First == range.Last ? $"line {range.First}" : $"lines {range.First}-{range.Last}";

    private static string Capital(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];
}
