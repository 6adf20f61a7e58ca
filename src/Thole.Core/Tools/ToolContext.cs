using Thole.Core.Log;
using Thole.Core.Workspaces;

namespace Thole.Core.Tools;

/// <summary>All that the tools of one session may touch.</summary>
public sealed record ToolContext
{
    public required IWorkspace Workspace { get; init; }

    public required ISearcher Search { get; init; }

    public required IProcessRunner Processes { get; init; }

    /// <summary>Which state of which file this session knows.</summary>
    public required FileLedger Files { get; init; }

    /// <summary>For images and outputs too large to say.</summary>
    public required IBlobStore Blobs { get; init; }

    public required TimeProvider Time { get; init; }
}
