using Thole.Core.Context;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Turns;

/// <summary>What a running turn sees of its session: it reads the context, and has facts written down.</summary>
internal interface ISessionJournal
{
    SessionId Id { get; }

    TurnId Turn { get; }

    ContextState Context { get; }

    ApprovalMode ApprovalMode { get; }

    /// <summary>The hands of this session.</summary>
    ToolContext Hands { get; }

    /// <summary>Names for the next calls, never used before in this session.</summary>
    IReadOnlyList<CallId> NewCalls(int count);

    /// <summary>Written in one piece, and durable where one of the facts must be. Takes no token: a fact cannot be cancelled.</summary>
    ValueTask RecordAsync(params IReadOnlyList<SessionEvent> happened);

    /// <summary>Asks whoever answers for this session, and waits.</summary>
    ValueTask<PermissionAnswered> AskAsync(PermissionRequested question, CancellationToken cancellationToken);
}

/// <summary>How a turn ended. <paramref name="Message"/> is one sentence, unless it completed.</summary>
internal sealed record TurnEnd(TurnOutcome Outcome, string? Message = null)
{
    public static TurnEnd Completed { get; } = new(TurnOutcome.Completed);
}
