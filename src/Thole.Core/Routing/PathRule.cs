using System.Text;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;

namespace Thole.Core.Routing;

/// <summary>
/// A pattern of paths in a rule: <c>private/**</c> and <c>private</c> mean the folder and all that is in it, a relative one is meant
/// from the workspace, <c>~/</c> from the user's home.
/// </summary>
public sealed class PathRule
{
    private static readonly StringComparison s_case = OperatingSystem.IsLinux()
        ? StringComparison.Ordinal
        : StringComparison.OrdinalIgnoreCase;

    private readonly Glob _itself;
    private readonly Glob _below;
    private readonly bool _isAbsolute;

    private PathRule(string text, string pattern, bool isAbsolute)
    {
        (Text, _isAbsolute) = (text, isAbsolute);
        Literal = string.Join('/', pattern.Split('/').TakeWhile(static part => part.AsSpan().IndexOfAny("*?[{\\") < 0));
        _itself = Glob.Parse(Cased(pattern), anywhere: false);
        _below = Glob.Parse(Cased($"{pattern}/**"), anywhere: false);
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>The part without wildcards, in which all that fits lies.</summary>
    private string Literal { get; }

    /// <param name="home">The user's home directory; null where there is none.</param>
    /// <exception cref="FormatException">It is no pattern; the message says what is wrong.</exception>
    public static PathRule Parse(string text, string? home)
    {
        var pattern = text.Trim().Replace('\\', '/');
        if (pattern is "~" || pattern.StartsWith("~/", StringComparison.Ordinal))
        {
            pattern = home is null
                ? throw new FormatException(
                    $"\"{text}\" is meant from a home directory, and there is none: write the whole path."
                )
                : home.Replace('\\', '/') + pattern[1..];
        }

        var isAbsolute = Path.IsPathFullyQualified(pattern);
        pattern = pattern.EndsWith("/**", StringComparison.Ordinal) ? pattern[..^3] : pattern;
        pattern = pattern.StartsWith("./", StringComparison.Ordinal) ? pattern[2..] : pattern;
        pattern = pattern.Trim('/');
        if (pattern.Length == 0 || pattern is "." or "**" || pattern.Split('/').Contains("..", StringComparer.Ordinal))
        {
            throw new FormatException(
                $"\"{text}\" names no folder within the workspace: write one such as private/**, or a whole path such as ~/secret."
            );
        }

        try
        {
            return new PathRule(text, pattern, isAbsolute);
        }
        catch (WorkspaceException wrong)
        {
            throw new FormatException(wrong.Message, wrong);
        }
    }

    /// <summary>Whether a touch reaches, or may reach, what the rule is about.</summary>
    /// <param name="root">The workspace, whole and with its links resolved.</param>
    /// <param name="touched">As the log says it (<see cref="Tools.Touch.Describe"/>): a path, <c>folder/*</c> or <c>folder/**</c>.</param>
    /// <param name="guesses">Whether a command that may have touched anything has touched this.</param>
    public bool Covers(string root, string touched, bool guesses)
    {
        if (touched is "**" or "/**")
        {
            return guesses;
        }

        var isDeep = touched.EndsWith("/**", StringComparison.Ordinal);
        var isNames = touched.EndsWith("/*", StringComparison.Ordinal) || touched is "*";
        var place =
            isDeep ? touched[..^3]
            : touched is "*" ? ""
            : isNames ? touched[..^2]
            : touched;
        var path = Comparable(root, place);
        return path is not null && (Fits(path) || (isDeep && (LiesIn(Literal, path) || LiesIn(path, Literal))));
    }

    /// <summary>Whether the whole workspace lies in what the rule is about.</summary>
    public bool CoversRoot(string root) => _isAbsolute && Fits(root.Replace('\\', '/').Trim('/'));

    public override string ToString() => Text;

    private static bool LiesIn(string path, string folder) =>
        folder.Length == 0 || path.Equals(folder, s_case) || path.StartsWith($"{folder}/", s_case);

    private bool Fits(string path)
    {
        var bytes = Encoding.UTF8.GetBytes(Cased(path));
        return _itself.IsMatch(bytes) || _below.IsMatch(bytes);
    }

    // Where one file has names in both cases, a rule about it must know both.
    private static string Cased(string path) => s_case is StringComparison.Ordinal ? path : path.ToUpperInvariant();

    /// <summary>The path as the pattern is meant: from the top of the file system, or from the workspace; null where it lies outside of that.</summary>
    private string? Comparable(string root, string place)
    {
        var whole = Path.GetFullPath(place, root);
        if (_isAbsolute)
        {
            return whole.Replace('\\', '/').Trim('/');
        }

        var relative = Path.GetRelativePath(root, whole).Replace('\\', '/');
        return relative is "." ? ""
            : relative is ".." || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? null
            : relative;
    }
}
