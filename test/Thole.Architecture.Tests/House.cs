using System.Reflection;
using System.Runtime.CompilerServices;

namespace Thole.Architecture.Tests;

/// <summary>Where the source lies and what was built from it, so that a rule can look at both.</summary>
internal static class House
{
    public const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Root { get; } = FindRoot();

    public static Assembly Protocol { get; } = typeof(Protocol.IAgentRuntime).Assembly;
    public static Assembly Core { get; } = typeof(Core.Sessions.Runtime).Assembly;

    /// <summary>Everything that is shipped, and what the tests share.</summary>
    public static IReadOnlyList<Assembly> Assemblies { get; } =
    [
        Protocol,
        Core,
        .. new[]
        {
            "Thole.Client",
            "Thole.Extensions.AI",
            "Thole.Providers",
            "Thole.Server",
            "Thole.Tools",
            "Thole.Wire",
            "thole",
            "Thole.Testing",
        }.Select(Assembly.Load),
    ];

    /// <summary>The types that somebody wrote: not closures, not what source generators made.</summary>
    public static IEnumerable<Type> Types { get; } = [.. Assemblies.SelectMany(assembly => assembly.GetTypes()).Where(IsWritten)];

    /// <summary>Folders directly under src/, test/ and bench/ that hold a project.</summary>
    public static IEnumerable<string> Projects(string area) =>
        Directory.Exists(Path.Combine(Root, area))
            ? Directory
                .EnumerateFiles(Path.Combine(Root, area), "*.csproj", SearchOption.AllDirectories)
                .Select(file => Path.GetFileNameWithoutExtension(file))
                .Order(StringComparer.Ordinal)
            : [];

    /// <summary>The C# files of these areas, as paths with slashes relative to the root.</summary>
    public static IEnumerable<string> SourceFiles(params IEnumerable<string> areas) =>
        areas
            .Select(area => Path.Combine(Root, area))
            .Where(Directory.Exists)
            .SelectMany(area => Directory.EnumerateFiles(area, "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(folder => folder is "bin" or "obj" or "artifacts"))
            .Order(StringComparer.Ordinal);

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static string[] ReadLines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    private static bool IsWritten(Type type) =>
        type.Namespace?.StartsWith("Thole", StringComparison.Ordinal) == true
        && !type.Name.Contains('<')
        && !Attribute.IsDefined(type, typeof(CompilerGeneratedAttribute))
        && !Attribute.IsDefined(type, typeof(System.CodeDom.Compiler.GeneratedCodeAttribute))
        && (type.DeclaringType is null || IsWritten(type.DeclaringType));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Thole.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException(
            "These tests read the source: run them from inside the repository, where Thole.slnx lies."
        );
    }
}
