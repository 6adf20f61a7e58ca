using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>
/// Who is there: clients by session, with what their tokens prove. It lives in memory; a client that is silent for long is forgotten.
/// The id of a client is bound to its session and identity by a signature, so that it is good after a restart and for nobody else.
/// </summary>
internal sealed class Attendance(byte[] key, TimeSpan timeout, TimeProvider time, Func<Guid> newId)
{
    private const int LongestId = 128;
    private static readonly SearchValues<char> s_allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
    );

    private readonly ConcurrentDictionary<SessionId, ConcurrentDictionary<string, Member>> _sessions = new();

    /// <summary>Clients of all sessions.</summary>
    public int Count => _sessions.Values.Sum(members => members.Values.Count(IsThere));

    /// <summary>Registers a client that creates, loads or attaches: under the id it brought, if that is good, else under a new one.</summary>
    public string Join(SessionId session, Identity identity, string? brought)
    {
        var client =
            brought is not null && IsWellFormed(brought) && IsFree(session, identity, brought)
                ? brought
                : Signed(session, identity, newId().ToString("d"));
        Touch(session, identity, client);
        return client;
    }

    /// <summary>Who asks something of a session. A client that names itself must be one of it.</summary>
    /// <exception cref="ProblemException"><c>invalid_client_id</c>.</exception>
    public Actor Identify(SessionId session, Exchange exchange)
    {
        if (exchange.Header("X-Qwen-Client-Id") is not { } client)
        {
            Touch(session, exchange.Identity, "");
            return new Actor(exchange.Identity.Name);
        }

        if (!IsWellFormed(client) || !IsKnown(session, exchange.Identity, client))
        {
            throw new ProblemException(
                400,
                "invalid_client_id",
                "That client is not one of this session; attach to it or load it, and use the clientId of the answer.",
                ("sessionId", session.Value),
                ("clientId", IsWellFormed(client) ? client : null)
            );
        }

        Touch(session, exchange.Identity, client);
        return Actor.Of(exchange.Identity.Name, client);
    }

    /// <summary>True where it was there.</summary>
    public bool Leave(SessionId session, string client) =>
        _sessions.TryGetValue(session, out var members) && members.TryRemove(client, out _);

    /// <summary>The identities that are there and may approve.</summary>
    public IReadOnlyList<string> Voters(SessionId session) =>
        [
            .. Members(session)
                .Where(member => member.Identity.May(Scope.Approve))
                .Select(member => member.Identity.Name)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    public int Clients(SessionId session) => Members(session).Count();

    public int Readers(SessionId session) => Members(session).Sum(member => member.Readers);

    /// <summary>Counts a reader until it is disposed.</summary>
    public IDisposable Read(SessionId session, Actor actor, Identity identity) =>
        new Seat(Touch(session, identity, actor.Client ?? ""));

    /// <summary>Forgets those who are gone.</summary>
    public void Sweep()
    {
        foreach (var (session, members) in _sessions)
        {
            foreach (var (client, member) in members)
            {
                if (!IsThere(member))
                {
                    members.TryRemove(KeyValuePair.Create(client, member));
                }
            }

            if (members.IsEmpty)
            {
                _sessions.TryRemove(session, out _);
            }
        }
    }

    private IEnumerable<Member> Members(SessionId session) =>
        _sessions.TryGetValue(session, out var members) ? members.Values.Where(IsThere) : [];

    private bool IsThere(Member member) => member.Readers > 0 || time.GetElapsedTime(member.SeenAt) < timeout;

    private bool IsKnown(SessionId session, Identity identity, string client) =>
        (
            _sessions.TryGetValue(session, out var members)
            && members.TryGetValue(client, out var member)
            && member.Identity.Name == identity.Name
        ) || IsSigned(session, identity, client);

    private bool IsFree(SessionId session, Identity identity, string client) =>
        !_sessions.TryGetValue(session, out var members)
        || !members.TryGetValue(client, out var member)
        || member.Identity.Name == identity.Name;

    private Member Touch(SessionId session, Identity identity, string client)
    {
        // Those without a name are counted once an identity, under a name that no client can have.
        var name = client.Length == 0 ? $"/{identity.Name}" : client;
        var member = _sessions
            .GetOrAdd(session, static _ => new(StringComparer.Ordinal))
            .GetOrAdd(name, _ => new Member(identity));
        member.SeenAt = time.GetTimestamp();
        return member;
    }

    private string Signed(SessionId session, Identity identity, string random)
    {
        var signature = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{session}\n{identity.Name}\n{random}"));
        return $"client_{random}.{Convert.ToHexStringLower(signature.AsSpan(0, 16))}";
    }

    private bool IsSigned(SessionId session, Identity identity, string client) =>
        client.StartsWith("client_", StringComparison.Ordinal)
        && client.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
        && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(client),
            Encoding.UTF8.GetBytes(Signed(session, identity, client["client_".Length..dot]))
        );

    private static bool IsWellFormed(string client) =>
        client.Length is > 0 and <= LongestId && !client.AsSpan().ContainsAnyExcept(s_allowed);

    private sealed class Member(Identity identity)
    {
        private int _readers;

        public Identity Identity { get; } = identity;

        public long SeenAt { get; set; }

        public int Readers => Volatile.Read(ref _readers);

        public void Sit() => Interlocked.Increment(ref _readers);

        public void Rise() => Interlocked.Decrement(ref _readers);
    }

    private sealed class Seat : IDisposable
    {
        private Member? _member;

        public Seat(Member member) => (_member = member).Sit();

        public void Dispose() => Interlocked.Exchange(ref _member, null)?.Rise();
    }
}
