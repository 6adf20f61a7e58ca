using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Thole.Protocol;

namespace Thole.Server.Sessions;

/// <summary>
/// Finds sessions by their id, open or resting on disk: a client need not know which. A session that was unloaded in the middle is
/// opened again; nothing was lost by that.
/// </summary>
internal sealed class SessionDirectory(DaemonParts parts, Attendance attendance) : IDisposable
{
    // An unload and an opening can miss each other once, and hardly twice.
    private const int Attempts = 5;

    private readonly ConcurrentDictionary<SessionId, long> _usedAt = new();
    private readonly SemaphoreSlim _shared = new(1, 1);
    private SessionId? _sharedSession;
    private volatile bool _isDraining;

    public bool IsDraining => _isDraining;

    /// <summary>From now on nothing begins: who asks for more is told to come back.</summary>
    public void Drain() => _isDraining = true;

    /// <exception cref="ProblemException">The daemon is stopping.</exception>
    public void MustTakeWork()
    {
        if (_isDraining)
        {
            throw Stopping();
        }
    }

    /// <summary>One daemon, one workspace.</summary>
    /// <exception cref="ProblemException">It is another directory than that of this daemon.</exception>
    public void MustBeOurs(string? cwd)
    {
        if (cwd is null)
        {
            return;
        }

        if (!Path.IsPathFullyQualified(cwd))
        {
            throw new ProblemException(400, "invalid_workspace", "`cwd` must be an absolute path");
        }

        if (parts.RealPath(cwd) != parts.Workspace)
        {
            throw new ProblemException(
                400,
                "workspace_mismatch",
                "This daemon serves another workspace; start one with thole serve --workspace for that directory.",
                ("boundWorkspace", parts.Workspace),
                ("requestedWorkspace", cwd)
            );
        }
    }

    /// <summary>A session that takes prompts.</summary>
    /// <exception cref="ProblemException">There is none of that id here, or it was closed.</exception>
    public async ValueTask<SessionStatus> RequireAsync(SessionId id, CancellationToken cancellationToken) =>
        await OpenAsync(id, cancellationToken) is { IsClosed: false } status ? status : throw NotFound(id);

    /// <summary>A session, closed or not.</summary>
    /// <exception cref="ProblemException">There is none of that id here.</exception>
    public async ValueTask<SessionStatus> OpenAsync(SessionId id, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (parts.Live.Find(id) is { } status)
            {
                _usedAt[id] = parts.Time.GetTimestamp();
                return status;
            }

            MustTakeWork();
            await MakeRoomAsync(cancellationToken);
            try
            {
                await OpenAsync(Request(id), cancellationToken);
            }
            catch (RefusedException refused) when (refused.Reason is "session_not_found" or "workspace_mismatch")
            {
                throw NotFound(id); // of another directory or of none: who guesses ids learns nothing
            }
        }

        throw new ProblemException(503, "session_busy", "The session is being opened and closed at once; try again.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };
    }

    public ValueTask<Receipt> SubmitAsync(SessionId id, Command command, Actor actor, CancellationToken cancellationToken) =>
        WithOpenAsync(id, () => parts.Runtime.SubmitAsync(id, command, actor, cancellationToken), cancellationToken);

