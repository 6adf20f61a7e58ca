using Thole.Protocol;
using Thole.Server.Routes;

namespace Thole.Server.Tests.Routes;

public sealed class GitRoutesSpecs : IRepository
{
    private readonly List<object> _asked = [];
    private RefusedException? _refusal;

    [Theory]
    [InlineData("/workspace/git", """{"v":2,"workspaceCwd":"/srv/work","branch":"main","detached":false,"operation":"rebase"}""")]
    [InlineData(
        "/workspace/git/diff",
        """{"v":1,"workspaceCwd":"/srv/work","available":true,"filesCount":1,"linesAdded":2,"linesRemoved":3,"files":[{"path":"b","oldPath":"a","added":2,"removed":3,"isBinary":false,"isUntracked":false,"isDeleted":false,"truncated":false}],"hiddenCount":0}"""
    )]
    [InlineData(
        "/workspace/git/diff/file?path=a",
        """{"v":1,"workspaceCwd":"/srv/work","path":"a","available":true,"hunks":[{"oldStart":1,"oldLines":1,"newStart":1,"newLines":0,"lines":["-x"]}]}"""
    )]
    [InlineData(
        "/workspace/git/log",
        """{"v":1,"workspaceCwd":"/srv/work","available":true,"entries":[{"sha":"abc","shortSha":"a","authorName":"Ann","authorEmail":"ann@example.org","authorDate":5,"subject":"first","parents":["0"]}],"hasMore":true}"""
    )]
    [InlineData(
        "/workspace/git/branches",
        """{"v":1,"workspaceCwd":"/srv/work","available":true,"local":[{"name":"main","isHead":true,"upstream":"origin/main","ahead":1,"behind":2,"commitDate":5,"commitSubject":"first"}],"remote":[],"tags":[{"name":"v1","date":4,"subject":"one"}],"recent":["other"],"head":"main","detached":false}"""
    )]
    public async Task A_question_is_answered_in_the_form_that_clients_know(string target, string body)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("GET", target, "", ("Authorization", $"Bearer {FakeTokens.Observer}"));

        Assert.Equal((200, body), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task What_the_query_says_is_what_is_asked()
    {
        await using var daemon = await StartAsync();

        await daemon.SendAsync("GET", "/workspace/git/diff/file?path=new&oldPath=old");
        await daemon.SendAsync("GET", "/workspace/git/log?limit=5000&skip=10&range=main..other");
        await daemon.SendAsync("GET", "/workspace/git/log?range=");

        Assert.Equal([("new", "old"), (200, 10, "main..other"), (50, 0, (string?)null)], _asked);
    }

    [Theory]
    [InlineData("/workspace/git/diff/file", "parse_error")]
    [InlineData("/workspace/git/log?limit=0", "parse_error")]
    [InlineData("/workspace/git/log?skip=-1", "parse_error")]
    public async Task What_does_not_fit_is_a_parse_error(string target, string code)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("GET", target);

        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Empty(_asked);
    }

    [Theory]
    [InlineData("missing_binary", 503)]
    [InlineData("untrusted_repository", 403)]
    [InlineData("io_error", 503)]
    public async Task A_refusal_has_its_status_and_its_word_twice(string reason, int status)
    {
        _refusal = new RefusedException(reason, "It is so: do this.");
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("GET", "/workspace/git");

        Assert.Equal((status, reason), (answer.Status, answer.Code));
        Assert.Equal(reason, answer.Json!.Value.GetProperty("errorKind").GetString());
    }

    public ValueTask<RepositoryStatus> StatusAsync(CancellationToken cancellationToken) =>
        _refusal is null
            ? ValueTask.FromResult(new RepositoryStatus("main", Detached: false, Operation: RepositoryOperation.Rebase))
            : throw _refusal;

    public ValueTask<RepositoryDiff> DiffAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(
            new RepositoryDiff(
                Available: true,
                1,
                2,
                3,
                [new ChangedFile("b", "a", 2, 3, IsBinary: false, IsUntracked: false, IsDeleted: false, Truncated: false)],
                0
            )
        );

    public ValueTask<FileHunks> DiffFileAsync(string path, string? oldPath, CancellationToken cancellationToken)
    {
        _asked.Add((path, oldPath));
        return ValueTask.FromResult(new FileHunks(path, Available: true, [new FileHunk(1, 1, 1, 0, ["-x"])]));
    }

    public ValueTask<CommitLog> LogAsync(int limit, int skip, string? range, CancellationToken cancellationToken)
    {
        _asked.Add((limit, skip, range));
        return ValueTask.FromResult(
            new CommitLog(
                Available: true,
                [new CommitEntry("abc", "a", "Ann", "ann@example.org", 5, "first", null, ["0"])],
                HasMore: true
            )
        );
    }

    public ValueTask<BranchList> BranchesAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(
            new BranchList(
                Available: true,
                [new BranchEntry("main", IsHead: true, "origin/main", null, 1, 2, 5, "first")],
                [],
                [new TagEntry("v1", 4, "one")],
                ["other"],
                "main",
                Detached: false
            )
        );

    private Task<TestDaemon> StartAsync() => TestDaemon.StartAsync([.. GitRoutes.Create(this, "/srv/work")]);
}
