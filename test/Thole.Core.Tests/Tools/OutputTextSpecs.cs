using Thole.Core.Tools;

namespace Thole.Core.Tests.Tools;

public sealed class OutputTextSpecs
{
    [Theory]
    [InlineData("")]
    [InlineData("one")]
    [InlineData("one\ntwo\nthree\nfour\n")]
    [InlineData("one\ntwo\nthree\nfour")]
    public void What_fits_is_shown_as_it_is(string text)
    {
        Assert.Equal((text, false), OutputText.HeadAndTail(text, 19, 4));
    }

    [Fact]
    public void Too_many_lines_lose_the_middle_ones()
    {
        var text = string.Concat(Enumerable.Range(1, 100).Select(number => $"{number}\n"));

        var (shown, wasCut) = OutputText.HeadAndTail(text, 10_000, 5);

        Assert.True(wasCut);
        Assert.Equal("1\n2\n[... 278 characters in 95 lines left out ...]\n98\n99\n100\n", shown);
    }

    [Fact]
    public void Too_many_characters_are_cut_at_lines()
    {
        var text = string.Concat(Enumerable.Range(10, 90).Select(number => $"line {number}\n"));

        var (shown, _) = OutputText.HeadAndTail(text, 50, 1000);

        Assert.Equal(
            "line 10\nline 11\nline 12\n[... 672 characters in 84 lines left out ...]\nline 97\nline 98\nline 99\n",
            shown
        );
    }

    [Fact]
    public void A_huge_line_is_cut_inside_but_not_inside_a_character()
    {
        var text = string.Concat(Enumerable.Repeat("😀", 1000));

        var (shown, _) = OutputText.HeadAndTail(text, 10, 1000);

        Assert.Equal("😀😀\n[... 1,992 characters in 1 lines left out ...]\n😀😀", shown);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(50)]
    public void However_small_the_limits_they_hold(int limit)
    {
        var text = "a\n\n\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n\nc\nd\n\n";

        var (byCharacters, _) = OutputText.HeadAndTail(text, limit, 1000);
        var (byLines, _) = OutputText.HeadAndTail(text, 1000, limit);

        Assert.InRange(byCharacters.Length, 0, limit + 60);
        Assert.InRange(byLines.Count(character => character == '\n'), 0, limit + 2);
    }
}