    /// <summary>Keeps bytes beside the events of a session, so that a prompt can name them.</summary>
    public ValueTask<BlobId> StoreAsync(SessionId id, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        WithOpenAsync(id, () => parts.Live.StoreAsync(id, content, cancellationToken), cancellationToken);

    public async IAsyncEnumerable<Envelope> ReadAsync(
        SessionId id,
        long after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        while (true)
        {
            await OpenAsync(id, cancellationToken);
            await using var events = parts.Runtime.ReadAsync(id, after, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(events))
            {
                after = events.Current.Sequence;
                yield return events.Current;
            }
        }
    }

    /// <summary>The events in (<paramref name="after"/>, <paramref name="through"/>], which all have happened.</summary>
    public async IAsyncEnumerable<Envelope> ReadPastAsync(
        SessionId id,
        long after,
        long through,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (after >= through)
        {
            yield break;
        }

        await foreach (var envelope in ReadAsync(id, after, cancellationToken))
        {
            if (envelope.Sequence <= through)
            {
                yield return envelope;
            }

            if (envelope.Sequence >= through)
            {
                yield break;
            }
        }
    }

    public async ValueTask<SessionStatus> CreateAsync(OpenSession request, CancellationToken cancellationToken)
    {
        MustTakeWork();
        await MakeRoomAsync(cancellationToken);
        var id = await OpenAsync(request, cancellationToken);
        return await OpenAsync(id, cancellationToken);
    }

    /// <summary>
    /// The session that whoever asks for none in particular gets; those who ask at once get the same one. After a restart it is the
    /// newest one, where that has not finished what was asked of it.
    /// </summary>
    public async ValueTask<(SessionStatus Status, bool IsNew)> SharedAsync(
        OpenSession request,
        CancellationToken cancellationToken
    )
    {
        await _shared.WaitAsync(cancellationToken);
        try
        {
            _sharedSession ??= await NewestUnfinishedAsync(cancellationToken);
            if (_sharedSession is { } known && await TryOpenAsync(known, cancellationToken) is { IsClosed: false } status)
            {
                return (status, false);
            }

            var created = await CreateAsync(request, cancellationToken);
            _sharedSession = created.Session;
            return (created, true);
        }
        finally
        {
            _shared.Release();
        }
    }

    /// <summary>Nobody has read it or asked for it for as long as a session may rest.</summary>
    public bool IsIdle(SessionStatus session)
    {
        var longest = parts.Sessions.IdleTimeout;
        return parts.Time.GetUtcNow() - session.UpdatedAt > longest
            && (!_usedAt.TryGetValue(session.Session, out var at) || parts.Time.GetElapsedTime(at) > longest)
            && attendance.IsQuiet(session.Session, longest);
    }

    /// <summary>Puts a session away that rests, and that nobody reads: whoever read it would have it opened again at once.</summary>
    public async ValueTask<bool> UnloadAsync(SessionStatus session, CancellationToken cancellationToken)
    {
        var usedAt = _usedAt.GetValueOrDefault(session.Session);
        if (
            session is not { Turn: null, Waiting: [], Steering: [] }
            || attendance.Readers(session.Session) > 0
            || !await parts.Live.UnloadAsync(session.Session, cancellationToken)
        )
        {
            return false;
        }

        _usedAt.TryRemove(KeyValuePair.Create(session.Session, usedAt)); // unless somebody has opened it again by now
        return true;
    }

    public void Dispose() => _shared.Dispose();

    public OpenSession Request(SessionId? id = null) =>
        new()
        {
            Workspace = parts.Workspace,
            Session = id,
            Model = parts.Sessions.Model,
            ApprovalMode = parts.Sessions.ApprovalMode,
        };

    public static ProblemException NotFound(SessionId id) =>
        new(404, "session_not_found", $"No session with id \"{id}\"", ("sessionId", id.Value));

    private async ValueTask<SessionId?> NewestUnfinishedAsync(CancellationToken cancellationToken) =>
        (await parts.Catalog.ListAsync(parts.Workspace, limit: 1, cancellationToken)) is [{ IsUnfinished: true } newest]
            ? newest.Id
            : null;

    private async ValueTask<SessionStatus?> TryOpenAsync(SessionId id, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(id, cancellationToken);
        }
        catch (ProblemException gone) when (gone.Status == 404)
        {
            return null; // it was deleted
        }
    }

    /// <summary>Where all places are taken, those who rest longest give theirs.</summary>
    private async ValueTask MakeRoomAsync(CancellationToken cancellationToken)
    {
        var limit = parts.Sessions.MaxSessions;
        if (limit == 0 || parts.Live.Count < limit)
        {
            return;
        }

        foreach (var resting in parts.Live.All.OrderBy(session => session.UpdatedAt))
        {
            if (await UnloadAsync(resting, cancellationToken))
            {
                return;
            }
        }

        throw new ProblemException(
            503,
            "session_limit_exceeded",
            $"Session limit reached ({limit})",
            ("limit", limit),
            ("scope", "workspace")
        )
        {
            RetryAfter = TimeSpan.FromSeconds(5),
        };
    }

    private async ValueTask<SessionId> OpenAsync(OpenSession request, CancellationToken cancellationToken)
    {
        try
        {
            return await parts.Runtime.OpenSessionAsync(request, cancellationToken);
        }
        catch (RefusedException refused) when (refused.Reason is "session_closed")
        {
            throw Stopping(); // nothing is opened any more: who asked has passed the look at that a moment ago
        }
    }

    private static ProblemException Stopping() =>
        new(503, "daemon_draining", "The daemon is stopping; connect again when it is back.")
        {
            RetryAfter = TimeSpan.FromSeconds(5),
        };

    private async ValueTask<T> WithOpenAsync<T>(SessionId id, Func<ValueTask<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await OpenAsync(id, cancellationToken);
            try
            {
                return await work();
            }
            catch (RefusedException refused) when (WasUnloaded(refused))
            {
                MustTakeWork();
                if (attempt == Attempts)
                {
                    throw;
                }
            }
        }
    }

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<Envelope> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (RefusedException refused) when (WasUnloaded(refused) && !_isDraining)
        {
            return false; // it is opened again, and goes on where this reader was
        }
    }

    private static bool WasUnloaded(RefusedException refused) => refused.Reason is "session_closed" or "session_not_found";
}
