using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Thole.Protocol;

namespace Thole.Tools.Tests;

public sealed class ReadFileToolSpecs : IDisposable
{
    private readonly ToolBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_short_file_is_shown_as_it_is()
    {
        _bench.Write("f.txt", [0xEF, 0xBB, 0xBF, .. "a\r\n  b\r\n"u8]);

        var result = await _bench.ReadAsync("f.txt");

        Assert.Equal("a\n  b\n", result.Text);
        Assert.Null(Assert.IsType<FileSeen>(Assert.Single(result.Facts)).Lines);
    }

    [Fact]
    public async Task A_window_says_what_it_shows_and_counts_only_that_as_seen()
    {
        _bench.Write("f.txt", string.Concat(Enumerable.Range(1, 3000).Select(line => $"l{line}\n")));

        var first = await _bench.ReadAsync("f.txt");
        var middle = await _bench.ReadAsync("f.txt", offset: 2998, limit: 10);

        Assert.StartsWith("Showing lines 1-2000 of 3000 total lines.\n\n---\n\nl1\nl2\n", first.Text);
        Assert.Equal("Showing lines 2999-3000 of 3000 total lines.\n\n---\n\nl2999\nl3000\n", middle.Text);
        Assert.Equal([new LineRange(2999, 3000)], Assert.IsType<FileSeen>(Assert.Single(middle.Facts)).Lines!);
        Assert.Equal(ToolErrors.InvalidArguments, (await _bench.ReadAsync("f.txt", offset: 3000)).Error);
    }

    [Fact]
    public async Task A_window_holds_whole_lines_within_its_limit_of_characters()
    {
        _bench.Write("f.txt", string.Concat(Enumerable.Range(1, 100).Select(_ => new string('x', 999) + "\n")));

        var result = await _bench.ReadAsync("f.txt");

        Assert.StartsWith("Showing lines 1-25 of 100 total lines.", result.Text);
        Assert.InRange(result.Text.Length, 25_000, 25_100);
    }

    [Fact]
    public async Task A_line_that_is_cut_does_not_count_as_seen()
    {
        _bench.Write("f.txt", "a\n" + new string('x', 12_000) + "\nb\n");

        var result = await _bench.ReadAsync("f.txt");

        Assert.Contains("… [line cut: 12000 characters]\nb\n", result.Text);
        Assert.Equal([new(1, 1), new(3, 3)], Assert.IsType<FileSeen>(Assert.Single(result.Facts)).Lines!);
        Assert.Equal(ToolErrors.RequiresRead, (await _bench.WriteFileAsync("f.txt", "x")).Error);
    }

    [Fact]
    public async Task A_file_too_long_to_hold_is_read_by_windows_and_not_edited()
    {
        var line = Encoding.UTF8.GetBytes(new string('ä', 499) + "\n");
        await using (var file = File.Create(_bench.PathOf("big.txt")))
        {
            for (var count = 0; count < 34_000; count++)
            {
                await file.WriteAsync(line, TestContext.Current.CancellationToken);
            }
        }

        var result = await _bench.ReadAsync("big.txt", offset: 33_990, limit: 5);
        var full = await _bench.ReadAsync("big.txt");

        Assert.StartsWith("Showing lines 33991-33995 of 34000 total lines.\n\n---\n\näää", result.Text);
        Assert.StartsWith("Showing lines 1-50 of 34000 total lines.\n\n---\n\näää", full.Text);
        Assert.Contains("edit cannot change it", result.Text);
        Assert.Empty(result.Facts);
        Assert.Equal(ToolErrors.InvalidArguments, (await _bench.ReadAsync("big.txt", offset: 34_000)).Error);
        Assert.Equal(ToolErrors.FileTooLarge, (await _bench.EditAsync("big.txt", "ä", "b")).Error);
    }

    [Fact]
    public async Task What_is_no_readable_file_is_answered()
    {
        _bench.Write("dir/b.bin", [1, 0, 2]);
        _bench.Write("empty", "");

        Assert.Equal(ToolErrors.FileNotFound, (await _bench.ReadAsync("none")).Error);
        Assert.Equal(ToolErrors.IsDirectory, (await _bench.ReadAsync("dir")).Error);
        Assert.Equal(ToolErrors.ReadFailed, (await _bench.ReadAsync("dir/b.bin")).Error);
        Assert.Equal(ToolErrors.OutsideWorkspace, (await _bench.ReadAsync("../x")).Error);
        Assert.Equal(ToolErrors.InvalidArguments, (await _bench.ReadAsync("empty", pages: "1")).Error);
        Assert.Equal("The file is empty.", (await _bench.ReadAsync("empty")).Text);
    }

