using Thole.Core.Routing;
using Thole.Core.Tools;
using Thole.Core.Workspaces;

namespace Thole.Core.Tests.Routing;

public sealed class PathRuleSpecs
{
    private const string Root = "/home/anna/app";

    [Theory]
    [InlineData("private", "private", true)]
    [InlineData("private", "private/a.cs", true)]
    [InlineData("private/", "private/deep/a.cs", true)]
    [InlineData("private/**", "private", true)]
    [InlineData("./private/**", "private/a.cs", true)]
    [InlineData("private", "privateer/a.cs", false)]
    [InlineData("private", "src/private/a.cs", false)]
    [InlineData("**/private", "src/private/a.cs", true)]
    [InlineData("**/*.secret", "src/a.secret", true)]
    [InlineData("**/*.secret", "src/a.cs", false)]
    [InlineData("private", "/elsewhere/private/a.cs", false)]
    [InlineData("/srv/data", "/srv/data/a.csv", true)]
    [InlineData("/srv/data", "/srv/database/a.csv", false)]
    [InlineData("/home/anna/app/private", "private/a.cs", true)]
    [InlineData("~/secret", "/home/me/secret/a.cs", true)]
    // A folder that is searched is read; a folder that is listed says names.
    [InlineData("private", "./**", true)]
    [InlineData("private/inner", "private/**", true)]
    [InlineData("private", "src/**", false)]
    [InlineData("**/*.secret", "src/**", true)]
    [InlineData("private", "*", false)]
    [InlineData("private/inner", "private/*", false)]
    [InlineData("private", "private/*", true)]
    [InlineData("/home/anna/app/private", "./**", true)]
    [InlineData("/srv/data", "./**", false)]
    public void A_rule_covers_what_lies_in_it_and_what_may_have_reached_into_it(string pattern, string touched, bool covers)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the paths are written as they are elsewhere");
        var rule = PathRule.Parse(pattern, "/home/me");

        Assert.Equal(covers, rule.Covers(Root, touched, guesses: true));
        Assert.Equal(covers, rule.Covers(Root, touched, guesses: false));
    }

    [Fact]
    public void A_command_that_may_have_touched_anything_counts_where_it_must()
    {
        var rule = PathRule.Parse("private", home: null);

        Assert.True(rule.Covers(Root, Touch.Anything.Describe(Root), guesses: true));
        Assert.False(rule.Covers(Root, Touch.Anything.Describe(Root), guesses: false));
    }

    [Fact]
    public void A_workspace_within_it_is_covered_whole()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the paths are written as they are elsewhere");

        Assert.True(PathRule.Parse("/home/anna", home: null).CoversRoot(Root));
        Assert.True(PathRule.Parse("/home/anna/app", home: null).CoversRoot(Root));
        Assert.False(PathRule.Parse("/home/anna/app/private", home: null).CoversRoot(Root));
        Assert.False(PathRule.Parse("app", home: null).CoversRoot(Root));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData(".")]
    [InlineData("**")]
    [InlineData("../other")]
    [InlineData("a/../..")]
    [InlineData("[")]
    public void What_names_no_folder_is_refused(string pattern) =>
        Assert.Throws<FormatException>(() => PathRule.Parse(pattern, "/home/me"));

    [Theory]
    [InlineData("src", "src", "src/*", "src/**")]
    [InlineData("", ".", "*", "./**")]
    public void A_touch_is_written_from_the_workspace(string relative, string itself, string names, string below)
    {
        var path = new WorkspacePath(Root, relative);

        Assert.Equal(
            [itself, names, below],
            new[] { Touch.Read(path), Touch.Names(path), Touch.ReadBelow(path) }.Select(touch => touch.Describe(Root))
        );
        Assert.Equal("/elsewhere/a.cs", Touch.Read(new WorkspacePath("/elsewhere", "a.cs")).Describe(Root));
    }
}
