using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Repositories;

/// <summary>The repository that a workspace lies in, as the git of this machine sees it.</summary>
/// <param name="processes">Outlives every question.</param>
public sealed class Repository(IWorkspace workspace, IProcessRunner processes, ChildEnvironment environment, TimeProvider time)
    : IRepository
{
    // Of a file that git does not know yet, and of all of them in one answer.
    private const int MostReadOfFile = 1 << 20;
    private const long MostReadOfAll = 32 << 20;

    // How far git looks for a NUL before it takes a file for text.
    private const int SniffedBytes = 8000;

    private const int MostSteps = 200;
    private const int LongestRange = 500;

    // Whatever the repository would rather have them print.
    private static readonly string[] s_diff =
    [
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=dirty",
        "--submodule=short",
        "--find-renames",
        "--relative",
        "-O/dev/null",
    ];

    private readonly GitRunner _git = new(workspace.Root, processes, environment);

    public async ValueTask<RepositoryStatus> StatusAsync(CancellationToken cancellationToken)
    {
        if (await _git.OpenAsync(cancellationToken) is not { } repository)
        {
            return new RepositoryStatus(Branch: null);
        }

        var printed = await repository.ExpectAsync(
            [
                "status",
                "--porcelain=v2",
                "--branch",
                "--show-stash",
                "--ahead-behind",
                "--untracked-files=normal",
                "--ignore-submodules=dirty",
                "--no-renames",
                "-z",
                .. repository.Part,
            ],
            cancellationToken
        );
        return GitStatusText.Read(printed.Text) with
        {
            Operation = OperationIn(repository.Folder),
            ComputedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
    }

    public async ValueTask<RepositoryDiff> DiffAsync(CancellationToken cancellationToken)
    {
        if (await _git.OpenAsync(cancellationToken) is not { } repository)
        {
            return new RepositoryDiff(Available: false, 0, 0, 0, [], 0);
        }

        var known = await repository.ExpectAsync(
            [.. s_diff, "--raw", "--numstat", "-z", await BaseAsync(repository, cancellationToken), "--"],
            cancellationToken
        );
        var unknown = await repository.ExpectAsync(
            ["ls-files", "--others", "--exclude-standard", "-z", "--", "."],
            cancellationToken
        );
        if (known.IsCut || unknown.IsCut)
        {
            throw new RefusedException(
                FileRefusals.TooLarge,
                "More files differ than can be told at once: have git ignore what it should not see, or look with git status."
            );
        }

        var changed = GitDiffText.Files(known.Text);
        var untracked = unknown.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var left = MostReadOfAll;
        foreach (var path in untracked.Take(Math.Max(0, RepositoryLimits.MaxFiles - changed.Count)))
        {
            var file = await CountAsync(path, left, cancellationToken);
            left -= file.Read;
            changed.Add(file.File);
        }

        var count = Math.Max(changed.Count, changed.Count(static file => !file.IsUntracked) + untracked.Length);
        ChangedFile[] told =
        [
            .. changed.OrderBy(static file => file.Path, StringComparer.Ordinal).Take(RepositoryLimits.MaxFiles),
        ];
        return new RepositoryDiff(
            Available: true,
            count,
            changed.Sum(static file => file.Added ?? 0),
            changed.Sum(static file => file.Removed ?? 0),
            told,
            count - told.Length
        );
    }

    public async ValueTask<FileHunks> DiffFileAsync(string path, string? oldPath, CancellationToken cancellationToken)
    {
        var place = Resolve(path);
        string[] paths = oldPath is null ? [place.Relative] : [Resolve(oldPath).Relative, place.Relative];
        if (await _git.OpenAsync(cancellationToken) is not { } repository)
        {
            return new FileHunks(place.Shown, Available: false, []);
        }

        var patch = await repository.ExpectAsync(
            [
                .. s_diff,
                "--patch",
                "--unified=3",
                "--inter-hunk-context=0",
                "--src-prefix=a/",
                "--dst-prefix=b/",
                await BaseAsync(repository, cancellationToken),
                "--",
                .. paths,
            ],
            cancellationToken
        );
        var (hunks, isCut) =
            patch.Text.Length > 0 || !await IsUntrackedAsync(repository, place, cancellationToken)
                ? GitDiffText.Hunks(patch.Text, patch.IsCut, RepositoryLimits.MaxHunkLines)
                : await WholeAsync(place, cancellationToken);
        return new FileHunks(place.Shown, hunks.Count > 0, hunks, isCut ? true : null);
    }

    public async ValueTask<CommitLog> LogAsync(int limit, int skip, string? range, CancellationToken cancellationToken)
    {
        Demand(limit, 1, RepositoryLimits.MaxCommits, "limit");
        Demand(skip, 0, RepositoryLimits.MaxSkip, "skip");
        if (range is not null && (range.Length is 0 or > LongestRange || range.Any(char.IsControl)))
        {
            throw NoSuchRange();
        }

        if (await _git.OpenAsync(cancellationToken) is not { } repository)
        {
            return new CommitLog(Available: false, [], HasMore: false);
        }

        if (range is null && !await repository.HasCommitAsync(cancellationToken))
        {
            return new CommitLog(Available: true, [], HasMore: false);
        }

        var printed = await repository.RunAsync(
            [
                "log",
                "--no-color",
                "--no-show-signature",
                "--no-notes",
                "-z",
                GitHistoryText.CommitFormat,
                $"--max-count={limit + 1}",
                $"--skip={skip}",
                "--end-of-options",
                range ?? "HEAD",
                "--",
                .. repository.Part.Skip(1),
            ],
            cancellationToken
        );
        if (printed.ExitCode != 0)
        {
            throw range is null ? GitRunner.Unreadable("git log failed") : NoSuchRange();
        }

        CommitEntry[] entries = [.. GitHistoryText.Commits(printed.Text)];
        return new CommitLog(
            Available: true,
            entries.Length > limit ? entries[..limit] : entries,
            entries.Length > limit || printed.IsCut
        );
    }

    public async ValueTask<BranchList> BranchesAsync(CancellationToken cancellationToken)
    {
        if (await _git.OpenAsync(cancellationToken) is not { } repository)
        {
            return new BranchList(Available: false, [], [], [], [], "", Detached: false);
        }

        var branch = await repository.RunAsync(["symbolic-ref", "--quiet", "--short", "HEAD"], cancellationToken);
        var isDetached = branch.ExitCode != 0;
        var head = isDetached ? await repository.ExpectAsync(["rev-parse", "--short", "HEAD"], cancellationToken) : branch;
        var refs = new StringBuilder();
        foreach (var kind in (string[])["refs/heads", "refs/remotes", "refs/tags"])
        {
            refs.Append(
                (
                    await repository.ExpectAsync(
                        [
                            "for-each-ref",
                            $"--count={RepositoryLimits.MaxBranches}",
                            "--sort=-creatordate",
                            GitHistoryText.RefFormat,
                            kind,
                        ],
                        cancellationToken
                    )
                ).Text
            );
        }

        var steps = await repository.RunAsync(
            ["log", "--walk-reflogs", "-z", "--format=%gs", $"--max-count={MostSteps}", "HEAD", "--"],
            cancellationToken
        );
        return GitHistoryText.Branches(refs.ToString(), steps.Text, head.Text.TrimEnd('\n'), isDetached);
    }

    /// <summary>The last commit; before the first one, nothing.</summary>
    private static async Task<string> BaseAsync(OpenRepository repository, CancellationToken cancellationToken) =>
        await repository.HasCommitAsync(cancellationToken)
            ? "HEAD"
            : (await repository.ExpectAsync(["hash-object", "-t", "tree", "--stdin"], cancellationToken)).Text.TrimEnd('\n');

    private static async Task<bool> IsUntrackedAsync(
        OpenRepository repository,
        WorkspacePath place,
        CancellationToken cancellationToken
    ) =>
        (
            await repository.ExpectAsync(
                ["ls-files", "--others", "--exclude-standard", "-z", "--", place.Relative],
                cancellationToken
            )
        )
            .Text
            .Length > 0;

    private async Task<(ChangedFile File, int Read)> CountAsync(string path, long left, CancellationToken cancellationToken)
    {
        var file = new ChangedFile(path, null, null, 0, IsBinary: false, IsUntracked: true, IsDeleted: false, Truncated: false);
        try
        {
            var place = workspace.Resolve(path);
            if (workspace.Stat(place) is not { Kind: FileKind.File } state)
            {
                return (file, 0);
            }

            var content = await BeginningAsync(place, (int)Math.Min(MostReadOfFile, left), cancellationToken);
            var isBinary = content.AsSpan(0, Math.Min(SniffedBytes, content.Length)).Contains((byte)0);
            var lines = content.AsSpan().Count((byte)'\n') + (content is [] or [.., (byte)'\n'] ? 0 : 1);
            return (
                file with
                {
                    Added = isBinary ? 0 : lines,
                    IsBinary = isBinary,
                    Truncated = !isBinary && content.Length < state.Length,
                },
                content.Length
            );
        }
        catch (WorkspaceException)
        {
            // A link out of the workspace, a name that is no text, a file nobody may read: it is there, and not counted.
            return (file, 0);
        }
    }

    private async Task<(IReadOnlyList<FileHunk> Hunks, bool IsCut)> WholeAsync(
        WorkspacePath place,
        CancellationToken cancellationToken
    )
    {
        byte[] content;
        long length;
        try
        {
            if (workspace.Stat(place) is not { Kind: FileKind.File } state)
            {
                return ([], false);
            }

            length = state.Length;
            content = await BeginningAsync(place, MostReadOfFile, cancellationToken);
        }
        catch (WorkspaceException)
        {
            return ([], false);
        }

        // A character at the end may be cut; its line is left out with it.
        var isCut = content.Length < length;
        var end = isCut ? content.AsSpan().LastIndexOf((byte)'\n') + 1 : content.Length;
        if (end == 0 || TextFile.Decode(content[..end]) is not { } file)
        {
            return ([], false);
        }

        var lines = LineSpans.Split(file.Raw);
        isCut |= lines.Count > RepositoryLimits.MaxHunkLines;
        List<string> told = [.. lines.Take(RepositoryLimits.MaxHunkLines).Select(static line => "+" + line.TrimEnd('\n'))];
        if (!isCut && !lines[^1].EndsWith('\n'))
        {
            told.Add(@"\ No newline at end of file");
        }

        return ([new FileHunk(0, 0, 1, lines.Count, told)], isCut);
    }

    private async Task<byte[]> BeginningAsync(WorkspacePath place, int most, CancellationToken cancellationToken)
    {
        await using var stream = workspace.OpenRead(place);
        var content = new byte[Math.Min(most, stream.Length)];
        var read = await stream.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancellationToken);
        return read == content.Length ? content : content[..read];
    }

    private WorkspacePath Resolve(string path)
    {
        var refusals = new ClientRefusals([workspace.Root]);
        try
        {
            var place = workspace.Resolve(path);
            return place.IsIncluded || place.Relative.Length == 0
                ? throw new WorkspaceException(ToolErrors.InvalidArguments, "Name a file of the workspace.")
                : place;
        }
        catch (WorkspaceException refused)
        {
            throw refusals.OfPath(refused);
        }
    }

    private static RepositoryOperation? OperationIn(string folder) =>
        Directory.Exists(Path.Join(folder, "rebase-merge")) || Directory.Exists(Path.Join(folder, "rebase-apply"))
            ? RepositoryOperation.Rebase
        : File.Exists(Path.Join(folder, "MERGE_HEAD")) ? RepositoryOperation.Merge
        : File.Exists(Path.Join(folder, "CHERRY_PICK_HEAD")) ? RepositoryOperation.CherryPick
        : File.Exists(Path.Join(folder, "REVERT_HEAD")) ? RepositoryOperation.Revert
        : File.Exists(Path.Join(folder, "BISECT_LOG")) ? RepositoryOperation.Bisect
        : null;

    private static void Demand(int value, int least, int most, string name)
    {
        if (value < least || value > most)
        {
            throw new RefusedException(FileRefusals.ParseError, $"{name} must be a whole number from {least} to {most}.");
        }
    }

    private static RefusedException NoSuchRange() =>
        new(FileRefusals.ParseError, "There is no such range: name a branch, a tag or a commit, or two of them as a..b.");
}
