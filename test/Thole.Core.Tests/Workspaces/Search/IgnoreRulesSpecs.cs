using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Thole.Core.Workspaces.Search;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces.Search;

public sealed class IgnoreRulesSpecs
{
    [Fact]
    public void Every_recorded_decision_of_git_is_ours()
    {
        var file = Path.Join(Acceptance.Folder, "gitignore", "gitignore-oracle.json");
        Assert.SkipUnless(
            File.Exists(file),
            "needs gitignore/gitignore-oracle.json of the acceptance data: set THOLE_ACCEPTANCE"
        );
        using var oracle = JsonDocument.Parse(File.ReadAllBytes(file));
        string[] paths = [.. oracle.RootElement.GetProperty("paths").EnumerateArray().Select(static path => path.GetString()!)];
        var decisions = 0;
        foreach (var entry in oracle.RootElement.GetProperty("cases").EnumerateArray())
        {
            string[] lines = [.. entry.GetProperty("gitignore").EnumerateArray().Select(static line => line.GetString()!)];
            var areDirectories = entry.GetProperty("dirs").GetBoolean();
            var rules = IgnoreRules.FromText(string.Join('\n', lines) + "\n", entry.GetProperty("ignorecase").GetBoolean());
            var expected = entry
                .GetProperty("ignored")
                .EnumerateArray()
                .Select(static path => path.GetString()!.TrimEnd('/'))
                .ToHashSet();
            foreach (var path in paths)
            {
                decisions++;
                Assert.True(
                    expected.Contains(path) == IsIgnored(rules, areDirectories ? path + "/" : path),
                    $"{string.Join(" | ", lines)} on {path}: git says {expected.Contains(path)}"
                );
            }
        }

        Assert.True(decisions > 40_000, $"only {decisions} decisions");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Random_trees_are_judged_as_git_judges_them(int seed)
    {
        Assert.SkipUnless(Git.IsThere, "needs git on PATH");
        using var folder = new TempFolder();
        await Git.RunAsync(folder.Path, "", "init", "-q");
        var random = new Random(seed);
        string[] names =
        [
            "a",
            "b",
            "foo",
            "Foo",
            "x.log",
            "y.txt",
            "a b",
            "[e]",
            "t ",
            "#c",
            "!d",
            "a\\b",
            "é",
            "build",
            "-z",
            "{q}",
        ];
        string[] pieces =
        [
            "a",
            "b",
            "foo",
            "F",
            "*",
            "**",
            "?",
            "/",
            "/",
            "x.log",
            ".log",
            "[ab]",
            "[!a]",
            "[a-f]",
            "[[:alpha:]]",
            "[[:upper:]f]",
            "\\*",
            "\\ ",
            " ",
            "é",
            "build",
            "**/",
            "/**",
            "{q}",
            "[]e]",
            "[",
            "\\",
        ];
        string[] directories = ["", .. Enumerable.Range(0, 40).Select(_ => Pick(3)).Distinct()];
        await File.WriteAllTextAsync(
            Path.Join(folder.Path, ".git", "info", "exclude"),
            Lines(3),
            TestContext.Current.CancellationToken
        );
        foreach (var directory in directories)
        {
            Directory.CreateDirectory(Path.Join(folder.Path, directory));
            if (directory is "" || random.Next(3) == 0)
            {
                await File.WriteAllTextAsync(
                    Path.Join(folder.Path, directory, ".gitignore"),
                    Lines(6),
                    TestContext.Current.CancellationToken
                );
            }
        }

        if (seed == 2)
        {
            await Git.RunAsync(folder.Path, "", "config", "core.ignorecase", "true");
        }

        List<string> paths = [];
        foreach (var directory in directories)
        {
            foreach (var name in names)
            {
                var path = directory is "" ? name : $"{directory}/{name}";
                if (!Directory.Exists(Path.Join(folder.Path, path)))
                {
                    await File.WriteAllTextAsync(Path.Join(folder.Path, path), "", TestContext.Current.CancellationToken);
                }

                paths.Add(path);
            }
        }

        var answer = await Git.RunAsync(
            folder.Path,
            string.Concat(paths.Select(static path => path + "\0")),
            "check-ignore",
            "--no-index",
            "--stdin",
            "-z"
        );
        var ignored = answer.Split('\0').ToHashSet();
        using var tree = FileTree.Open(folder.Path);
        List<string> wrong = [];
        foreach (var path in paths)
        {
            if (IsIgnored(folder.Path, tree, path) != ignored.Contains(path))
            {
                wrong.Add($"{path}: git says {ignored.Contains(path)}");
            }
        }

        Assert.True(paths.Count > 400, $"only {paths.Count} paths");
        Assert.Empty(wrong);

        string Pick(int depth) =>
            string.Join('/', Enumerable.Range(0, random.Next(1, depth + 1)).Select(_ => names[random.Next(names.Length)] + "_"));
        string Lines(int count) =>
            string.Concat(
                Enumerable
                    .Range(0, count)
                    .Select(_ =>
                        (random.Next(4) == 0 ? "!" : "")
                        + string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => pieces[random.Next(pieces.Length)]))
                        + (random.Next(8) == 0 ? "\r\n" : "\n")
                    )
            );
    }

    [Fact]
    public void An_agent_file_keeps_out_what_no_gitignore_takes_back()
    {
        using var folder = new TempFolder();
        folder.Write(".tholeignore", "secrets/\n*.key\n");
        folder.Write(".gitignore", "!*.key\n*.tmp\n");
        folder.Write(".aiignore", "!public.key\n!wanted.tmp\n");
        folder.Write("sub/.gitignore", "!private.key\n");
        folder.Write("secrets/.gitignore", "!*\n");
        using var tree = FileTree.Open(folder.Path);

        Assert.True(IsIgnored(folder.Path, tree, "secrets/plain"));
        Assert.True(IsIgnored(folder.Path, tree, "sub/private.key"));
        Assert.False(IsIgnored(folder.Path, tree, "public.key"));
        Assert.True(IsIgnored(folder.Path, tree, "other.tmp"));
        Assert.False(IsIgnored(folder.Path, tree, "wanted.tmp"));
        Assert.Null(IgnoreRules.Load(folder.Path, "secrets", static _ => null));
    }

    [Fact]
    public void The_users_own_excludes_file_counts_and_a_folder_inside_a_repository_knows_its_parents()
    {
        using var home = new TempFolder();
        using var folder = new TempFolder();
        home.Write(".gitconfig", "[core]\n\texcludesFile = \"~/my ignores\" ; mine\n[include]\npath = more\n");
        home.Write("my ignores", "*.swp\n");
        folder.Write(".git/HEAD", "ref: refs/heads/main\n");
        folder.Write(".git/config", "[core]\n\tignorecase = yes\n\texcludesFile = /nowhere\n");
        folder.Write(".gitignore", "/app/out\n");
        folder.Write("app/src/a", "");
        string? Variable(string name) => name is "HOME" ? home.Path : null;

        var (rules, path) = IgnoreRules.Load(Path.Join(folder.Path, "app"), "", Variable)!.Value;

        Assert.Equal("app"u8, path);
        Assert.True(rules.IsIgnored("app/OUT"u8, isDirectory: true, agentOnly: false));
        Assert.True(rules.IsIgnored("app/x.swp"u8, isDirectory: false, agentOnly: false));
        Assert.False(rules.IsIgnored("out"u8, isDirectory: true, agentOnly: false));
    }

    [Fact]
    public void A_hostile_pattern_costs_no_more_than_text_times_pattern()
    {
        var hostile = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("*a", 120)) + "*b");
        var folders = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("**/*a", 40)) + "/b");
        var name = Encoding.UTF8.GetBytes(new string('a', 250));
        var path = Encoding.UTF8.GetBytes(string.Join('/', Enumerable.Repeat("aaaaaaaaa", 400)));

        // Backtracking would need more steps here than there are atoms; any answer at all is the proof.
        Assert.False(Wildmatch.Compile(hostile, ignoreCase: false)!.IsMatch(name));
        Assert.False(Wildmatch.Compile(hostile, ignoreCase: true)!.IsMatch(name));
        Assert.False(Wildmatch.Compile(folders, ignoreCase: true)!.IsMatch(path));
    }

    /// <summary>Asked for <c>foo/</c>, git judges the directory foo and then an entry of it without a name: <c>foo/**</c> matches that.</summary>
    private static bool IsIgnored(IgnoreRules rules, string path)
    {
        for (var slash = path.IndexOf('/'); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (rules.IsIgnored(Encoding.UTF8.GetBytes(path[..slash]), isDirectory: true, agentOnly: false))
            {
                return true;
            }
        }

        return rules.IsIgnored(Encoding.UTF8.GetBytes(path), isDirectory: false, agentOnly: false);
    }

    /// <summary>As the walk does it: no file of an ignored directory is read.</summary>
    private static bool IsIgnored(string root, FileTree tree, string path)
    {
        var (rules, _) = IgnoreRules.Load(root, "", static _ => null)!.Value;
        for (var slash = path.IndexOf('/'); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            var directory = Encoding.UTF8.GetBytes(path[..slash]);
            if (rules.IsIgnored(directory, isDirectory: true, agentOnly: false))
            {
                return true;
            }

            rules = rules.Enter(tree, directory, directory);
        }

        return rules.IsIgnored(Encoding.UTF8.GetBytes(path), Directory.Exists(Path.Join(root, path)), agentOnly: false);
    }
}
