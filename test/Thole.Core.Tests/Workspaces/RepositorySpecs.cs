using System.Text.Json;
using Thole.Protocol;

namespace Thole.Core.Tests.Workspaces;

/// <summary>What git says about a workspace.</summary>
public sealed class RepositorySpecs
{
    [Fact]
    public async Task A_workspace_without_a_repository_is_an_answer()
    {
        await using var none = new TestRepository();

        Assert.Equal(new RepositoryStatus(Branch: null), await none.Asked.StatusAsync(Token));
        Assert.False((await none.Asked.DiffAsync(Token)).Available);
        Assert.False((await none.Asked.DiffFileAsync("a", oldPath: null, Token)).Available);
        Assert.False((await none.Asked.LogAsync(1, 0, range: null, Token)).Available);
        Assert.False((await none.Asked.BranchesAsync(Token)).Available);
    }

    [Fact]
    public async Task A_repository_without_a_commit_has_a_branch_and_new_files()
    {
        await using var fresh = await TestRepository.InitAsync();
        fresh.Scratch.File("staged.txt", "one\n");
        await fresh.GitAsync("add", "--all");
        fresh.Scratch.File("new.txt", "one\ntwo");

        var status = await fresh.Asked.StatusAsync(Token);
        var diff = await fresh.Asked.DiffAsync(Token);

        Assert.Equal(("main", false, 1, 1), (status.Branch, status.Detached, status.Staged, status.Untracked));
        Assert.Equal(["new.txt", "staged.txt"], diff.Files.Select(file => file.Path));
        Assert.Equal((3, 0), (diff.LinesAdded, diff.LinesRemoved));
        Assert.Equal(new CommitLog(Available: true, [], HasMore: false), await fresh.Asked.LogAsync(1, 0, range: null, Token));
        Assert.Equal("main", (await fresh.Asked.BranchesAsync(Token)).Head);
    }

    [Fact]
    public async Task The_state_of_the_work_is_counted()
    {
        await using var work = await TestRepository.InitAsync();
        work.Scratch.File("a", "a\n");
        work.Scratch.File("b", "b\n");
        await work.CommitAsync("first");
        await work.GitAsync("branch", "other");
        await work.GitAsync("branch", "--set-upstream-to=other", "main");
        await work.CommitAsync("second");
        work.Scratch.File("a", "stashed\n");
        await work.GitAsync("stash");
        work.Scratch.File("a", "A\n");
        await work.GitAsync("add", "a");
        work.Scratch.File("b", "B\n");
        work.Scratch.File("new folder/c", "c\n");

        var status = await work.Asked.StatusAsync(Token);

        Assert.NotNull(status.ComputedAt);
        Assert.Equal(
            new RepositoryStatus("main", Detached: false, 1, 1, 1, 0, HasUpstream: true, 1, 0, 1),
            status with
            {
                ComputedAt = null,
            }
        );
    }

    [Fact]
    public async Task A_conflict_a_detached_head_and_an_operation_are_seen()
    {
        await using var work = await TestRepository.InitAsync();
        work.Scratch.File("a", "base\n");
        await work.CommitAsync("base");
        await work.GitAsync("checkout", "--quiet", "-b", "other");
        work.Scratch.File("a", "theirs\n");
        await work.CommitAsync("theirs");
        await work.GitAsync("checkout", "--quiet", "--detach", "main");
        work.Scratch.File("a", "ours\n");
        await work.CommitAsync("ours");
        await work.GitAsync("merge", "other");

        var merging = await work.Asked.StatusAsync(Token);
        await work.GitAsync("merge", "--abort");
        await work.GitAsync("cherry-pick", "other");
        var picking = await work.Asked.StatusAsync(Token);

        Assert.Equal((1, RepositoryOperation.Merge, true), (merging.Conflicted, merging.Operation, merging.Detached));
        Assert.StartsWith(merging.Branch!, await work.GitAsync("rev-parse", "HEAD"));
        Assert.Equal(RepositoryOperation.CherryPick, picking.Operation);
    }

