using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Thole.Core.Context;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Routing;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>The sessions of one process.</summary>
public sealed class Runtime : IAgentRuntime, ILiveSessions, IAsyncDisposable
{
    private readonly ConcurrentDictionary<SessionId, Lazy<Task<Session>>> _sessions = new();
    private readonly ConcurrentDictionary<SessionId, Session> _opened = new();
    private readonly RuntimeParts _parts;
    private readonly SessionParts _sessionParts;
    private volatile bool _isDraining;
    private volatile bool _isOver;

    public Runtime(RuntimeParts parts)
    {
        _parts = parts;
        var turns = new TurnRunner(
            new ModelRouter(parts.Models, parts.Routing),
            parts.Tools,
            new ContextBuilder(parts.SystemPrompt, parts.Sources),
            new Compaction(parts.CompactionThreshold),
            new ToolRunner(parts.Policy, parts.Gate, parts.Time),
            parts.Limits,
            parts.Time
        );
        _sessionParts = new SessionParts(turns, parts.OpenHands, parts.Rules, parts.Elect, parts.Time, parts.NewId, parts.Logger);
    }

    public async ValueTask<SessionId> OpenSessionAsync(OpenSession request, CancellationToken cancellationToken)
    {
        if (_isDraining)
        {
            throw Mailbox.Closed();
        }

        var id = request.Session ?? request.NewSession ?? new SessionId(_parts.NewId().ToString("d"));
        var isChosen = request is { Session: null, NewSession: not null };
        if (isChosen && _parts.Store.Exists(id))
        {
            throw Taken(id);
        }

        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // Whoever leaves does not take the session from those who wait for the same opening: it goes on without a token.
            var mine = new Lazy<Task<Session>>(() => OpenAsync(id, request));
            var opening = _sessions.GetOrAdd(id, mine);
            if (isChosen && opening != mine)
            {
                throw Taken(id); // by somebody who chose the same a moment ago
            }

            var session = await opening.Value.WaitAsync(cancellationToken);
            if (!session.IsOver)
            {
                session.MustBelongTo(request.Workspace);
                return id;
            }

            // It is being closed, or its log could not be written and now perhaps can: the file is free when we come to it.
            // Where it did not close well, whoever closed it was told; whether its file is free the store says.
            await session.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Forget(id, opening, session);
            request = request with { Session = id }; // a new one was made by then
            isChosen = false;
        }
    }

    public async ValueTask<Receipt> SubmitAsync(
        SessionId session,
        Command command,
        Actor actor,
        CancellationToken cancellationToken
    ) => await (await FindAsync(session)).SubmitAsync(command, actor);

    public async IAsyncEnumerable<Envelope> ReadAsync(
        SessionId session,
        long after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var envelope in (await FindAsync(session)).ReadAsync(after, cancellationToken))
        {
            yield return envelope;
        }
    }

    public int Count => _opened.Count;

    public IReadOnlyList<SessionStatus> All =>
        [.. _opened.Values.Where(session => !session.IsOver).Select(session => session.Status)];

    public SessionStatus? Find(SessionId session) =>
        _opened.TryGetValue(session, out var open) && !open.IsOver ? open.Status : null;

    public async ValueTask<BlobId> StoreAsync(
        SessionId session,
        ReadOnlyMemory<byte> content,
        CancellationToken cancellationToken
    ) => await (await FindAsync(session)).Hands.Blobs.StoreAsync(content, cancellationToken);

    public async ValueTask<bool> UnloadAsync(SessionId session, CancellationToken cancellationToken)
    {
        if (!_sessions.TryGetValue(session, out var opening) || !opening.Value.IsCompletedSuccessfully)
        {
            return false;
        }

        var open = await opening.Value;
        try
        {
            return !open.Hands.Processes.Background.Any(command => command.IsRunning) && await open.TryCloseAsync();
        }
        finally
        {
            if (open.IsOver)
            {
                Forget(session, opening, open);
            }
        }
    }

    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _isDraining = true;
        await Task.WhenAll(
                _opened.Values.Where(session => !session.IsOver).Select(session => session.FinishAsync(cancellationToken))
            )
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        _isOver = true; // who has passed the check below has an entry here by now, and is waited for
        try
        {
            await Task.WhenAll(_sessions.Values.Select(CloseAsync)); // all at once, also where one fails
        }
        finally
        {
            _sessions.Clear();
        }
    }

    private static RefusedException Taken(SessionId id) =>
        new("session_conflict", $"There is a session {id} already; load it to go on with it, or choose another id.");

    private static async Task CloseAsync(Lazy<Task<Session>> opening)
    {
        await ((Task)opening.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opening.Value.IsCompletedSuccessfully)
        {
            await (await opening.Value).DisposeAsync();
        }
    }

    private async Task<Session> OpenAsync(SessionId id, OpenSession request)
    {
        try
        {
            if (_isOver)
            {
                throw new RefusedException("session_closed", "The process is ending; open the session again when it is back.");
            }

            return _opened[id] = request.Session is null
                ? await Session.OpenAsync(
                    id,
                    _parts.Store.Create(id),
                    request.Workspace,
                    [new SessionOpened(id, request.Workspace, request.Model, request.ApprovalMode, _parts.Version)],
                    Actor.User,
                    _sessionParts
                )
                : await Session.OpenAsync(
                    id,
                    await _parts.Store.OpenAsync(id, CancellationToken.None),
                    request.Workspace,
                    [],
                    Actor.Runtime,
                    _sessionParts
                );
        }
        catch
        {
            // A session that did not open is not remembered, also where nobody waits any more: the next try is a new one.
            _sessions.TryRemove(id, out _);
            throw;
        }
    }

    /// <summary>That one and no other: the id may stand for the next opening already.</summary>
    private void Forget(SessionId id, Lazy<Task<Session>> opening, Session session)
    {
        _opened.TryRemove(KeyValuePair.Create(id, session));
        _sessions.TryRemove(KeyValuePair.Create(id, opening));
    }

    private Task<Session> FindAsync(SessionId id) =>
        _sessions.TryGetValue(id, out var opening)
            ? opening.Value
            : throw new RefusedException("session_not_found", $"The session {id} is not open.");
}
