using Thole.Core.Workspaces.Search;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Repositories;

/// <summary>
/// Runs git on a repository that somebody else may have made: its configuration names programs (for watching files, filtering,
/// diffing, paging, fetching, signing), and none of them may run because somebody looked.
/// </summary>
internal sealed class GitRunner(string root, IProcessRunner processes, ChildEnvironment childEnvironment)
{
    private const int MaxOutput = 8 << 20;
    private const int MaxFilters = 64;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // The command line wins over every file. Filters are missing here because their names are the repository's own.
    private static readonly string[] s_settings =
    [
        "core.fsmonitor=", // "false" would be the name of a program to a git before 2.36
        "core.hooksPath=/dev/null",
        "core.pager=cat",
        "core.editor=false",
        "core.askPass=",
        "core.sshCommand=false",
        "core.gitProxy=",
        "core.alternateRefsCommand=false",
        "core.quotePath=false",
        "credential.helper=",
        "protocol.allow=never",
        "safe.bareRepository=explicit",
        "diff.external=",
        "diff.submodule=short",
        "diff.ignoreSubmodules=dirty",
        "interactive.diffFilter=",
        "status.submoduleSummary=false",
        "submodule.recurse=false",
        "log.showSignature=false",
        "log.mailmap=false",
        "gpg.program=false",
        "gpg.ssh.program=false",
        "gpg.x509.program=false",
        "color.ui=false",
        "i18n.logOutputEncoding=UTF-8",
        "gc.auto=0",
        "maintenance.auto=false",
    ];

    private static readonly KeyValuePair<string, string>[] s_variables =
    [
        new("GIT_CONFIG_NOSYSTEM", "1"),
        new("GIT_ATTR_NOSYSTEM", "1"),
        new("GIT_TERMINAL_PROMPT", "0"),
        new("GIT_OPTIONAL_LOCKS", "0"),
        new("GIT_LITERAL_PATHSPECS", "1"),
        // A partial clone fetches what it misses. The second names all protocols that are allowed, whatever the repository allows.
        new("GIT_NO_LAZY_FETCH", "1"),
        new("GIT_ALLOW_PROTOCOL", ""),
        new("GIT_PAGER", "cat"),
        new("GIT_EDITOR", "false"),
        new("LC_ALL", "C"),
        new("LANGUAGE", ""),
    ];

    private readonly Lazy<IReadOnlyDictionary<string, string>> _environment = new(() => Environment(childEnvironment));
    private readonly ClientRefusals _refusals = new([root, Workspace.RealPath(root)]);

    /// <summary>The repository that the workspace lies in; null where it lies in none.</summary>
    /// <exception cref="RefusedException">There is one that git does not read, or that we do not trust.</exception>
    public async ValueTask<OpenRepository?> OpenAsync(CancellationToken cancellationToken)
    {
        if (GitFolder.Find(root) is not { } found)
        {
            return null;
        }

        string[] question = ["rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir"];
        var answer = await RunAsync([], question, outputOnly: true, cancellationToken);
        if (answer.ExitCode != 0)
        {
            // Asked again for the reason, which is not for a program to read.
            var told = await RunAsync([], question, outputOnly: false, cancellationToken);
            return told.ExitCode == 0 ? throw Unreadable("it changed while it was read") : Explain(told.Text);
        }

        // Git asks the repository where its files lie, and the repository may say: at the root of the disk.
        if (
            answer.Text.Split('\n') is not [var top, var prefix, var folder, ""]
            || !string.Equals(Path.GetFullPath(top), Workspace.RealPath(found.Top), StringComparison.Ordinal)
        )
        {
            throw new RefusedException(
                RepositoryRefusals.Untrusted,
                "This repository says that its files lie elsewhere, so it is not read: take core.worktree out of its configuration."
            );
        }

        return new OpenRepository(this, prefix, folder, await FiltersAsync(cancellationToken));
    }

