using System.Text;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;

namespace Thole.Core.Tests.Workspaces;

/// <summary>What clients write down for agents, in the workspace and for everywhere.</summary>
public sealed class MemorySpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly WorkspaceFiles _files;

    public MemorySpecs() => _files = Files(_scratch.Outside("config/thole"));

    public static TheoryData<MemoryScope> Scopes { get; } = [MemoryScope.Workspace, MemoryScope.Global];

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task The_first_makes_the_file_and_the_next_stand_behind_it_each_on_a_line_of_its_own(MemoryScope scope)
    {
        var first = await _files.RememberAsync(new MemoryWrite(scope, "Use tabs."), Now);
        var second = await _files.RememberAsync(new MemoryWrite(scope, "Be kind.\n"), Now);
        var third = await _files.RememberAsync(new MemoryWrite(scope, "Be brief.\r\n") { ExpectedHash = second.Hash }, Now);

        Assert.Equal("Use tabs.\nBe kind.\nBe brief.\n", Read(scope));
        Assert.Equal(scope is MemoryScope.Global ? "~user/AGENTS.md" : "AGENTS.md", first.FilePath);
        Assert.Equal((9, 10, 10), (first.BytesWritten, second.BytesWritten, third.BytesWritten));
        Assert.All((MemoryWritten[])[first, second, third], written => Assert.True(written is { Ok: true, Changed: true }));
        Assert.Equal($"sha256:{Scratch.Hash(Read(scope))}", third.Hash);
        Assert.Empty(_scratch.Leftovers());
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task What_is_there_is_replaced_and_to_write_the_same_changes_nothing(MemoryScope scope)
    {
        await _files.RememberAsync(new MemoryWrite(scope, "old"), Now);

        var replaced = await _files.RememberAsync(Replacing(scope, "new\n"), Now);
        var same = await _files.RememberAsync(Replacing(scope, "new\n"), Now);
        var emptied = await _files.RememberAsync(Replacing(scope, ""), Now);

        Assert.Equal((4, true), (replaced.BytesWritten, replaced.Changed));
        Assert.Equal((0, false, replaced.Hash), (same.BytesWritten, same.Changed, same.Hash));
        Assert.Equal((0, true, ""), (emptied.BytesWritten, emptied.Changed, Read(scope)));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task Who_expects_another_content_writes_nothing(MemoryScope scope)
    {
        var none = await RefusedAsync(new MemoryWrite(scope, "x") { ExpectedHash = $"sha256:{Scratch.Hash("")}" });
        await _files.RememberAsync(new MemoryWrite(scope, "mine"), Now);
        var other = await RefusedAsync(Replacing(scope, "x") with { ExpectedHash = $"sha256:{Scratch.Hash("theirs")}" });
        var wrong = await RefusedAsync(Replacing(scope, "x") with { ExpectedHash = "sha256:zz" });

        Assert.Equal(
            (FileRefusals.HashMismatch, FileRefusals.HashMismatch, FileRefusals.ParseError),
            (none.Reason, other.Reason, wrong.Reason)
        );
        Assert.Equal("mine", Read(scope));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task Nothing_is_written_that_no_session_would_read(MemoryScope scope)
    {
        var most = new string('a', FileLimits.MaxMemoryBytes);
        await _files.RememberAsync(Replacing(scope, most), Now);

        var more = await RefusedAsync(new MemoryWrite(scope, "a"));
        var empty = await RefusedAsync(new MemoryWrite(scope, ""));
        var binary = await RefusedAsync(new MemoryWrite(scope, "a\0"));
        var half = await RefusedAsync(Replacing(scope, "\ud800"));

        Assert.Equal(
            (FileRefusals.TooLarge, FileRefusals.ParseError, FileRefusals.ParseError, FileRefusals.ParseError),
            (more.Reason, empty.Reason, binary.Reason, half.Reason)
        );
        Assert.Equal(most, Read(scope));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_file_keeps_its_encoding_and_its_line_endings(MemoryScope scope)
    {
        byte[] old = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("one\r\ntwo")];
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(scope))!);
        File.WriteAllBytes(PathOf(scope), old);

        await _files.RememberAsync(new MemoryWrite(scope, "three\nvier: ä"), Now);

        Assert.Equal([.. old, .. Encoding.Unicode.GetBytes("\r\nthree\r\nvier: ä")], File.ReadAllBytes(PathOf(scope)));
    }

    [Fact]
    public async Task Many_who_write_at_once_lose_nothing()
    {
        var others = Files(_scratch.Outside("config/thole")); // another process of ours: it has a gate of its own
        foreach (var scope in Scopes.Select(row => row.Data))
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(number =>
                        Task.Run(async () => await _files.RememberAsync(new MemoryWrite(scope, $"line {number}"), Now))
                    )
            );
            await others.RememberAsync(new MemoryWrite(scope, "last"), Now);

            Assert.Equal(
                Enumerable.Range(0, 8).Select(number => $"line {number}").Append("last").Order(StringComparer.Ordinal),
                Read(scope).Split('\n').Order(StringComparer.Ordinal)
            );
        }
    }

    [Fact]
    public async Task In_the_workspace_a_link_out_of_it_is_not_followed_and_at_the_users_own_place_it_is()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs symbolic links");
        File.WriteAllText(_scratch.Outside("dotfile"), "theirs\n");
        File.CreateSymbolicLink(PathOf(MemoryScope.Workspace), _scratch.Outside("dotfile"));
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(MemoryScope.Global))!);
        File.CreateSymbolicLink(PathOf(MemoryScope.Global), _scratch.Outside("dotfile"));

        var refused = await RefusedAsync(new MemoryWrite(MemoryScope.Workspace, "x"));
        await _files.RememberAsync(new MemoryWrite(MemoryScope.Global, "mine"), Now);

        Assert.Equal(FileRefusals.SymlinkEscape, refused.Reason);
        Assert.Equal("theirs\nmine", File.ReadAllText(_scratch.Outside("dotfile")));
        Assert.NotNull(new FileInfo(PathOf(MemoryScope.Global)).LinkTarget);
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task What_is_no_text_file_is_left_alone_and_no_answer_names_a_path_of_this_machine(MemoryScope scope)
    {
        Directory.CreateDirectory(PathOf(scope));
        var folder = await RefusedAsync(new MemoryWrite(scope, "x"));
        Directory.Delete(PathOf(scope));
        File.WriteAllBytes(PathOf(scope), [1, 0, 2]);
        var binary = await RefusedAsync(new MemoryWrite(scope, "x"));
        File.Delete(PathOf(scope));

        Assert.Equal((FileRefusals.InvalidArgument, FileRefusals.Binary), (folder.Reason, binary.Reason));
        Assert.All((RefusedException[])[folder, binary], refused => Assert.DoesNotContain(_scratch.Outside(), refused.Message));
        if (!OperatingSystem.IsWindows())
        {
            Scratch.Run("mkfifo", PathOf(scope));
            var pipe = await RefusedAsync(new MemoryWrite(scope, "x"));
            Assert.Equal(FileRefusals.InvalidArgument, pipe.Reason);
            Assert.DoesNotContain(_scratch.Outside(), pipe.Message);
        }
    }

    [Fact]
    public async Task Where_the_user_has_no_folder_the_cure_is_named()
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await Files(userFolder: null).RememberAsync(new MemoryWrite(MemoryScope.Global, "x"), Now)
        );

        Assert.Equal(FileRefusals.InvalidArgument, refused.Reason);
        Assert.Contains("scope workspace", refused.Message);
    }

    private static MemoryWrite Replacing(MemoryScope scope, string content) => new(scope, content) { Mode = MemoryMode.Replace };

    private WorkspaceFiles Files(string? userFolder)
    {
        var workspace = new Workspace(_scratch.Inside(), [], TimeProvider.System);
        return new WorkspaceFiles(workspace, new Searcher(workspace), new FileGate(), TimeProvider.System, userFolder);
    }

    private async Task<RefusedException> RefusedAsync(MemoryWrite request) =>
        await Assert.ThrowsAsync<RefusedException>(async () => await _files.RememberAsync(request, Now));

    private string PathOf(MemoryScope scope) =>
        scope is MemoryScope.Global ? _scratch.Outside("config/thole/AGENTS.md") : _scratch.Inside("AGENTS.md");

    private string Read(MemoryScope scope) => File.ReadAllText(PathOf(scope));
}
