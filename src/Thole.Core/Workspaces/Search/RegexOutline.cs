using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// What can be said of a regular expression without running it. It reads a plain subset of the syntax and, at the first thing
/// that it does not know, promises nothing more; the framework's own parser judges the pattern.
/// </summary>
/// <param name="Required">The longest plain text that every match contains; empty where none is known.</param>
/// <param name="IsLiteral">The pattern is <paramref name="Required"/> and nothing else.</param>
/// <param name="LineBound">The same pattern where <c>\s</c>, <c>\W</c>, <c>\D</c> and <c>[^…]</c> leave out the line feed, so that no match crosses lines.</param>
/// <param name="NeedsLines">It may cross lines all the same, or asks where a line ends: it must see each line alone.</param>
internal sealed record RegexOutline(string Required, bool IsLiteral, string LineBound, bool NeedsLines)
{
    private const string Special = "\\^$.|?*+()[]{}";

    public static RegexOutline Read(string pattern, bool ignoreCase)
    {
        var bound = new StringBuilder(pattern.Length + 16);
        var run = new StringBuilder();
        var longest = "";
        var depth = 0;
        var isEither = false;
        var (isKnown, isLiteral, needsLines) = (true, true, false);
        for (var at = 0; at < pattern.Length; at++)
        {
            var current = pattern[at];
            switch (current)
            {
                case '\\' when at + 1 < pattern.Length && !char.IsAsciiLetterOrDigit(pattern[at + 1]):
                    bound.Append(current).Append(pattern[at + 1]);
                    AddPlain(pattern[++at]);
                    break;
                case '\\' when at + 1 < pattern.Length:
                    EndRun();
                    isLiteral = false;
                    at++;
                    // Longer escapes (\x41, \u0041, \p{L}, \cA, \k<n>, \012) hold letters that are no text.
                    needsLines |= pattern[at] is 'A' or 'z' or 'Z';
                    isKnown &= pattern[at] is 'b' or 'B' or 'd' or 'D' or 'w' or 'W' or 's' or 'S' or 'A' or 'z' or 'Z' or 't';
                    bound.Append(
                        pattern[at] switch
                        {
                            's' => @"[^\S\n]",
                            'W' => @"[^\w\n]",
                            'D' => @"[^\d\n]",
                            var other => $@"\{other}",
                        }
                    );
                    break;
                case '[':
                    EndRun();
                    isLiteral = false;
                    var end = EndOfSet(pattern, at);
                    if (pattern.AsSpan(at).StartsWith("[^"))
                    {
                        // The first place after the circumflex is where a bracket would be a plain member.
                        bound.Append(pattern.AsSpan(at).StartsWith("[^]") ? @"[^\n\]" : @"[^\n");
                        at += pattern.AsSpan(at).StartsWith("[^]") ? 2 : 1;
                        bound.Append(pattern, at + 1, end - at);
                    }
                    else
                    {
                        bound.Append(pattern, at, end - at + 1);
                        needsLines |= MayHoldLineFeed(pattern.AsSpan(at, end - at + 1));
                    }

                    at = end;
                    break;
                case '(':
                    // Inline options change what everything after them means.
                    isKnown &= !pattern.AsSpan(at).StartsWith("(?") || pattern.AsSpan(at).StartsWith("(?:");
                    EndRun();
                    isLiteral = false;
                    depth++;
                    bound.Append(current);
                    break;
                case ')':
                    EndRun();
                    depth--;
                    bound.Append(current);
                    break;
                case '*' or '?' or '{':
                    // The character before it may be absent.
                    run.Length = Math.Max(0, run.Length - 1);
                    EndRun();
                    isLiteral = false;
                    bound.Append(current);
                    if (current == '{' && pattern.IndexOf('}', at) is > 0 and var close)
                    {
                        bound.Append(pattern, at + 1, close - at);
                        at = close;
                    }

                    break;
                case '|':
                    EndRun();
                    isLiteral = false;
                    // Each branch at the top could match alone: nothing is required.
                    isEither |= depth == 0;
                    bound.Append(current);
                    break;
                default:
                    bound.Append(current);
                    needsLines |= current == '$' || char.IsControl(current);
                    if (Special.Contains(current, StringComparison.Ordinal))
                    {
                        EndRun();
                        isLiteral = false;
                    }
                    else
                    {
                        AddPlain(current);
                    }

                    break;
            }
        }

        // A lone half of a surrogate pair is no text in UTF-8.
        isLiteral &=
            isKnown && !pattern.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') && !pattern.AsSpan().ContainsAny('\n', '\r');
        if (isLiteral)
        {
            return new RegexOutline(run.ToString(), true, pattern, false);
        }

        EndRun();
        return new RegexOutline(
            isKnown && !isEither && depth == 0 ? longest : "",
            false,
            bound.ToString(),
            needsLines || !isKnown
        );

        void AddPlain(char value)
        {
            if (depth > 0)
            {
                return;
            }

            // The framework takes the Kelvin sign for a k; a search of bytes would not. Both halves of a pair belong together.
            if ((ignoreCase && value is 'k' or 'K' && !isLiteral) || char.IsSurrogate(value) || char.IsControl(value))
            {
                EndRun();
                return;
            }

            run.Append(value);
        }

        void EndRun()
        {
            if (ignoreCase && run.ToString().IndexOfAny(['k', 'K']) is >= 0 and var kelvin)
            {
                run.Length = kelvin;
            }

            longest = run.Length > longest.Length ? run.ToString() : longest;
            run.Clear();
        }
    }

    /// <summary>Letters escaped in a set are classes or codes that may include it; a control character may begin a range over it.</summary>
    private static bool MayHoldLineFeed(ReadOnlySpan<char> set)
    {
        for (var at = 0; at < set.Length; at++)
        {
            if (
                char.IsControl(set[at])
                || (set[at] == '\\' && ++at < set.Length && char.IsAsciiLetterOrDigit(set[at]) && set[at] is not ('d' or 'w'))
            )
            {
                return true;
            }
        }

        return false;
    }

    /// <returns>Where the set closes; the last character where it does not, which the framework will refuse.</returns>
    private static int EndOfSet(string pattern, int start)
    {
        var at = start + (pattern.AsSpan(start).StartsWith("[^") ? 2 : 1);
        var depth = 1;
        for (var first = at; at < pattern.Length; at++)
        {
            switch (pattern[at])
            {
                case '\\':
                    at++;
                    break;
                // Subtraction: [a-z-[aeiou]].
                case '[' when at > first && pattern[at - 1] == '-':
                    depth++;
                    break;
                case ']' when at > first && --depth == 0:
                    return at;
                default:
                    break;
            }
        }

        return pattern.Length - 1;
    }
}
