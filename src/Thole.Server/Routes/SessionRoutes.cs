using Thole.Protocol;
using Thole.Server.Sessions;
using Thole.Wire.Daemon;

namespace Thole.Server.Routes;

/// <summary>Sessions begin, are found, change and end.</summary>
internal sealed class SessionRoutes(DaemonParts parts, SessionDirectory sessions, Attendance attendance)
{
    private const int LongestList = 10_000;
    private const int LongestName = 256;

    private readonly SessionShaping _shaping = new(parts, attendance);

    public IReadOnlyList<Operation> Operations =>
        [
            new("POST", "/session", "createSession", Scope.Prompt, "Opens a session, or attaches to the shared one.")
            {
                Handle = CreateAsync,
                Request = SessionJson.Default.CreateSession,
                Reply = SessionJson.Default.CreatedSession,
                Errors = [409, 503],
                Unsupported =
                [
                    new("worktree", "The daemon gives no session a worktree; start another daemon in one, with --workspace."),
                    new("branch", "The daemon checks out no branch for a session; check it out with git first."),
                ],
            },
            List("/workspace/{cwd}/sessions", "listWorkspaceSessions"),
            List("/workspaces/{cwd}/sessions", "listSessionsOfWorkspace"),
            new(
                "POST",
                "/session/{id}/load",
                "loadSession",
                Scope.Prompt,
                "Opens a session from disk; its stream has the history."
            )
            {
                Handle = exchange => RestoreAsync(exchange),
                Request = SessionJson.Default.RestoreSession,
                Reply = SessionJson.Default.CreatedSession,
                Errors = [503],
            },
            new("POST", "/session/{id}/resume", "resumeSession", Scope.Prompt, "Opens a session from disk.")
            {
                Handle = exchange => RestoreAsync(exchange),
                Request = SessionJson.Default.RestoreSession,
                Reply = SessionJson.Default.CreatedSession,
                Errors = [503],
            },
            new(
                "DELETE",
                "/session/{id}",
                "closeSession",
                Scope.Prompt,
                "Ends a session's work; its log stays, and load opens it again."
            )
            {
                Handle = CloseAsync,
                Kind = ReplyKind.None,
                Status = 204,
            },
            new("POST", "/session/{id}/detach", "detachClient", Scope.Observe, "The client is gone.")
            {
                Handle = DetachAsync,
                Kind = ReplyKind.None,
                Status = 204,
            },
            new("POST", "/session/{id}/heartbeat", "heartbeat", Scope.Observe, "The client is still there.")
            {
                Handle = HeartbeatAsync,
                Reply = SessionJson.Default.HeartbeatReply,
                Tier = RateTier.Exempt,
            },
            new("PATCH", "/session/{id}/metadata", "updateSessionMetadata", Scope.Prompt, "Gives a session a name.")
            {
                Handle = RenameAsync,
                Request = SessionJson.Default.MetadataRequest,
                Unsupported = [new("pr", "A session is tied to no pull request; only displayName can be changed.")],
                Reply = SessionJson.Default.MetadataReply,
            },
            new("POST", "/session/{id}/model", "setSessionModel", Scope.Prompt, "Thinks with this model from the next step on.")
            {
                Handle = SelectModelAsync,
                Request = SessionJson.Default.ModelRequest,
                Reply = SessionJson.Default.ModelReply,
            },
            new(
                "POST",
                "/session/{id}/approval-mode",
                "setSessionApprovalMode",
                Scope.Approve,
                "Judges calls by this mode from the next one on."
            )
            {
                Handle = SelectModeAsync,
                Request = SessionJson.Default.ModeRequest,
                Unsupported = [new("planMode", "Plan is one of the modes here; send mode \"plan\" instead of planMode.")],
                Reply = SessionJson.Default.ModeReply,
            },
            new("GET", "/session/{id}/status", "sessionStatus", Scope.Observe, "What is true of a session now.")
            {
                Handle = async exchange =>
                    await exchange.ReplyAsync(_shaping.Entry(await RequireAsync(exchange)), SessionJson.Default.SessionEntry),
                Reply = SessionJson.Default.SessionEntry,
            },
            new("GET", "/session/{id}/context", "sessionContext", Scope.Observe, "The model and mode of a session.")
            {
                Handle = ContextAsync,
                Reply = SessionJson.Default.SessionContextShape,
            },
            new("GET", "/session/{id}/context-usage", "sessionContextUsage", Scope.Observe, "Tokens of the context.")
            {
                Handle = UsageAsync,
                Reply = SessionJson.Default.ContextUsage,
            },
            new(
                "GET",
                "/session/{id}/supported-commands",
                "sessionSupportedCommands",
                Scope.Observe,
                "Slash commands and skills: there are none."
            )
            {
                Handle = CommandsAsync,
                Reply = SessionJson.Default.SupportedCommands,
            },
        ];

