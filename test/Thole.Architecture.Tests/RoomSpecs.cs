using System.Text.RegularExpressions;

namespace Thole.Architecture.Tests;

/// <summary>A room is a folder is a namespace, and inside the core not every room knows every other.</summary>
public sealed partial class RoomSpecs
{
    /// <summary>
    /// Whom a room of the core may know. Only Sessions writes, so nobody knows it; the loop is closed, so nobody but Sessions
    /// knows Turns.
    /// </summary>
    private static readonly Dictionary<string, string[]> s_mayKnow = new()
    {
        ["Log"] = [],
        ["Models"] = [],
        ["Workspaces"] = ["Log"],
        ["Routing"] = ["Models", "Workspaces"],
        ["Access"] = ["Log", "Workspaces"],
        ["Tools"] = ["Log", "Models", "Workspaces"],
        ["Permissions"] = ["Tools", "Workspaces"],
        ["Hooks"] = ["Tools", "Workspaces"],
        ["Inventory"] = ["Context", "Models", "Tools", "Workspaces"],
        ["Context"] = ["Log", "Models", "Tools", "Workspaces"],
        ["Budgets"] = ["Context", "Log", "Models"],
        ["Turns"] = ["Context", "Hooks", "Log", "Models", "Permissions", "Routing", "Tools", "Workspaces"],
        ["Sessions"] = ["", "Context", "Hooks", "Log", "Models", "Permissions", "Routing", "Tools", "Turns", "Workspaces"],
        // The JSON form of snapshots: the one file at the root, because a generated context names the types of many rooms.
        [""] = ["Context", "Log", "Models", "Permissions", "Sessions", "Tools", "Turns", "Workspaces"],
    };

    /// <summary>Each of these would be a circle; the reason stands above its line in the table.</summary>
    private static readonly HashSet<(string From, string To)> s_namedCircles = [("", "Sessions"), ("Sessions", "")];

    private static IReadOnlyList<(string From, string To, string Where)> Knowledge { get; } =
    [
        .. from type in House.Core.GetTypes()
        let room = Room(type)
        where room is not null
        from known in CodeReader.TypesIn(type)
        where known.Assembly == House.Core
        let other = Room(known)
        where other is not null && other != room
        select (room, other, $"{type.FullName} knows {known.FullName}"),
    ];

    [Fact]
    public void A_room_of_the_core_knows_only_those_it_may()
    {
        Assert.Contains(Knowledge, edge => edge is { From: "Sessions", To: "Turns" }); // else the reading of the code is broken
        Assert.Empty(
            Knowledge
                .Where(edge => !s_mayKnow.GetValueOrDefault(edge.From, []).Contains(edge.To))
                .Select(edge => edge.Where)
                .Distinct()
        );
    }

    [Fact]
    public void Rooms_form_no_circles_except_the_named_ones()
    {
        var edges = Knowledge.Select(edge => (edge.From, edge.To)).Except(s_namedCircles).ToHashSet();

        // Whoever knows nobody is left out, again and again: what remains knows itself in the end.
        while (edges.RemoveWhere(edge => !edges.Any(next => next.From == edge.To)) > 0) { }

        Assert.Empty(edges);
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        var wrong =
            from file in House.SourceFiles("src", "test", "bench")
            let declared = NamespaceLine().Match(House.Read(file))
            where declared.Success
            let folder = Path.GetDirectoryName(file)!.Replace('\\', '/').Split('/')[1..]
            where declared.Groups["name"].Value != string.Join('.', folder)
            select $"{file} says {declared.Groups["name"].Value}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_file_says_its_namespace_once_for_the_whole_file() =>
        Assert.Empty(
            House
                .SourceFiles("src", "test", "bench")
                .Where(file => !file.EndsWith("/Program.cs", StringComparison.Ordinal))
                .Where(file => NamespaceLine().Count(House.Read(file)) != 1)
        );

    /// <summary>The first folder of the core, "" for its root, null for what generators put elsewhere.</summary>
    private static string? Room(Type type) =>
        type.Namespace switch
        {
            "Thole.Core" => "",
            { } name when name.StartsWith("Thole.Core.", StringComparison.Ordinal) => name.Split('.')[2],
            _ => null,
        };

    [GeneratedRegex(
        @"^namespace (?<name>[\w.]+);\r?$",
        RegexOptions.Multiline | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex NamespaceLine();
}
