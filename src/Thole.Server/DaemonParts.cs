using Thole.Protocol;

namespace Thole.Server;

/// <summary>What the daemon serves. The front hall makes it; doors know nothing of what is behind.</summary>
public sealed record DaemonParts
{
    public required IAgentRuntime Runtime { get; init; }

    public required ILiveSessions Live { get; init; }

    public required ICatalog Catalog { get; init; }

    public required IWorkspaceFiles Files { get; init; }

    public required IRepository Repository { get; init; }

    public required IInventory Inventory { get; init; }

    public required IAccessTokens Tokens { get; init; }

    /// <summary>The one directory tree of this daemon: absolute, links resolved.</summary>
    public required string Workspace { get; init; }

    /// <summary>The same directory, whatever links a client's way to it goes through; null where there is none.</summary>
    public required Func<string, string?> RealPath { get; init; }

    /// <summary>The full name of a model, <c>provider/model</c>.</summary>
    /// <exception cref="RefusedException"><c>model_unavailable</c>, or <c>no_credentials</c>: there is no key for it.</exception>
    public required Func<string, string> ResolveModel { get; init; }

    public required SessionOptions Sessions { get; init; }

    public required string Version { get; init; }

    public required TimeProvider Time { get; init; }

    public required Func<Guid> NewId { get; init; }

    /// <summary>Takes what must not reach a client.</summary>
    public required Action<string> Log { get; init; }

    /// <summary>With it ids of clients are signed, so that one from before a restart is still known; secret, the same at every start.</summary>
    public required byte[] ClientKey { get; init; }
}

/// <summary>How the daemon keeps its sessions.</summary>
public sealed record SessionOptions
{
    public required string Model { get; init; }

    public ApprovalMode ApprovalMode { get; init; }

    /// <summary>Sessions that may be open at once; 0 for no limit. One that rests gives way to one that is needed.</summary>
    public int MaxSessions { get; init; } = 1_000;

    public int MaxReadersPerSession { get; init; } = 64;

    /// <summary>Prompts and messages that may wait in one session; the composition gives the runtime the same number.</summary>
    public int MaxPendingPrompts { get; init; } = 20;

    /// <summary>How long a session rests without a reader before its file is closed and its memory given back.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a client that says nothing counts as there.</summary>
    public TimeSpan ClientTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a silent stream shows that it lives; readers may give one up that is silent three times as long.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a reader may take nothing before its stream is closed.</summary>
    public TimeSpan WriterTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Prompts are answered when their turn ends, for clients of the first preview that cannot ask otherwise.</summary>
    public bool BlockingPrompts { get; init; }

    public VotePolicy PermissionPolicy { get; init; }

    /// <summary>Equal votes that decide by consensus, at most as many as there are voters; null for a majority.</summary>
    public int? Quorum { get; init; }

    /// <summary>How long turns that are at work may take to end when the daemon stops.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(5);
}
