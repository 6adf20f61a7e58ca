using System.Text;
using Thole.Core.Workspaces;

namespace Thole.Core.Tests.Workspaces;

public sealed class TextFileSpecs
{
    [Fact]
    public void Whatever_is_text_goes_back_to_the_same_bytes()
    {
        var random = new Random(4711);
        var texts = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = RandomBytes(random);
            if (TextFile.Decode(bytes) is { } file)
            {
                texts++;
                Assert.Equal(bytes, file.EncodeRaw(file.Raw));
                Assert.Equal(bytes, file.EncodeRaw(file.Rewrite(file.Text)));
                Assert.DoesNotContain("\r\n", file.Raw.Length == file.Text.Length ? file.Raw : "", StringComparison.Ordinal);
            }
        }

        Assert.True(texts > 5000, $"only {texts} were text");
    }

    [Fact]
    public void An_edit_of_random_text_keeps_every_byte_around_it()
    {
        var random = new Random(815);
        var edited = 0;
        for (var round = 0; round < 5000; round++)
        {
            var bytes = RandomBytes(random);
            if (TextFile.Decode(bytes) is not { Text.Length: > 0 } file)
            {
                continue;
            }

            var lines = LineSpans.Split(file.Raw);
            var line = random.Next(lines.Count);
            var start = LineSpans.Split(file.Text).Take(line).Sum(text => text.Length);
            var raw = file.Replace([new TextChange(start, 0, "NEW")]);
            lines[line] = "NEW" + lines[line];
            Assert.Equal(string.Concat(lines), raw);
            edited++;
        }

        Assert.True(edited > 1000, $"only {edited} were edited");
    }

    [Theory]
    [InlineData("utf-8", true)]
    [InlineData("utf-8", false)]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-32", true)]
    [InlineData("utf-32BE", true)]
    public void Encoding_and_mark_are_kept(string name, bool marked)
    {
        var encoding = Encoding.GetEncoding(name);
        byte[] Bytes(string text) => [.. marked ? encoding.GetPreamble() : [], .. encoding.GetBytes(text)];

        var file = TextFile.Decode(Bytes("grün\r\n日本\r\n"))!;

        Assert.Equal("grün\n日本\n", file.Text);
        Assert.Equal(Bytes("grün\r\nneu €\r\n日本\r\n"), file.EncodeRaw(file.Rewrite("grün\nneu €\n日本\n")));
    }

    [Fact]
    public void Legacy_bytes_survive_an_edit_and_new_characters_that_they_cannot_hold_are_refused()
    {
        byte[] bytes = [.. "x = 1\n"u8, 0xC4, 0xE3, 0xBA, 0xC3, (byte)'\n'];
        var file = TextFile.Decode(bytes)!;

        Assert.True(file.IsLegacy);
        Assert.Equal(
            [.. "x = 2\n"u8, 0xC4, 0xE3, 0xBA, 0xC3, (byte)'\n'],
            file.EncodeRaw(file.Replace([new TextChange(4, 1, "2")]))
        );
        var refused = Assert.Throws<WorkspaceException>(() => file.EncodeRaw("€"));
        Assert.Contains("convert the file to UTF-8", refused.Message);
        Assert.Contains("surrogate", Assert.Throws<WorkspaceException>(() => TextFile.Encode("\ud800")).Message);
    }

    [Fact]
    public void Untouched_lines_of_a_mixed_file_keep_their_own_endings()
    {
        var file = TextFile.Decode("a\r\nb\nc\r\nd\ne\r\n"u8.ToArray())!;

        Assert.Equal("\r\n", file.NewLine);
        Assert.Equal("a\r\nb\nX\r\nY\r\nd\ne\r\n", file.Replace([new TextChange(4, 2, "X\nY\n")]));
        Assert.Equal("a\r\nb\nX\r\nd\ne\r\n", file.Replace([new TextChange(0, 10, "a\nb\nX\nd\ne\n")]));
        Assert.Equal("a\r\nb\nc\r\nd\nnew\r\ne", file.Rewrite("a\nb\nc\nd\nnew\ne"));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("a", 1)]
    [InlineData("a\n", 1)]
    [InlineData("a\n\n", 2)]
    [InlineData("\r\na", 2)]
    public void Lines_are_counted_as_people_do(string text, int lines) =>
        Assert.Equal(lines, TextFile.Decode(Encoding.UTF8.GetBytes(text))!.LineCount);

    [Theory]
    [InlineData(new byte[] { 1, 0, 2 })]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x00, 0xD8, 0x00 })]
    [InlineData(new byte[] { 0x80, 1, 2, 3, 4, 5, 6, 7 })]
    public void Bytes_that_are_no_text_are_said_to_be_none(byte[] bytes) => Assert.Null(TextFile.Decode(bytes));

    [Fact]
    public void The_hash_is_the_sha256_of_the_bytes_in_lower_case() =>
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", TextFile.Decode([])!.Hash);

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(60)];
        if (random.Next(3) == 0)
        {
            random.NextBytes(bytes);
            return bytes;
        }

        byte[] letters =
        [
            (byte)'a',
            (byte)'b',
            (byte)'\n',
            (byte)'\r',
            (byte)'\n',
            0xC3,
            0xA4,
            0xE9,
            0xFF,
            0xFE,
            0xEF,
            0xBB,
            0xBF,
        ];
        byte[][] starts =
        [
            [],
            [],
            [0xEF, 0xBB, 0xBF],
            [0xFF, 0xFE],
            [0xFE, 0xFF],
            [0xFF, 0xFE, 0, 0],
        ];
        return [.. starts[random.Next(starts.Length)], .. random.GetItems(letters, bytes.Length)];
    }
}
