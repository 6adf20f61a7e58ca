using System.Text;
using System.Text.RegularExpressions;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// What a line has to hold: a plain text, found in the bytes of a file without decoding it; or a regular expression, and then
/// the plain text that every match contains, where there is one, so that most files need no decoding either.
/// </summary>
internal sealed class LinePattern
{
    private const int LongestPattern = 4096;

    private LinePattern(ByteFinder? required, Regex? regex, bool needsLines) =>
        (Required, Regex, NeedsLines) = (required, regex, needsLines);

    /// <summary>Every matching line holds it; null where nothing is known.</summary>
    public ByteFinder? Required { get; }

    /// <summary>Null where <see cref="Required"/> is the whole pattern. Never matches a line feed.</summary>
    public Regex? Regex { get; }

    /// <summary>The expression must see each line alone: over several it may match more, or more slowly, than it should.</summary>
    public bool NeedsLines { get; }

    /// <exception cref="WorkspaceException">The pattern is malformed, or needs backtracking.</exception>
    public static LinePattern Parse(string pattern, bool ignoreCase)
    {
        if (pattern.Length == 0)
        {
            throw Refused("is empty: say what to look for");
        }

        if (pattern.Length > LongestPattern)
        {
            throw Refused($"is longer than {LongestPattern} characters: use a shorter one");
        }

        var outline = RegexOutline.Read(pattern, ignoreCase);
        if (outline.IsLiteral && (!ignoreCase || Ascii.IsValid(outline.Required)))
        {
            return new LinePattern(new ByteFinder(Encoding.UTF8.GetBytes(outline.Required), ignoreCase), null, needsLines: false);
        }

        var options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Multiline;
        try
        {
            var regex = new Regex(
                outline.LineBound,
                ignoreCase ? options | RegexOptions.IgnoreCase : options,
                Regex.InfiniteMatchTimeout
            );
            var required =
                outline.Required.Length > 1 && (!ignoreCase || Ascii.IsValid(outline.Required)) ? outline.Required : null;
            return new LinePattern(
                required is null ? null : new ByteFinder(Encoding.UTF8.GetBytes(required), ignoreCase),
                regex,
                outline.NeedsLines
            );
        }
        catch (NotSupportedException)
        {
            // Said by the framework for exactly these, and for automata beyond its size.
            throw Refused(
                "needs lookaround, a backreference, an atomic or conditional group, or repeats too much, none of which can be searched in linear time: write it without, or search for a plain part of it"
            );
        }
        catch (ArgumentException malformed)
        {
            throw Refused(
                $"is no regular expression ({malformed.Message.ReplaceLineEndings(" ")}): put a backslash before ( ) [ ] {{ }} . * + ? ^ $ | where the character itself is meant"
            );
        }

        WorkspaceException Refused(string what) =>
            new(ToolErrors.GrepFailed, $"The pattern {(pattern.Length > 200 ? pattern[..200] + "…" : pattern)} {what}.");
    }
}
