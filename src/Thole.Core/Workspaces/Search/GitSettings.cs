using System.Text;

namespace Thole.Core.Workspaces.Search;

/// <summary>
/// The two settings of git that change what is ignored, read without starting git: a repository's own configuration can name
/// programs, and reading two keys must not run one.
/// </summary>
/// <param name="ExcludesFile">Full path of the user's own ignore file; null where there is none.</param>
internal sealed record GitSettings(string? ExcludesFile, bool IgnoreCase)
{
    private const long LongestConfiguration = 1024 * 1024;
    private const int DeepestInclude = 8;

    /// <param name="gitFolder">The repository's common git folder; null outside of a repository.</param>
    /// <param name="environment">Looks up an environment variable.</param>
    public static GitSettings Read(string? gitFolder, Func<string, string?> environment)
    {
        var home = environment("HOME") ?? environment("USERPROFILE");
        var configurationHome =
            environment("XDG_CONFIG_HOME") is { Length: > 0 } named ? named
            : home is null ? null
            : Path.Join(home, ".config");
        string?[] files = environment("GIT_CONFIG_GLOBAL") is { } only
            ? [only]
            : [Path.Join(configurationHome, "git", "config"), home is null ? null : Path.Join(home, ".gitconfig")];

        // Only the user's own files name the excludes file: a cloned repository does not choose what is read outside of it.
        string? excludesFile = null;
        foreach (var file in files)
        {
            Read(file, 0, (key, value) => excludesFile = key is "core.excludesfile" ? value : excludesFile);
        }

        var ignoreCase = false;
        Read(
            gitFolder is null ? null : Path.Join(gitFolder, "config"),
            DeepestInclude,
            (key, value) => ignoreCase = key is "core.ignorecase" ? IsTrue(value) : ignoreCase
        );

        var excludes =
            excludesFile is { Length: > 0 } ? FromHome(excludesFile, home)
            : configurationHome is null || excludesFile is not null ? null
            : Path.Join(configurationHome, "git", "ignore");
        return new GitSettings(excludes, ignoreCase);
    }

    private static void Read(string? file, int depth, Action<string, string> onValue)
    {
        if (file is null || OutsideFile.Read(file, LongestConfiguration) is not { } content)
        {
            return;
        }

        var section = "";
        foreach (
            var line in Encoding
                .UTF8.GetString(content)
                .ReplaceLineEndings("\n")
                .Replace("\\\n", "", StringComparison.Ordinal)
                .Split('\n')
        )
        {
            var text = line.Trim();
            if (text is ['[', ..] && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var close)
            {
                section = text[1..close].Trim().ToLowerInvariant();
                text = text[(close + 1)..].Trim();
            }

            if (text is "" or ['#' or ';', ..])
            {
                continue;
            }

            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var key = $"{section}.{(equals < 0 ? text : text[..equals]).Trim().ToLowerInvariant()}";
            var value = equals < 0 ? "true" : Unquoted(text[(equals + 1)..].Trim());
            if (key is "include.path" && depth < DeepestInclude)
            {
                var home = Environment.GetEnvironmentVariable("HOME");
                Read(
                    Path.Join(
                        Path.IsPathRooted(value) || value.StartsWith('~') ? "" : Path.GetDirectoryName(file),
                        FromHome(value, home)
                    ),
                    depth + 1,
                    onValue
                );
                continue;
            }

            onValue(key, value);
        }
    }

    private static string FromHome(string path, string? home) =>
        path.StartsWith("~/", StringComparison.Ordinal) && home is not null ? Path.Join(home, path[2..]) : path;

    private static bool IsTrue(string value) =>
        value.ToLowerInvariant() is "true" or "yes" or "on" || (int.TryParse(value, out var number) && number != 0);

    /// <summary>Quotes keep spaces and comment signs; a backslash keeps the next character.</summary>
    private static string Unquoted(string value)
    {
        var text = new StringBuilder(value.Length);
        var isQuoted = false;
        for (var at = 0; at < value.Length; at++)
        {
            switch (value[at])
            {
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case '\\' when at + 1 < value.Length:
                    text.Append(value[++at]);
                    break;
                case '#' or ';' when !isQuoted:
                    return text.ToString().TrimEnd();
                default:
                    text.Append(value[at]);
                    break;
            }
        }

        return text.ToString();
    }
}
