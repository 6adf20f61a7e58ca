using System.Text;
using Thole.Core.Context;
using Thole.Core.Context.Sources;
using Thole.Core.Workspaces;
using Thole.Testing;

namespace Thole.Core.Tests.Context;

public sealed class EnvironmentSourceSpecs : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_says_where_and_when()
    {
        _folder.Write(".git/HEAD", "ref: refs/heads/feature/x\n");
        _folder.Write("src/a.cs", "");
        _folder.Write("README.md", "");

        var text = await DescribeAsync();

        Assert.Contains($"Working directory: {_folder.Path}\n", text);
        Assert.Contains("Date: 2026-01-02\n", text);
        Assert.Contains("Git branch: feature/x\n", text);
        Assert.EndsWith("Top level: README.md src/", text);
    }

    [Fact]
    public async Task The_branch_of_a_worktree_is_found()
    {
        _folder.Write("main/.git/worktrees/w/HEAD", "ref: refs/heads/side\n");
        _folder.Write("w/.git", $"gitdir: {Path.Join(_folder.Path, "main/.git/worktrees/w")}\n");

        Assert.Contains("Git branch: side\n", await DescribeAsync("w"));
    }

    [Fact]
    public async Task A_git_file_shows_nothing_but_a_branch()
    {
        _folder.Write("secrets/HEAD", "the password is 1234");
        _folder.Write("w/.git", "gitdir: ../secrets");

        Assert.DoesNotContain("1234", await DescribeAsync("w"));
    }

    [Fact]
    public async Task Hostile_names_and_many_of_them_stay_short_and_harmless()
    {
        for (var n = 0; n < 100; n++)
        {
            _folder.Write($"{n:000}{new string('ä', 50)}\n\e[2J", "");
        }

        var text = await DescribeAsync();

        Assert.InRange(Encoding.UTF8.GetByteCount(text), 1, 1024);
        Assert.DoesNotContain('\e', text);
        Assert.Matches("and [0-9]+ more$", text);
    }

    [Fact]
    public async Task It_says_so_once()
    {
        var scope = new ContextScope(new FolderWorkspace(_folder.Path), new HashSet<string>(["environment"]), []);
        Assert.Empty(
            await new EnvironmentSource(new ManualTime(), TrustedFile.Read).CollectAsync(
                scope,
                TestContext.Current.CancellationToken
            )
        );
    }

    private async Task<string> DescribeAsync(string folder = "")
    {
        var scope = new ContextScope(
            new FolderWorkspace(Path.Join(_folder.Path, folder).TrimEnd('/')),
            new HashSet<string>(),
            []
        );
        var added = await new EnvironmentSource(new ManualTime(), TrustedFile.Read).CollectAsync(
            scope,
            TestContext.Current.CancellationToken
        );
        Assert.Equal("environment", Assert.Single(added).Source);
        return added[0].Text;
    }
}
