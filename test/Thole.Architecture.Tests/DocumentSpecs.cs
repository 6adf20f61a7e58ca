using System.Text.RegularExpressions;

namespace Thole.Architecture.Tests;

/// <summary>What the documents name is there.</summary>
public sealed partial class DocumentSpecs
{
    [Fact]
    public void Every_spec_that_a_promise_names_exists()
    {
        var specs = Directory
            .EnumerateFiles(Path.Combine(House.Root, "test"), "*Specs.cs", SearchOption.AllDirectories)
            .Select(Path.GetFileNameWithoutExtension)
            .ToHashSet();

        var named = SpecName
            .Matches(File.ReadAllText(Path.Combine(House.Root, "docs/promises.md")))
            .Select(match => match.Value)
            .ToArray();

        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, specs));
    }

    [Fact]
    public void Every_link_between_documents_leads_to_a_file()
    {
        string[] documents =
        [
            .. Directory.EnumerateFiles(Path.Combine(House.Root, "."), "*.md"),
            .. Directory.EnumerateFiles(Path.Combine(House.Root, "docs"), "*.md", SearchOption.AllDirectories),
            Path.Combine(House.Root, "bench/README.md"),
        ];

        Assert.All(
            documents,
            document =>
                Assert.All(
                    Link.Matches(File.ReadAllText(document)).Select(match => match.Groups["target"].Value),
                    target =>
                        Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, target)), $"{document}: {target}")
                )
        );
    }

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+Specs\b", RegexOptions.NonBacktracking)]
    private static partial Regex SpecName { get; }

    [GeneratedRegex(@"\]\((?<target>[^)#:]+)\)", RegexOptions.NonBacktracking)]
    private static partial Regex Link { get; }
}
