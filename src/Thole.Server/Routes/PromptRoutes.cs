using System.Buffers;
using Thole.Protocol;
using Thole.Server.Sessions;
using Thole.Wire.Daemon;

namespace Thole.Server.Routes;

/// <summary>What is asked of a session: prompts, what is said while a turn runs, and the end of one.</summary>
internal sealed class PromptRoutes(DaemonParts parts, SessionDirectory sessions, Attendance attendance)
{
    private const int LongestId = 128;
    private const long LongestDeadline = 7 * 24 * 3_600_000;
    private static readonly SearchValues<char> s_idCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
    );

    public IReadOnlyList<Operation> Operations =>
        [
            new("POST", "/session/{id}/prompt", "promptSession", Scope.Prompt, "Accepts a prompt; its turn ends with an event.")
            {
                Handle = PromptAsync,
                Request = SessionJson.Default.PromptRequest,
                Reply = SessionJson.Default.PromptAccepted,
                Status = 202,
                Tier = RateTier.Prompt,
                Errors = [409, 503, 504],
                Unsupported =
                [
                    new("retry", "A turn that failed is not made again in its place; send the prompt under a new promptId."),
                    new("delivery", "The daemon delivers answers to no channel; read them from the session's events."),
                ],
                Parameters =
                [
                    new Parameter(ParameterPlace.Header, "Idempotency-Key", "Makes a repeated prompt harmless.")
                    {
                        Length = LongestId,
                    },
                    new Parameter(
                        ParameterPlace.Header,
                        "Prefer",
                        "wait: answer with 200 and the stopReason when the turn ends; a client that leaves cancels it."
                    ),
                ],
            },
            new(
                "POST",
                "/session/{id}/cancel",
                "cancelTurn",
                Scope.Prompt,
                "Stops the turn that runs; those that wait still run."
            )
            {
                Handle = CancelAsync,
                Kind = ReplyKind.None,
                Status = 204,
            },
            new(
                "GET",
                "/session/{id}/pending-prompts",
                "listPendingPrompts",
                Scope.Observe,
                "The prompt that runs, and those that wait."
            )
            {
                Handle = PendingAsync,
                Reply = SessionJson.Default.PendingPrompts,
            },
            new(
                "DELETE",
                "/session/{id}/pending-prompts/{prompt}",
                "withdrawPrompt",
                Scope.Prompt,
                "Takes back a prompt that waits."
            )
            {
                Handle = WithdrawAsync,
                Reply = SessionJson.Default.Removed,
            },
            new(
                "POST",
                "/session/{id}/mid-turn-message",
                "steerTurn",
                Scope.Prompt,
                "Tells the model something before its next step, while a turn runs."
            )
            {
                Handle = SteerAsync,
                Request = SessionJson.Default.SteeringRequest,
                Reply = SessionJson.Default.SteeringReply,
                Tier = RateTier.Prompt,
                Errors = [409, 503],
            },
            new("GET", "/session/{id}/mid-turn-messages", "listSteering", Scope.Observe, "What the model has not been told yet.")
            {
                Handle = SteeringAsync,
                Reply = SessionJson.Default.SteeringMessages,
            },
            new(
                "DELETE",
                "/session/{id}/mid-turn-messages/{prompt}",
                "withdrawSteering",
                Scope.Prompt,
                "Takes back a message that the model has not been told yet."
            )
            {
                Handle = WithdrawAsync,
                Reply = SessionJson.Default.Removed,
            },
        ];

    private async Task PromptAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.PromptRequest);
        var status = await RequireAsync(exchange);
        sessions.MustTakeWork();
        var actor = attendance.Identify(status.Session, exchange);
        var prompt = PromptIdOf(request.PromptId ?? exchange.Header("Idempotency-Key"));
        var deadline = DeadlineOf(request.DeadlineMs);
        var content = await ContentBlocks.ReadAsync(
            request.Prompt,
            bytes => sessions.StoreAsync(status.Session, bytes, exchange.Aborted)
        );
        var receipt = await SubmitAsync(status, new Prompt(prompt, content) { Deadline = deadline }, actor, exchange);
        if (
            parts.Sessions.BlockingPrompts
            || exchange.Header("Prefer") is { } prefer && prefer.StartsWith("wait", StringComparison.Ordinal)
        )
        {
            await new BlockingPrompt(sessions, status.Session, prompt, actor).AnswerAsync(exchange, receipt.First - 1);
            return;
        }

        await exchange.ReplyAsync(
            new PromptAccepted(prompt.Value, receipt.First - 1, status.Session.Value),
            SessionJson.Default.PromptAccepted
        );
    }

    private async Task CancelAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        if (status.Turn is { } turn)
        {
            await sessions.SubmitAsync(status.Session, new Interrupt(turn.Turn), actor, exchange.Aborted);
        }

        await exchange.NoContentAsync();
    }

    private async Task PendingAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        await exchange.ReplyAsync(
            new PendingPrompts([
                .. status.Turn is { } turn
                    ?
                    [
                        new PendingPrompt(
                            turn.Prompt.Value,
                            DaemonWords.TextOf(turn.Content ?? []),
                            (turn.QueuedAt ?? turn.StartedAt).ToUnixTimeMilliseconds(),
                            "running",
                            turn.Asker.Client
                        ),
                    ]
                    : Array.Empty<PendingPrompt>(),
                .. status.Waiting.Select(waiting => new PendingPrompt(
                    waiting.Prompt.Value,
                    DaemonWords.TextOf(waiting.Content),
                    waiting.At.ToUnixTimeMilliseconds(),
                    "queued",
                    waiting.Asker.Client
                )),
            ]),
            SessionJson.Default.PendingPrompts
        );
    }

    private async Task WithdrawAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        var actor = attendance.Identify(status.Session, exchange);
        var prompt = new PromptId(exchange.Route("prompt"));
        var receipt = await sessions.SubmitAsync(status.Session, new Withdraw(prompt), actor, exchange.Aborted);
        await exchange.ReplyAsync(new Removed(receipt.First > 0), SessionJson.Default.Removed);
    }

    private async Task SteerAsync(Exchange exchange)
    {
        var request = await exchange.ReadAsync(SessionJson.Default.SteeringRequest);
        var status = await RequireAsync(exchange);
        sessions.MustTakeWork();
        var actor = attendance.Identify(status.Session, exchange);
        if (request is { Message: null or "", Content: null })
        {
            throw new ProblemException(400, "invalid_message", "`message` is required and must be a non-empty string");
        }

        if (status.Turn is null)
        {
            await exchange.ReplyAsync(
                new SteeringReply(Accepted: false, Reason: "session_idle"),
                SessionJson.Default.SteeringReply
            );
            return;
        }

        var id = PromptIdOf(request.MessageId);
        var content = request.Content is null
            ? [new TextContent(request.Message!)]
            : await ContentBlocks.ReadAsync(
                request.Content,
                bytes => sessions.StoreAsync(status.Session, bytes, exchange.Aborted)
            );
        await SubmitAsync(status, new Steer(id, content), actor, exchange);
        await exchange.ReplyAsync(new SteeringReply(Accepted: true, id.Value), SessionJson.Default.SteeringReply);
    }

    private async Task SteeringAsync(Exchange exchange)
    {
        var status = await RequireAsync(exchange);
        await exchange.ReplyAsync(
            new SteeringMessages(
                [
                    .. status.Steering.Select(waiting => new SteeringMessage(
                        waiting.Prompt.Value,
                        DaemonWords.TextOf(waiting.Content)
                    )),
                ],
                [],
                []
            ),
            SessionJson.Default.SteeringMessages
        );
    }

    private async ValueTask<Receipt> SubmitAsync(SessionStatus status, Command command, Actor actor, Exchange exchange)
    {
        try
        {
            // Not with the client's token: once it may have been accepted, it is not given up half way.
            return await sessions.SubmitAsync(status.Session, command, actor, CancellationToken.None);
        }
        catch (RefusedException full) when (full.Reason is "prompt_queue_full")
        {
            throw new ProblemException(
                503,
                full.Reason,
                full.Message,
                ("sessionId", status.Session.Value),
                ("limit", parts.Sessions.MaxPendingPrompts),
                ("pendingCount", status.Waiting.Count + status.Steering.Count)
            )
            {
                RetryAfter = TimeSpan.FromSeconds(5),
            };
        }
    }

    private PromptId PromptIdOf(string? brought)
    {
        if (brought is null)
        {
            return new PromptId(parts.NewId().ToString("d"));
        }

        return brought.Length is > 0 and <= LongestId && !brought.AsSpan().ContainsAnyExcept(s_idCharacters)
            ? new PromptId(brought)
            : throw new ProblemException(
                400,
                "invalid_prompt_id",
                $"A prompt id has 1 to {LongestId} letters, digits and . _ : - only."
            );
    }

    private DateTimeOffset? DeadlineOf(long? milliseconds) =>
        milliseconds switch
        {
            null => null,
            > 0 and <= LongestDeadline => parts.Time.GetUtcNow().AddMilliseconds(milliseconds.Value),
            _ => throw new ProblemException(
                400,
                "invalid_deadline_ms",
                $"`deadlineMs` is a whole number of milliseconds from 1 to {LongestDeadline} (seven days); leave it out for no deadline."
            ),
        };

    private ValueTask<SessionStatus> RequireAsync(Exchange exchange) =>
        sessions.RequireAsync(new SessionId(exchange.Route("id")), exchange.Aborted);
}
