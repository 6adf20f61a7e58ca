using System.Collections.Concurrent;
using Thole.Core.Log;
using Thole.Core.Permissions;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Server.Tests.Hosting;

/// <summary>What a test wants different of its daemon.</summary>
internal sealed record HostOptions
{
    public SessionOptions Sessions { get; init; } = new() { Model = "test/model" };

    public DaemonOptions Daemon { get; init; } =
        new()
        {
            Port = 0,
            MaxConnections = 0,
            Rates = new RateLimits
            {
                Prompt = 0,
                Mutation = 0,
                Read = 0,
                FailedAttempts = 0,
            },
        };

    public TimeSpan? PermissionTimeout { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public TestTokens Tokens { get; init; } = new();

    /// <summary>The tools of one process.</summary>
    public Func<ProcessLife, IReadOnlyList<ITool>> Tools { get; init; } = static _ => [];

    /// <summary>By the name of a tool, whether its calls are asked for.</summary>
    public Func<string, Verdict> Judge { get; init; } = static _ => Verdict.Ask;

    /// <summary>Where the logs are, in place of the store in memory; the list of sessions knows nothing of them.</summary>
    public IEventStore? Disk { get; init; }

    /// <summary>Null where no test asks for the workspace.</summary>
    public IInventory? Inventory { get; init; }

    /// <inheritdoc cref="Inventory"/>
    public IWorkspaceFiles? Files { get; init; }

    /// <summary>Routes beside those of the product.</summary>
    public Func<DaemonParts, IReadOnlyList<Operation>> Extra { get; init; } = static _ => [];

    /// <summary>How many bytes of a stream wait for a reader without a socket before whoever writes it has to wait.</summary>
    public int Window { get; init; } = 64 * 1024;
}

/// <summary>Whether the process that a tool runs in still lives: what a dead one would still do does not happen.</summary>
internal sealed class ProcessLife
{
    private readonly Lock _lock = new();
    private bool _isOver;

    /// <summary>False where the process has died: nothing was done.</summary>
    public bool TryDo(Action effect)
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return false;
            }

            effect();
            return true;
        }
    }

    /// <param name="last">What is left of it. Between the two nothing is done: an effect whose record is left has happened.</param>
    public void End(Action last)
    {
        lock (_lock)
        {
            _isOver = true;
            last();
        }
    }
}

/// <summary>Tokens that a test issues and revokes.</summary>
internal sealed class TestTokens : IAccessTokens
{
    public const string Owner = "owner-token-of-a-test";

    private readonly ConcurrentDictionary<string, Identity> _identities = new(StringComparer.Ordinal);

    public TestTokens() => Issue(Owner, "owner", Scope.All);

    public string Issue(string name, Scope scopes = Scope.All) => Issue($"token-of-{name}", name, scopes);

    public void Revoke(string token) => _identities.TryRemove(token, out _);

    public Identity? Identify(string token) => _identities.GetValueOrDefault(token);

    public bool IsCurrent(Identity identity) => _identities.Values.Contains(identity);

    private string Issue(string token, string name, Scope scopes)
    {
        _identities[token] = new Identity(name, scopes) { Key = token };
        return token;
    }
}