    [Fact]
    public async Task Files_that_differ_are_told_with_their_lines()
    {
        await using var work = await TestRepository.InitAsync();
        work.Scratch.File("changed", "one\ntwo\n");
        work.Scratch.File("gone", "one\n");
        work.Scratch.File("old name", "1\n2\n3\n4\n5\n6\n7\n8\n");
        File.WriteAllBytes(work.Scratch.Inside("binary"), [0, 1]);
        work.Scratch.File(".gitignore", "*.log\n");
        await work.CommitAsync("first");
        work.Scratch.File("changed", "one\n2\n3\n");
        File.Delete(work.Scratch.Inside("gone"));
        await work.GitAsync("mv", "old name", "tab\tand \"quote\" – name");
        File.WriteAllBytes(work.Scratch.Inside("binary"), [0, 2]);
        work.Scratch.File("new/file", "one\ntwo\n");
        work.Scratch.File("a.log");
        File.WriteAllBytes(work.Scratch.Inside("new/binary"), [0, 2]);

        var diff = await work.Asked.DiffAsync(Token);

        Assert.Equal(
            [
                File_("binary") with
                {
                    IsBinary = true,
                },
                File_("changed", 2, 1),
                File_("gone", 0, 1) with
                {
                    IsDeleted = true,
                },
                File_("new/binary") with
                {
                    IsBinary = true,
                    IsUntracked = true,
                },
                File_("new/file", 2) with
                {
                    IsUntracked = true,
                },
                File_("tab\tand \"quote\" – name") with
                {
                    OldPath = "old name",
                },
            ],
            diff.Files
        );
        Assert.Equal((6, 4, 2, 0), (diff.FilesCount, diff.LinesAdded, diff.LinesRemoved, diff.HiddenCount));

        static ChangedFile File_(string path, long added = 0, long removed = 0) =>
            new(path, null, added, removed, IsBinary: false, IsUntracked: false, IsDeleted: false, Truncated: false);
    }

    [Fact]
    public async Task The_lines_of_one_file_are_told()
    {
        await using var work = await TestRepository.InitAsync();
        var lines = Enumerable.Range(1, 30).Select(number => $"line {number}").ToArray();
        work.Scratch.File("a", string.Join('\n', lines) + "\n");
        await work.CommitAsync("first");
        (lines[1], lines[28]) = ("-- two", "++ two");
        work.Scratch.File("a", string.Join('\n', lines));
        work.Scratch.File("new", "one\r\ntwo");

        var changed = await work.Asked.DiffFileAsync("a", oldPath: null, Token);
        var fresh = await work.Asked.DiffFileAsync("new", oldPath: null, Token);
        var same = await work.Asked.DiffFileAsync("nothing", oldPath: null, Token);

        Assert.Equal(
            [(1, 5, 1, 5), (26, 5, 26, 5)],
            changed.Hunks.Select(hunk => (hunk.OldStart, hunk.OldLines, hunk.NewStart, hunk.NewLines))
        );
        Assert.Equal([" line 1", "-line 2", "+-- two", " line 3", " line 4", " line 5"], changed.Hunks[0].Lines);
        Assert.Equal(
            [" line 26", " line 27", " line 28", "-line 29", "-line 30", "+++ two", "+line 30", @"\ No newline at end of file"],
            changed.Hunks[1].Lines
        );
        Assert.Equal(["+one\r", "+two", @"\ No newline at end of file"], Assert.Single(fresh.Hunks).Lines);
        Assert.Equal((true, false, null), (changed.Available, same.Available, changed.Truncated));
    }

    [Fact]
    public async Task A_renamed_file_shows_what_was_edited_and_a_long_one_its_beginning()
    {
        await using var work = await TestRepository.InitAsync();
        work.Scratch.File("old", "1\n2\n3\n4\n5\n6\n7\n8\n");
        await work.CommitAsync("first");
        await work.GitAsync("mv", "old", "new");
        work.Scratch.File("new", "1\n2\n3\n4\n5\n6\n7\neight\n");
        work.Scratch.File("long", string.Concat(Enumerable.Repeat("x\n", RepositoryLimits.MaxHunkLines + 1)));

        var renamed = await work.Asked.DiffFileAsync("new", "old", Token);
        var longer = await work.Asked.DiffFileAsync("long", oldPath: null, Token);
        await work.GitAsync("add", "long");
        var tracked = await work.Asked.DiffFileAsync("long", oldPath: null, Token);

        Assert.Equal([" 5", " 6", " 7", "-8", "+eight"], Assert.Single(renamed.Hunks).Lines);
        Assert.All(
            [longer, tracked],
            file =>
            {
                Assert.True(file.Truncated);
                Assert.Equal(RepositoryLimits.MaxHunkLines, file.Hunks[0].Lines.Count);
            }
        );
    }

    [Fact]
    public async Task History_is_told_in_pages()
    {
        await using var work = await TestRepository.InitAsync();
        await work.CommitAsync("first");
        await work.GitAsync("tag", "v1");
        await work.CommitAsync("second\u001b[31m \"quoted\"");
        await work.CommitAsync("third");

        var newest = await work.Asked.LogAsync(2, 0, range: null, Token);
        var oldest = await work.Asked.LogAsync(2, 2, range: null, Token);
        var since = await work.Asked.LogAsync(9, 0, "v1..main", Token);

        Assert.Equal(["third", "second\u001b[31m \"quoted\""], newest.Entries.Select(entry => entry.Subject));
        Assert.Equal((true, false), (newest.HasMore, oldest.HasMore));
        var first = Assert.Single(oldest.Entries);
        Assert.Equal(("Ann Example", "ann@example.org", "tag: v1"), (first.AuthorName, first.AuthorEmail, first.Refs));
        Assert.Empty(first.Parents);
        Assert.Equal([newest.Entries[1].Sha], newest.Entries[0].Parents);
        Assert.StartsWith(newest.Entries[0].ShortSha, newest.Entries[0].Sha);
        Assert.Equal("HEAD -> main", newest.Entries[0].Refs);
        Assert.Equal(2, since.Entries.Count);
    }