    private Operation List(string path, string name) =>
        new("GET", path, name, Scope.Observe, "The sessions of the workspace, newest first.")
        {
            Handle = ListAsync,
            Reply = SessionJson.Default.SessionPage,
            Parameters =
            [
                new Parameter(ParameterPlace.Query, "size", "Entries of a page, 1 to 100.") { Type = ParameterType.Integer },
                new Parameter(ParameterPlace.Query, "cursor", "The nextCursor of the page before.") { Length = 200 },
            ],
        };

    private async Task CreateAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.CreateSession);
        sessions.MustBeOurs(request.Cwd);
        var isShared = request.SessionScope switch
        {
            null or "single" => true,
            "thread" => false,
            _ => throw new ProblemException(400, "invalid_session_scope", "`sessionScope` must be \"single\" or \"thread\"."),
        };
        var mode = ModeOf(request.ApprovalMode, exchange);
        var chosen = ChosenId.Read(request.SessionId);
        isShared &= chosen is null;
        var open = sessions.Request() with { ApprovalMode = mode ?? parts.Sessions.ApprovalMode, NewSession = chosen };
        var (status, isNew) = isShared
            ? await sessions.SharedAsync(open, exchange.Aborted)
            : (await sessions.CreateAsync(open, exchange.Aborted), true);
        var actor = JoinAs(exchange, status.Session);
        string? modelError = null;
        if (request.ModelServiceId is { } model)
        {
            modelError = await TrySelectModelAsync(status.Session, model, actor, exchange.Aborted);
        }

        if (!isNew && mode is { } wanted)
        {
            await sessions.SubmitAsync(status.Session, new SelectApprovalMode(wanted), actor, exchange.Aborted);
        }

        await exchange.ReplyAsync(
            Created(status, actor, attached: !isNew) with
            {
                ModelApplied = request.ModelServiceId is null ? null : modelError is null,
                ModelError = modelError,
            },
            SessionJson.Default.CreatedSession
        );
    }

    private async Task RestoreAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.RestoreSession);
        sessions.MustBeOurs(request.Cwd);
        var id = IdOf(exchange);
        var mode = ModeOf(request.ApprovalMode, exchange);
        var wasOpen = parts.Live.Find(id) is { IsClosed: false };
        var status = await sessions.OpenAsync(id, exchange.Aborted);
        var actor = JoinAs(exchange, id);
        if (status.IsClosed)
        {
            await sessions.SubmitAsync(id, new ReopenSession(), actor, exchange.Aborted);
        }

        if (mode is { } wanted)
        {
            await sessions.SubmitAsync(id, new SelectApprovalMode(wanted), actor, exchange.Aborted);
        }

        status = await sessions.OpenAsync(id, exchange.Aborted);
        await exchange.ReplyAsync(
            Created(status, actor, attached: wasOpen) with
            {
                State = SessionShaping.State(status),
                CompactedReplay = [],
                LiveJournal = [],
                LastEventId = exchange.Operation.Name is "loadSession" ? 0 : status.Latest,
                HistoryHasMore = false,
            },
            SessionJson.Default.CreatedSession
        );
    }

    private async Task ListAsync(Exchange exchange)
    {
        var cwd = exchange.Route("cwd");
        if (!Path.IsPathFullyQualified(cwd))
        {
            throw new ProblemException(400, "invalid_workspace", "`:id` must decode to an absolute workspace path");
        }

        sessions.MustBeOurs(cwd);
        var size = (int)Math.Clamp(exchange.QueryNumber("size") ?? 20, 1, 100);
        var all = await parts.Catalog.ListAsync(parts.Workspace, LongestList, exchange.Aborted);
        var from = exchange.Query("cursor") is { Length: > 0 } cursor ? SessionCursor.After(cursor, all) : 0;
        var page = all.Skip(from).Take(size).ToList();
        var next = from + page.Count < all.Count ? SessionCursor.Of(page[^1]) : null;
        await exchange.ReplyAsync(new SessionPage([.. page.Select(_shaping.Entry)], next), SessionJson.Default.SessionPage);
    }

    private async Task CloseAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        await sessions.SubmitAsync(status.Session, new CloseSession(), actor, exchange.Aborted);
        await exchange.NoContentAsync();
    }

    private async Task DetachAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        if (attendance.Identify(status.Session, exchange).Client is { } client)
        {
            attendance.Leave(status.Session, client);
        }

        await exchange.NoContentAsync();
    }

    private async Task HeartbeatAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        await exchange.ReplyAsync(
            new HeartbeatReply(
                status.Session.Value,
                actor.Client,
                parts.Time.GetUtcNow().ToUnixTimeMilliseconds(),
                Streams.DaemonDialect.StateWord(status),
                status.Latest
            ),
            SessionJson.Default.HeartbeatReply
        );
    }

    private async Task RenameAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.MetadataRequest);
        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        var name = request.DisplayName?.Trim();
        if (name is { } given && (given.Length > LongestName || given.Any(char.IsControl)))
        {
            throw new ProblemException(
                400,
                "invalid_metadata",
                $"`displayName` has at most {LongestName} characters and no control characters.",
                ("field", "displayName")
            );
        }

        if (name is not null)
        {
            await sessions.SubmitAsync(status.Session, new RenameSession(name.Length > 0 ? name : null), actor, exchange.Aborted);
        }

        await exchange.ReplyAsync(
            new MetadataReply(status.Session.Value, name ?? status.Name ?? ""),
            SessionJson.Default.MetadataReply
        );
    }

    private async Task SelectModelAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.ModelRequest);
        if (request.ModelId is not { Length: > 0 } model)
        {
            throw new ProblemException(400, "invalid_model", "`modelId` is required and must be a non-empty string");
        }

        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        var full = parts.ResolveModel(model);
        await sessions.SubmitAsync(status.Session, new SelectModel(full), actor, exchange.Aborted);
        await exchange.ReplyAsync(new ModelReply(full), SessionJson.Default.ModelReply);
    }

    private async Task SelectModeAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.ModeRequest);
        if (request.Persist is true)
        {
            throw new ProblemException(
                400,
                "invalid_persist_flag",
                "The mode is chosen for one session; set approvalMode in the settings to choose it for all."
            );
        }

        var mode = ModeOf(request.Mode ?? "", exchange)!.Value;
        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        await sessions.SubmitAsync(status.Session, new SelectApprovalMode(mode), actor, exchange.Aborted);
        await exchange.ReplyAsync(
            new ModeReply(status.Session.Value, DaemonWords.Word(mode), DaemonWords.Word(status.ApprovalMode), Persisted: false),
            SessionJson.Default.ModeReply
        );
    }

    private async Task ContextAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        await exchange.ReplyAsync(
            new SessionContextShape(1, status.Session.Value, status.Workspace, SessionShaping.State(status)),
            SessionJson.Default.SessionContextShape
        );
    }

    private async Task UsageAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        await exchange.ReplyAsync(
            new ContextUsage(1, status.Session.Value, status.Model, status.ContextTokens),
            SessionJson.Default.ContextUsage
        );
    }

    private async Task CommandsAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        await exchange.ReplyAsync(new SupportedCommands(1, status.Session.Value, [], []), SessionJson.Default.SupportedCommands);
    }

    /// <summary>A model that is not to be had does not fail the session; the answer says so.</summary>
    private async ValueTask<string?> TrySelectModelAsync(
        SessionId session,
        string model,
        Actor actor,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await sessions.SubmitAsync(session, new SelectModel(parts.ResolveModel(model)), actor, cancellationToken);
            return null;
        }
        catch (RefusedException refused) when (refused.Reason is "model_unavailable" or "no_credentials")
        {
            return refused.Message;
        }
    }

    private CreatedSession Created(SessionStatus status, Actor actor, bool attached) =>
        new()
        {
            SessionId = status.Session.Value,
            WorkspaceCwd = parts.Workspace,
            Attached = attached,
            ClientId = actor.Client!,
            CreatedAt = status.CreatedAt,
            HasActivePrompt = status.Turn is not null,
            EventEpoch = status.Session.Value,
        };

    private Actor JoinAs(Exchange exchange, SessionId session) =>
        Actor.Of(exchange.Identity.Name, attendance.Join(session, exchange.Identity, exchange.Header("X-Qwen-Client-Id")));

    private ValueTask<SessionStatus> RequireAsync(Exchange exchange) => sessions.RequireAsync(IdOf(exchange), exchange.Aborted);

    private static SessionId IdOf(Exchange exchange) => new(exchange.Route("id"));

    private ApprovalMode? ModeOf(string? word, Exchange exchange)
    {
        if (word is null)
        {
            return null;
        }

        var modes = Enum.GetValues<ApprovalMode>();
        if (modes.Where(mode => DaemonWords.Word(mode) == word).ToArray() is not [var mode])
        {
            throw new ProblemException(
                400,
                "invalid_approval_mode",
                $"`mode` must be one of {string.Join(", ", modes.Select(DaemonWords.Word))}.",
                ("allowed", modes.Select(DaemonWords.Word))
            );
        }

        Rights.RequireMode(exchange, mode, parts.Sessions.ApprovalMode);
        return mode;
    }
}
