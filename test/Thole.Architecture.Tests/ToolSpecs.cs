using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Thole.Core.Tools;
using Thole.Tools;

namespace Thole.Architecture.Tests;

/// <summary>Every tool says truly what it takes, is tested, and all of them together leave room in the request.</summary>
public sealed partial class ToolSpecs
{
    /// <summary>Of the 10,000 bytes of a first request; the rest is the prompt, the instructions and the frame.</summary>
    private const int MostBytes = 6500;

    /// <summary>Tools that mean nothing, or repeat each other, when tested apart.</summary>
    private static readonly Dictionary<string, string> s_testedTogether = new()
    {
        ["GlobTool"] = "SearchToolSpecs",
        ["GrepSearchTool"] = "SearchToolSpecs",
        ["ListDirectoryTool"] = "SearchToolSpecs",
        ["TaskOutputTool"] = "BackgroundCommandSpecs",
        ["TaskStopTool"] = "BackgroundCommandSpecs",
    };

    public static TheoryData<string> Tools { get; } = [.. BuiltInTools.All.Select(tool => tool.Name)];

    [Theory]
    [MemberData(nameof(Tools))]
    public void The_schema_and_the_record_agree(string name)
    {
        var tool = Find(name);
        var schema = JsonDocument.Parse(tool.Schema).RootElement;
        var record = ArgumentsOf(tool);

        Assert.Equal("object", schema.GetProperty("type").GetString());
        AssertAgree(schema, record);
    }

    [Theory]
    [MemberData(nameof(Tools))]
    public void A_tool_has_a_class_of_tests(string name)
    {
        var tool = Find(name).GetType().Name;
        var specs = s_testedTogether.GetValueOrDefault(tool, $"{tool}Specs");
        var file = Assert.Single(House.SourceFiles("test/Thole.Tools.Tests"), file => Path.GetFileName(file) == $"{specs}.cs");

        Assert.Contains($"class {specs}", House.Read(file));
        Assert.Contains(tool, House.Read(file).Replace(specs, ""));
    }

    [Theory]
    [MemberData(nameof(Tools))]
    public void A_tool_is_called_in_snake_case(string name) => Assert.Matches(SnakeCase(), name);

    [Fact]
    public void Every_tool_is_in_the_list()
    {
        var written = typeof(BuiltInTools)
            .Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(ITool)) && !type.IsAbstract);

        Assert.Equal(
            written.Select(type => type.Name).Order(StringComparer.Ordinal),
            BuiltInTools.All.Select(tool => tool.GetType().Name).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void No_two_tools_share_a_name() => Assert.Distinct(BuiltInTools.All.Select(tool => tool.Name));

    [Fact]
    public void All_that_the_model_is_told_of_tools_is_short()
    {
        var sizes = BuiltInTools.All.Select(tool =>
            (tool.Name, Bytes: Encoding.UTF8.GetByteCount(tool.Description) + Encoding.UTF8.GetByteCount(tool.Schema))
        );

        Assert.True(
            sizes.Sum(size => size.Bytes) < MostBytes,
            $"{sizes.Sum(size => size.Bytes)} bytes: {string.Join(", ", sizes.OrderByDescending(size => size.Bytes))}"
        );
    }

    /// <summary>Compares objects with objects, down through lists, so that a nested record cannot drift away either.</summary>
    private static void AssertAgree(JsonElement schema, JsonTypeInfo record)
    {
        var named = schema
            .GetProperty("properties")
            .EnumerateObject()
            .ToDictionary(property => property.Name, property => property.Value);
        var required = schema.TryGetProperty("required", out var list)
            ? list.EnumerateArray().Select(item => item.GetString()!)
            : [];

        Assert.Equal(record.Properties.Select(property => property.Name).Order(), named.Keys.Order());
        Assert.Equal(record.Properties.Where(IsRequired).Select(property => property.Name).Order(), required.Order());

        foreach (var property in record.Properties)
        {
            var (part, type) = (named[property.Name], property.PropertyType);
            while (part.TryGetProperty("items", out var items))
            {
                (part, type) = (items, ElementOf(type));
            }

            if (part.TryGetProperty("properties", out _))
            {
                AssertAgree(part, record.Options.GetTypeInfo(type));
            }
        }
    }

    private static bool IsRequired(JsonPropertyInfo property) =>
        property.IsRequired
        || (property.Options.RespectRequiredConstructorParameters && property.AssociatedParameter is { HasDefaultValue: false });

    private static Type ElementOf(Type list) => list.IsArray ? list.GetElementType()! : list.GetGenericArguments()[0];

    /// <summary>How System.Text.Json sees the arguments: what <see cref="Tool{TArguments}"/> was given by its tool.</summary>
    private static JsonTypeInfo ArgumentsOf(ITool tool)
    {
        for (var type = tool.GetType(); type is not null; type = type.BaseType)
        {
            if (type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(Tool<>))
            {
                var json = type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic)
                    .Single(field => field.FieldType.IsAssignableTo(typeof(Func<JsonTypeInfo>)));
                return ((Func<JsonTypeInfo>)json.GetValue(tool)!)();
            }
        }

        throw new InvalidOperationException($"{tool.Name} is no Tool<TArguments>: say here how its arguments are read.");
    }

    private static ITool Find(string name) => BuiltInTools.All.Single(tool => tool.Name == name);

    [GeneratedRegex("^[a-z]+(_[a-z]+)*$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SnakeCase();
}
