using System.Text;
using System.Text.Json;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

/// <summary>What a client may change in a workspace, and what it may not.</summary>
public sealed class WorkspaceFileChangeSpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ManualTime _time = new();
    private readonly FileGate _gate = new();
    private readonly WorkspaceFiles _files;

    public WorkspaceFileChangeSpecs()
    {
        var workspace = new Workspace(_scratch.Inside(), [], TimeProvider.System);
        _files = new WorkspaceFiles(workspace, new Searcher(workspace), _gate, _time);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_new_file_is_made_with_its_folders()
    {
        var written = await WriteAsync(new FileWrite("src/deep/a.txt", "one\n", FileWriteMode.Create));

        Assert.Equal("one\n", File.ReadAllText(_scratch.Inside("src/deep/a.txt")));
        Assert.Equal(
            new FileWritten(
                "src/deep/a.txt",
                FileWriteMode.Create,
                Created: true,
                4,
                Hash("one\n"),
                "utf-8",
                Bom: false,
                LineEnding.Lf,
                MatchedIgnore: null
            ),
            written
        );
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public async Task A_new_file_never_takes_the_place_of_another()
    {
        _scratch.File("a.txt", "mine");

        var refused = await RefusedAsync(new FileWrite("a.txt", "yours", FileWriteMode.Create) { ExpectedHash = Hash("mine") });

        Assert.Equal(FileRefusals.AlreadyExists, refused.Reason);
        Assert.Equal("mine", File.ReadAllText(_scratch.Inside("a.txt")));
    }

    [Fact]
    public async Task Only_a_content_that_the_client_knows_is_replaced()
    {
        _scratch.File("a.txt", "theirs");

        var unknown = await RefusedAsync(new FileWrite("a.txt", "mine", FileWriteMode.Replace));
        var other = await RefusedAsync(new FileWrite("a.txt", "mine", FileWriteMode.Replace) { ExpectedHash = Hash("old") });
        var gone = await RefusedAsync(new FileWrite("b.txt", "mine", FileWriteMode.Replace) { ExpectedHash = Hash("old") });
        var written = await WriteAsync(new FileWrite("a.txt", "mine", FileWriteMode.Replace) { ExpectedHash = Hash("theirs") });

        Assert.Equal(
            (FileRefusals.ParseError, FileRefusals.HashMismatch, FileRefusals.NotFound),
            (unknown.Reason, other.Reason, gone.Reason)
        );
        Assert.Equal((false, Hash("mine")), (written.Created, written.Hash));
        Assert.Equal("mine", File.ReadAllText(_scratch.Inside("a.txt")));
    }

    [Theory]
    [InlineData("sha256:00")]
    [InlineData("sha1:0000000000000000000000000000000000000000000000000000000000000000xx")]
    [InlineData("sha256:ZZ00000000000000000000000000000000000000000000000000000000000000")]
    public async Task A_hash_of_another_form_is_refused(string hash)
    {
        _scratch.File("a.txt");

        var refused = await RefusedAsync(new FileWrite("a.txt", "", FileWriteMode.Replace) { ExpectedHash = hash });

        Assert.Equal(FileRefusals.ParseError, refused.Reason);
    }

    [Fact]
    public async Task Encoding_mark_and_line_endings_stay_unless_the_client_says_otherwise()
    {
        var old = Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("one\r\ntwo\r\n")).ToArray();
        File.WriteAllBytes(_scratch.Inside("a.txt"), old);

        var kept = await WriteAsync(
            new FileWrite("a.txt", "one\n2\n", FileWriteMode.Replace) { ExpectedHash = $"sha256:{TextFile.HashOf(old)}" }
        );
        Assert.Equal("one\r\n2\r\n", Encoding.Unicode.GetString(File.ReadAllBytes(_scratch.Inside("a.txt"))[2..]));
        var other = await WriteAsync(
            new FileWrite("a.txt", "one\r\n2\r\n", FileWriteMode.Replace)
            {
                ExpectedHash = kept.Hash,
                Encoding = "UTF-8",
                Bom = true,
                LineEnding = LineEnding.Lf,
            }
        );

        Assert.Equal(("utf-16le", true, LineEnding.Crlf), (kept.Encoding, kept.Bom, kept.LineEnding));
        Assert.Equal(("utf-8", true, LineEnding.Lf), (other.Encoding, other.Bom, other.LineEnding));
        Assert.Equal([0xEF, 0xBB, 0xBF, .. "one\n2\n"u8], File.ReadAllBytes(_scratch.Inside("a.txt")));
    }

    [Theory]
    [InlineData("klingon", null, "x")]
    [InlineData("utf-16le", false, "x")]
    [InlineData("latin1", true, "x")]
    [InlineData("latin1", null, "€")]
    [InlineData(null, null, "a\0b")]
    public async Task What_cannot_be_encoded_is_not_written(string? encoding, bool? bom, string content)
    {
        var refused = await RefusedAsync(
            new FileWrite("a.txt", content, FileWriteMode.Create) { Encoding = encoding, Bom = bom }
        );

        Assert.Equal(FileRefusals.ParseError, refused.Reason);
        Assert.Empty(Directory.GetFiles(_scratch.Inside()));
    }

    [Fact]
    public async Task Half_a_character_and_more_than_a_client_may_write_are_refused()
    {
        var half = await RefusedAsync(new FileWrite("a.txt", "half \ud83d", FileWriteMode.Create));
        var much = await RefusedAsync(new FileWrite("a.txt", new string('é', 3 << 20), FileWriteMode.Create));

        Assert.Equal((FileRefusals.ParseError, FileRefusals.TooLarge), (half.Reason, much.Reason));
    }

    [Theory]
    [InlineData(".git/hooks/pre-commit")]
    [InlineData("sub/.GIT/config")]
    [InlineData("git~1/config")]
    public async Task Nothing_is_written_into_git_whatever_the_right(string path)
    {
        var refused = await RefusedAsync(new FileWrite(path, "mine", FileWriteMode.Create) { MayMakeProgramsRun = true });

        Assert.Equal(FileRefusals.PermissionDenied, refused.Reason);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Inside()));
    }

    [Theory]
    [InlineData(".vscode/tasks.json")]
    [InlineData(".github/workflows/ci.yml")]
    [InlineData("deep/.envrc")]
    public async Task What_makes_programs_run_is_written_with_the_right_to(string path)
    {
        var refused = await RefusedAsync(new FileWrite(path, "x", FileWriteMode.Create));
        var written = await WriteAsync(new FileWrite(path, "x", FileWriteMode.Create) { MayMakeProgramsRun = true });
        var edit = await Assert.ThrowsAsync<RefusedException>(async () =>
            await _files.EditAsync(new FileEdit(path, "x", "y", written.Hash), Token)
        );

        Assert.Equal((FileRefusals.PermissionDenied, FileRefusals.PermissionDenied), (refused.Reason, edit.Reason));
        Assert.Equal("x", File.ReadAllText(_scratch.Inside(path)));
    }

    [Fact]
    public void The_right_to_make_programs_run_is_none_that_a_client_gives_itself()
    {
        var sent =
            """{"path":"a","content":"","mode":"replace","expectedHash":"h","lineEnding":"crlf","mayMakeProgramsRun":true}""";

        var request = JsonSerializer.Deserialize(sent, WorkspaceJson.Default.FileWrite)!;

        Assert.False(request.MayMakeProgramsRun);
        Assert.Equal((FileWriteMode.Replace, "h", LineEnding.Crlf), (request.Mode, request.ExpectedHash, request.LineEnding));
    }

    [Fact]
    public async Task The_one_place_of_a_text_is_edited_and_all_else_stays()
    {
        _scratch.File("a.txt", "one\r\ntwo\r\nthree\n");

        var edited = await EditAsync("a.txt", "two\nthree", "2\n3\n", "one\r\ntwo\r\nthree\n");

        Assert.Equal("one\r\n2\r\n3\r\n\n", File.ReadAllText(_scratch.Inside("a.txt")));
        Assert.Equal(("a.txt", 1, 12), (edited.Path, edited.Replacements, edited.SizeBytes));
    }

    [Theory]
    [InlineData("four", FileRefusals.TextNotFound, "does not occur in a.txt")]
    [InlineData("one", FileRefusals.AmbiguousText, "occurs 2 times in a.txt, at lines 1, 3")]
    [InlineData("", FileRefusals.ParseError, "is empty")]
    public async Task A_text_that_names_no_place_or_several_is_refused(string wanted, string reason, string sentence)
    {
        _scratch.File("a.txt", "one\ntwo\none\n");

        var refused = await Assert.ThrowsAsync<RefusedException>(() => EditAsync("a.txt", wanted, "x", "one\ntwo\none\n"));

        Assert.Equal(reason, refused.Reason);
        Assert.Contains(sentence, refused.Message);
    }

    [Fact]
    public async Task An_edit_of_another_state_is_refused()
    {
        _scratch.File("a.txt", "one\n");

        var refused = await Assert.ThrowsAsync<RefusedException>(() => EditAsync("a.txt", "one", "two", "zero\n"));

        Assert.Equal(FileRefusals.HashMismatch, refused.Reason);
        Assert.Equal("one\n", File.ReadAllText(_scratch.Inside("a.txt")));
    }

    [Fact]
    public async Task A_link_that_leads_out_is_not_written_through()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: links");
        File.WriteAllText(_scratch.Outside("x"), "secret");
        File.CreateSymbolicLink(_scratch.Inside("folder"), _scratch.Outside());
        File.CreateSymbolicLink(_scratch.Inside("dangling"), _scratch.Outside("new"));

        var replace = await RefusedAsync(
            new FileWrite("folder/x", "mine", FileWriteMode.Replace) { ExpectedHash = Hash("secret") }
        );
        var create = await RefusedAsync(new FileWrite("folder/new", "mine", FileWriteMode.Create));
        var dangling = await RefusedAsync(new FileWrite("dangling", "mine", FileWriteMode.Create));

        Assert.All([replace, create, dangling], refused => Assert.Equal(FileRefusals.SymlinkEscape, refused.Reason));
        Assert.Equal(["x"], Directory.GetFileSystemEntries(_scratch.Outside()).Select(Path.GetFileName));
        Assert.Equal("secret", File.ReadAllText(_scratch.Outside("x")));
    }

    [Fact]
    public async Task A_write_waits_for_the_call_that_is_in_the_file_and_not_for_ever()
    {
        _scratch.File("a.txt", "old");
        var request = new FileWrite("a.txt", "new", FileWriteMode.Replace) { ExpectedHash = Hash("old") };
        Task<FileWritten> first;
        using (await _gate.EnterAsync([new GateKey(_scratch.Inside("a.txt"), IsWrite: true)], Token))
        {
            first = WriteAsync(request);
            Assert.False(first.IsCompleted);
        }

        await first;
        using var held = await _gate.EnterAsync([new GateKey("*", IsWrite: true)], Token);
        var second = RefusedAsync(new FileWrite("b.txt", "new", FileWriteMode.Create));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(FileRefusals.IoError, (await second).Reason);
        Assert.Equal("new", File.ReadAllText(_scratch.Inside("a.txt")));
        Assert.False(File.Exists(_scratch.Inside("b.txt")));
    }

    [Fact]
    public async Task Of_two_writes_that_know_the_same_state_one_wins()
    {
        _scratch.File("a.txt", "old");

        var writes = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async number =>
                {
                    try
                    {
                        await WriteAsync(
                            new FileWrite("a.txt", $"new {number}", FileWriteMode.Replace) { ExpectedHash = Hash("old") }
                        );
                        return "written";
                    }
                    catch (RefusedException refused)
                    {
                        return refused.Reason;
                    }
                })
        );

        Assert.Single(writes, "written");
        Assert.Equal(7, writes.Count(outcome => outcome == FileRefusals.HashMismatch));
    }

    [Fact]
    public async Task A_workspace_gets_its_instruction_file_once()
    {
        var created = await _files.InitAsync(force: false, Token);
        var again = await _files.InitAsync(force: false, Token);
        _scratch.File("AGENTS.md", "Speak softly.");
        var conflict = await _files.InitAsync(force: false, Token);
        var forced = await _files.InitAsync(force: true, Token);

        Assert.Equal(new WorkspaceInit("AGENTS.md", InitAction.Created), created);
        Assert.Equal(new WorkspaceInit("AGENTS.md", InitAction.Noop), again);
        Assert.Equal(new WorkspaceInit("AGENTS.md", InitAction.Conflict, 13), conflict);
        Assert.Equal(new WorkspaceInit("AGENTS.md", InitAction.Overwrote), forced);
        Assert.Equal("", File.ReadAllText(_scratch.Inside("AGENTS.md")));
    }

    [Fact]
    public void Answers_have_the_names_that_clients_know()
    {
        var text = new FileText(
            "a",
            "b",
            "utf-8",
            Bom: false,
            LineEnding.Crlf,
            1,
            1,
            Truncated: false,
            "h",
            null,
            1,
            null,
            HasMore: false
        );
        var bytes = new FileBytes("a", 0, 3, 3, Truncated: false, "abc"u8.ToArray(), null);

        Assert.Equal(
            """{"path":"a","content":"b","encoding":"utf-8","bom":false,"lineEnding":"crlf","sizeBytes":1,"returnedBytes":1,"truncated":false,"hash":"h","matchedIgnore":null,"originalLineCount":1,"hasMore":false}""",
            JsonSerializer.Serialize(text, WorkspaceJson.Default.FileText)
        );
        Assert.Equal(
            """{"path":"a","offset":0,"sizeBytes":3,"returnedBytes":3,"truncated":false,"contentBase64":"YWJj"}""",
            JsonSerializer.Serialize(bytes, WorkspaceJson.Default.FileBytes)
        );
        Assert.Equal(
            """{"path":"AGENTS.md","action":"created"}""",
            JsonSerializer.Serialize(new WorkspaceInit("AGENTS.md", InitAction.Created), WorkspaceJson.Default.WorkspaceInit)
        );
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Hash(string content) => $"sha256:{Scratch.Hash(content)}";

    private async Task<FileWritten> WriteAsync(FileWrite request) => await _files.WriteAsync(request, Token);

    private async Task<FileEdited> EditAsync(string path, string wanted, string text, string content) =>
        await _files.EditAsync(new FileEdit(path, wanted, text, Hash(content)), Token);

    private async Task<RefusedException> RefusedAsync(FileWrite request) =>
        await Assert.ThrowsAsync<RefusedException>(() => WriteAsync(request));
}
