using System.Reflection;

namespace Thole.Architecture.Tests;

/// <summary>What a type may be called, and how large its doors may be.</summary>
public sealed class TypeSpecs
{
    private const int MostParameters = 7;
    private const int MostMembers = 10;

    private static readonly string[] s_emptyWords =
    [
        "Manager",
        "Helper",
        "Helpers",
        "Util",
        "Utils",
        "Service",
        "Handler",
        "Processor",
        "Info",
        "Data",
        "Wrapper",
        "Impl",
    ];

    /// <summary>Full names that break a rule, each with the reason.</summary>
    private static readonly Dictionary<string, string> s_exceptions = new() { };

    [Fact]
    public void No_type_is_named_with_a_word_that_says_nothing() =>
        Assert.Empty(
            House
                .Types.Where(type => s_emptyWords.Any(word => NameOf(type).EndsWith(word, StringComparison.Ordinal)))
                .Where(type => !type.IsAssignableTo(typeof(HttpMessageHandler))) // HTTP's own word
                .Except(Excepted)
        );

    [Fact]
    public void A_class_is_sealed_or_abstract_or_static() =>
        Assert.Empty(House.Types.Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false }).Except(Excepted));

    /// <summary>The constructor of a record is its list of fields, and no sign of too many ideas.</summary>
    [Fact]
    public void A_constructor_takes_at_most_seven_things() =>
        Assert.Empty(
            House
                .Types.Where(type => !IsRecord(type))
                .Where(type => type.GetConstructors(House.Declared).Any(make => make.GetParameters().Length > MostParameters))
                .Except(Excepted)
        );

    [Fact]
    public void An_interface_has_at_most_ten_members() =>
        Assert.Empty(
            House
                .Types.Where(type => type.IsInterface)
                .Where(type =>
                    type.GetMethods(House.Declared).Count(method => !method.IsSpecialName)
                        + type.GetProperties(House.Declared).Length
                        + type.GetEvents(House.Declared).Length
                    > MostMembers
                )
                .Except(Excepted)
        );

    /// <summary>Dynamic calls are compiled into calls of this assembly; none of ours may need it.</summary>
    [Fact]
    public void Nothing_is_dynamic() =>
        Assert.Empty(
            House.Assemblies.Where(assembly => assembly.GetReferencedAssemblies().Any(other => other.Name is "Microsoft.CSharp"))
        );

    [Fact]
    public void A_named_exception_still_exists_and_has_a_reason()
    {
        Assert.All(s_exceptions.Keys, name => Assert.Contains(House.Types, type => type.FullName == name));
        Assert.All(s_exceptions.Values, reason => Assert.True(reason.Length > 20));
    }

    private static IEnumerable<Type> Excepted => House.Types.Where(type => s_exceptions.ContainsKey(type.FullName!));

    private static string NameOf(Type type) => type.Name.Split('`')[0];

    private static bool IsRecord(Type type) =>
        type.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly) is not null;
}
