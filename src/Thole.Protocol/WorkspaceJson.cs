using System.Text.Json;
using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>The JSON form of questions about a workspace and their answers.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(FileText))]
[JsonSerializable(typeof(FileBytes))]
[JsonSerializable(typeof(FileStat))]
[JsonSerializable(typeof(FolderListing))]
[JsonSerializable(typeof(GlobMatches))]
[JsonSerializable(typeof(FileWrite))]
[JsonSerializable(typeof(FileWritten))]
[JsonSerializable(typeof(FileEdit))]
[JsonSerializable(typeof(FileEdited))]
[JsonSerializable(typeof(WorkspaceInit))]
[JsonSerializable(typeof(WorkspaceNews))]
[JsonSerializable(typeof(RepositoryStatus))]
[JsonSerializable(typeof(RepositoryDiff))]
[JsonSerializable(typeof(FileHunks))]
[JsonSerializable(typeof(CommitLog))]
[JsonSerializable(typeof(BranchList))]
[JsonSerializable(typeof(ToolInventory))]
[JsonSerializable(typeof(ToolToggle))]
[JsonSerializable(typeof(ProviderInventory))]
[JsonSerializable(typeof(McpInventory))]
[JsonSerializable(typeof(SkillInventory))]
[JsonSerializable(typeof(MemoryInventory))]
[JsonSerializable(typeof(MemoryWrite))]
[JsonSerializable(typeof(MemoryWritten))]
[JsonSerializable(typeof(EnvironmentInventory))]
[JsonSerializable(typeof(PreflightInventory))]
public sealed partial class WorkspaceJson : JsonSerializerContext;