    public async Task<GitOutput> RunAsync(
        IReadOnlyList<string> filters,
        IReadOnlyList<string> arguments,
        bool outputOnly,
        CancellationToken cancellationToken
    )
    {
        var git =
            Programs.Find("git", _environment.Value.GetValueOrDefault("PATH"), root)
            ?? throw new RefusedException(
                RepositoryRefusals.NoGit,
                "Git is not installed on this machine: install it, and put it into the search path."
            );
        string[] settings = [.. s_settings, .. filters];
        var request = new ProcessRequest($"git {arguments[0]}", root, s_patience)
        {
            Arguments =
            [
                git,
                "--no-pager",
                "--no-optional-locks",
                .. settings.SelectMany(static setting => new[] { "-c", setting }),
                .. arguments,
            ],
            Environment = _environment.Value,
            OutputOnly = outputOnly ? MaxOutput : null,
        };
        ProcessResult result;
        try
        {
            result = await processes.RunAsync(request, cancellationToken);
        }
        catch (WorkspaceException failed)
        {
            throw _refusals.Of(failed);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (result.End is ProcessEnd.TimedOut)
        {
            throw Unreadable($"git took longer than {s_patience.TotalSeconds:0} seconds");
        }

        // What was not kept is told in a line at the end.
        var isCut = outputOnly && result.TotalBytes > MaxOutput;
        var text = isCut ? result.Output[..result.Output.LastIndexOf("\n[... ", StringComparison.Ordinal)] : result.Output;
        return new GitOutput(text, result.ExitCode ?? -1, isCut);
    }

    public static RefusedException Unreadable(string why) =>
        new(
            FileRefusals.IoError,
            $"The repository could not be read, because {why}: try again, then look at it with git status."
        );

    // Reading the configuration runs nothing; using a filter does.
    private async ValueTask<IReadOnlyList<string>> FiltersAsync(CancellationToken cancellationToken)
    {
        var listed = await RunAsync(
            [],
            ["config", "--null", "--name-only", "--get-regexp", @"^filter\."],
            outputOnly: true,
            cancellationToken
        );

        // 1 says that there is none.
        if (listed.ExitCode is not (0 or 1) || listed.IsCut)
        {
            throw Unreadable("git does not understand its configuration");
        }

        string[] names =
        [
            .. listed
                .Text.Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Where(static key => key.LastIndexOf('.') > "filter".Length)
                .Select(static key => key[..key.LastIndexOf('.')])
                .Distinct(StringComparer.Ordinal),
        ];
        if (names.Length > MaxFilters || Array.Exists(names, static name => name.Contains('=')))
        {
            throw new RefusedException(
                RepositoryRefusals.Untrusted,
                "This repository configures filters that cannot be left out, so it is not read: remove them from its configuration."
            );
        }

        return
        [
            .. names.SelectMany(static name =>
                new[] { $"{name}.clean=", $"{name}.smudge=", $"{name}.process=", $"{name}.required=false" }
            ),
        ];
    }

    private OpenRepository? Explain(string told)
    {
        if (
            told.Contains("not a git repository", StringComparison.Ordinal)
            || told.Contains("bare repository", StringComparison.Ordinal)
            || told.Contains("must be run in a work tree", StringComparison.Ordinal)
        )
        {
            return null;
        }

        if (told.Contains("dubious ownership", StringComparison.Ordinal))
        {
            throw new RefusedException(
                RepositoryRefusals.Untrusted,
                "This repository belongs to another user, and git does not trust it: if you do, add its folder to safe.directory in your own git configuration."
            );
        }

        var line = told.Split('\n', 2)[0].Trim();
        throw Unreadable(
            $"git says \"{_refusals.Hide(line.StartsWith("fatal: ", StringComparison.Ordinal) ? line["fatal: ".Length..] : line)}\""
        );
    }

    // The user's own GIT_* may name another repository, another index, or programs.
    private static Dictionary<string, string> Environment(ChildEnvironment environment)
    {
        var ours = environment
            .OfThisProcess()
            .Where(static pair =>
                !pair.Key.StartsWith("GIT_", StringComparison.OrdinalIgnoreCase)
                && !pair.Key.StartsWith("SSH_ASKPASS", StringComparison.OrdinalIgnoreCase)
            )
            .ToDictionary(StringComparer.Ordinal);
        foreach (var (name, value) in s_variables)
        {
            ours[name] = value;
        }

        return ours;
    }
}

/// <summary>What git printed; <paramref name="IsCut"/> where it printed more than was kept.</summary>
internal readonly record struct GitOutput(string Text, int ExitCode, bool IsCut);

/// <summary>A repository that was looked at, with what must be told to git so that nothing of it runs.</summary>
/// <param name="Prefix">Where in it the workspace lies: empty for its top, else with a slash at the end.</param>
/// <param name="Folder">Where git keeps what belongs to this checkout.</param>
internal sealed record OpenRepository(GitRunner Git, string Prefix, string Folder, IReadOnlyList<string> Filters)
{
    /// <summary>What a command is asked about where the workspace is only a part of the repository.</summary>
    public string[] Part => Prefix.Length == 0 ? [] : ["--", "."];

    public Task<GitOutput> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        Git.RunAsync(Filters, arguments, outputOnly: true, cancellationToken);

    /// <summary>The output of a command that does not fail where all is well.</summary>
    public async Task<GitOutput> ExpectAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var output = await RunAsync(arguments, cancellationToken);
        return output.ExitCode == 0 ? output : throw GitRunner.Unreadable($"git {arguments[0]} failed");
    }

    /// <summary>Whether a commit is checked out; a new repository has none.</summary>
    public async Task<bool> HasCommitAsync(CancellationToken cancellationToken) =>
        (await RunAsync(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], cancellationToken)).ExitCode == 0;
}
