using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;
using Thole.Testing;
using Thole.Tools;

namespace Thole.Tools.Tests;

public sealed class SearchToolSpecs : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_directory_is_listed_with_folders_first_and_what_was_left_out_counted()
    {
        _folder.Write("b.txt", "12345");
        _folder.Write("a/x", "");
        _folder.Write("skip.me", "");
        _folder.Write("z.log", "");
        _folder.Write(".gitignore", "*.log\n");

        var result = await RunAsync(new ListDirectoryTool(), """{"path":".","ignore":["*.me"]}""");

        Assert.Equal(
            ".: 3 entries\n[DIR] a\n.gitignore (6 bytes)\nb.txt (5 bytes)\n1 left out as asked.\n1 left out by ignore files.",
            result.Text
        );
    }

    [Fact]
    public async Task Names_cannot_speak_to_the_reader()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs control characters in names");
        _folder.Write("a\nFile: b\u001b[2J\u202e", "needle");

        Assert.Contains("a\\u000aFile: b\\u001b[2J\\u202e", (await RunAsync(new GlobTool(), """{"pattern":"*"}""")).Text);
        Assert.Contains(
            "File: a\\u000aFile: b\\u001b[2J\\u202e\nL1: needle",
            (await RunAsync(new GrepSearchTool(), """{"pattern":"needle"}""")).Text
        );
    }

    [Fact]
    public async Task Recent_files_come_first_and_the_rest_by_name()
    {
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_folder.Write("b.cs", ""), old);
        File.SetLastWriteTimeUtc(_folder.Write("a.cs", ""), old.AddDays(-1));
        File.SetLastWriteTimeUtc(_folder.Write("y.cs", ""), TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1));
        _folder.Write("z.cs", "");

        var result = await RunAsync(new GlobTool(), """{"pattern":"*.cs"}""");

        Assert.Equal("Found 4 file(s) matching *.cs, recently modified first:\n---\nz.cs\ny.cs\na.cs\nb.cs", result.Text);
    }

    [Fact]
    public async Task More_than_a_hundred_files_are_counted_and_none_is_explained()
    {
        for (var number = 0; number < 103; number++)
        {
            _folder.Write($"sub/{number}.cs", "");
        }

        Assert.Contains("3 more: narrow", (await RunAsync(new GlobTool(), """{"pattern":"**/*.cs"}""")).Text);
        Assert.Contains("**/*.cs looks at every depth", (await RunAsync(new GlobTool(), """{"pattern":"*.cs"}""")).Text);
    }

    [Fact]
    public async Task Lines_are_grouped_by_file_and_count_as_read()
    {
        _folder.Write("b.cs", "x\n  Needle\n");
        _folder.Write("a.cs", "needle\nneedle");

        var result = await RunAsync(new GrepSearchTool(), """{"pattern":"NEEDLE","limit":3}""");

        Assert.Equal(
            "Found 3 matching line(s) in .:\n---\nFile: a.cs\nL1: needle\nL2: needle\n---\nFile: b.cs\nL2:   Needle\n---",
            result.Text
        );
        var seen = Assert.IsType<FileSeen>(result.Facts[1]);
        Assert.Equal([new LineRange(2, 2)], seen.Lines!);
        Assert.Equal(64, seen.Hash!.Length);
    }

    [Theory]
    [InlineData("""{"pattern":"nothing like it"}""", null, "No line matches")]
    [InlineData("""{"pattern":"needle","ignore_case":false}""", null, "No line matches")]
    [InlineData("""{"pattern":"n","limit":1}""", null, "2 more not shown")]
    [InlineData("""{"pattern":"(?!x)"}""", ToolErrors.GrepFailed, "lookaround")]
    [InlineData("""{"pattern":"x","path":"missing"}""", ToolErrors.FileNotFound, "There is no missing")]
    [InlineData("""{"pattern":"x","glob":"[a"}""", ToolErrors.GlobFailed, "close its bracket")]
    public async Task Every_search_is_answered(string arguments, string? error, string expected)
    {
        _folder.Write("a", "Needle\nno\nn\n");

        var result = await RunAsync(new GrepSearchTool(), arguments);

        Assert.Equal(error, result.Error);
        Assert.Contains(expected, result.Text);
    }

    [Fact]
    public async Task An_answer_is_never_so_long_that_it_must_be_cut()
    {
        for (var number = 0; number < 900; number++)
        {
            _folder.Write(
                $"folder/a-file-with-a-long-name-{number}",
                string.Concat(Enumerable.Repeat($"needle {new string('x', number % 300)}\n", 8))
            );
        }

        foreach (
            var result in (ToolResult[])
                [
                    await RunAsync(new GrepSearchTool(), """{"pattern":"needle"}"""),
                    await RunAsync(new GlobTool(), """{"pattern":"**"}"""),
                    await RunAsync(new ListDirectoryTool(), """{"path":"folder"}"""),
                ]
        )
        {
            Assert.InRange(result.Text.Length, 1000, 25_000);
            Assert.InRange(result.Text.Split('\n').Length, 10, 1000);
            Assert.Contains("more", result.Text);
        }
    }

    [Fact]
    public void Each_tool_is_described_in_350_bytes() =>
        Assert.All(
            (ITool[])[new ListDirectoryTool(), new GlobTool(), new GrepSearchTool()],
            static tool => Assert.InRange(tool.Name.Length + tool.Description.Length + tool.Schema.Length, 1, 350)
        );

    private async Task<ToolResult> RunAsync(ITool tool, string arguments)
    {
        var workspace = new FolderWorkspace(_folder.Path);
        var context = new ToolContext
        {
            Workspace = workspace,
            Search = new Searcher(workspace),
            Processes = null!,
            Files = new FileLedger(),
            Blobs = null!,
            Time = TimeProvider.System,
        };
        var preparation = tool.Prepare(new ToolCall(CallId.From("call"), tool.Name, arguments), context);
        return preparation.Refusal ?? await preparation.RunAsync([], TestContext.Current.CancellationToken);
    }
}
