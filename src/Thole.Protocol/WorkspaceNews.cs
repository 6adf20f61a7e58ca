using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>
/// What has changed in a workspace for all of its sessions. Told to whoever reads a session of it at that moment, and in no log: it is no
/// event of any one of them, has no number, and is not told again. Who comes later asks how things are.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ToolToggled), "tool_toggled")]
[JsonDerivedType(typeof(WorkspaceInitialized), "workspace_initialized")]
[JsonDerivedType(typeof(MemoryChanged), "memory_changed")]
public abstract record WorkspaceNews;

/// <summary>From its next step on every session has the tool, or has it no more.</summary>
public sealed record ToolToggled(string ToolName, bool Enabled) : WorkspaceNews;

/// <summary>Somebody asked for an instruction file. <paramref name="Path"/> is relative to the workspace.</summary>
public sealed record WorkspaceInitialized(string Path, InitAction Action) : WorkspaceNews;

/// <summary>Something was written down for agents. <paramref name="FilePath"/> as in <see cref="MemoryWritten"/>.</summary>
public sealed record MemoryChanged(MemoryScope Scope, string FilePath, MemoryMode Mode, int BytesWritten) : WorkspaceNews;
