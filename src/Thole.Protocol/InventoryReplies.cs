using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>How something that is needed, or could be had, stands.</summary>
[JsonConverter(typeof(SnakeCaseEnum<InventoryStatus>))]
public enum InventoryStatus
{
    Ok,
    Warning,
    Error,

    /// <summary>It is not used here.</summary>
    Disabled,

    /// <summary>It is only looked at when it is needed.</summary>
    NotStarted,
    Unknown,
}

public sealed record ToolInventory(bool Initialized, IReadOnlyList<ToolListing> Tools);

/// <summary>A tool, and whether the model may ask for it here.</summary>
public sealed record ToolListing(string Name, ToolKind Kind, string Description, bool Enabled);

public sealed record ToolToggle(string ToolName, bool Enabled);

/// <summary>Who serves models. <paramref name="Current"/> is what new sessions think with.</summary>
public sealed record ProviderInventory(
    bool Initialized,
    ProviderCurrent? Current,
    ApprovalMode ApprovalMode,
    IReadOnlyList<ProviderListing> Providers
);

public sealed record ProviderCurrent(string AuthType, string ModelId);

public sealed record ProviderListing(
    string Kind,
    InventoryStatus Status,
    string AuthType,
    bool Current,
    IReadOnlyList<ModelListing> Models,
    string? Error = null,
    string? ErrorKind = null
);

/// <summary>A model. <paramref name="ModelId"/> is what a session is told to think with, <c>provider/model</c>.</summary>
/// <param name="ContextLimit">In tokens.</param>
/// <param name="IsRuntime">Nobody wrote it into the settings: it was chosen while we run.</param>
public sealed record ModelListing(
    string ModelId,
    string BaseModelId,
    string Name,
    long? ContextLimit,
    bool IsCurrent,
    bool IsRuntime
);

public sealed record McpInventory(bool Initialized, string DiscoveryState, IReadOnlyList<McpServerListing> Servers);

public sealed record McpServerListing(string Kind, InventoryStatus Status, string Name, string Transport, bool Disabled);

public sealed record SkillInventory(bool Initialized, IReadOnlyList<SkillListing> Skills);

public sealed record SkillListing(
    string Kind,
    InventoryStatus Status,
    string Name,
    string Description,
    string Level,
    bool ModelInvocable
);

public sealed record MemoryInventory(
    bool Initialized,
    IReadOnlyList<MemoryFile> Files,
    long TotalBytes,
    int FileCount,
    int RuleCount
);

/// <summary>An instruction file: relative to the workspace, or beneath <c>~user</c> for what the user wrote for everywhere.</summary>
public sealed record MemoryFile(string Kind, string Path, MemoryScope Scope, long Bytes);

[JsonConverter(typeof(SnakeCaseEnum<MemoryScope>))]
public enum MemoryScope
{
    Workspace,
    Global,
}

/// <summary>Something that agents shall know from now on, for the <c>AGENTS.md</c> of the workspace or of the user.</summary>
public sealed record MemoryWrite(MemoryScope Scope, string Content)
{
    /// <summary>Behind what is there already, on a line of its own; or in its place.</summary>
    public MemoryMode Mode { get; init; }

    /// <summary>Of the whole file as the client knows it; null for whatever it holds.</summary>
    public string? ExpectedHash { get; init; }
}

/// <summary>What was written down, and is on the disk.</summary>
/// <param name="FilePath">As the list of memory files has it: relative to the workspace, or beneath <c>~user</c>.</param>
/// <param name="BytesWritten">How many the file has gained; of one that was replaced, how many it has; 0 where nothing changed.</param>
/// <param name="Hash">Of the file, for the next <see cref="MemoryWrite.ExpectedHash"/>.</param>
public sealed record MemoryWritten(bool Ok, string FilePath, int BytesWritten, MemoryMode Mode, bool Changed, string Hash);

[JsonConverter(typeof(SnakeCaseEnum<MemoryMode>))]
public enum MemoryMode
{
    Append,
    Replace,
}

public sealed record EnvironmentInventory(bool Initialized, IReadOnlyList<EnvironmentCell> Cells);

/// <summary>Something we run in or with. <paramref name="Value"/> only where it can be no secret; of a proxy its host and port.</summary>
public sealed record EnvironmentCell(
    EnvironmentKind Kind,
    InventoryStatus Status,
    string Name,
    bool? Present = null,
    string? Value = null
);

[JsonConverter(typeof(SnakeCaseEnum<EnvironmentKind>))]
public enum EnvironmentKind
{
    Runtime,
    Platform,
    Sandbox,
    Proxy,
    EnvVar,
}

public sealed record PreflightInventory(bool Initialized, IReadOnlyList<PreflightCell> Cells);

/// <summary>One thing that was looked at before work begins. <paramref name="Locality"/> is <c>daemon</c>: there is no other process.</summary>
public sealed record PreflightCell(
    string Kind,
    InventoryStatus Status,
    string Locality,
    string? Error = null,
    string? ErrorKind = null,
    string? Hint = null
);
