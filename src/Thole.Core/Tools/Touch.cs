using Thole.Core.Workspaces;

namespace Thole.Core.Tools;

/// <summary>
/// What a call reads or writes: a path, or <see cref="Anything"/> where it cannot be known (a shell command). Calls of one step
/// that do not conflict run together; calls that conflict run in the order in which the model asked.
/// </summary>
public readonly record struct Touch(string Resource, bool IsWrite)
{
    public static Touch Anything { get; } = new("*", IsWrite: true);

    public static Touch Read(WorkspacePath path) => new(path.Full, IsWrite: false);

    public static Touch Write(WorkspacePath path) => new(path.Full, IsWrite: true);

    /// <summary>A directory conflicts with what lies beneath it: a search sees the file that an edit writes.</summary>
    public bool ConflictsWith(Touch other) =>
        (IsWrite || other.IsWrite)
        && (Resource is "*" || other.Resource is "*" || Contains(Resource, other.Resource) || Contains(other.Resource, Resource));

    private static bool Contains(string outer, string inner) =>
        inner.StartsWith(outer, StringComparison.Ordinal)
        && (inner.Length == outer.Length || outer.EndsWith('/') || inner[outer.Length] is '/' or '\\');
}
