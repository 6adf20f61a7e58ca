using Thole.Protocol;

namespace Thole.Tools.Tests;

public sealed class WriteFileToolSpecs : IDisposable
{
    private readonly ToolBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_new_file_is_made_with_its_parents()
    {
        var result = await _bench.WriteFileAsync("a/b/c.txt", "one\r\ntwo");

        Assert.Equal("Created a/b/c.txt, 2 lines.", result.Text);
        Assert.Equal("one\r\ntwo", _bench.Text("a/b/c.txt"));
        Assert.Equal(
            [new FileSeen(_bench.PathOf("a/b/c.txt"), Core.Workspaces.TextFile.HashOf(_bench.Bytes("a/b/c.txt")), null)],
            result.Facts
        );
    }

    [Fact]
    public async Task An_existing_file_must_have_been_read_whole()
    {
        _bench.Write("f.txt", "1\n2\n3\n4\n");

        Assert.Equal(ToolErrors.RequiresRead, (await _bench.WriteFileAsync("f.txt", "x")).Error);
        await _bench.ReadAsync("f.txt", limit: 2);
        var partial = await _bench.WriteFileAsync("f.txt", "x");
        Assert.Equal(ToolErrors.RequiresRead, partial.Error);
        Assert.Contains("lines 3-4", partial.Text);
        await _bench.ReadAsync("f.txt", offset: 2);
        Assert.False((await _bench.WriteFileAsync("f.txt", "x")).IsError);
        Assert.False((await _bench.WriteFileAsync("f.txt", "y")).IsError);
        Assert.Equal("y", _bench.Text("f.txt"));
    }

    [Fact]
    public async Task Mark_and_line_endings_of_the_file_stay()
    {
        _bench.Write("f.txt", [0xEF, 0xBB, 0xBF, .. "a\r\nb\r\nc\n"u8]);
        await _bench.ReadAsync("f.txt");

        var result = await _bench.WriteFileAsync("f.txt", "a\nB\nc\n");

        Assert.Equal([0xEF, 0xBB, 0xBF, .. "a\r\nB\r\nc\n"u8], _bench.Bytes("f.txt"));
        Assert.Equal("Overwrote f.txt, now 3 lines: 1 added, 1 removed.", result.Text);
    }

    [Fact]
    public async Task What_changed_or_vanished_since_it_was_read_is_a_conflict()
    {
        _bench.Write("f.txt", "a\n");
        _bench.Write("g.txt", "a\n");
        await _bench.ReadAsync("f.txt");
        await _bench.ReadAsync("g.txt");
        _bench.Write("f.txt", "b\n");
        File.Delete(_bench.PathOf("g.txt"));

        Assert.Equal(ToolErrors.ChangedSinceRead, (await _bench.WriteFileAsync("f.txt", "x")).Error);
        Assert.Equal(ToolErrors.ChangedSinceRead, (await _bench.WriteFileAsync("g.txt", "x")).Error);
        Assert.Equal("b\n", _bench.Text("f.txt"));
        Assert.False(File.Exists(_bench.PathOf("g.txt")));
    }

    [Fact]
    public async Task Folders_binaries_and_no_change_are_answered()
    {
        _bench.Write("dir/f.txt", "a\n");
        _bench.Write("b.bin", [0, 1, 2]);
        await _bench.ReadAsync("dir/f.txt");

        Assert.Equal(ToolErrors.IsDirectory, (await _bench.WriteFileAsync("dir", "x")).Error);
        Assert.Equal(ToolErrors.ReadFailed, (await _bench.WriteFileAsync("b.bin", "x")).Error);
        Assert.Equal(ToolErrors.NoChange, (await _bench.WriteFileAsync("dir/f.txt", "a\n")).Error);
        Assert.Equal(ToolErrors.OutsideWorkspace, (await _bench.WriteFileAsync("/etc/none", "x")).Error);
    }

    [Fact]
    public void The_schema_is_short()
    {
        var tool = new WriteFileTool();
        Assert.InRange(tool.Name.Length + tool.Description.Length + tool.Schema.Length, 1, 250);
    }
}
