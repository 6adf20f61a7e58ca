using System.Text.RegularExpressions;

namespace Thole.Architecture.Tests;

/// <summary>Rules that only the text of a file can break.</summary>
public sealed partial class SourceSpecs
{
    private const int Large = 800;

    /// <summary>The two files where such programs sink: no exceptions.</summary>
    public static TheoryData<string> Hearts { get; } =
    ["src/Thole.Core/Sessions/Session.cs", "src/Thole.Core/Turns/TurnRunner.cs"];

    private static IReadOnlyList<string> Sources { get; } = [.. House.SourceFiles("src", "test", "bench")];

    [Theory]
    [MemberData(nameof(Hearts))]
    public void The_heart_stays_small(string file) => Assert.InRange(House.ReadLines(file).Length, 1, 300);

    [Fact]
    public void A_file_is_large_only_where_the_list_says_why()
    {
        var large = Sources.Where(file => House.ReadLines(file).Length > Large);

        Assert.Equal(large, LargeFiles().Keys.Order(StringComparer.Ordinal)); // a line that is no longer needed goes as well
        Assert.All(LargeFiles().Values, reason => Assert.True(reason.Length > 20));
    }

    [Fact]
    public void S52_how_long_it_takes_to_refuse_a_token_says_nothing_of_those_there_are()
    {
        var lines = House.ReadLines("src/Thole.Core/Access/AccessTokens.cs");
        var look = lines
            .SkipWhile(line => !line.Contains("Identity? Identify(string token)"))
            .TakeWhile(line => line is not "    }");

        Assert.Single(look, line => line.Contains("return", StringComparison.Ordinal)); // all are looked at, whichever fits
        Assert.DoesNotContain(look, line => line.Contains("break", StringComparison.Ordinal) || line.Contains("&&"));
        Assert.Contains(lines, line => line.Contains("bool Fits(string hash) => CryptographicOperations.FixedTimeEquals("));
    }

    [Fact]
    public void There_are_no_regions() => Assert.Empty(LinesWhere(line => line.StartsWith("#region", StringComparison.Ordinal)));

    [Fact]
    public void A_silenced_warning_has_its_reason_beside_it() =>
        Assert.Empty(
            LinesWhere(line =>
                (line.StartsWith("#pragma warning disable", StringComparison.Ordinal) && !Reason().IsMatch(line))
                || (Suppression().IsMatch(line) && !line.Contains("Justification", StringComparison.Ordinal))
            )
        );

    [Fact]
    public void A_project_silences_no_warning() =>
        Assert.Empty(
            Directory
                .EnumerateFiles(House.Root, "*.csproj", SearchOption.AllDirectories)
                .Where(file => File.ReadAllText(file).Contains("NoWarn", StringComparison.Ordinal))
        );

    [Fact]
    public void Every_rule_that_is_off_has_its_reason_above_it()
    {
        var lines = House.ReadLines(".editorconfig");
        var silent = lines.Index().Where(line => IsOff(line.Item)).Select(line => line.Index).ToHashSet();

        Assert.NotEmpty(silent);
        Assert.Empty(
            silent.Where(index => !silent.Contains(index - 1) && !lines[index - 1].StartsWith("# ")).Select(index => lines[index])
        );

        static bool IsOff(string line) => line.Contains(".severity = none", StringComparison.Ordinal);
    }

    private static Dictionary<string, string> LargeFiles() =>
        House
            .ReadLines("eng/large-files.txt")
            .Where(line => line is not ("" or ['#', ..]))
            .Select(line => line.Split(": ", 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);

    private static IEnumerable<string> LinesWhere(Func<string, bool> isWrong) =>
        from file in Sources
        from line in House.ReadLines(file).Index()
        where isWrong(line.Item.TrimStart())
        select $"{file}:{line.Index + 1}: {line.Item.Trim()}";

    [GeneratedRegex(@"//\s*\S.{10,}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Reason();

    [GeneratedRegex(
        @"^\[(assembly: )?(Unconditional)?SuppressMessage\(",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Suppression();
}