    [Theory]
    [InlineData("--output=stolen")]
    [InlineData("--upload-pack=x")]
    [InlineData("-rf")]
    [InlineData("x;id")]
    [InlineData("main\n--all")]
    [InlineData("")]
    [InlineData("no-such-branch")]
    public async Task A_range_is_a_range_and_never_an_option(string range)
    {
        await using var work = await TestRepository.InitAsync();
        await work.CommitAsync("first");

        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await work.Asked.LogAsync(1, 0, range, Token));

        Assert.Equal(FileRefusals.ParseError, refused.Reason);
        Assert.Equal([".git"], Directory.GetFileSystemEntries(work.Scratch.Inside()).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(201, 0)]
    [InlineData(1, -1)]
    public async Task A_page_out_of_its_range_is_refused(int limit, int skip)
    {
        await using var work = new TestRepository();

        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await work.Asked.LogAsync(limit, skip, null, Token));

        Assert.Equal(FileRefusals.ParseError, refused.Reason);
    }

    [Fact]
    public async Task Branches_and_tags_are_told_and_where_the_work_was_lately()
    {
        await using var work = await TestRepository.InitAsync();
        await work.CommitAsync("first");
        await work.GitAsync("tag", "-m", "the first", "v1");
        await work.GitAsync("checkout", "--quiet", "-b", "feature/a");
        await work.CommitAsync("second");
        await work.GitAsync("branch", "--set-upstream-to=main");
        await work.GitAsync("update-ref", "refs/remotes/origin/main", "main");
        await work.GitAsync("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main");
        await work.GitAsync("checkout", "--quiet", "-b", "gone");
        await work.GitAsync("checkout", "--quiet", "feature/a");
        await work.GitAsync("branch", "-D", "gone");

        var branches = await work.Asked.BranchesAsync(Token);

        Assert.Equal(("feature/a", false), (branches.Head, branches.Detached));
        var feature = branches.Local.Single(branch => branch.IsHead);
        Assert.Equal(
            ("feature/a", "main", 1, 0, "second"),
            (feature.Name, feature.Upstream, feature.Ahead, feature.Behind, feature.CommitSubject)
        );
        Assert.Contains(branches.Local, branch => branch is { Name: "main", IsHead: false, Upstream: null });
        Assert.Equal("origin/main", Assert.Single(branches.Remote).Name);
        Assert.Equal(("v1", "the first"), (Assert.Single(branches.Tags).Name, branches.Tags[0].Subject));
        Assert.Empty(branches.Recent); // main was never checked out again, and "gone" is gone
    }

    [Fact]
    public async Task A_workspace_that_is_part_of_a_repository_sees_its_part()
    {
        await using var whole = await TestRepository.InitAsync();
        whole.Scratch.File("outside", "secret\n");
        whole.Scratch.File("part/inside", "one\n");
        await whole.CommitAsync("both");
        whole.Scratch.File("outside", "changed\n");
        await whole.CommitAsync("outside only");
        whole.Scratch.File("outside", "changed again\n");
        whole.Scratch.File("part/inside", "two\n");
        whole.Scratch.File("new", "new\n");

        var part = whole.At("part");

        Assert.Equal((1, 0), ((await part.StatusAsync(Token)) is var status ? (status.Unstaged, status.Untracked) : default));
        Assert.Equal(["inside"], (await part.DiffAsync(Token)).Files.Select(file => file.Path));
        Assert.Equal(["-one", "+two"], Assert.Single((await part.DiffFileAsync("inside", null, Token)).Hunks).Lines);
        Assert.Equal(["both"], (await part.LogAsync(9, 0, null, Token)).Entries.Select(entry => entry.Subject));
        await Assert.ThrowsAsync<RefusedException>(async () => await part.DiffFileAsync("../outside", null, Token));
    }

    [Fact]
    public void Answers_have_the_names_that_clients_know()
    {
        Assert.Equal(
            """{"branch":null}""",
            JsonSerializer.Serialize(new RepositoryStatus(null), WorkspaceJson.Default.RepositoryStatus)
        );
        Assert.Equal(
            """{"branch":"main","detached":false,"staged":1,"unstaged":2,"untracked":3,"conflicted":4,"hasUpstream":true,"ahead":5,"behind":6,"stashCount":7,"operation":"cherry-pick","computedAt":8}""",
            JsonSerializer.Serialize(
                new RepositoryStatus(
                    "main",
                    Detached: false,
                    1,
                    2,
                    3,
                    4,
                    HasUpstream: true,
                    5,
                    6,
                    7,
                    RepositoryOperation.CherryPick,
                    8
                ),
                WorkspaceJson.Default.RepositoryStatus
            )
        );
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
