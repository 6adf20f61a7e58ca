using Microsoft.Extensions.Logging;
using Thole.Core.Context;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Routing;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Core.Workspaces;

namespace Thole.Core.Sessions;

/// <summary>What a runtime is made of. One file, the composition, hires everyone.</summary>
public sealed record RuntimeParts
{
    public required IEventStore Store { get; init; }
    public required IModelCatalog Models { get; init; }

    /// <summary>Which of them does what.</summary>
    public RoutingRules Routing { get; init; } = RoutingRules.None;

    /// <summary>The tools of the next step.</summary>
    public required Func<ToolBox> Tools { get; init; }

    public required IPermissionPolicy Policy { get; init; }
    public required OpenHands OpenHands { get; init; }

    /// <summary>Shared with whoever else writes files of the same workspaces.</summary>
    public FileGate Gate { get; init; } = new();

    public required string SystemPrompt { get; init; }
    public required IReadOnlyList<IContextSource> Sources { get; init; }
    public required TurnLimits Limits { get; init; }

    public SessionRules Rules { get; init; } = new();

    public Elect Elect { get; init; } = static (_, _) => null;

    /// <summary>The share of the context window, less the room for an answer, at which older items are summarised.</summary>
    public double CompactionThreshold { get; init; } = 0.85;

    public required TimeProvider Time { get; init; }
    public required Func<Guid> NewId { get; init; }
    public required ILogger Logger { get; init; }

    /// <summary>Of the product, noted in each log.</summary>
    public required string Version { get; init; }
}
