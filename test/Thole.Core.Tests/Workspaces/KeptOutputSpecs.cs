using System.Text;
using Thole.Core.Workspaces;

namespace Thole.Core.Tests.Workspaces;

public sealed class KeptOutputSpecs
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Head_and_tail_are_kept_however_it_came(int piece)
    {
        var printed = string.Concat(Enumerable.Range(0, 100).Select(number => $"{number:00}"));
        var output = new KeptOutput(headLimit: 10, tailLimit: 8);
        foreach (var chunk in printed.Chunk(piece))
        {
            output.Append(Encoding.UTF8.GetBytes(chunk));
        }

        Assert.Equal("0001020304\n[... 182 bytes were printed here and not kept ...]\n96979899", output.Text());
        Assert.Equal(200, output.Total);
    }

    [Theory]
    [InlineData(18)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(0)]
    public void What_fits_is_kept_whole(int length)
    {
        var output = new KeptOutput(headLimit: 10, tailLimit: 8);
        output.Append(Encoding.UTF8.GetBytes(new string('x', length)));

        Assert.Equal(new string('x', length), output.Text());
    }

    [Fact]
    public void A_character_is_not_cut_at_the_gap()
    {
        var output = new KeptOutput(headLimit: 10, tailLimit: 8);
        output.Append(Encoding.UTF8.GetBytes(new string('漢', 20)));

        Assert.Equal("漢漢漢\n[... 42 bytes were printed here and not kept ...]\n漢漢", output.Text());
    }

    [Fact]
    public void Each_read_goes_on_where_the_last_one_ended()
    {
        var output = new KeptOutput(headLimit: 10, tailLimit: 8);
        output.Append("abc"u8);
        Assert.Equal("abc", output.ReadNew(100, isEnded: false));
        output.Append([0xE6, 0xBC]);
        Assert.Equal("", output.ReadNew(100, isEnded: false));
        output.Append([0xA2]);
        Assert.Equal("漢", output.ReadNew(100, isEnded: false));
        output.Append([0xE6]);
        Assert.Equal("\uFFFD", output.ReadNew(100, isEnded: true));
        Assert.Equal("", output.ReadNew(100, isEnded: true));
    }

    [Fact]
    public void A_read_shows_the_newest_and_says_what_it_leaves_out()
    {
        var output = new KeptOutput(headLimit: 10, tailLimit: 8);
        output.Append("0123456789abcdefghij"u8);

        Assert.Equal("[... 16 bytes before this are not shown ...]\nghij", output.ReadNew(4, isEnded: false));
        output.Append("klmnopqrstuvwxyz"u8);
        Assert.Equal("[... 8 bytes before this are not shown ...]\nstuvwxyz", output.ReadNew(100, isEnded: false));
    }
}
