using Thole.Core.Context;
using Thole.Core.Context.Sources;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Context;

public sealed class InstructionFilesSpecs : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Root => Path.Join(_folder.Path, "home", "repo", "sub");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Outer_files_come_before_inner_ones_and_nothing_above_the_repository()
    {
        _folder.Write("home/AGENTS.md", "above the repository");
        _folder.Write("config/AGENTS.md", "of the user");
        _folder.Write("home/repo/.git/HEAD", "ref: refs/heads/main\n");
        _folder.Write("home/repo/AGENTS.md", "of the repository");
        _folder.Write("home/repo/sub/QWEN.md", "of the workspace");
        _folder.Write("home/repo/sub/a/b/CLAUDE.md", "of b");
        _folder.Write("home/repo/sub/a/AGENTS.md", "of a");
        _folder.Write("home/repo/sub/c/AGENTS.md", "nobody went there");

        var added = await CollectAsync(filesSeen: [Path.Join(Root, "a/b/file.cs")]);

        Assert.Equal(
            [
                ("~user/AGENTS.md", "of the user"),
                ("../AGENTS.md", "of the repository"),
                ("QWEN.md", "of the workspace"),
                ("a/AGENTS.md", "of a"),
                ("a/b/CLAUDE.md", "of b"),
            ],
            added.Select(static file => (file.Source, file.Text))
        );
    }

    [Fact]
    public async Task Without_a_repository_only_the_workspace_counts()
    {
        _folder.Write("home/repo/AGENTS.md", "a parent without git");
        _folder.Write("home/repo/sub/AGENTS.md", "of the workspace");

        Assert.Equal(["AGENTS.md"], (await CollectAsync()).Select(static file => file.Source));
    }

    [Fact]
    public async Task A_repository_above_the_home_folder_is_not_ours()
    {
        _folder.Write(".git/HEAD", "ref: refs/heads/main\n");
        _folder.Write("AGENTS.md", "above home");
        _folder.Write("home/AGENTS.md", "home");
        _folder.Write("home/repo/sub/AGENTS.md", "of the workspace");

        Assert.Equal(["AGENTS.md"], (await CollectAsync()).Select(static file => file.Source));
    }

    [Fact]
    public async Task Each_file_is_told_once_and_a_copy_never()
    {
        _folder.Write("home/repo/sub/AGENTS.md", "the same");
        _folder.Write("home/repo/sub/CLAUDE.md", "the same");
        _folder.Write("home/repo/sub/a/AGENTS.md", "the same");

        Assert.Equal(["AGENTS.md"], (await CollectAsync()).Select(static file => file.Source));
        Assert.Empty(await CollectAsync(known: ["AGENTS.md"], filesSeen: [Path.Join(Root, "a/file.cs")]));
    }

    [Fact]
    public async Task An_import_takes_its_place()
    {
        _folder.Write("home/repo/sub/AGENTS.md", "See @docs/style.md, then @missing.md and mail me@docs/style.md.");
        _folder.Write("home/repo/sub/docs/style.md", "Be short. @../more.md");
        _folder.Write("home/repo/sub/more.md", "Be kind.");

        var text = Assert.Single(await CollectAsync()).Text;

        Assert.Equal(
            "See \n<!-- from docs/style.md -->\nBe short. \n<!-- from more.md -->\nBe kind.\n<!-- end of more.md -->\n"
                + "\n<!-- end of docs/style.md -->\n, then @missing.md and mail me@docs/style.md.",
            text
        );
    }

    [Theory]
    [InlineData("`@secret.md`")]
    [InlineData("``a ` @secret.md``")]
    [InlineData("```\n@secret.md\n```")]
    [InlineData("~~~sh\n@secret.md\n``` \n@secret.md\n~~~")]
    [InlineData("````\n```\n@secret.md\n````")]
    public async Task An_import_inside_code_is_code(string text)
    {
        _folder.Write("home/repo/sub/AGENTS.md", text);
        _folder.Write("home/repo/sub/secret.md", "SECRET");

        Assert.Equal(text.Trim(), Assert.Single(await CollectAsync()).Text);
    }

    [Theory]
    [InlineData("@~/.ssh/id_rsa")]
    [InlineData("@../../x")]
    [InlineData("@../x")]
    [InlineData("@docs/../../x")]
    [InlineData("@/etc/passwd")]
    [InlineData("@C:/x")]
    [InlineData(@"@..\x")]
    public async Task An_import_from_outside_is_told_and_not_read(string import)
    {
        _folder.Write("home/x", "SECRET");
        _folder.Write("home/repo/x", "SECRET");
        _folder.Write("home/repo/.git/HEAD", "ref: refs/heads/main\n");
        _folder.Write("home/repo/sub/AGENTS.md", $"Read {import} first.");

        var text = Assert.Single(await CollectAsync()).Text;

        Assert.StartsWith($"Read {import} first.", text);
        Assert.Contains("[not imported, because they lie outside of the workspace: ", text);
        Assert.DoesNotContain("SECRET", text);
    }

    [Fact]
    public async Task Circles_end_and_depth_is_bounded()
    {
        _folder.Write("home/repo/sub/AGENTS.md", "0 @1.md");
        for (var level = 1; level <= 9; level++)
        {
            _folder.Write($"home/repo/sub/{level}.md", $"level{level} @AGENTS.md @{level}.md @{level + 1}.md");
        }

        var text = Assert.Single(await CollectAsync()).Text;

        Assert.Contains("level5", text);
        Assert.DoesNotContain("level6", text);
    }

    [Fact]
    public async Task What_is_too_long_is_cut_and_says_so()
    {
        _folder.Write("home/repo/sub/AGENTS.md", string.Join(' ', Enumerable.Repeat("@big.md", 500)));
        _folder.Write("home/repo/sub/big.md", new string('x', 60_000));

        var text = Assert.Single(await CollectAsync()).Text;

        Assert.InRange(text.Length, 100_000, 100_200);
        Assert.Contains("[cut here:", text);
    }

    [Fact]
    public async Task What_people_cannot_see_the_model_is_not_shown()
    {
        _folder.Write("home/repo/sub/AGENTS.md", "Be\u200b kind\U000E0041\U000E0042\u202e.");

        Assert.Equal("Be kind.\n[4 invisible characters were removed from this file]", Assert.Single(await CollectAsync()).Text);
    }

    [Fact]
    public async Task A_link_of_the_repository_may_not_lead_out_of_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs symbolic links without privileges: a Unix system");
        _folder.Write("home/repo/.git/HEAD", "ref: refs/heads/main\n");
        _folder.Write("secret", "SECRET");
        _folder.Write("home/repo/docs/AGENTS.md", "inside");
        Directory.CreateDirectory(Root);
        File.CreateSymbolicLink(Path.Join(_folder.Path, "home/repo/AGENTS.md"), Path.Join(_folder.Path, "secret"));
        File.CreateSymbolicLink(Path.Join(_folder.Path, "home/repo/CLAUDE.md"), "docs/AGENTS.md");

        var added = Assert.Single(await CollectAsync());

        Assert.Equal(("../CLAUDE.md", "inside"), (added.Source, added.Text));
    }

    [Fact]
    public void A_pipe_is_not_opened_and_a_folder_open_to_all_is_not_trusted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs file modes: a Unix system");
        var path = _folder.Write("AGENTS.md", "planted");
        Assert.NotNull(TrustedFile.Read(_folder.Path, path, 100));
        Assert.Null(TrustedFile.Read(_folder.Path, path, 3));
        Assert.Null(TrustedFile.Read("/", "/dev/zero", 100));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1FF);
            Assert.Null(TrustedFile.Read(_folder.Path, path, 100));
        }
    }

    private async Task<IReadOnlyList<ContextAdded>> CollectAsync(string[]? known = null, string[]? filesSeen = null)
    {
        Directory.CreateDirectory(Root);
        var files = new InstructionFiles(Path.Join(_folder.Path, "config"), Path.Join(_folder.Path, "home"), TrustedFile.Read);
        var scope = new ContextScope(new FolderWorkspace(Root), (known ?? []).ToHashSet(StringComparer.Ordinal), filesSeen ?? []);
        return await files.CollectAsync(scope, TestContext.Current.CancellationToken);
    }
}
