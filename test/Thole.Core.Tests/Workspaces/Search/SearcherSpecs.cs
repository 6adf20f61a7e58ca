using System.Text;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces.Search;

public sealed class SearcherSpecs : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_generated_repository_is_seen_as_git_sees_it()
    {
        Assert.SkipUnless(Git.IsThere, "needs git on PATH");
        var random = new Random(5);
        string[] extensions = ["cs", "log", "txt"];
        string[] folders =
        [
            "",
            .. Enumerable
                .Range(0, 300)
                .Select(number => $"{(number % 9 == 0 ? "obj" : "d" + (number % 7))}/e{number % 40}/f{number}/"),
        ];
        for (var number = 0; number < 5000; number++)
        {
            _folder.Write(
                $"{folders[random.Next(folders.Length)]}n{number}.{extensions[number % 3]}",
                $"one\n{(number % 50 == 0 ? "a Needle here" : "nothing")}\r\nlast {number}"
            );
        }

        _folder.Write(".gitignore", "obj/\n*.log\n!n1*.log\n");
        _folder.Write("d1/.gitignore", "*.txt\n!/e*/f1*/\n");
        await Git.RunAsync(_folder.Path, "", "init", "-q");
        await Git.RunAsync(_folder.Path, "", "add", "-A");

        var files = Lines(await Git.RunAsync(_folder.Path, "", "ls-files"));
        Assert.Equal(files, (await FindAsync(null)).Order(StringComparer.Ordinal));
        Assert.Equal(
            files.Where(static file => file.EndsWith(".cs")),
            (await FindAsync("**/*.cs")).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            Lines(await Git.RunAsync(_folder.Path, "", "grep", "-n", "-i", "needle")),
            await GrepAsync("needle", ignoreCase: true)
        );
        Assert.Equal(
            Lines(await Git.RunAsync(_folder.Path, "", "grep", "-n", "-E", "la[sx]t +4[0-9]+5$")),
            await GrepAsync("la[sx]t +4[0-9]+5$", ignoreCase: false)
        );
    }

    [Fact]
    public async Task A_directory_of_more_than_one_page_and_entries_in_any_order_are_read_whole()
    {
        for (var number = 0; number < 4000; number++)
        {
            _folder.Write($"large/a-rather-long-name-for-a-file-{number}", "");
        }

        for (var number = 0; number < 200; number++)
        {
            _folder.Write($"small/{number}/one", "");
        }

        Assert.Equal(4200, (await FindAsync(null)).Count);
    }

    [Fact]
    public async Task Links_are_listed_only_where_they_lead_to_a_file_beneath_the_root()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs symbolic links without privileges");
        using var outside = new TempFolder();
        outside.Write("secret", "needle");
        _folder.Write("real/file", "needle");
        File.CreateSymbolicLink(Path.Join(_folder.Path, "inside"), "real/file");
        File.CreateSymbolicLink(Path.Join(_folder.Path, "outside"), Path.Join(outside.Path, "secret"));
        File.CreateSymbolicLink(Path.Join(_folder.Path, "broken"), "nowhere");
        Directory.CreateSymbolicLink(Path.Join(_folder.Path, "folder"), outside.Path);
        Directory.CreateSymbolicLink(Path.Join(_folder.Path, "loop"), ".");

        Assert.Equal(["inside", "real/file"], (await FindAsync(null)).Order(StringComparer.Ordinal));
        Assert.Equal(["real/file:1:needle"], await GrepAsync("needle", ignoreCase: false));
    }

    [Fact]
    public async Task Names_that_are_not_utf8_pipes_and_closed_directories_do_no_harm()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs names of bytes");
        _folder.Write("plain", "needle");
        Bash(
            $"cd '{_folder.Path}' && printf needle > $'bad\\xff' && mkfifo pipe && mkdir closed && touch closed/x && chmod 000 closed"
        );
        try
        {
            Assert.Equal(
                ["bad\uFFFD:1:needle", "plain:1:needle"],
                (await GrepAsync("needle", ignoreCase: true)).Order(StringComparer.Ordinal)
            );
        }
        finally
        {
            // The framework cannot name the file, so it cannot delete it either.
            Bash($"cd '{_folder.Path}' && chmod 700 closed && rm -f $'bad\\xff'");
        }
    }

    [Fact]
    public async Task Binary_files_are_left_out_and_counted_and_utf16_is_read()
    {
        _folder.Write("binary", [.. "needle\0"u8]);
        _folder.Write("wide", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("x\r\nthe needle é\r\n")]);
        _folder.Write("marked", [0xEF, 0xBB, 0xBF, .. "needle first"u8]);
        var tally = new SearchTally();

        Assert.Equal(["marked:1:needle first", "wide:2:the needle é"], await GrepAsync("n[e]edle", ignoreCase: false, tally));
        Assert.Equal(["marked:1:needle first"], await GrepAsync("^needle", ignoreCase: false));
        Assert.Equal(1, tally.Binary);
    }

    [Fact]
    public async Task A_file_larger_than_every_window_is_searched_to_its_end()
    {
        var line = Encoding.UTF8.GetBytes(new string('x', 999) + "\n");
        using (var file = File.Create(Path.Join(_folder.Path, "huge")))
        {
            for (var number = 0; number < 34_000; number++)
            {
                file.Write(line);
            }

            file.Write("the needle"u8);
        }

        Assert.Equal(["huge:34001:the needle"], await GrepAsync("NEEDLE", ignoreCase: true));
        Assert.Equal(["huge:34001:the needle"], await GrepAsync("n[e]+dle$", ignoreCase: false));
    }

    [Theory]
    [InlineData("foo.bar", "fooxbar", true)]
    [InlineData(@"foo\.bar", "fooxbar", false)]
    [InlineData(@"\x41B", "AB", true)]
    [InlineData("colou?r", "the color", true)]
    [InlineData("(ab)?c", "c", true)]
    [InlineData("ab{0}c", "ac", true)]
    [InlineData("abc|x", "x", true)]
    [InlineData(@"a\sb", "a b", true)]
    [InlineData("[^x]z", "xz", false)]
    [InlineData(@"\Aab\z", "ab", true)]
    [InlineData("end$", "end\r", true)]
    [InlineData("^$", "", true)]
    [InlineData("K", "k", true)]
    [InlineData("ÄB", "äb", true)]
    [InlineData("a{", "A{", true)]
    public async Task A_pattern_is_judged_on_its_line_alone(string pattern, string line, bool isMatch)
    {
        _folder.Write("file", $"-\n{line}\n=\n");
        _folder.Write("last", $"-\n=\n{line}");

        var found = await GrepAsync(pattern, ignoreCase: true);

        Assert.Equal(isMatch, found.Contains($"file:2:{line.TrimEnd('\r')}"));
        Assert.True(line.Length == 0 || isMatch == found.Contains($"last:3:{line.TrimEnd('\r')}"));
    }

    [Theory]
    [InlineData("(?=x)y", "lookaround")]
    [InlineData(@"(a)\1", "backreference")]
    [InlineData("(", "is no regular expression")]
    [InlineData("", "is empty")]
    public async Task A_pattern_that_cannot_be_searched_is_refused_with_the_cure(string pattern, string expected)
    {
        var refused = await Assert.ThrowsAsync<WorkspaceException>(() => GrepAsync(pattern, ignoreCase: true));
        Assert.Contains(expected, refused.Message);
    }

    [Fact]
    public async Task It_stops_at_the_lines_asked_for_and_cuts_long_ones()
    {
        _folder.Write("many", string.Concat(Enumerable.Repeat(new string('y', 3000) + "\n", 50)));

        var lines = new List<LineMatch>();
        await foreach (
            var file in Searcher().GrepAsync(new GrepQuery(Root, "yyy", null, false, 7), TestContext.Current.CancellationToken)
        )
        {
            lines.AddRange(file.Lines);
        }

        Assert.Equal(7, lines.Count);
        Assert.All(lines, static line => Assert.True(line.WasCut && line.Text.Length == 2000));
    }

    private WorkspacePath Root => new(_folder.Path, "");

    private Searcher Searcher() => new(new FolderWorkspace(_folder.Path));

    private static string[] Lines(string text) =>
        [
            .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => line.TrimEnd('\r'))
                .Order(StringComparer.Ordinal),
        ];

    private static void Bash(string command)
    {
        using var bash = System.Diagnostics.Process.Start("bash", ["-c", command]);
        bash.WaitForExit();
    }

    private async Task<List<string>> FindAsync(string? glob)
    {
        List<string> found = [];
        await foreach (var file in Searcher().FindAsync(new FileQuery(Root, glob), TestContext.Current.CancellationToken))
        {
            if (file.State.Kind is FileKind.File)
            {
                found.Add(file.Path.Relative);
            }
        }

        return found;
    }

    private async Task<string[]> GrepAsync(string pattern, bool ignoreCase, SearchTally? tally = null)
    {
        List<string> found = [];
        var query = new GrepQuery(Root, pattern, null, ignoreCase, int.MaxValue) { Tally = tally };
        await foreach (var file in Searcher().GrepAsync(query, TestContext.Current.CancellationToken))
        {
            found.AddRange(file.Lines.Select(line => $"{file.Path}:{line.Number}:{line.Text}"));
        }

        return [.. found.Order(StringComparer.Ordinal)];
    }
}
