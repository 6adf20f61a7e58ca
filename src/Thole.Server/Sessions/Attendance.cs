using System.Buffers;
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

    private static readonly Dictionary<string, Member> s_nobody = [];

    private readonly Lock _lock = new();
    private readonly Dictionary<SessionId, Dictionary<string, Member>> _sessions = [];

    private long Now => time.GetTimestamp();

    /// <summary>Clients of all sessions.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _sessions.Values.Sum(members => members.Values.Count(IsThere));
            }
        }
    }

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

    /// <summary>
    /// The client that asks something of the workspace, where it is one of some session and of this identity. Null else: it is for its own
    /// echo only, and no reason to refuse anything.
    /// </summary>
    public string? ClientOf(Exchange exchange)
    {
        if (exchange.Header("X-Qwen-Client-Id") is not { } client || !IsWellFormed(client))
        {
            return null;
        }

        lock (_lock)
        {
            return _sessions.Values.Any(members =>
                members.TryGetValue(client, out var member) && member.Identity.Name == exchange.Identity.Name
            )
                ? client
                : null;
        }
    }

    /// <summary>It is gone, as far as it says; a stream that it still reads counts until it ends.</summary>
    public void Leave(SessionId session, string client)
    {
        lock (_lock)
        {
            if (_sessions.TryGetValue(session, out var members) && members.TryGetValue(client, out var member))
            {
                member.HasLeft = true;
                if (member.Readers == 0)
                {
                    members.Remove(client);
                }
            }
        }
    }

    /// <summary>The identities that are there and may approve.</summary>
    public IReadOnlyList<Identity> Voters(SessionId session)
    {
        lock (_lock)
        {
            return
            [
                .. Of(session)
                    .Values.Where(member => IsThere(member) && member.Identity.May(Scope.Approve))
                    .Select(member => member.Identity)
                    .DistinctBy(identity => identity.Name, StringComparer.Ordinal)
                    .OrderBy(identity => identity.Name, StringComparer.Ordinal),
            ];
        }
    }

    public int Clients(SessionId session)
    {
        lock (_lock)
        {
            return Of(session).Values.Count(IsThere);
        }
    }

    public int Readers(SessionId session)
    {
        lock (_lock)
        {
            return ReadersOf(session);
        }
    }

    /// <summary>Nobody reads, and nobody was heard of for so long.</summary>
    public bool IsQuiet(SessionId session, TimeSpan during)
    {
        lock (_lock)
        {
            return Of(session).Values.All(member => member.Readers == 0 && time.GetElapsedTime(member.SeenAt) > during);
        }
    }

    /// <summary>Counts a reader until it is disposed.</summary>
    /// <param name="most">How many there may be; 0 for any number.</param>
    /// <returns>Null where there are so many already.</returns>
    public IDisposable? TryRead(SessionId session, Actor actor, Identity identity, int most)
    {
        lock (_lock)
        {
            return most > 0 && ReadersOf(session) >= most ? null : new Seat(this, Touch(session, identity, actor.Client ?? ""));
        }
    }

    /// <summary>Forgets those who are gone.</summary>
    public void Sweep()
    {
        lock (_lock)
        {
            foreach (var (session, members) in _sessions)
            {
                foreach (var (client, _) in members.Where(member => !IsThere(member.Value)))
                {
                    members.Remove(client);
                }

                if (members.Count == 0)
                {
                    _sessions.Remove(session);
                }
            }
        }
    }

    private Dictionary<string, Member> Of(SessionId session) => _sessions.GetValueOrDefault(session) ?? s_nobody;

    private int ReadersOf(SessionId session) => Of(session).Values.Sum(member => member.Readers);

    private bool IsThere(Member member) =>
        member.Readers > 0 || (!member.HasLeft && time.GetElapsedTime(member.SeenAt) < timeout);

    private bool IsKnown(SessionId session, Identity identity, string client)
    {
        lock (_lock)
        {
            return (Of(session).GetValueOrDefault(client) is { HasLeft: false } member && member.Identity.Name == identity.Name)
                || IsSigned(session, identity, client);
        }
    }

    private bool IsFree(SessionId session, Identity identity, string client)
    {
        lock (_lock)
        {
            return !Of(session).TryGetValue(client, out var member) || member.Identity.Name == identity.Name;
        }
    }

    private Member Touch(SessionId session, Identity identity, string client)
    {
        // Those without a name are counted once an identity, under a name that no client can have.
        var name = client.Length == 0 ? $"/{identity.Name}" : client;
        lock (_lock)
        {
            if (!_sessions.TryGetValue(session, out var members))
            {
                _sessions[session] = members = new Dictionary<string, Member>(StringComparer.Ordinal);
            }

            if (!members.TryGetValue(name, out var member))
            {
                members[name] = member = new Member();
            }

            (member.Identity, member.SeenAt, member.HasLeft) = (identity, Now, false);
            return member;
        }
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

    private sealed class Member
    {
        /// <summary>By the newest token: one that is issued again may be good for something else.</summary>
        public Identity Identity { get; set; } = null!;

        public long SeenAt { get; set; }

        public bool HasLeft { get; set; }

        public int Readers { get; set; }
    }

    private sealed class Seat : IDisposable
    {
        private readonly Attendance _attendance;
        private Member? _member;

        public Seat(Attendance attendance, Member member)
        {
            (_attendance, _member) = (attendance, member);
            member.Readers++;
        }

        public void Dispose()
        {
            lock (_attendance._lock)
            {
                if (_member is { } member)
                {
                    (_member, member.SeenAt) = (null, _attendance.Now);
                    member.Readers--;
                }
            }
        }
    }
}
