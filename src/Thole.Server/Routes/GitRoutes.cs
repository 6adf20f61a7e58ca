using Thole.Protocol;

namespace Thole.Server.Routes;

/// <summary>What git says about the workspace.</summary>
internal static class GitRoutes
{
    /// <param name="workspace">As clients know it: its full path.</param>
    public static IReadOnlyList<Operation> Create(IRepository repository, string workspace)
    {
        var head = Head(workspace, 1);
        return
        [
            new("GET", "/workspace/git", "getGitStatus", Scope.Observe, "The branch, and how the work on it stands.")
            {
                Head = Head(workspace, 2),
                Reply = WorkspaceJson.Default.RepositoryStatus,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await repository.StatusAsync(exchange.Aborted),
                        WorkspaceJson.Default.RepositoryStatus
                    )
                ),
            },
            new("GET", "/workspace/git/diff", "getGitDiff", Scope.Observe, "The files that differ from the last commit.")
            {
                Head = head,
                Reply = WorkspaceJson.Default.RepositoryDiff,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(await repository.DiffAsync(exchange.Aborted), WorkspaceJson.Default.RepositoryDiff)
                ),
            },
            new("GET", "/workspace/git/diff/file", "getGitFileDiff", Scope.Observe, "The lines of one file that differ.")
            {
                Parameters =
                [
                    FileParameters.Text("path", "Relative to the workspace.") with
                    {
                        IsRequired = true,
                    },
                    FileParameters.Text("oldPath", "What it was called in the last commit, where it was renamed."),
                ],
                Head = head,
                Reply = WorkspaceJson.Default.FileHunks,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await repository.DiffFileAsync(
                            exchange.Query("path")!,
                            exchange.Query("oldPath") is { Length: > 0 } old ? old : null,
                            exchange.Aborted
                        ),
                        WorkspaceJson.Default.FileHunks
                    )
                ),
            },
            new("GET", "/workspace/git/log", "getGitLog", Scope.Observe, "Commits, newest first.")
            {
                Parameters =
                [
                    FileParameters.Number("limit", $"How many; at most {RepositoryLimits.MaxCommits} come.", 1, int.MaxValue),
                    FileParameters.Number("skip", "How many newer ones to pass over.", 0, RepositoryLimits.MaxSkip),
                    FileParameters.Text(
                        "range",
                        "A branch, a tag, a commit, or two of them as a..b; default what is checked out."
                    ),
                ],
                Head = head,
                Reply = WorkspaceJson.Default.CommitLog,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await repository.LogAsync(
                            (int)
                                Math.Min(
                                    exchange.QueryNumber("limit") ?? RepositoryLimits.DefaultCommits,
                                    RepositoryLimits.MaxCommits
                                ),
                            (int)(exchange.QueryNumber("skip") ?? 0),
                            exchange.Query("range") is { Length: > 0 } range ? range : null,
                            exchange.Aborted
                        ),
                        WorkspaceJson.Default.CommitLog
                    )
                ),
            },
            new("GET", "/workspace/git/branches", "getGitBranches", Scope.Observe, "Branches and tags, newest first.")
            {
                Head = head,
                Reply = WorkspaceJson.Default.BranchList,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(await repository.BranchesAsync(exchange.Aborted), WorkspaceJson.Default.BranchList)
                ),
            },
        ];
    }

    private static ReplyHead Head(string workspace, int version) =>
        new(new ReplyMember("v", version), new ReplyMember("workspaceCwd", workspace, IsConstant: false));
}
