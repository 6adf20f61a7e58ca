using Thole.Core.Workspaces;

namespace Thole.Core.Tools;

/// <summary>
/// What a call reads or writes: a path, or <see cref="Anything"/> where it cannot be known (a shell command). Calls of one step
/// that do not conflict run together; calls that conflict run in the order in which the model asked.
/// </summary>
/// <param name="MakesSomethingRun">Programs take orders from that file: a hook, a shell's start file, a build's settings.</param>
/// <param name="Reach">How far it goes from there.</param>
public readonly record struct Touch(
    string Resource,
    bool IsWrite,
    bool MakesSomethingRun = false,
    TouchReach Reach = TouchReach.Itself
)
{
    public static Touch Anything { get; } = new("*", IsWrite: true);

    public static Touch Read(WorkspacePath path) => new(path.Full, IsWrite: false);

    /// <summary>The names of what is in a folder.</summary>
    public static Touch Names(WorkspacePath folder) => new(folder.Full, IsWrite: false, Reach: TouchReach.Names);

    /// <summary>A file, or all that is below a folder.</summary>
    public static Touch ReadBelow(WorkspacePath path) => new(path.Full, IsWrite: false, Reach: TouchReach.Below);

    public static Touch Write(WorkspacePath path) => new(path.Full, IsWrite: true, ProtectedPaths.IsProtected(path.Relative));

    /// <summary>What the gate between sessions knows of it.</summary>
    public GateKey Key => new(Resource, IsWrite);

    public bool ConflictsWith(Touch other) => Key.ConflictsWith(other.Key);

    /// <summary>
    /// As the log says it, by the name that was used and, where links lead elsewhere, by where that really is: a rule about a place must
    /// hold for every way to it.
    /// </summary>
    public IEnumerable<string> DescribeAll(string root)
    {
        yield return Describe(root);
        if (this != Anything && Workspace.RealPath(Resource) is var real && real != Path.TrimEndingDirectorySeparator(Resource))
        {
            yield return (this with { Resource = real }).Describe(root);
        }
    }

    /// <summary>As the log says it: from the workspace where it lies in it, with <c>/*</c> or <c>/**</c> for its reach.</summary>
    public string Describe(string root)
    {
        if (this == Anything)
        {
            return "**";
        }

        var relative = Path.GetRelativePath(root, Resource);
        var isInside =
            relative is not ".."
            && !relative.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !Path.IsPathRooted(relative);
        var path = (isInside ? relative : Resource).Replace('\\', OperatingSystem.IsWindows() ? '/' : '\\');
        var stem = path is "." ? "" : $"{path}/";
        return Reach switch
        {
            TouchReach.Names => $"{stem}*",
            // All of the workspace is much, and not everything.
            TouchReach.Below => path is "." ? "./**" : $"{stem}**",
            _ => path,
        };
    }
}

/// <summary>How far a touch goes.</summary>
public enum TouchReach
{
    Itself,
    Names,
    Below,
}
