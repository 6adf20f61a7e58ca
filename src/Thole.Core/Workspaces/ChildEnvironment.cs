using System.Collections;
using System.IO.Enumeration;

namespace Thole.Core.Workspaces;

/// <summary>
/// What a program that we start finds in its environment: what we found in ours, without secrets and without the names that
/// load code into every program; and which names a workspace may never set. <paramref name="passed"/> names (patterns with
/// <c>*</c>) that the user wants children to have although they are kept back.
/// </summary>
public sealed class ChildEnvironment(IReadOnlyCollection<string> passed)
{
    // Written for hurry and habit, not for each known product: a false hit costs one line of settings, a missed one a secret.
    private static readonly string[] s_secrets =
    [
        "*TOKEN",
        "*TOKENS",
        "*_TOKEN_*",
        "*API_KEY",
        "*API_KEYS",
        "*APIKEY",
        "*_KEY",
        "*_KEY_ID",
        "*SECRET*",
        "*PASSWORD*",
        "*PASSWD*",
        "*PASSPHRASE*",
        "*CREDENTIAL*",
        "*_PAT",
        "*_PWD",
        "*_AUTH",
        "*_AUTH_CONFIG",
        "*WEBHOOK*",
        "AWS_*",
        "AZURE_*",
        "OPENAI_*",
        "ANTHROPIC_*",
        "DASHSCOPE_*",
        "MODELSCOPE_*",
        "OPENROUTER_*",
        "GEMINI_*",
        "DEEPSEEK_*",
    ];

    // Each of these makes an interpreter, a loader or a runtime run code that the name's value points at, at every start.
    private static readonly string[] s_loaders =
    [
        "LD_*",
        "DYLD_*",
        "GCONV_PATH",
        "BASH_ENV",
        "ENV",
        "BASH_FUNC_*",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "PROMPT_COMMAND",
        "PYTHONSTARTUP",
        "PYTHONINSPECT",
        "PERL5OPT",
        "PERL5DB",
        "RUBYOPT",
        "NODE_OPTIONS",
        "_JAVA_OPTIONS",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "LESSOPEN",
        "LESSCLOSE",
        "DOTNET_STARTUP_HOOKS",
        "DOTNET_ADDITIONAL_DEPS",
        "DOTNET_SHARED_STORE",
        "DOTNET_DiagnosticPorts",
        "DOTNET_BUNDLE_EXTRACT_BASE_DIR",
        "CORECLR_*",
        "COR_*",
    ];

    // Beyond the two lists above: where programs look for programs, settings, servers, editors, or whom they trust.
    private static readonly string[] s_notFromWorkspace =
    [
        "PATH",
        "PATHEXT",
        "HOME",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "SHELL",
        "COMSPEC",
        "IFS",
        "CDPATH",
        "TMPDIR",
        "TEMP",
        "TMP",
        "BASH*",
        "ZDOTDIR",
        "XDG_*",
        "GIT_*",
        "SSH_*",
        "PAGER",
        "MANPAGER",
        "LESS*",
        "EDITOR",
        "VISUAL",
        "BROWSER",
        "*_PROXY",
        "SSL_*",
        "CURL_*",
        "WGETRC",
        "OPENSSL_*",
        "REQUESTS_CA_BUNDLE",
        "NODE_*",
        "NPM_*",
        "YARN_*",
        "PNPM_*",
        "PIP_*",
        "UV_*",
        "PYTHON*",
        "PERL*",
        "RUBY*",
        "GEM_*",
        "BUNDLE_*",
        "JAVA*",
        "MAVEN_*",
        "GRADLE_*",
        "DOTNET_*",
        "COMPLUS_*",
        "NUGET_*",
        "MSBUILD*",
        "MAKEFLAGS",
        "GNUMAKEFLAGS",
        "MAKEFILES",
        "CC",
        "CXX",
        "RUSTC*",
        "CARGO_*",
        "GOFLAGS",
        "GOPROXY",
        "GOENV",
        "DOCKER_*",
        "KUBECONFIG",
        "TERM",
        "TERMINFO*",
        "TERMCAP",
        "*_BASE_URL",
        "*_ENDPOINT",
        "THOLE",
        "THOLE_*",
    ];

    // A program that nobody watches must not wait for an answer, page, or paint.
    private static readonly KeyValuePair<string, string>[] s_given =
    [
        new("THOLE", "1"),
        new("GIT_TERMINAL_PROMPT", "0"),
        new("GIT_PAGER", "cat"),
        new("PAGER", "cat"),
        new("TERM", "dumb"),
        new("NO_COLOR", "1"),
    ];

    // Windows knows names in any case, and so do people.
    private static readonly StringComparer s_names = OperatingSystem.IsWindows()
        ? StringComparer.OrdinalIgnoreCase
        : StringComparer.Ordinal;

    /// <summary>A secret, or a name that loads code: not given to a child unless the user passes it.</summary>
    public static bool IsKeptBack(string name) => Matches(s_secrets, name) || Matches(s_loaders, name);

    /// <summary>May a file of a workspace never set this name, for us or for a child? Whoever wrote the repository is not the user.</summary>
    public static bool IsRefusedFromWorkspace(string name) => IsKeptBack(name) || Matches(s_notFromWorkspace, name);

    public IReadOnlyDictionary<string, string> OfThisProcess() =>
        From(
            Environment
                .GetEnvironmentVariables()
                .Cast<DictionaryEntry>()
                .Select(entry => KeyValuePair.Create((string)entry.Key, (string)entry.Value!))
        );

    public IReadOnlyDictionary<string, string> From(IEnumerable<KeyValuePair<string, string>> parent)
    {
        var child = new Dictionary<string, string>(s_names);
        foreach (var (name, value) in parent)
        {
            if (!IsKeptBack(name) || Matches(passed, name))
            {
                child[name] = s_names.Equals(name, "PATH") ? AbsoluteEntries(value) : value;
            }
        }

        foreach (var (name, value) in s_given)
        {
            child[name] = value;
        }

        return child;
    }

    // An empty or relative entry means "wherever the command stands", and that is the workspace.
    private static string AbsoluteEntries(string path) =>
        string.Join(Path.PathSeparator, path.Split(Path.PathSeparator).Where(Path.IsPathFullyQualified));

    private static bool Matches(IEnumerable<string> patterns, string name)
    {
        foreach (var pattern in patterns)
        {
            if (FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: true))
            {
                return true;
            }
        }

        return false;
    }
}
