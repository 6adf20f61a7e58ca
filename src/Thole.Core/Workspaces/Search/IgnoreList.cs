namespace Thole.Core.Workspaces.Search;

/// <summary>
/// The patterns of one ignore file; the last that matches decides. Plain names and <c>*.extension</c>, which are most of what
/// people write, are found by hash, so that three hundred lines cost a name little more than three.
/// </summary>
internal sealed class IgnoreList
{
    private readonly IgnorePattern[] _patterns;
    private readonly Dictionary<uint, List<int>> _byName = [];
    private readonly Dictionary<uint, List<int>> _byExtension = [];
    private readonly List<int> _others = [];

    private IgnoreList(IgnorePattern[] patterns)
    {
        _patterns = patterns;
        for (var index = 0; index < patterns.Length; index++)
        {
            var pattern = patterns[index];
            if (!pattern.Name.IsEmpty)
            {
                Add(_byName, Hash(pattern.Name), index);
            }
            else if (!pattern.Extension.IsEmpty)
            {
                Add(_byExtension, Hash(pattern.Extension), index);
            }
            else
            {
                _others.Add(index);
            }
        }
    }

    /// <returns>Null where the file holds no pattern.</returns>
    public static IgnoreList? Parse(ReadOnlySpan<byte> content, bool ignoreCase) =>
        IgnorePattern.ParseFile(content, ignoreCase) is { Length: > 0 } patterns ? new IgnoreList(patterns) : null;

    /// <returns>Whether the path is ignored; null where no pattern says anything.</returns>
    public bool? Judge(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, bool isDirectory)
    {
        var last = -1;
        if (_byName.Count > 0 && _byName.TryGetValue(Hash(name), out var candidates))
        {
            last = LastMatch(candidates, last, path, name, isDirectory);
        }

        if (
            _byExtension.Count > 0
            && name.LastIndexOf((byte)'.') is >= 0 and var dot
            && _byExtension.TryGetValue(Hash(name[dot..]), out candidates)
        )
        {
            last = LastMatch(candidates, last, path, name, isDirectory);
        }

        last = LastMatch(_others, last, path, name, isDirectory);
        return last < 0 ? null : !_patterns[last].IsNegated;
    }

    private int LastMatch(List<int> candidates, int last, ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, bool isDirectory)
    {
        for (var at = candidates.Count - 1; at >= 0 && candidates[at] > last; at--)
        {
            var pattern = _patterns[candidates[at]];
            if ((isDirectory || !pattern.IsForDirectories) && pattern.IsMatch(path, name))
            {
                return candidates[at];
            }
        }

        return last;
    }

    private static void Add(Dictionary<uint, List<int>> index, uint hash, int pattern)
    {
        if (!index.TryGetValue(hash, out var patterns))
        {
            index.Add(hash, patterns = []);
        }

        patterns.Add(pattern);
    }

    /// <summary>FNV-1a of the name in lower case: names that are equal in any case share it, and the pattern itself decides.</summary>
    private static uint Hash(ReadOnlySpan<byte> name)
    {
        var hash = 2166136261u;
        foreach (var value in name)
        {
            hash = (hash ^ Wildmatch.Fold(value)) * 16777619u;
        }

        return hash;
    }
}
