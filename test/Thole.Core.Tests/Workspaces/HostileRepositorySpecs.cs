using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Repositories;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

/// <summary>A repository that somebody else made names programs everywhere; none runs because somebody looked.</summary>
public sealed class HostileRepositorySpecs
{
    /// <summary>Keys of a repository's configuration that name a program, the first three with what makes a plain git run it.</summary>
    public static TheoryData<string, string> Keys { get; } =
        new()
        {
            { "core.fsmonitor", "status" },
            { "filter.evil.clean", "diff" },
            { "filter.evil.process", "diff" },
            { "diff.evil.textconv", "diff" },
            { "diff.evil.command", "diff" },
            { "diff.external", "diff" },
            { "filter.evil.smudge", "" },
            { "filter.a.b.clean", "diff" },
            { "core.pager", "" },
            { "pager.log", "" },
            { "pager.status", "" },
            { "core.editor", "" },
            { "core.sshCommand", "" },
            { "core.gitProxy", "" },
            { "core.askPass", "" },
            { "core.alternateRefsCommand", "" },
            { "credential.helper", "" },
            { "sequence.editor", "" },
            { "gpg.program", "log" },
            { "gpg.ssh.program", "" },
            { "mergetool.evil.cmd", "" },
            { "merge.evil.driver", "" },
            { "alias.status", "" },
            { "alias.diff", "" },
            { "remote.origin.uploadpack", "" },
            { "remote.origin.vcs", "" },
            { "submodule.sub.update", "" },
            { "trailer.evil.command", "" },
            { "trailer.evil.cmd", "" },
            { "man.evil.cmd", "" },
            { "web.browser", "" },
            { "instaweb.httpd", "" },
            { "sendemail.smtpServer", "" },
            { "tar.evil.command", "" },
            { "interactive.diffFilter", "" },
            { "uploadpack.packObjectsHook", "" },
        };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task No_program_of_the_configuration_runs(string key, string temptation)
    {
        await using var hostile = await HostileAsync();
        await hostile.GitAsync("config", key, Canary(hostile));
        await hostile.GitAsync("config", "log.showSignature", "true");

        await AskAllAsync(hostile);

        Assert.False(HasRun(hostile));
        if (temptation.Length > 0)
        {
            await hostile.GitAsync(temptation);
            Assert.True(HasRun(hostile), "the canary sings for nobody: the test shows nothing");
        }
    }

    [Fact]
    public async Task A_filter_that_is_configured_for_one_worktree_or_by_an_included_file_does_not_run()
    {
        await using var hostile = await HostileAsync();
        await hostile.GitAsync("config", "extensions.worktreeConfig", "true");
        File.WriteAllText(hostile.Scratch.Inside(".git/config.worktree"), $"[filter \"evil\"]\n\tclean = {Canary(hostile)}\n");
        File.WriteAllText(hostile.Scratch.Inside(".git/more"), $"[filter \"other\"]\n\tclean = {Canary(hostile)}\n\trequired\n");
        await hostile.GitAsync("config", "include.path", "more");
        File.WriteAllText(hostile.Scratch.Inside(".git/info/attributes"), "b filter=other\n");

        await AskAllAsync(hostile);

        Assert.False(HasRun(hostile));
        await hostile.GitAsync("diff");
        Assert.True(HasRun(hostile));
    }

    [Fact]
    public async Task A_filter_whose_name_cannot_be_told_to_git_shuts_the_repository()
    {
        await using var hostile = await HostileAsync();
        File.AppendAllText(hostile.Scratch.Inside(".git/config"), $"[filter \"a=b\"]\n\tclean = {Canary(hostile)}\n");
        hostile.Scratch.File(".gitattributes", "* filter=a=b\n");

        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await hostile.Asked.DiffAsync(Token));

