using System.Text;
using System.Text.Json;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

/// <summary>What a client sees of the files of a workspace.</summary>
public sealed class WorkspaceFilesSpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly WorkspaceFiles _files;

    public WorkspaceFilesSpecs()
    {
        var workspace = new Workspace(_scratch.Inside(), [], TimeProvider.System);
        _files = new WorkspaceFiles(workspace, new Searcher(workspace), new FileGate(), TimeProvider.System);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_text_is_told_with_all_that_a_later_write_needs()
    {
        _scratch.File("src/a.txt", "hello world\n");

        var text = await ReadAsync("./src//a.txt");

        Assert.Equal(
            new FileText(
                "src/a.txt",
                "hello world\n",
                "utf-8",
                Bom: false,
                LineEnding.Lf,
                SizeBytes: 12,
                ReturnedBytes: 12,
                Truncated: false,
                $"sha256:{Scratch.Hash("hello world\n")}",
                MatchedIgnore: null,
                OriginalLineCount: 2,
                NextCursor: null,
                HasMore: false
            ),
            text
        );
    }

    [Theory]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, 0x61, 0x0D, 0x0A }, "utf-8", true, LineEnding.Crlf, "a\r\n")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0x00 }, "utf-16le", true, LineEnding.Lf, "a")]
    [InlineData(new byte[] { 0xFE, 0xFF, 0x00, 0x61 }, "utf-16be", true, LineEnding.Lf, "a")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00 }, "utf-32le", true, LineEnding.Lf, "a")]
    [InlineData(new byte[] { 0x63, 0x61, 0x66, 0xE9 }, "iso-8859-1", false, LineEnding.Lf, "café")]
    [InlineData(new byte[0], "utf-8", false, LineEnding.Lf, "")]
    public async Task The_encoding_is_named(byte[] bytes, string encoding, bool bom, LineEnding ending, string content)
    {
        File.WriteAllBytes(_scratch.Inside("a"), bytes);

        var text = await ReadAsync("a");

        Assert.Equal((encoding, bom, ending, content), (text.Encoding, text.Bom, text.LineEnding, text.Content));
        Assert.Equal(bytes.Length, text.SizeBytes);
    }

    [Theory]
    [InlineData(1, 1, "one", true)]
    [InlineData(2, 2, "two\nthree", true)]
    [InlineData(3, 1, "three", true)]
    [InlineData(3, 9, "three\nfour", false)]
    [InlineData(2, null, "two\nthree\nfour", false)]
    [InlineData(5, 1, "", false)]
    public async Task A_window_of_lines_is_shown(long line, int? limit, string content, bool hasMore)
    {
        _scratch.File("a", "one\ntwo\nthree\nfour");

        var text = await ReadAsync("a", new TextWindow { Line = line, Limit = limit });

        Assert.Equal((content, hasMore, hasMore, 4), (text.Content, text.HasMore, text.Truncated, text.OriginalLineCount));
    }

    [Fact]
    public async Task Windows_of_bytes_one_after_the_other_are_the_text_and_cut_no_character()
    {
        var content = string.Concat(Enumerable.Repeat("aé€😀\r\n", 40));
        _scratch.File("a", content);

        var (all, cursor) = (new StringBuilder(), default(string));
        do
        {
            var text = await ReadAsync("a", new TextWindow { MaxBytes = 7, Cursor = cursor });
            Assert.InRange(Encoding.UTF8.GetByteCount(text.Content), 1, 7);
            all.Append(text.Content);
            cursor = text.NextCursor;
        } while (cursor is not null);

        Assert.Equal(content, all.ToString());
    }

    [Fact]
    public async Task A_cursor_of_another_state_of_the_file_is_refused()
    {
        _scratch.File("a", "one\ntwo\n");
        var cursor = (await ReadAsync("a", new TextWindow { Limit = 1 })).NextCursor;
        _scratch.File("a", "ONE\ntwo\n");

        var changed = await RefusedAsync(() => _files.ReadTextAsync("a", new TextWindow { Cursor = cursor }, Token));
        var nonsense = await RefusedAsync(() => _files.ReadTextAsync("a", new TextWindow { Cursor = "7.x" }, Token));

        Assert.Equal(FileRefusals.HashMismatch, changed.Reason);
        Assert.Equal(FileRefusals.ParseError, nonsense.Reason);
    }

    [Theory]
    [InlineData(0, 1, null)]
    [InlineData(262_145, 1, null)]
    [InlineData(1, 0, null)]
    [InlineData(1, 1, 0)]
    [InlineData(1, 1, 2001)]
    public async Task A_window_out_of_its_range_is_refused(int maxBytes, long line, int? limit)
    {
        var window = new TextWindow
        {
            MaxBytes = maxBytes,
            Line = line,
            Limit = limit,
        };

        var refused = await RefusedAsync(() => _files.ReadTextAsync("a", window, Token));

        Assert.Equal(FileRefusals.ParseError, refused.Reason);
    }

    [Fact]
    public async Task A_window_of_bytes_holds_what_the_file_holds()
    {
        File.WriteAllBytes(_scratch.Inside("a.bin"), [0, 1, 2, 3, 4, 5]);

        var whole = await _files.ReadBytesAsync("a.bin", 0, 100, Token);
        var part = await _files.ReadBytesAsync("a.bin", 2, 3, Token);
        var beyond = await _files.ReadBytesAsync("a.bin", 100, 3, Token);

        Assert.Equal((6, 6, false), (whole.SizeBytes, whole.ReturnedBytes, whole.Truncated));
        Assert.Equal($"sha256:{TextFile.HashOf([0, 1, 2, 3, 4, 5])}", whole.Hash);
        Assert.Equal([2, 3, 4], part.ContentBase64.ToArray());
        Assert.Equal((2, 6, true, null), (part.Offset, part.SizeBytes, part.Truncated, part.Hash));
        Assert.Equal(0, beyond.ReturnedBytes);
    }

    [Fact]
    public async Task A_huge_file_of_holes_is_bounded()
    {
        using (var huge = File.Create(_scratch.Inside("huge")))
        {
            huge.SetLength(100L << 30);
        }

        var refused = await RefusedAsync(() => _files.ReadTextAsync("huge", new TextWindow(), Token));
        var bytes = await _files.ReadBytesAsync("huge", 99L << 30, 16, Token);

        Assert.Equal(FileRefusals.TooLarge, refused.Reason);
        Assert.Equal(new byte[16], bytes.ContentBase64.ToArray());
        Assert.Equal(100L << 30, (await _files.StatAsync("huge", Token)).SizeBytes);
    }

    [Fact]
    public async Task What_is_no_file_is_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: pipes with names");
        await Fifo.MakeAsync(_scratch.Inside("pipe"));
        Directory.CreateDirectory(_scratch.Inside("folder"));

        foreach (var path in (string[])["pipe", "folder"])
        {
            Assert.Equal(FileRefusals.InvalidArgument, (await RefusedAsync(() => ReadAsync(path))).Reason);
            Assert.Equal(
                FileRefusals.InvalidArgument,
                (await RefusedAsync(() => _files.ReadBytesAsync(path, 0, 10, Token))).Reason
            );
        }

        Assert.Equal(EntryKind.Other, (await _files.StatAsync("pipe", Token)).Type);
        Assert.Equal(EntryKind.Directory, (await _files.StatAsync("folder", Token)).Type);
    }

    [Fact]
    public async Task Binary_files_and_missing_ones_are_refused_with_a_cure()
    {
        File.WriteAllBytes(_scratch.Inside("a.bin"), [1, 0, 2]);

        var binary = await RefusedAsync(() => ReadAsync("a.bin"));
        var missing = await RefusedAsync(() => ReadAsync("b"));

        Assert.Equal(
            (FileRefusals.Binary, "a.bin is a binary file, not text: read it in windows of bytes."),
            (binary.Reason, binary.Message)
        );
        Assert.Equal(
            (FileRefusals.NotFound, "There is no b: list the folder it should be in."),
            (missing.Reason, missing.Message)
        );
    }

    [Fact]
    public async Task A_folder_is_listed_by_name_and_says_what_is_ignored()
    {
        Unix();
        _scratch.File(".gitignore", "*.log\nout/\n");
        _scratch.File("b.log");
        _scratch.File("out/x");
        _scratch.File("a.txt");
        Directory.CreateDirectory(_scratch.Inside(".git"));
        File.CreateSymbolicLink(_scratch.Inside("link"), "a.txt");

        var few = await _files.ListAsync(".", includeIgnored: false, Token);
        var empty = await RefusedAsync(() => _files.ListAsync("", includeIgnored: true, Token));
        var every = await _files.ListAsync(".", includeIgnored: true, Token);
        var inside = await _files.ListAsync("out", includeIgnored: false, Token);

        Assert.Equal([".gitignore", "a.txt", "link"], few.Entries.Select(entry => entry.Name));
        Assert.Equal(EntryKind.Symlink, few.Entries[2].Kind);
        Assert.Equal(FileRefusals.ParseError, empty.Reason); // the root is "."
        Assert.Equal([".git", "b.log", "out"], every.Entries.Where(entry => entry.Ignored).Select(entry => entry.Name));
        Assert.Equal([new FolderEntry("x", EntryKind.File, Ignored: true)], inside.Entries);
        Assert.Equal(MatchedIgnore.Directory, inside.MatchedIgnore);
    }

    [Fact]
    public async Task A_crowded_folder_is_told_in_part()
    {
        for (var i = 0; i < FileLimits.MaxEntries + 1; i++)
        {
            File.WriteAllBytes(_scratch.Inside($"{i:0000}"), []);
        }

        var listing = await _files.ListAsync(".", includeIgnored: false, Token);

        Assert.True(listing.Truncated);
        Assert.Equal(FileLimits.MaxEntries, listing.Entries.Count);
        Assert.Equal("0000", listing.Entries[0].Name);
    }

    [Theory]
    [InlineData("a.log", MatchedIgnore.File)]
    [InlineData("out/deep/a.txt", MatchedIgnore.Directory)]
    [InlineData("src/a.txt", null)]
    [InlineData("src/b.txt", MatchedIgnore.File)]
    [InlineData(".git/config", MatchedIgnore.Directory)]
    public async Task A_file_says_which_part_of_its_path_is_ignored(string path, MatchedIgnore? matched)
    {
        _scratch.File(".gitignore", "*.log\nout/\n");
        _scratch.File("src/.gitignore", "b.txt\n");
        _scratch.File(path, "text");

        Assert.Equal(matched, (await ReadAsync(path)).MatchedIgnore);
    }

    [Fact]
    public async Task Paths_are_found_by_pattern()
    {
        _scratch.File(".gitignore", "*.log\n");
        _scratch.File("src/b.cs");
        _scratch.File("src/a.cs");
        _scratch.File("src/a.log");

        var all = await _files.GlobAsync(new GlobQuery("**/*.cs"), Token);
        var cut = await _files.GlobAsync(
            new GlobQuery("*.{cs,log}")
            {
                Cwd = "src",
                MaxResults = 1,
                IncludeIgnored = true,
            },
            Token
        );

        Assert.Equal(["src/a.cs", "src/b.cs"], all.Matches);
        Assert.Equal((".", 2, false), (all.Cwd, all.Count, all.Truncated));
        Assert.Equal(("src", 1, true), (cut.Cwd, cut.Count, cut.Truncated));
    }

    [Theory]
    [InlineData("../*")]
    [InlineData("/etc/*")]
    [InlineData("a/../../*")]
    [InlineData("[")]
    [InlineData("")]
    public async Task A_pattern_that_cannot_be_meant_is_refused(string pattern) =>
        Assert.Equal(FileRefusals.ParseError, (await RefusedAsync(() => _files.GlobAsync(new GlobQuery(pattern), Token))).Reason);

    [Fact]
    public async Task Links_are_followed_inside_and_nowhere_else()
    {
        Unix();
        File.WriteAllText(_scratch.Outside("x"), "secret");
        _scratch.File("a.txt", "mine");
        File.CreateSymbolicLink(_scratch.Inside("in"), "a.txt");
        File.CreateSymbolicLink(_scratch.Inside("out"), _scratch.Outside("x"));
        File.CreateSymbolicLink(_scratch.Inside("chain"), "out");
        File.CreateSymbolicLink(_scratch.Inside("loop"), "loop");
        File.CreateSymbolicLink(_scratch.Inside("folder"), _scratch.Outside());

        Assert.Equal("mine", (await ReadAsync("in")).Content);
        foreach (var path in (string[])["out", "chain", "folder/x"])
        {
            var refused = await RefusedAsync(() => ReadAsync(path));
            Assert.Equal(FileRefusals.SymlinkEscape, refused.Reason);
        }

        await RefusedAsync(() => _files.ListAsync("folder", includeIgnored: true, Token));
        await RefusedAsync(() => _files.GlobAsync(new GlobQuery("*") { Cwd = "folder" }, Token));
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("there")]
    [InlineData("there/under")]
    public async Task Links_that_go_in_a_circle_are_the_wrong_thing_to_name(string path)
    {
        Unix();
        File.CreateSymbolicLink(_scratch.Inside("loop"), "loop");
        File.CreateSymbolicLink(_scratch.Inside("there"), "back");
        File.CreateSymbolicLink(_scratch.Inside("back"), "there");
        var hash = $"sha256:{Scratch.Hash("")}";

        foreach (
            var ask in (Func<ValueTask>[])
                [
                    async () => await ReadAsync(path),
                    async () => await _files.ReadBytesAsync(path, 0, 1, Token),
                    async () => await _files.StatAsync(path, Token),
                    async () => await _files.ListAsync(path, includeIgnored: true, Token),
                    async () => await _files.GlobAsync(new GlobQuery("*") { Cwd = path }, Token),
                    async () => await _files.WriteAsync(new FileWrite(path, "mine", FileWriteMode.Create), Token),
                    async () => await _files.EditAsync(new FileEdit(path, "a", "b", hash), Token),
                ]
        )
        {
            var refused = await Assert.ThrowsAsync<RefusedException>(async () => await ask());

            Assert.Equal(FileRefusals.InvalidArgument, refused.Reason);
            Assert.Contains("go in a circle", refused.Message);
            Assert.DoesNotContain(_scratch.Inside(), refused.Message);
        }
    }

    [Fact]
    public async Task Every_hostile_path_of_the_dictionary_is_refused_and_no_answer_names_a_path_of_this_machine()
    {
        var dictionary = Path.Join(Acceptance.Folder, "attacks/dictionaries.json");
        Assert.SkipUnless(File.Exists(dictionary), "needs the acceptance data: attacks/dictionaries.json");
        Unix();
        File.WriteAllText(_scratch.Outside("x"), "secret");
        File.CreateSymbolicLink(_scratch.Inside("link-to-outside"), _scratch.Outside());
        File.CreateSymbolicLink(_scratch.Inside("link-to-link-to-outside"), "link-to-outside");
        using var json = JsonDocument.Parse(File.ReadAllText(dictionary));
        var paths = json.RootElement.GetProperty("workspace_paths_refuse").EnumerateArray().Select(path => path.GetString()!);

        foreach (var path in paths)
        {
            await RefusedAsync(() => ReadAsync(path));
            await RefusedAsync(() => _files.ReadBytesAsync(path, 0, 10, Token));
            await RefusedAsync(() => _files.StatAsync(path, Token));
            await RefusedAsync(() => _files.ListAsync(path, includeIgnored: true, Token));
            await RefusedAsync(() => _files.GlobAsync(new GlobQuery("*") { Cwd = path }, Token));
            await RefusedAsync(() => _files.WriteAsync(new FileWrite(path, "mine", FileWriteMode.Create), Token));
            await RefusedAsync(() => _files.EditAsync(new FileEdit(path, "a", "b", $"sha256:{Scratch.Hash("a")}"), Token));
        }

        Assert.Equal("secret", File.ReadAllText(_scratch.Outside("x")));
        Assert.Equal(["x"], Directory.GetFileSystemEntries(_scratch.Outside()).Select(Path.GetFileName));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static void Unix() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: links");

    private ValueTask<FileText> ReadAsync(string path, TextWindow? window = null) =>
        _files.ReadTextAsync(path, window ?? new TextWindow(), Token);

    /// <summary>Refused, in a sentence that holds no path of this machine.</summary>
    private async Task<RefusedException> RefusedAsync<T>(Func<ValueTask<T>> ask)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await ask());
        Assert.DoesNotContain(Path.GetDirectoryName(_scratch.Inside())!, refused.Message);
        return refused;
    }
}
