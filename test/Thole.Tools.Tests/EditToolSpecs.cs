using System.Text;
using Thole.Protocol;

namespace Thole.Tools.Tests;

public sealed class EditToolSpecs : IDisposable
{
    private readonly ToolBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("exact", "a b\nc\n", "b", "X", "a X\nc\n")]
    [InlineData("a dollar is a dollar", "a\n", "a", "$0$&$1", "$0$&$1\n")]
    [InlineData("typographic quotes", "say “hi” – now\n", "\"hi\" - now", "bye", "say bye\n")]
    [InlineData("no-break space", "a\u00a0b\n", "a b", "c", "c\n")]
    [InlineData("spaces at line ends", "if (x)  \n  y();\t\nend\n", "if (x)\n  y();\n", "z();\n", "z();\nend\n")]
    [InlineData(
        "other indentation",
        "\tif (x)\n\t\ty();\n",
        "if (x)\n\ty();",
        "if (z)\n\ty();\n\tw();",
        "\tif (z)\n\t\ty();\n\t\tw();\n"
    )]
    [InlineData("too much indentation", "  a\n    b\n", "    a\n      b\n", "    a\n      c\n  d\n", "  a\n    c\nd\n")]
    [InlineData("a last empty line too many", "a\n  b\nc", "a\nb\nc\n", "x\n", "x")]
    [InlineData("deleted", "a\nb\nc\n", "b\n", "", "a\nc\n")]
    [InlineData("no final newline", "a\nb", "b", "c", "a\nc")]
    public async Task The_ladder_finds_what_was_meant(string rung, string text, string old, string replacement, string expected)
    {
        _bench.Write("f.txt", text);
        await _bench.ReadAsync("f.txt");

        var result = await _bench.EditAsync("f.txt", old, replacement);

        Assert.False(result.IsError, $"{rung}: {result.Text}");
        Assert.Equal(expected, _bench.Text("f.txt"));
    }

    [Theory]
    [InlineData("x\ny\nx\n", "x", "lines 1, 3")]
    [InlineData("  a\nb\n a\n", "\ta", "lines 1, 3")]
    [InlineData("“a”\n„a„\n", "\"a\"", "lines 1, 2")]
    public async Task Two_candidates_are_never_chosen_between(string text, string old, string lines)
    {
        _bench.Write("f.txt", text);
        await _bench.ReadAsync("f.txt");

        var result = await _bench.EditAsync("f.txt", old, "z");

        Assert.Equal(ToolErrors.OccurrenceMismatch, result.Error);
        Assert.Contains(lines, result.Text);
        Assert.Equal(text, _bench.Text("f.txt"));
    }

    [Fact]
    public async Task All_are_replaced_when_asked()
    {
        _bench.Write("f.txt", "x\ny x\nx\n");
        await _bench.ReadAsync("f.txt");

        var result = await _bench.EditAsync("f.txt", "x", "xx", replaceAll: true);

        Assert.Equal("xx\ny xx\nxx\n", _bench.Text("f.txt"));
        Assert.StartsWith("Edited f.txt in 3 places.", result.Text);
    }

    [Theory]
    [InlineData("nothing like it", "z", ToolErrors.NoOccurrence)]
    [InlineData(" \n", "z", ToolErrors.NoOccurrence)]
    [InlineData("a", "a", ToolErrors.NoChange)]
    [InlineData("", "z", ToolErrors.AlreadyExists)]
    [InlineData("a", "\0", ToolErrors.WriteFailed)]
    public async Task What_cannot_be_done_is_answered_and_changes_nothing(string old, string replacement, string error)
    {
        _bench.Write("f.txt", "a\nb\n");
        await _bench.ReadAsync("f.txt");

        var preparation = new EditTool().Prepare(
            new ToolCall(
                new CallId("1"),
                "edit",
                $$"""{"file_path":"f.txt","old_string":{{Json(old)}},"new_string":{{Json(replacement)}}}"""
            ),
            _bench.Context
        );
        var result = preparation.Refusal ?? await preparation.RunAsync([], TestContext.Current.CancellationToken);

        Assert.Equal(error, result.Error);
        Assert.Equal("a\nb\n", _bench.Text("f.txt"));
    }

    [Fact]
    public async Task A_file_that_was_not_read_is_not_edited()
    {
        _bench.Write("f.txt", "a\n");

        Assert.Equal(ToolErrors.RequiresRead, (await _bench.EditAsync("f.txt", "a", "b")).Error);
        Assert.Equal(ToolErrors.FileNotFound, (await _bench.EditAsync("g.txt", "a", "b")).Error);
        Assert.Equal(ToolErrors.OutsideWorkspace, (await _bench.EditAsync("../g.txt", "a", "b")).Error);
        Assert.Equal("a\n", _bench.Text("f.txt"));
    }

    [Fact]
    public async Task Only_lines_that_were_shown_can_be_replaced_and_own_edits_stay_known()
    {
        _bench.Write("f.txt", string.Concat(Enumerable.Range(1, 100).Select(line => $"line {line}.\n")));
        await _bench.ReadAsync("f.txt", offset: 9, limit: 3);

        Assert.Equal(ToolErrors.RequiresRead, (await _bench.EditAsync("f.txt", "line 50.", "x")).Error);
        Assert.False((await _bench.EditAsync("f.txt", "line 10.\n", "ten\nand more\n")).IsError);
        Assert.False((await _bench.EditAsync("f.txt", "and more\nline 11.\n", "eleven\n")).IsError);
        Assert.False((await _bench.EditAsync("f.txt", "line 12.\n", "twelve\n")).IsError);
        Assert.Equal(ToolErrors.RequiresRead, (await _bench.EditAsync("f.txt", "line 13.", "x")).Error);
        Assert.Contains("line 9.\nten\neleven\ntwelve\nline 13.\n", _bench.Text("f.txt"));
    }

    [Fact]
    public async Task A_file_that_changed_since_it_was_read_is_a_conflict()
    {
        _bench.Write("f.txt", "a\nb\n");
        await _bench.ReadAsync("f.txt");
        _bench.Write("f.txt", "a\nb\nc\n");

        var result = await _bench.EditAsync("f.txt", "a", "x");

        Assert.Equal(ToolErrors.ChangedSinceRead, result.Error);
        Assert.Equal("a\nb\nc\n", _bench.Text("f.txt"));
        await _bench.ReadAsync("f.txt");
        Assert.False((await _bench.EditAsync("f.txt", "a", "x")).IsError);
    }

    [Fact]
    public async Task Mark_endings_and_legacy_bytes_around_the_edit_stay()
    {
        _bench.Write("bom.txt", [0xEF, 0xBB, 0xBF, .. "a\r\nb\r\nc"u8]);
        _bench.Write("utf16.txt", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("a\r\nb\nc\r\n")]);
        _bench.Write("latin.txt", [(byte)'a', 0xE4, (byte)'\r', (byte)'\n', (byte)'b', 0xFF]);
        foreach (var name in (string[])["bom.txt", "utf16.txt", "latin.txt"])
        {
            await _bench.ReadAsync(name);
            Assert.False((await _bench.EditAsync(name, "b", "x\ny")).IsError);
        }

        Assert.Equal([0xEF, 0xBB, 0xBF, .. "a\r\nx\r\ny\r\nc"u8], _bench.Bytes("bom.txt"));
        Assert.Equal(
            [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("a\r\nx\r\ny\nc\r\n")],
            _bench.Bytes("utf16.txt")
        );
        Assert.Equal([(byte)'a', 0xE4, .. "\r\nx\r\ny"u8, 0xFF], _bench.Bytes("latin.txt"));
    }

    [Fact]
    public async Task An_empty_old_string_makes_a_file_that_is_known()
    {
        var result = await _bench.EditAsync("new/f.txt", "", "a\nb\n");

        Assert.Equal("Created new/f.txt.", result.Text);
        Assert.True(Assert.IsType<DiffContent>(Assert.Single(result.Display)).IsNew);
        Assert.False((await _bench.EditAsync("new/f.txt", "a", "c")).IsError);
        Assert.Equal("c\nb\n", _bench.Text("new/f.txt"));
    }

    [Fact]
    public async Task The_answer_shows_the_place_and_the_screen_gets_a_patch()
    {
        _bench.Write("f.txt", string.Concat(Enumerable.Range(1, 30).Select(line => $"l{line}\n")));
        await _bench.ReadAsync("f.txt");

        var result = await _bench.EditAsync("f.txt", "l15\n", "x\ny\n");

        Assert.Contains("Lines 11-20 of 31 now:\nl11\nl12\nl13\nl14\nx\ny\nl16\nl17\nl18\nl19", result.Text);
        var diff = Assert.IsType<DiffContent>(Assert.Single(result.Display)).UnifiedDiff;
        Assert.Contains("@@ -12,7 +12,8 @@", diff);
        _bench.Write("p", diff);
        Assert.Equal(0, (await _bench.GitAsync("apply", "-R", "p")).ExitCode);
    }

    [Fact]
    public void The_schema_is_short()
    {
        var tool = new EditTool();
        Assert.InRange(tool.Name.Length + tool.Description.Length + tool.Schema.Length, 1, 450);
    }

    private static string Json(string text) => "\"" + string.Concat(text.Select(character => $"\\u{(int)character:x4}")) + "\"";
}
