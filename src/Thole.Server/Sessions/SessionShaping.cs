using Thole.Protocol;
using Thole.Server.Streams;
using Thole.Wire.Daemon;

namespace Thole.Server.Sessions;

/// <summary>Sessions in the shapes of the daemon protocol.</summary>
internal sealed class SessionShaping(DaemonParts parts, Attendance attendance)
{
    private static readonly ModeShape[] s_modes =
    [
        new("plan", "Plan", "Reads and searches; changes nothing."),
        new("default", "Default", "Asks before it edits, executes or fetches."),
        new("auto-edit", "Auto edit", "Edits files of the workspace without a question."),
        new("yolo", "Yolo", "Asks nothing."),
    ];

    public static SessionStateShape State(SessionStatus status) =>
        new(
            new ModelsShape(status.Model, [new ModelShape(status.Model, status.Model)]),
            new ModesShape(DaemonWords.Word(status.ApprovalMode), s_modes),
            []
        );

    /// <summary>As the list shows one: what is live where it is open, else what its log says.</summary>
    public SessionEntry Entry(SessionSummary summary)
    {
        var entry = parts.Live.Find(summary.Id) is { } status
            ? Entry(status)
            : new SessionEntry
            {
                SessionId = summary.Id.Value,
                WorkspaceCwd = summary.Workspace,
                CreatedAt = summary.CreatedAt,
                UpdatedAt = summary.UpdatedAt,
                ModelId = summary.Model,
                State = summary.IsUnfinished ? "running" : "idle",
                HasActivePrompt = summary.IsUnfinished,
            };
        return entry with
        {
            DisplayName = entry.DisplayName ?? summary.Title,
            Problem = summary.Problem is null ? null : "Its log cannot be read; thole sessions verify says why.",
        };
    }

    public SessionEntry Entry(SessionStatus status)
    {
        var asks = status.Questions.Select(question => Interaction(status.Session, question)).ToList();
        var error = status.LastTurn is { } last && DaemonWords.StopReason(last) is null ? last : null;
        return new SessionEntry
        {
            SessionId = status.Session.Value,
            WorkspaceCwd = status.Workspace,
            CreatedAt = status.CreatedAt,
            UpdatedAt = status.UpdatedAt,
            DisplayName = status.Name,
            ModelId = status.Model,
            ClientCount = attendance.Clients(status.Session),
            State = status.IsClosed ? "closed" : DaemonDialect.StateWord(status),
            HasActivePrompt = status.Turn is not null,
            IsWaitingForPermission = asks.Any(ask => ask.Kind is "permission"),
            IsWaitingForUserQuestion = asks.Any(ask => ask.Kind is "user_question"),
            PendingInteractionCount = asks.Count,
            PendingInteractions = asks,
            HasTurnError = error is not null,
            TurnError = error is null
                ? null
                : new TurnErrorShape(error.Message ?? "The turn failed.", DaemonWords.ErrorCode(error)),
        };
    }

    private static PendingInteraction Interaction(SessionId session, OpenQuestion question) =>
        new(
            DaemonWords.RequestId(session, question.Call.Id),
            question.Request.Questions is [] ? "permission" : "user_question",
            question.AskedAt,
            question.Title,
            [
                new OptionShape(DaemonWords.AllowOnce, "Yes, allow once", "allow_once"),
                new OptionShape(DaemonWords.Reject, "No", "reject_once"),
            ]
        );
}
