using System.Text.Json;
using Thole.Protocol;
using Thole.Server.Sessions;
using Thole.Wire.Daemon;

namespace Thole.Server.Routes;

/// <summary>Votes on permission requests.</summary>
internal sealed class PermissionRoutes(DaemonParts parts, SessionDirectory sessions, Attendance attendance)
{
    // Who came too late came a moment too late: the decision is among the newest events.
    private const int EventsOfDecision = 256;

    private static readonly UnsupportedMember[] s_unsupported =
    [
        new(
            "expectedPlanExecutionMode",
            "A plan has no execution mode of its own here, so none can be expected; leave it out, and look at the approval mode."
        ),
    ];

    public IReadOnlyList<Operation> Operations =>
        [
            new("POST", "/permission/{request}", "votePermission", Scope.Approve, "Answers a permission request.")
            {
                Handle = exchange => VoteAsync(exchange, session: null),
                Request = SessionJson.Default.VoteRequest,
                Unsupported = s_unsupported,
                Reply = SessionJson.Default.Nothing,
            },
            new(
                "POST",
                "/session/{id}/permission/{request}",
                "voteSessionPermission",
                Scope.Approve,
                "Answers a permission request of this session."
            )
            {
                Handle = exchange => VoteAsync(exchange, new SessionId(exchange.Route("id"))),
                Request = SessionJson.Default.VoteRequest,
                Unsupported = s_unsupported,
                Reply = SessionJson.Default.Nothing,
            },
        ];

    /// <summary>What was not counted is written down, with who it was.</summary>
    private async Task VoteAsync(Exchange exchange, SessionId? session)
    {
        try
        {
            await CastAsync(exchange, session);
        }
        catch (ProblemException refused)
        {
            var client = exchange.Header("X-Qwen-Client-Id") is { } name ? $", client '{TerminalText.EscapeLine(name)}'," : "";
            parts.Log(
                $"A vote of {exchange.Identity.Name}{client} on {TerminalText.EscapeLine(exchange.Route("request"))} was refused: {refused.Code}."
            );
            throw;
        }
    }

    private async Task CastAsync(Exchange exchange, SessionId? session)
    {
        var vote = await exchange.ReadAsync(SessionJson.Default.VoteRequest);
        var option = OptionOf(vote.Outcome);
        var request = exchange.Route("request");
        if (DaemonWords.ParseRequestId(request) is not var (of, call) || (session is { } named && named != of))
        {
            throw NotPending(request, session, decision: null);
        }

        var status = await OpenAsync(of, request, exchange.Aborted);
        var actor = attendance.Identify(of, exchange);
        if (status.Questions.FirstOrDefault(open => open.Call.Id == call) is not { } question)
        {
            throw NotPending(request, of, await DecisionAsync(status, call, exchange.Aborted));
        }

        if (option is not (null or DaemonWords.AllowOnce or DaemonWords.Reject))
        {
            throw new ProblemException(
                400,
                "invalid_option_id",
                $"`optionId` was not offered; it is one of {DaemonWords.AllowOnce}, {DaemonWords.Reject}.",
                ("requestId", request),
                ("optionId", option)
            );
        }

        var answer = new AnswerPermission(
            call,
            Allow: option is DaemonWords.AllowOnce,
            option is DaemonWords.AllowOnce ? Answers(question, vote.Answers) : [],
            Reason: null,
            Cancels: option is null,
            FromAfar: !exchange.IsLocal
        );
        var receipt = await sessions.SubmitAsync(of, answer, actor, exchange.Aborted);
        if (receipt.Refusal is { } refusal)
        {
            throw new ProblemException(
                403,
                "permission_forbidden",
                "This identity may not decide this request; the policy names who may.",
                ("requestId", request),
                ("sessionId", of.Value),
                ("reason", refusal)
            );
        }

        if (receipt.First == 0)
        {
            throw NotPending(request, of, await DecisionAsync(status, call, exchange.Aborted));
        }

        await exchange.ReplyAsync(new Nothing(), SessionJson.Default.Nothing);
    }

    /// <returns>The option; null for an outcome that takes the question away.</returns>
    private static string? OptionOf(JsonElement? outcome)
    {
        if (outcome is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty("outcome", out var word))
        {
            switch (word.ValueKind is JsonValueKind.String ? word.GetString() : null)
            {
                case "cancelled":
                    return null;
                case "selected"
                    when given.TryGetProperty("optionId", out var option)
                        && option.ValueKind is JsonValueKind.String
                        && option.GetString() is { Length: > 0 } id:
                    return id;
            }
        }

        throw new ProblemException(
            400,
            "invalid_outcome",
            "`outcome` must be `{ outcome: \"cancelled\" }` or `{ outcome: \"selected\", optionId: string }`"
        );
    }

    /// <summary>One text a question, in order; the wire names them by their place.</summary>
    private static IReadOnlyList<string> Answers(OpenQuestion question, IReadOnlyDictionary<string, string>? given) =>
        [.. question.Request.Questions.Select((_, index) => given?.GetValueOrDefault($"{index}") ?? "")];

    private async ValueTask<SessionStatus> OpenAsync(SessionId session, string request, CancellationToken cancellationToken)
    {
        try
        {
            return await sessions.RequireAsync(session, cancellationToken);
        }
        catch (ProblemException gone) when (gone.Status == 404)
        {
            throw NotPending(request, session: null, decision: null); // whoever guesses learns no more than whoever is late
        }
    }

    private async ValueTask<(PermissionAnswered Answer, Actor By)?> DecisionAsync(
        SessionStatus status,
        CallId call,
        CancellationToken cancellationToken
    )
    {
        var now = parts.Live.Find(status.Session) ?? status;
        var past = sessions.ReadPastAsync(
            status.Session,
            Math.Max(0, now.Latest - EventsOfDecision),
            now.Latest,
            cancellationToken
        );
        await foreach (var envelope in past)
        {
            if (envelope.Event is PermissionAnswered answered && answered.Call == call)
            {
                return (answered, envelope.Actor);
            }
        }

        return null;
    }

    private static ProblemException NotPending(
        string request,
        SessionId? session,
        (PermissionAnswered Answer, Actor By)? decision
    ) =>
        new(
            404,
            "permission_not_pending",
            session is null ? "No pending permission request" : "No pending permission request for session",
            ("requestId", request),
            ("sessionId", session?.Value),
            ("decidedBy", decision?.By.Identity),
            (
                "decision",
                decision is null ? null
                : decision.Value.Answer.Cancelled ? "cancelled"
                : decision.Value.Answer.Allow ? DaemonWords.AllowOnce
                : DaemonWords.Reject
            )
        );
}
