using System.Text.Json;
using System.Text.Json.Nodes;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Tools.Tests;

public sealed class ApplyPatchToolSpecs : IDisposable
{
    private readonly ToolBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Every_recorded_patch_gives_what_git_apply_made_of_it()
    {
        Assert.SkipWhen(Acceptance.Folder is null, "needs the acceptance data: set THOLE_ACCEPTANCE");
        var cases = JsonNode
            .Parse(
                await File.ReadAllTextAsync(
                    Path.Join(Acceptance.Folder, "patch", "unified-diff-oracle.json"),
                    TestContext.Current.CancellationToken
                )
            )!
            .AsArray();
        var wrong = new List<string>();
        foreach (var (index, recorded) in cases.Index())
        {
            var old = (string)recorded!["old"]!;
            var result = await ApplyKnownAsync(old, (string)recorded["patch"]!);
            if (result != ((string?)recorded["expect"] ?? old))
            {
                wrong.Add($"case {index} ({recorded["kind"]}, context {recorded["context"]})");
            }
        }

        Assert.Empty(wrong);
        Assert.NotEmpty(cases);
    }

    [Fact]
    public async Task Random_patches_do_what_git_apply_does()
    {
        var random = new Random(20260727);
        var (applied, rejected) = (0, 0);
        for (var round = 0; round < 150; round++)
        {
            var old = RandomText(random);
            var changed = Mutate(old, random, 1 + random.Next(4));
            var patch = TextDiff.Unified("f.txt", old, changed);
            var target = random.Next(3) == 0 ? old : Mutate(old, random, 1 + random.Next(3));
            if (patch.Length == 0)
            {
                continue;
            }

            _bench.Write("f.txt", target);
            _bench.Write("p", patch);
            var git = (await _bench.GitAsync("apply", "p")).ExitCode == 0 ? _bench.Text("f.txt") : null;
            var ours = await ApplyKnownAsync(target, patch);
            Assert.True(ours == (git ?? target), $"round {round}: git {git is not null}\n{patch}\n---\n{target}");
            _ = git is null ? rejected++ : applied++;
        }

        Assert.True(applied > 30 && rejected > 30, $"applied {applied}, rejected {rejected}");
    }