        Assert.Equal(RepositoryRefusals.Untrusted, refused.Reason);
        Assert.False(HasRun(hostile));
    }

    [Fact]
    public async Task No_hook_runs()
    {
        await using var hostile = await HostileAsync();
        foreach (
            var hook in (string[])
                ["post-index-change", "fsmonitor-watchman", "post-checkout", "pre-commit", "reference-transaction"]
        )
        {
            var path = hostile.Scratch.Inside($".git/hooks/{hook}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(hostile.Scratch.Outside("canary"), path, overwrite: true);
            Scratch.SetMode(path, 0x1ED);
        }

        await AskAllAsync(hostile);

        Assert.False(HasRun(hostile));
    }

    [Fact]
    public async Task A_submodule_is_not_entered()
    {
        await using var hostile = await HostileAsync();
        await hostile.GitAsync("init", "--quiet", "sub");
        await Git.RunAsync(
            hostile.Scratch.Inside("sub"),
            "",
            "-c",
            "user.name=a",
            "-c",
            "user.email=b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x"
        );
        await hostile.GitAsync("add", "sub");
        await hostile.GitAsync("config", "diff.submodule", "diff");
        await Git.RunAsync(hostile.Scratch.Inside("sub"), "", "config", "core.fsmonitor", Canary(hostile));
        hostile.Scratch.File("sub/new");

        await AskAllAsync(hostile);

        Assert.False(HasRun(hostile));
        await hostile.GitAsync("status");
        Assert.True(HasRun(hostile));
    }

    [Theory]
    [InlineData("ssh://nowhere.invalid/x", "core.sshCommand")]
    [InlineData("ext::CANARY", "protocol.ext.allow")]
    [InlineData("FOLDER", "remote.origin.uploadpack")]
    public async Task Nothing_that_is_missing_is_fetched(string url, string key)
    {
        await using var hostile = await HostileAsync();
        var canary = Canary(hostile);
        await hostile.GitAsync("config", "extensions.partialClone", "origin");
        await hostile.GitAsync("config", "core.repositoryFormatVersion", "1");
        await hostile.GitAsync("config", "remote.origin.promisor", "true");
        await hostile.GitAsync(
            "config",
            "remote.origin.url",
            url.Replace("CANARY", canary).Replace("FOLDER", hostile.Scratch.Outside())
        );
        await hostile.GitAsync("config", key, key.StartsWith("protocol") ? "always" : canary);
        foreach (var blob in Directory.GetFiles(hostile.Scratch.Inside(".git/objects"), "*", SearchOption.AllDirectories))
        {
            var id = Path.GetFileName(Path.GetDirectoryName(blob)) + Path.GetFileName(blob);
            if ((await hostile.GitAsync("cat-file", "-t", id)).Trim() is "blob")
            {
                Scratch.SetMode(blob, 0x1B4);
                File.Delete(blob);
            }
        }

        try
        {
            await AskAllAsync(hostile);
        }
        catch (RefusedException refused)
        {
            Assert.Equal(FileRefusals.IoError, refused.Reason);
        }

        Assert.False(HasRun(hostile));
        await hostile.GitAsync("diff", "HEAD");
        Assert.True(HasRun(hostile), "the canary sings for nobody: the test shows nothing");
    }

    [Fact]
    public async Task A_folder_that_looks_like_a_bare_repository_is_none()
    {
        await using var hostile = new TestRepository();
        await hostile.GitAsync("init", "--quiet", "--bare", ".");
        await hostile.GitAsync("config", "core.bare", "false");
        await hostile.GitAsync("config", "core.worktree", ".");
        await hostile.GitAsync("config", "core.fsmonitor", Canary(hostile));

        var status = await hostile.Asked.StatusAsync(Token);

        Assert.Null(status.Branch);
        Assert.False(HasRun(hostile));
    }

    [Fact]
    public async Task A_repository_that_says_its_files_are_elsewhere_is_not_read()
    {
        await using var hostile = await HostileAsync();
        File.WriteAllText(hostile.Scratch.Outside("secret"), "secret");
        await hostile.GitAsync("config", "core.worktree", hostile.Scratch.Outside());

        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await hostile.Asked.DiffAsync(Token));

        Assert.Equal(RepositoryRefusals.Untrusted, refused.Reason);
        Assert.DoesNotContain(hostile.Scratch.Outside(), refused.Message);
    }

    [Fact]
    public async Task The_repository_of_another_user_is_refused_as_git_refuses_it()
    {
        await using var hostile = await HostileAsync();
        Scratch.Run("chown", "-R", "12345:12345", hostile.Scratch.Inside());

        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await hostile.Asked.StatusAsync(Token));

        Assert.Equal(RepositoryRefusals.Untrusted, refused.Reason);
        Assert.Contains("safe.directory", refused.Message);
        Assert.DoesNotContain(hostile.Scratch.Inside(), refused.Message);
    }

    [Fact]
    public async Task What_the_user_has_in_the_environment_leads_to_no_other_repository()
    {
        await using var mine = await HostileAsync();
        await using var other = await TestRepository.InitAsync();
        await other.CommitAsync("theirs");
        Environment.SetEnvironmentVariable("GIT_DIR", other.Scratch.Inside(".git"));
        Environment.SetEnvironmentVariable("GIT_EXTERNAL_DIFF", mine.Scratch.Outside("canary"));
        try
        {
            Assert.Equal(["first"], (await mine.Asked.LogAsync(9, 0, null, Token)).Entries.Select(entry => entry.Subject));
            await AskAllAsync(mine);
        }
        finally
        {
            Environment.SetEnvironmentVariable("GIT_DIR", null);
            Environment.SetEnvironmentVariable("GIT_EXTERNAL_DIFF", null);
        }

        Assert.False(HasRun(mine));
    }

    [Fact]
    public async Task A_git_that_the_workspace_brings_along_is_not_run()
    {
        await using var hostile = await HostileAsync();
        Directory.CreateDirectory(hostile.Scratch.Inside("bin"));
        File.Copy(hostile.Scratch.Outside("canary"), hostile.Scratch.Inside("bin/git"));
        Scratch.SetMode(hostile.Scratch.Inside("bin/git"), 0x1ED);

        Assert.Null(Programs.Find("git", hostile.Scratch.Inside("bin"), hostile.Scratch.Inside()));
        Assert.NotNull(Programs.Find("git", hostile.Scratch.Inside("bin"), hostile.Scratch.Outside()));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Two files that differ from the last commit and have attributes, beside a program that tells that it ran.</summary>
    private static async Task<TestRepository> HostileAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: a shell script");
        var hostile = await TestRepository.InitAsync();
        File.WriteAllText(hostile.Scratch.Outside("canary"), $"#!/bin/sh\n: > '{hostile.Scratch.Outside("ran")}'\nexit 1\n");
        Scratch.SetMode(hostile.Scratch.Outside("canary"), 0x1ED);
        hostile.Scratch.File(".gitattributes", "a filter=evil diff=evil merge=evil\nb filter=a.b\n");
        hostile.Scratch.File("a", "one\n");
        hostile.Scratch.File("b", "one\n");
        await hostile.CommitAsync("first");
        await SignAsync(hostile);
        hostile.Scratch.File("a", "two\n");
        hostile.Scratch.File("b", "two\n");
        hostile.Scratch.File("c", "new\n");
        return hostile;
    }

    // Something that looks like a signature makes git ask the program that checks it.
    private static async Task SignAsync(TestRepository hostile)
    {
        const string Signature = "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\n";
        var commit = await hostile.GitAsync("cat-file", "commit", "HEAD");
        var end = commit.IndexOf("\n\n", StringComparison.Ordinal);
        var signed = commit[..end] + Signature + commit[(end + 2)..];
        var id = await Git.RunAsync(hostile.Scratch.Inside(), signed, "hash-object", "-t", "commit", "-w", "--stdin");
        await hostile.GitAsync("update-ref", "HEAD", id.Trim());
    }

    private static string Canary(TestRepository hostile) => hostile.Scratch.Outside("canary");

    private static bool HasRun(TestRepository hostile) => File.Exists(hostile.Scratch.Outside("ran"));

    private static async Task AskAllAsync(TestRepository hostile)
    {
        await hostile.Asked.StatusAsync(Token);
        await hostile.Asked.DiffAsync(Token);
        await hostile.Asked.DiffFileAsync("a", oldPath: null, Token);
        await hostile.Asked.DiffFileAsync("c", "b", Token);
        await hostile.Asked.LogAsync(10, 0, range: null, Token);
        await hostile.Asked.BranchesAsync(Token);
    }
}
