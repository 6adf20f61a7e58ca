using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Thole.Protocol;

namespace Thole.Architecture.Tests;

/// <summary>What is said has a name on the wire, a line that must load for ever, and a word in the vocabulary.</summary>
public sealed partial class ProtocolSpecs
{
    /// <summary>Stands for the events of newer versions; it has no name of its own on the wire.</summary>
    private static readonly Type s_nameless = typeof(UnknownEvent);

    public static TheoryData<Type> Families { get; } = [typeof(Command), typeof(SessionEvent), typeof(Content)];

    [Theory]
    [MemberData(nameof(Families))]
    public void Every_kind_has_its_name_on_the_wire(Type family) =>
        Assert.Equal(
            Kinds(family).Select(type => type.FullName).Order(StringComparer.Ordinal),
            Names(family).Keys.Select(type => type.FullName).Order(StringComparer.Ordinal)
        );

    /// <summary>The name on the wire is the name in the code, so that whoever reads a log finds the record.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void The_name_on_the_wire_is_the_type_in_snake_case(Type family) =>
        Assert.All(
            Names(family),
            name =>
                Assert.Equal(
                    JsonNamingPolicy.SnakeCaseLower.ConvertName(
                        family == typeof(Content) ? name.Key.Name.Replace("Content", "") : name.Key.Name
                    ),
                    name.Value
                )
        );

    [Fact]
    public void Every_kind_of_event_has_a_golden_line()
    {
        var golden = Directory
            .EnumerateFiles(Path.Combine(House.Root, "test", "golden"), "*.jsonl", SearchOption.AllDirectories)
            .SelectMany(File.ReadAllLines)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("type").GetString())
            .ToHashSet(StringComparer.Ordinal);

        Assert.Empty(Names(typeof(SessionEvent)).Values.Except(golden, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(typeof(Command))]
    [InlineData(typeof(SessionEvent))]
    public void The_vocabulary_has_a_line_for_every_command_and_event(Type family)
    {
        var lines = TableLine()
            .Matches(House.Read("docs/vocabulary.md"))
            .ToDictionary(line => line.Groups["name"].Value, line => line.Groups["meaning"].Value, StringComparer.Ordinal);

        Assert.Empty(Names(family).Values.Where(name => lines.GetValueOrDefault(name, "").Length < 10));
    }

    /// <summary>A line about something that is gone would teach a word that nobody speaks.</summary>
    [Fact]
    public void The_vocabulary_names_no_command_or_event_that_does_not_exist() =>
        Assert.Empty(
            TableLine()
                .Matches(House.Read("docs/vocabulary.md"))
                .Select(line => line.Groups["name"].Value)
                .Except([.. Names(typeof(Command)).Values, .. Names(typeof(SessionEvent)).Values], StringComparer.Ordinal)
        );

    private static IEnumerable<Type> Kinds(Type family) =>
        House.Types.Where(type => type.IsAssignableTo(family) && !type.IsAbstract && type != s_nameless);

    private static Dictionary<Type, string> Names(Type family) =>
        family
            .GetCustomAttributes(typeof(JsonDerivedTypeAttribute), inherit: false)
            .Cast<JsonDerivedTypeAttribute>()
            .ToDictionary(kind => kind.DerivedType, kind => (string)kind.TypeDiscriminator!);

    [GeneratedRegex(
        @"^\| `(?<name>[a-z_]+)` \| (?<meaning>.+) \|\r?$",
        RegexOptions.Multiline | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex TableLine();
}
