using System.Globalization;

namespace Thole.Core.Workspaces;

/// <summary>
/// Names whose files are more than text. What lies in <c>.git</c> is git's and never written by us; other files make something
/// run when they are saved, so writing one is always asked about. Judged by every spelling that some file system takes for the name.
/// </summary>
public static class ProtectedPaths
{
    // In whichever folder they lie: shells, version managers, package managers, editors and continuous integration read them unasked.
    private static readonly HashSet<string> s_files = new(StringComparer.OrdinalIgnoreCase)
    {
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".bash_logout",
        ".bash_aliases",
        ".profile",
        ".zshrc",
        ".zshenv",
        ".zprofile",
        ".zlogin",
        ".zlogout",
        ".kshrc",
        ".cshrc",
        ".tcshrc",
        ".login",
        ".inputrc",
        ".envrc",
        ".direnvrc",
        ".tool-versions",
        ".mise.toml",
        "mise.toml",
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
        ".pnpmfile.cjs",
        ".pypirc",
        ".gitconfig",
        ".gitattributes",
        ".gitmodules",
        ".gitlab-ci.yml",
        ".travis.yml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        "jenkinsfile",
        ".pre-commit-config.yaml",
        "lefthook.yml",
        ".lefthook.yml",
        ".mcp.json",
        ".vimrc",
        ".exrc",
        ".nvimrc",
        ".nvim.lua",
        ".emacs",
        ".dir-locals.el",
        ".gdbinit",
        ".lldbinit",
        ".editrc",
        ".tmux.conf",
        ".xprofile",
        ".xinitrc",
        ".xsession",
        ".netrc",
        ".devcontainer.json",
    };

    // A folder, and what in it counts; empty for all of it.
    private static readonly (string Folder, string[] Files)[] s_folders =
    [
        (".thole", []),
        (".husky", []),
        (".githooks", []),
        (".ssh", []),
        (".idea", []),
        (".circleci", []),
        (".buildkite", []),
        (".devcontainer", []),
        (".github/workflows", []),
        (".github/actions", []),
        (".gitea/workflows", []),
        (".forgejo/workflows", []),
        (".config/git", []),
        (".config/fish", []),
        (".config/autostart", []),
        (".config/systemd", []),
        (".vscode", ["tasks.json", "settings.json", "launch.json", "mcp.json", "extensions.json"]),
        (".cursor", ["mcp.json", "hooks.json", "environment.json"]),
        (".zed", ["tasks.json", "settings.json"]),
        (".claude", ["settings.json", "settings.local.json"]),
        (".claude/hooks", []),
        (".qwen", ["settings.json", ".env"]),
        (".gemini", ["settings.json", ".env"]),
        (".codex", ["config.toml", "hooks.json"]),
        (".cargo", ["config", "config.toml"]),
        (".yarn/releases", []),
        (".yarn/plugins", []),
        (
            "hooks",
            ["pre-commit", "post-checkout", "post-merge", "pre-push", "commit-msg", "post-commit", "pre-receive", "update"]
        ),
    ];

    /// <summary>Does writing this file make something run? Then it is asked about in every mode that asks at all.</summary>
    /// <param name="path">Relative or absolute; only its names count.</param>
    public static bool IsProtected(string path)
    {
        string[] names = [.. path.Split('/', '\\').Where(name => name.Length > 0).Select(Fold)];
        if (names is [])
        {
            return false;
        }

        return Array.Exists(names, name => IsFoldedGit(name))
            || s_files.Contains(names[^1])
            || s_folders.Any(entry => IsIn(names, entry));
    }

    /// <summary>Does the path lead into git's own folder? Then it is never written.</summary>
    public static bool IsInGit(string path) => Array.Exists(path.Split('/', '\\'), IsGit);

    /// <summary>Would some file system take this name for <c>.git</c>?</summary>
    public static bool IsGit(string name) => IsFoldedGit(Fold(name));

    // "git~1" is what Windows calls ".git" in eight letters.
    private static bool IsFoldedGit(string folded) =>
        folded.Equals(".git", StringComparison.OrdinalIgnoreCase)
        || (
            folded.StartsWith("git~", StringComparison.OrdinalIgnoreCase)
            && folded.Length > 4
            && folded.AsSpan(4).IndexOfAnyExceptInRange('0', '9') < 0
        );

    private static bool IsIn(string[] names, (string Folder, string[] Files) entry)
    {
        var folder = entry.Folder.Split('/');
        for (var start = 0; start + folder.Length <= names.Length; start++)
        {
            if (
                names.AsSpan(start, folder.Length).SequenceEqual(folder, StringComparer.OrdinalIgnoreCase)
                && (
                    entry.Files is []
                    || (
                        start + folder.Length + 1 == names.Length
                        && entry.Files.Contains(names[^1], StringComparer.OrdinalIgnoreCase)
                    )
                )
            )
            {
                return true;
            }
        }

        return false;
    }

    // HFS+ ignores format characters in names, Windows drops trailing dots and spaces and takes what follows a colon for a stream.
    private static string Fold(string name)
    {
        var colon = name.IndexOf(':');
        var visible = (colon > 0 ? name[..colon] : name).Where(character => !IsIgnored(character));
        return string.Concat(visible).TrimEnd('.', ' ');
    }

    private static bool IsIgnored(char character) =>
        CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.Format or UnicodeCategory.Control
        || character is >= '\uFE00' and <= '\uFE0F' or '\u034F';
}
