using System.Text;
using System.Text.Json;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Protocol;

public sealed class TerminalTextSpecs
{
    [Theory]
    [InlineData("\e[2J", @"\e[2J")]
    [InlineData("a\u0007b", @"a\u0007b")]
    [InlineData("\u009b2J", @"\u009b2J")]
    [InlineData("\u007f", @"\u007f")]
    [InlineData("\u202eevil", @"\u202eevil")]
    [InlineData("a\u200bb", @"a\u200bb")]
    [InlineData("a\u2028b", @"a\u2028b")]
    [InlineData("x\U000E0041y", @"x\U000e0041y")]
    [InlineData("old\rnew", @"old\rnew")]
    [InlineData("one\r\ntwo\r\n", "one\ntwo\n")]
    [InlineData("one\ttwo\nthree", "one\ttwo\nthree")]
    [InlineData("\r\r\n", "\\r\n")]
    [InlineData("end\r", @"end\r")]
    public void What_commands_or_hides_is_spelled_out(string text, string shown) =>
        Assert.Equal(shown, TerminalText.Escape(text));

    [Fact]
    public void A_lone_surrogate_is_spelled_out()
    {
        Assert.Equal(@"a\ud800b", TerminalText.Escape("a\ud800b"));
        Assert.Equal(@"\udc00", TerminalText.Escape("\udc00"));
        Assert.Equal(@"\ud800", TerminalText.Escape("\ud800"));
    }

    [Fact]
    public void A_line_stays_one_line() => Assert.Equal(@"a\r\nb\nc" + "\t", TerminalText.EscapeLine("a\r\nb\nc\t"));

    [Theory]
    [InlineData("")]
    [InlineData("plain text, äöü, 日本語, 🎉, ❤\ufe0f\n\tand tabs")]
    public void Clean_text_is_returned_as_it_is(string text)
    {
        Assert.Same(text, TerminalText.Escape(text));
        var before = GC.GetAllocatedBytesForCurrentThread();
        _ = TerminalText.Escape(text);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Invisible_characters_can_be_dropped_and_counted()
    {
        Assert.Equal("paint", TerminalText.WithoutInvisible("p\u200bai\u202en\U000E0041t\ufeff", out var removed));
        Assert.Equal(4, removed);
        const string Clean = "as it is\r\n";
        Assert.Same(Clean, TerminalText.WithoutInvisible(Clean, out removed));
        Assert.Equal(0, removed);
    }

    [Fact]
    public void No_known_attack_reaches_the_terminal()
    {
        foreach (var attack in Attacks("terminal_escapes_neutralise"))
        {
            Assert.DoesNotContain(TerminalText.Escape(attack), static c => char.IsControl(c) && c is not ('\n' or '\t'));
            Assert.DoesNotContain(TerminalText.EscapeLine(attack), static c => char.IsControl(c) && c is not '\t');
        }
    }

    [Fact]
    public void No_known_hidden_character_stays_hidden()
    {
        // A letter of another script is visible; host names show it as punycode (PageAddressSpecs).
        foreach (
            var attack in Attacks("unicode_flag_or_strip")
                .Where(static text => !text.All(char.IsLetter) || text.Any(static c => c == '\u115f'))
        )
        {
            Assert.NotEqual(attack, TerminalText.Escape(attack));
        }
    }

    [Fact]
    public void Any_text_ends_up_without_controls_and_in_linear_time()
    {
        var random = new Random(7);
        for (var round = 0; round < 2_000; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(40)).Select(_ => (char)random.Next(random.Next(2) == 0 ? 0x100 : 0x10000))
            );
            var shown = TerminalText.EscapeLine(text);
            Assert.DoesNotContain(shown.EnumerateRunes(), static rune => TerminalText.IsInvisible(rune));
            Assert.DoesNotContain(shown, static c => char.IsControl(c) && c is not '\t');
            Assert.Same(shown, TerminalText.EscapeLine(shown));
        }

        Assert.Equal(6_000_000, TerminalText.Escape(new string('\u202e', 1_000_000)).Length);
    }

    private static IEnumerable<string> Attacks(string name)
    {
        Assert.SkipUnless(Acceptance.Folder is not null, "needs the acceptance data: set THOLE_ACCEPTANCE");

        using var all = JsonDocument.Parse(File.ReadAllText(Path.Join(Acceptance.Folder, "attacks", "dictionaries.json")));
        return [.. all.RootElement.GetProperty(name).EnumerateArray().Select(static attack => attack.GetString()!)];
    }
}