    [Fact]
    public async Task New_changed_renamed_and_deleted_files_come_in_one_patch()
    {
        _bench.Write("a.txt", "one\ntwo\nthree\n");
        _bench.Write("old name.txt", "x\ny\n");
        _bench.Write("gone.txt", "bye\n");
        _bench.Write("kept.txt", "k\n");
        await _bench.GitAsync("init", "-q");
        await _bench.GitAsync("add", ".");
        await _bench.GitAsync("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "t");
        _bench.Write("a.txt", "one\n2\nthree\n");
        File.Delete(_bench.PathOf("gone.txt"));
        File.Move(_bench.PathOf("old name.txt"), _bench.PathOf("näme \"q\".txt"));
        _bench.Write("sub/new.txt", "new");
        _bench.Write("empty.txt", "");
        await _bench.GitAsync("add", "-A");
        var patch = (await _bench.GitAsync("diff", "--cached", "-M")).Output;
        await _bench.GitAsync("reset", "-q", "--hard");
        foreach (var name in (string[])["a.txt", "old name.txt", "gone.txt"])
        {
            await _bench.ReadAsync(name);
        }

        var result = await _bench.PatchAsync(patch);

        Assert.False(result.IsError, result.Text);
        Assert.Equal("one\n2\nthree\n", _bench.Text("a.txt"));
        Assert.Equal("x\ny\n", _bench.Text("näme \"q\".txt"));
        Assert.Equal("new", _bench.Text("sub/new.txt"));
        Assert.Equal("", _bench.Text("empty.txt"));
        Assert.False(File.Exists(_bench.PathOf("gone.txt")) || File.Exists(_bench.PathOf("old name.txt")));
        Assert.Equal(6, result.Facts.Count);
    }

    [Fact]
    public async Task A_patch_of_which_one_file_does_not_fit_changes_nothing()
    {
        _bench.Write("a.txt", "one\n");
        _bench.Write("b.txt", "two\n");
        await _bench.ReadAsync("a.txt");
        await _bench.ReadAsync("b.txt");

        var result = await _bench.PatchAsync(Change("a.txt", "one", "1") + Change("b.txt", "zwei", "2"));

        Assert.Equal(ToolErrors.PatchRejected, result.Error);
        Assert.Contains("b.txt", result.Text);
        Assert.Equal(("one\n", "two\n"), (_bench.Text("a.txt"), _bench.Text("b.txt")));
    }

    [Fact]
    public async Task A_disk_that_fills_up_in_the_middle_is_told_file_by_file()
    {
        _bench.Write("a.txt", "one\n");
        _bench.Write("b.txt", "two\n");
        await _bench.ReadAsync("a.txt");
        await _bench.ReadAsync("b.txt");
        _bench.Workspace.Full.Add("b.txt");

        var result = await _bench.PatchAsync(Change("a.txt", "one", "1") + Change("b.txt", "two", "2"));

        Assert.Equal(ToolErrors.NoSpace, result.Error);
        Assert.Contains("Done: changed a.txt. Not done: b.txt.", result.Text);
        Assert.Single(result.Facts);
        Assert.Equal("1\n", _bench.Text("a.txt"));
    }

    [Fact]
    public async Task Lines_that_were_never_shown_are_not_replaced()
    {
        _bench.Write("a.txt", string.Concat(Enumerable.Range(1, 50).Select(line => $"l{line}\n")));
        await _bench.ReadAsync("a.txt", offset: 0, limit: 10);

        var unseen = await _bench.PatchAsync("--- a/a.txt\n+++ b/a.txt\n@@ -29,3 +29,3 @@\n l29\n-l30\n+x\n l31\n");
        var seen = await _bench.PatchAsync("--- a/a.txt\n+++ b/a.txt\n@@ -4,3 +4,3 @@\n l4\n-l5\n+x\n l6\n");

        Assert.Equal(ToolErrors.RequiresRead, unseen.Error);
        Assert.Contains("read line 30 of a.txt first (offset 29, limit 1)", unseen.Text);
        Assert.False(seen.IsError, seen.Text);
    }

    [Fact]
    public async Task A_patch_written_from_what_was_shown_fits_a_file_with_carriage_returns()
    {
        _bench.Write("a.txt", "one\r\ntwo\r\nthree\n");
        await _bench.ReadAsync("a.txt");

        var result = await _bench.PatchAsync("--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n+2b\n three\n");

        Assert.False(result.IsError, result.Text);
        Assert.Equal("one\r\n2\r\n2b\r\nthree\n", _bench.Text("a.txt"));
    }

    [Theory]
    [InlineData("", ToolErrors.PatchRejected)]
    [InlineData("*** Begin Patch\n*** Update File: a.txt\n", ToolErrors.PatchRejected)]
    [InlineData("@@ -1 +1 @@\n-a\n+b\n", ToolErrors.PatchRejected)]
    [InlineData("--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1 @@\n-one\n+b\n", ToolErrors.PatchRejected)]
    [InlineData("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\nxone\n+b\n", ToolErrors.PatchRejected)]
    [InlineData("--- a/a.txt\n+++ b/a.txt\n@@ -99999999999 +1 @@\n-one\n+b\n", ToolErrors.PatchRejected)]
    [InlineData("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-one\n+b\n", ToolErrors.PatchRejected)]
    [InlineData("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-one\n+b\n", ToolErrors.OutsideWorkspace)]
    [InlineData("--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-one\n+b\n", ToolErrors.OutsideWorkspace)]
    [InlineData("--- C:\\x\n+++ C:\\x\n@@ -1 +1 @@\n-one\n+b\n", ToolErrors.OutsideWorkspace)]
    [InlineData("--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-one\n+b\n", ToolErrors.PatchRejected)]
    [InlineData("--- \"a/un\\\n+++ \"b/un\\\n@@ -1 +1 @@\n-one\n+b\n", ToolErrors.PatchRejected)]
    [InlineData(
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n",
        ToolErrors.PatchRejected
    )]
    [InlineData(
        "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n",
        ToolErrors.PatchRejected
    )]
    [InlineData("--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+b\n", ToolErrors.AlreadyExists)]
    [InlineData("--- a/none.txt\n+++ b/none.txt\n@@ -1 +1 @@\n-a\n+b\n", ToolErrors.FileNotFound)]
    [InlineData("--- a/dir\n+++ b/dir\n@@ -1 +1 @@\n-a\n+b\n", ToolErrors.IsDirectory)]
    public async Task A_patch_that_cannot_be_is_answered_and_changes_nothing(string patch, string error)
    {
        _bench.Write("a.txt", "one\n");
        _bench.Write("dir/f", "f");
        await _bench.ReadAsync("a.txt");

        var result = await _bench.PatchAsync(patch);

        Assert.Equal(error, result.Error);
        Assert.Equal("one\n", _bench.Text("a.txt"));
        Assert.Empty(result.Facts);
    }

    [Fact]
    public async Task A_file_that_changed_since_it_was_read_is_a_conflict()
    {
        _bench.Write("a.txt", "one\n");
        await _bench.ReadAsync("a.txt");
        _bench.Write("a.txt", "one\nmore\n");

        var result = await _bench.PatchAsync("--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-one\n+1\n more\n");

        Assert.Equal(ToolErrors.ChangedSinceRead, result.Error);
        Assert.Equal("one\nmore\n", _bench.Text("a.txt"));
    }

    [Fact]
    public void The_schema_is_short_and_the_call_says_what_it_touches()
    {
        var tool = new ApplyPatchTool();
        var call = new ToolCall(
            new CallId("1"),
            tool.Name,
            JsonSerializer.Serialize(new { patch = Change("src/a.txt", "one", "1") })
        );

        var preparation = tool.Prepare(call, _bench.Context);

        Assert.InRange(tool.Name.Length + tool.Description.Length + tool.Schema.Length, 1, 250);
        Assert.Equal("Patch src/a.txt", preparation.Title);
        Assert.Equal("src/a.txt", preparation.Subject);
        Assert.Equal([Core.Tools.Touch.Write(_bench.Workspace.Resolve("src/a.txt"))], preparation.Touches);
    }

    private static string Change(string name, string old, string replacement) =>
        $"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{old}\n+{replacement}\n";

    private async Task<string> ApplyKnownAsync(string old, string patch)
    {
        _bench.Write("f.txt", old);
        await _bench.ReadAsync("f.txt");
        await _bench.PatchAsync(patch);
        return File.Exists(_bench.PathOf("f.txt")) ? _bench.Text("f.txt") : "";
    }

    private static string RandomText(Random random)
    {
        var newLine = random.Next(4) == 0 ? "\r\n" : "\n";
        var lines = Enumerable
            .Range(0, random.Next(1, 40))
            .Select(_ => (string[])["{", "}", "alpha", "beta", "  gamma", "", $"l{random.Next(20)}"])
            .Select(words => words[random.Next(words.Length)]);
        return string.Join(newLine, lines) + (random.Next(4) == 0 ? "" : newLine);
    }

    private static string Mutate(string text, Random random, int edits)
    {
        var newLine = text.Contains('\r') ? "\r\n" : "\n";
        var lines = LineSpans.Split(text);
        for (var edit = 0; edit < edits; edit++)
        {
            var at = random.Next(lines.Count + 1);
            if (random.Next(2) == 0 || lines.Count < 2)
            {
                lines.Insert(Math.Min(at, Math.Max(0, lines.Count - 1)), $"new{random.Next(9)}{newLine}");
            }
            else
            {
                lines.RemoveAt(Math.Min(at, lines.Count - 1));
            }
        }

        return string.Concat(lines);
    }
}
