using Thole.Core.Workspaces;

namespace Thole.Core.Tools;

/// <summary>
/// What a call reads or writes: a path, or <see cref="Anything"/> where it cannot be known (a shell command). Calls of one step
/// that do not conflict run together; calls that conflict run in the order in which the model asked.
/// </summary>
/// <param name="MakesSomethingRun">Programs take orders from that file: a hook, a shell's start file, a build's settings.</param>
public readonly record struct Touch(string Resource, bool IsWrite, bool MakesSomethingRun = false)
{
    public static Touch Anything { get; } = new("*", IsWrite: true);

    public static Touch Read(WorkspacePath path) => new(path.Full, IsWrite: false);

    public static Touch Write(WorkspacePath path) => new(path.Full, IsWrite: true, ProtectedPaths.IsProtected(path.Relative));

    /// <summary>What the gate between sessions knows of it.</summary>
    public GateKey Key => new(Resource, IsWrite);

    public bool ConflictsWith(Touch other) => Key.ConflictsWith(other.Key);
}
