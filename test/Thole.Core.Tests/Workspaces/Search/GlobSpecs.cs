using System.Text;
using System.Text.Json;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces.Search;

public sealed class GlobSpecs
{
    [Theory]
    [InlineData("*.cs", "a.cs", true)]
    [InlineData("*.cs", "b/a.cs", false)]
    [InlineData("**/*.cs", "a.cs", true)]
    [InlineData("**/*.{cs,fs}", "b/c/a.fs", true)]
    [InlineData("src/{a,b{1,2}}/?.cs", "src/b2/x.cs", true)]
    [InlineData("src/{a,b{1,2}}/?.cs", "src/b3/x.cs", false)]
    [InlineData("[a-c]*", "beta", true)]
    [InlineData("src/", "src/a/b", true)]
    [InlineData("{a", "{a", true)]
    [InlineData("./a", "a", true)]
    public void A_pattern_matches_the_whole_path(string pattern, string path, bool isMatch) =>
        Assert.Equal(isMatch, Glob.Parse(pattern, anywhere: false).IsMatch(Encoding.UTF8.GetBytes(path)));

    [Theory]
    [InlineData("*.cs", "b/a.cs", true)]
    [InlineData("!*.cs", "b/a.cs", false)]
    [InlineData("!*.cs", "b/a.ts", true)]
    [InlineData("src/*.cs", "b/src/a.cs", false)]
    public void As_a_filter_a_name_matches_at_any_depth(string pattern, string path, bool isMatch) =>
        Assert.Equal(isMatch, Glob.Parse(pattern, anywhere: true).IsMatch(Encoding.UTF8.GetBytes(path)));

    [Theory]
    [InlineData("")]
    [InlineData("[a")]
    [InlineData("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")]
    public void What_cannot_be_meant_is_refused(string pattern) =>
        Assert.Throws<WorkspaceException>(() => Glob.Parse(pattern, anywhere: false));

    [Fact]
    public void Hostile_patterns_are_refused_or_linear()
    {
        var file = Path.Join(Acceptance.Folder, "attacks", "dictionaries.json");
        Assert.SkipUnless(File.Exists(file), "needs attacks/dictionaries.json of the acceptance data: set THOLE_ACCEPTANCE");
        using var dictionaries = JsonDocument.Parse(File.ReadAllBytes(file));
        foreach (var input in dictionaries.RootElement.GetProperty("redos_inputs").EnumerateArray())
        {
            var whole = input.GetString()!;
            Assert.Throws<WorkspaceException>(() => Glob.Parse(whole, anywhere: false));
            Assert.Throws<WorkspaceException>(() => LinePattern.Parse(whole, ignoreCase: true));

            // As a text it meets patterns that would backtrack.
            var text = Encoding.UTF8.GetBytes(whole);
            Assert.False(Wildmatch.Compile("**/*a*a*a*a*a*a*a*a*a*\x01"u8, ignoreCase: true)!.IsMatch(text));
            Assert.DoesNotMatch(LinePattern.Parse(@"(\w+\s?)*\x01", ignoreCase: true).Regex!, whole);
            foreach (var length in (int[])[1000, 4000])
            {
                try
                {
                    _ = Glob.Parse(whole[..length], anywhere: false).IsMatch(text);
                }
                catch (WorkspaceException)
                {
                    // Refused is as good an end as any.
                }
            }
        }
    }
}