    [Theory]
    [InlineData("iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6BAAAAC0lEQVR4nGNgIBIAAAA+AAEA", "image/png", "2 × 3")]
    [InlineData("R0lGODlhBQAGAAAAADs=", "image/gif", "5 × 6")]
    [InlineData("/9j/4AAQSkZJRgABAQAAAQABAAD/wAALCAAHAAkBAREA/9k=", "image/jpeg", "9 × 7")]
    [InlineData("UklGRhYAAABXRUJQVlA4WAoAAAAAAAAACwAADAAAAAAA", "image/webp", "12 × 13")]
    public async Task Images_are_shown_as_images(string base64, string mediaType, string size)
    {
        _bench.Write("image", Convert.FromBase64String(base64));

        var result = await _bench.ReadAsync("image");

        Assert.Equal(mediaType, Assert.Single(result.Images).MediaType);
        Assert.Contains(size, result.Text);
        Assert.Equal(_bench.Bytes("image"), Assert.Single(_bench.Blobs));
    }

    [Fact]
    public async Task Damaged_images_are_refused_wherever_they_end()
    {
        foreach (
            var base64 in (string[])
                [
                    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6B",
                    "R0lGODlhBQAGAAAAADs=",
                    "/9j/4AAQSkZJRgABAQAAAQABAAD/wAALCAAHAAkBAREA/9k=",
                    "UklGRhYAAABXRUJQVlA4WAoAAAAAAAAACwAADAAAAAAA",
                ]
        )
        {
            var whole = Convert.FromBase64String(base64);
            for (var length = 12; length < whole.Length; length++)
            {
                _bench.Write("image", whole[..length]);
                var result = await _bench.ReadAsync("image");
                Assert.True(result.Error is null or ToolErrors.ReadFailed, result.Text);
            }
        }

        _bench.Write("image", Convert.FromBase64String("R0lGODlhBQD//wAAADs="));
        Assert.Equal(ToolErrors.ReadFailed, (await _bench.ReadAsync("image")).Error);
        _bench.Write("image", [.. Convert.FromBase64String("R0lGODlhBQAGAAAAADs="), .. new byte[11_000_000]]);
        Assert.Equal(ToolErrors.FileTooLarge, (await _bench.ReadAsync("image")).Error);
    }

