using System.Security.Cryptography;
using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Access;

/// <summary>
/// Who may come in: the owner, and whoever a token was issued to. The file is looked at again a few times a second, so that a token
/// that is revoked opens nothing any more; while it cannot be read, it opens nothing at all.
/// </summary>
public sealed class AccessTokens(string owner, TokenFile file, TimeProvider time) : IAccessTokens
{
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Known _owner = new(TokenFile.Hash(owner), new Identity("owner", Scope.All), null);
    private Known[] _issued = [];
    private StateStamp _stamp;
    private long? _lookedAt;

    public Identity? Identify(string token)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        var now = time.GetUtcNow();
        Identity? found = null;
        // All of them, whichever fits: how long it takes tells nobody anything.
        foreach (var known in (ReadOnlySpan<Known>)[_owner, .. Issued()])
        {
            if (known.Fits(hash) & !known.IsExpired(now))
            {
                found = known.Identity;
            }
        }

        return found;
    }

    public bool IsCurrent(Identity identity)
    {
        var now = time.GetUtcNow();
        return identity == _owner.Identity || Issued().Any(known => known.Identity == identity && !known.IsExpired(now));
    }

    private Known[] Issued()
    {
        lock (_lock)
        {
            if (_lookedAt is { } before && time.GetElapsedTime(before) < s_between)
            {
                return _issued;
            }

            _lookedAt = time.GetTimestamp();
            try
            {
                if (file.File.Stamp() is var stamp && stamp != _stamp)
                {
                    _issued =
                    [
                        .. file.Parse(file.File.Read(out stamp))
                            .Select(token => new Known(token.Sha256, token.Identity, token.ExpiresAt)),
                    ];
                    _stamp = stamp;
                }
            }
            catch (WorkspaceException)
            {
                (_issued, _stamp) = ([], default);
            }

            return _issued;
        }
    }

    private sealed record Known(string Hash, Identity Identity, DateTimeOffset? ExpiresAt)
    {
        private readonly byte[] _hash = Encoding.ASCII.GetBytes(Hash);

        public bool Fits(string hash) => CryptographicOperations.FixedTimeEquals(_hash, Encoding.ASCII.GetBytes(hash));

        public bool IsExpired(DateTimeOffset now) => now >= ExpiresAt;
    }
}
