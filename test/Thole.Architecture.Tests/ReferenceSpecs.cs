using System.Xml.Linq;

namespace Thole.Architecture.Tests;

/// <summary>Who may reference whom. Doors see the runtime through the protocol; only the front hall knows everybody.</summary>
public sealed class ReferenceSpecs
{
    private static readonly Dictionary<string, string[]> s_mayReference = new()
    {
        ["Thole.Protocol"] = [],
        ["Thole.Wire"] = ["Thole.Protocol"],
        ["Thole.Core"] = ["Thole.Protocol"],
        ["Thole.Client"] = ["Thole.Protocol", "Thole.Wire"],
        ["Thole.Providers"] = ["Thole.Core", "Thole.Wire"],
        ["Thole.Extensions.AI"] = ["Thole.Core", "Thole.Providers"],
        ["Thole.Tools"] = ["Thole.Core"],
        ["Thole.Server"] = ["Thole.Protocol", "Thole.Wire"],
        ["Thole.Acp"] = ["Thole.Protocol", "Thole.Wire"],
        ["Thole.Tui"] = ["Thole.Protocol"],
        ["Thole.Cli"] =
        [
            "Thole.Acp",
            "Thole.Client",
            "Thole.Core",
            "Thole.Protocol",
            "Thole.Providers",
            "Thole.Server",
            "Thole.Tools",
            "Thole.Tui",
            "Thole.Wire",
        ],
    };

    /// <summary>Every package is code of others inside our process: it is named here, with the project that needs it.</summary>
    private static readonly Dictionary<string, string[]> s_mayUse = new()
    {
        ["Thole.Core"] = ["Microsoft.Extensions.Logging.Abstractions", "SQLitePCLRaw.bundle_e_sqlite3"],
        ["Thole.Cli"] = ["System.CommandLine"],
        ["Thole.Extensions.AI"] = ["Microsoft.Extensions.AI.Abstractions"],
    };

    /// <summary>The web server comes with .NET; only its door may know it.</summary>
    private static readonly Dictionary<string, string[]> s_mayReachInto = new()
    {
        ["Thole.Server"] = ["Microsoft.AspNetCore.App"],
    };

    public static TheoryData<string> Projects { get; } = [.. House.Projects("src")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_what_it_may_and_nothing_else(string project)
    {
        Assert.True(s_mayReference.ContainsKey(project), $"{project} is new: give it a line in the table above.");
        Assert.Empty(Included(project, "ProjectReference").Select(NameOfProject).Except(s_mayReference[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_the_packages_it_may_and_no_others(string project) =>
        Assert.Empty(Included(project, "PackageReference").Except(s_mayUse.GetValueOrDefault(project, [])));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_reaches_into_no_framework_but_the_base_one(string project) =>
        Assert.Empty(Included(project, "FrameworkReference").Except(s_mayReachInto.GetValueOrDefault(project, [])));

    [Fact]
    public void The_solution_names_every_project()
    {
        var named = XDocument
            .Load(Path.Combine(House.Root, "Thole.slnx"))
            .Descendants("Project")
            .Select(project => NameOfProject((string)project.Attribute("Path")!));

        Assert.Equal(
            House.Projects("src").Concat(House.Projects("test")).Concat(House.Projects("bench")).Order(StringComparer.Ordinal),
            named.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file()
    {
        var versioned = House
            .Projects("src")
            .Concat(House.Projects("test"))
            .Concat(House.Projects("bench"))
            .Where(project =>
                Load(project).Descendants("PackageReference").Any(package => package.Attribute("Version") is not null)
            );

        Assert.Empty(versioned);
    }

    private static IEnumerable<string> Included(string project, string element) =>
        Load(project).Descendants(element).Select(reference => (string)reference.Attribute("Include")!);

    private static XDocument Load(string project) =>
        XDocument.Load(Directory.EnumerateFiles(House.Root, $"{project}.csproj", SearchOption.AllDirectories).First());

    private static string NameOfProject(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
}
