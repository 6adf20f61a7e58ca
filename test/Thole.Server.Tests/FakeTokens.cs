using System.Collections.Concurrent;
using Thole.Protocol;

namespace Thole.Server.Tests;

/// <summary>Tokens that a test made up.</summary>
internal sealed class FakeTokens : IAccessTokens
{
    public const string Owner = "owner-token-of-a-test";
    public const string Observer = "observer-token-of-a-test";

    private readonly ConcurrentDictionary<string, Identity> _identities = new(StringComparer.Ordinal)
    {
        [Owner] = new("owner", Scope.All),
        [Observer] = new("watcher", Scope.Observe),
    };

    public void Issue(string token, Identity identity) => _identities[token] = identity;

    public void Revoke(string token) => _identities.TryRemove(token, out _);

    public Identity? Identify(string token) => _identities.GetValueOrDefault(token);

    public bool IsCurrent(Identity identity) => _identities.Values.Contains(identity);
}
