using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// A file pattern as people write it: <c>*</c>, <c>**</c>, <c>?</c>, <c>[a-z]</c>, <c>{cs,fs}</c>. Compiled once; every part is a
/// <see cref="Wildmatch"/>, so a match takes linear time.
/// </summary>
internal sealed class Glob
{
    private const int LongestPattern = 4096;
    private const int MostAlternatives = 256;

    private readonly Wildmatch[] _alternatives;
    private readonly bool _isNegated;

    private Glob(Wildmatch[] alternatives, bool isNegated) => (_alternatives, _isNegated) = (alternatives, isNegated);

    /// <param name="anywhere">A pattern without a slash matches the name at any depth, and a leading <c>!</c> means all other files.</param>
    /// <exception cref="WorkspaceException">The pattern is too long, has too many alternatives or can match nothing.</exception>
    public static Glob Parse(string pattern, bool anywhere)
    {
        var isNegated = anywhere && pattern.StartsWith('!');
        var text = isNegated ? pattern[1..] : pattern;
        if (text.Length > LongestPattern)
        {
            throw Refused($"is longer than {LongestPattern} characters: use a shorter one");
        }

        text = text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text;
        var isAnchored = text.Contains('/', StringComparison.Ordinal);
        text = text.TrimStart('/');
        if (text.Length == 0)
        {
            throw Refused("is empty: use for example **/*.cs");
        }

        // A folder means what is in it.
        text = text.EndsWith('/') ? text + "**" : text;
        List<string> alternatives = [text];
        for (var at = 0; at < alternatives.Count; )
        {
            if (!Expand(alternatives, at))
            {
                at++;
            }
            else if (alternatives.Count > MostAlternatives)
            {
                throw Refused($"has more than {MostAlternatives} alternatives in braces: search in several steps");
            }
        }

        var compiled = new List<Wildmatch>(alternatives.Count);
        foreach (var alternative in alternatives)
        {
            var bytes = Encoding.UTF8.GetBytes(anywhere && !isAnchored ? "**/" + alternative : alternative);
            compiled.Add(
                Wildmatch.Compile(bytes, ignoreCase: false)
                    ?? throw Refused("can match nothing: close its bracket, or write \\[ for the character")
            );
        }

        return new Glob([.. compiled], isNegated);

        WorkspaceException Refused(string what) =>
            new(ToolErrors.GlobFailed, $"The file pattern {(pattern.Length > 100 ? pattern[..100] + "…" : pattern)} {what}.");
    }

    public bool IsMatch(ReadOnlySpan<byte> path)
    {
        foreach (var alternative in _alternatives)
        {
            if (alternative.IsMatch(path))
            {
                return !_isNegated;
            }
        }

        return _isNegated;
    }

    /// <summary>Replaces one pattern by the alternatives of its first brace that closes and holds a comma; other braces are plain characters.</summary>
    private static bool Expand(List<string> patterns, int index)
    {
        var text = patterns[index];
        var open = new Stack<(int Start, List<int> Commas)>();
        (int Start, int End, List<int> Commas)? first = null;
        for (var at = 0; at < text.Length; at++)
        {
            switch (text[at])
            {
                case '\\':
                    at++;
                    break;
                case '{':
                    open.Push((at, []));
                    break;
                case ',' when open.TryPeek(out var inner):
                    inner.Commas.Add(at);
                    break;
                case '}' when open.TryPop(out var closed):
                    first =
                        closed.Commas.Count > 0 && (first is null || closed.Start < first.Value.Start)
                            ? (closed.Start, at, closed.Commas)
                            : first;
                    break;
                default:
                    break;
            }
        }

        if (first is not var (start, end, commas))
        {
            return false;
        }

        patterns.RemoveAt(index);
        int[] edges = [start, .. commas, end];
        for (var part = 0; part + 1 < edges.Length; part++)
        {
            patterns.Insert(index + part, $"{text[..start]}{text[(edges[part] + 1)..edges[part + 1]]}{text[(end + 1)..]}");
        }

        return true;
    }
}