    [Fact]
    public async Task A_notebook_is_shown_as_cells_and_can_still_be_read_as_lines()
    {
        _bench.Write(
            "n.ipynb",
            """
            {"cells":[{"cell_type":"markdown","source":["# Title\n","text"]},
            {"cell_type":"code","source":"1+1","outputs":[{"output_type":"execute_result","data":{"text/plain":["2"],"image/png":"xx"}},
            {"output_type":"error","ename":"ValueError","evalue":"no"},{"output_type":"stream","text":["printed\n"]}]}]}
            """
        );

        var cells = await _bench.ReadAsync("n.ipynb");
        var lines = await _bench.ReadAsync("n.ipynb", offset: 0);

        Assert.Contains("## Cell 1 (markdown)\n# Title\ntext\n", cells.Text);
        Assert.Contains(
            "## Cell 2 (code)\n1+1\n### Output\n2\n[also: image/png]\n### Output\nValueError: no\n### Output\nprinted\n",
            cells.Text
        );
        Assert.Empty(cells.Facts);
        Assert.StartsWith("{\"cells\"", lines.Text);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"cells\":7}")]
    [InlineData("deep")]
    [InlineData("{\"cells\":[{\"source\":\"\\ud800\"}]}")]
    public async Task A_notebook_that_is_none_is_answered(string text)
    {
        _bench.Write("n.ipynb", text is "deep" ? new string('[', 1_000_000) : text);

        Assert.Equal(ToolErrors.NotebookInvalid, (await _bench.ReadAsync("n.ipynb")).Error);
    }

    [Theory]
    [InlineData("{\"cells\":[null,1,\"x\",{\"source\":[1,null]},{\"outputs\":[1,{\"data\":3}]}]}")]
    [InlineData("long")]
    public async Task An_odd_notebook_is_shown_within_bounds(string text)
    {
        _bench.Write(
            "n.ipynb",
            text is "long" ? $$"""{"cells":[{"source":"{{new string('x', 100_000)}}"},{"source":"y"}]}""" : text
        );

        var result = await _bench.ReadAsync("n.ipynb");

        Assert.False(result.IsError, result.Text);
        Assert.InRange(result.Text.Length, 1, 25_200);
    }

    [Fact]
    public async Task Pages_of_a_pdf_are_shown_as_text()
    {
        _bench.Write("d.pdf", Pdf(30));

        var first = await _bench.ReadAsync("d.pdf");
        var some = await _bench.ReadAsync("d.pdf", pages: "2-3");

        Assert.StartsWith("PDF with 30 pages, showing pages 1-20.\n\n--- Page 1 ---\nHello page 1\nsecond line\n", first.Text);
        Assert.Equal(
            "PDF with 30 pages, showing pages 2-3.\n\n--- Page 2 ---\nHello page 2\nsecond line\n\n--- Page 3 ---\nHello page 3\nsecond line\n",
            some.Text
        );
        foreach (var pages in (string[])["0", "3-", "5-3", "1-21", "x", "1-2-3", "31", "-1"])
        {
            Assert.Equal(ToolErrors.InvalidArguments, (await _bench.ReadAsync("d.pdf", pages: pages)).Error);
        }
    }

    [Fact]
    public async Task Compressed_objects_predictors_and_tables_to_unicode_are_understood()
    {
        const string Map = "1 beginbfchar <0001> <00480069> endbfchar 1 beginbfrange <0002> <0003> <0041> endbfrange";
        var objects =
            "1 0 2 36 3 90 <</Type/Catalog/Pages 2 0 R       >> <</Type/Pages/Kids[3 0 R]/Count 1/Resources 9 0 R>>     <</Type/Page/Parent 2 0 R/Contents 5 0 R>>";
        var first = objects.IndexOf("<<", StringComparison.Ordinal);
        var second = objects.IndexOf("<</Type/Pages", StringComparison.Ordinal) - first;
        var third = objects.IndexOf("<</Type/Page/", StringComparison.Ordinal) - first;
        var header = $"1 0 2 {second} 3 {third} ";
        var body = header + objects[first..];
        var content = "BT /F 10 Tf 1 0 0 1 50 700 Tm <000100020003> Tj ET"u8.ToArray();
        byte[] predicted =
        [
            .. content.Chunk(10).SelectMany(row => new byte[] { 0 }.Concat(row.Concat(new byte[10 - row.Length]))),
        ];
        var pdf = new MemoryStream();
        pdf.Write("%PDF-1.5\n"u8);
        Add(4, $"/Type/ObjStm/N 3/First {header.Length}/Filter/FlateDecode", Zip(Encoding.Latin1.GetBytes(body)));
        Add(5, "/Filter[/FlateDecode]/DecodeParms[<</Predictor 15/Columns 10>>]", Zip(predicted));
        Add(7, "", Encoding.Latin1.GetBytes(Map));
        pdf.Write("8 0 obj <</Type/Font/Subtype/Type0/ToUnicode 7 0 R>> endobj 9 0 obj <</Font<</F 8 0 R>>>> endobj "u8);
        Add(10, "/Type/XRef/Root 1 0 R", []);
        _bench.Write("d.pdf", pdf.ToArray());

        Assert.EndsWith("--- Page 1 ---\nHiAB\n", (await _bench.ReadAsync("d.pdf")).Text);

        void Add(int number, string entries, byte[] data) =>
            pdf.Write([
                .. Encoding.Latin1.GetBytes($"{number} 0 obj <<{entries}/Length {data.Length}>>stream\n"),
                .. data,
                .. "\nendstream endobj\n"u8,
            ]);
    }

    [Fact]
    public async Task A_cut_or_damaged_pdf_is_answered()
    {
        var random = new Random(3);
        var whole = Pdf(2);
        for (var round = 0; round < 300; round++)
        {
            byte[] damaged = round < 150 ? whole[..(whole.Length * round / 150)] : [.. whole];
            for (var flips = 0; round >= 150 && flips < 10; flips++)
            {
                damaged[random.Next(8, damaged.Length)] = (byte)random.Next(256);
            }

            _bench.Write("d.pdf", damaged);
            var result = await _bench.ReadAsync("d.pdf");
            Assert.True(result.Error is null or ToolErrors.ReadFailed, result.Text);
        }
    }

    [Theory]
    [InlineData("/X [[[[", 1_000_000)]
    [InlineData("/X <</A", 500_000)]
    [InlineData(" 1 0 obj [ 1 0 obj <<", 300_000)]
    [InlineData("/Kids[2 0 R 3 0 R]", 1)]
    [InlineData("/Contents[4 0 R 4 0 R 4 0 R]", 1000)]
    public async Task A_hostile_pdf_is_answered_soon(string entry, int times)
    {
        var page = string.Concat(Enumerable.Repeat(entry, times));
        _bench.Write(
            "d.pdf",
            Document(page, Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("/F Do /F Do [[[[ ", 1000))))
        );
        var start = Stopwatch.GetTimestamp();

        var result = await _bench.ReadAsync("d.pdf");

        Assert.True(result.Error is null or ToolErrors.ReadFailed or ToolErrors.FileTooLarge, result.Text);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_bomb_and_a_locked_pdf_are_refused()
    {
        _bench.Write("bomb.pdf", Document("", Zip(new byte[200_000_000]), "/Filter/FlateDecode"));
        _bench.Write("locked.pdf", [.. Pdf(1), .. "\ntrailer <</Encrypt 9 0 R>>"u8]);

        Assert.Equal(ToolErrors.FileTooLarge, (await _bench.ReadAsync("bomb.pdf")).Error);
        var locked = await _bench.ReadAsync("locked.pdf");
        Assert.Equal(ToolErrors.ReadFailed, locked.Error);
        Assert.Contains("encrypted", locked.Text);
    }

    [Fact]
    public void The_schema_is_short_and_the_call_says_what_it_touches()
    {
        var tool = new ReadFileTool();
        var preparation = tool.Prepare(
            new ToolCall(new CallId("1"), tool.Name, """{"file_path":"src/../a.txt"}"""),
            _bench.Context
        );

        Assert.InRange(tool.Name.Length + tool.Description.Length + tool.Schema.Length, 1, 500);
        Assert.Equal(("Read a.txt", "a.txt"), (preparation.Title, preparation.Subject));
        Assert.Equal([Core.Tools.Touch.Read(_bench.Workspace.Resolve("a.txt"))], preparation.Touches);
    }

    private static byte[] Pdf(int pages)
    {
        var pdf = new StringBuilder("%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[");
        pdf.Append(string.Join(' ', Enumerable.Range(0, pages).Select(page => $"{10 + page * 2} 0 R")))
            .Append("]/Resources<</Font<</F1 3 0 R>>>>>>\nendobj\n");
        pdf.Append("3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n");
        for (var page = 0; page < pages; page++)
        {
            var content = $"BT /F1 12 Tf 50 700 Td [(Hel) 20 (lo) -400 (p\\141ge {page + 1})] TJ 0 -14 Td (second line) Tj ET";
            pdf.Append($"{10 + page * 2} 0 obj\n<</Type/Page/Parent 2 0 R/Contents {11 + page * 2} 0 R>>\nendobj\n");
            pdf.Append($"{11 + page * 2} 0 obj\n<</Length {content.Length}>>\nstream\n{content}\nendstream\nendobj\n");
        }

        return Encoding.Latin1.GetBytes(pdf.Append("trailer\n<</Root 1 0 R>>\n%%EOF\n").ToString());
    }

    // One page, whose form calls itself.
    private static byte[] Document(string pageEntry, byte[] content, string filter = "") =>
        [
            .. Encoding.Latin1.GetBytes(
                "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Kids[3 0 R]>> endobj 3 0 obj <</Type/Page/Parent 2 0 R"
                    + $"/Contents 4 0 R/Resources<</XObject<</F 4 0 R>>>>{pageEntry}>> endobj trailer <</Root 1 0 R>> "
                    + $"4 0 obj <</Type/XObject/Subtype/Form{filter}/Length {content.Length}>>stream\n"
            ),
            .. content,
            .. "\nendstream endobj\n"u8,
        ];

    private static byte[] Zip(byte[] bytes)
    {
        var zipped = new MemoryStream();
        using (var zlib = new ZLibStream(zipped, CompressionLevel.Fastest))
        {
            zlib.Write(bytes);
        }

        return zipped.ToArray();
    }
}
