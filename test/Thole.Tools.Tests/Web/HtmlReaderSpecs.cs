using System.Diagnostics;
using Thole.Tools.Web;

namespace Thole.Tools.Tests.Web;

public sealed class HtmlReaderSpecs
{
    [Theory]
    [InlineData("<h1>A  title</h1><p>One\n two</p><p>three", "# A title\n\nOne two\n\nthree")]
    [InlineData("a <b>b</b> <em>c</em> <code>d</code>", "a **b** *c* `d`")]
    [InlineData("<a href='/x?a=1&amp;b=2'>link</a>", "[link](https://example.com/x?a=1&b=2)")]
    [InlineData("<a href='javascript:x()'>link</a> <a href=#top>up</a>", "link up")]
    [InlineData("<ul><li>a<li>b<ol><li>c</li><li>d</li></ol></ul>end", "- a\n- b\n  1. c\n  2. d\n\nend")]
    [InlineData("<pre><code>if (a &lt; b)\n    x;</code></pre>", "```\nif (a < b)\n    x;\n```")]
    [InlineData("<script>if (a < b) '</p>'</script >x<style>y{}</style><!-- <p>no -->z", "xz")]
    [InlineData("<svg><g><svg></svg><text>no</text></g></svg>yes<noscript>no</noscript>", "yes")]
    [InlineData("<table><tr><th>a</th><th>b</th></tr><tr><td>1<td>2</tr></table>", "| a | b |\n| --- | --- |\n| 1 | 2 |")]
    [InlineData("<blockquote>wise</blockquote>after", "> wise\n\nafter")]
    [InlineData("<img src='https://evil.example/?secret=1' alt='a cat'>", "[image: a cat]")]
    [InlineData("a<br>b<hr>c", "a\nb\n\n---\n\nc")]
    [InlineData("1 < 2 &amp;&amp; 3 > 2 &copy;", "1 < 2 && 3 > 2 ©")]
    [InlineData("<p title='a > b'>text</p", "text")]
    [InlineData("<script>never closed", "")]
    [InlineData("<a href=\"never closed", "")]
    [InlineData("<", "<")]
    [InlineData("</", "</")]
    [InlineData("<!--", "")]
    public void Html_becomes_markdown(string html, string markdown) => Assert.Equal(markdown, Read(html));

    [Fact]
    public void As_text_it_has_no_marks() =>
        Assert.Equal(
            "Title\n\na b\n\n1 2",
            Read("<h1>Title</h1><p>a <a href=/x><b>b</b></a></p><table><tr><td>1</td><td>2</td></tr></table>", isMarkdown: false)
        );

    [Theory]
    [InlineData("<div>")]
    [InlineData("<a href=x>")]
    [InlineData("<ul><li>")]
    [InlineData("<")]
    [InlineData("</")]
    [InlineData("<!--")]
    [InlineData("<a b=\"")]
    [InlineData("&")]
    [InlineData("&#x")]
    [InlineData("<svg>")]
    [InlineData("<script>")]
    [InlineData("<blockquote>x")]
    [InlineData("<td>")]
    public void Hostile_pages_take_linear_time(string piece)
    {
        var html = string.Concat(Enumerable.Repeat(piece, 100_000));
        var watch = Stopwatch.StartNew();
        _ = Read(html);

        // A quadratic reader would take minutes.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), watch.Elapsed.ToString());
    }

    [Fact]
    public void No_page_makes_it_throw()
    {
        const string Seed =
            "<h1>a</h1><p class='x'>b <a href=\"/y\">c</a><ul><li>d</ul><pre>e</pre><table><tr><td>f</td></tr></table><!-- g --></p>";
        var random = new Random(42);
        for (var round = 0; round < 5_000; round++)
        {
            var html = Seed.ToCharArray();
            for (var change = 0; change < 6; change++)
            {
                html[random.Next(html.Length)] = "<>/!-'\"= &;\0a"[random.Next(13)];
            }

            Assert.NotNull(Read(new string(html, 0, random.Next(html.Length))));
        }
    }

    private static string Read(string html, bool isMarkdown = true) =>
        new HtmlReader(html, new Uri("https://example.com/dir/page"), isMarkdown).Read();
}
