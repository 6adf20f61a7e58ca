using System.Collections.Immutable;
using Thole.Core.Context;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// What is true of a session now. A fold of its events and nothing else:
/// the same log always yields the same state, so a restart is a replay.
/// </summary>
internal sealed record SessionState
{
    /// <summary>Of the fold: a snapshot of another version is passed over.</summary>
    public const int Version = 1;

    public static SessionState Empty { get; } = new();

    public string Workspace { get; init; } = "";
    public ApprovalMode ApprovalMode { get; init; }
    public TurnId? Turn { get; init; }

    /// <summary>Somebody asked for the end of <see cref="Turn"/>.</summary>
    public bool IsInterrupted { get; init; }

    public ImmutableList<PromptQueued> Waiting { get; init; } = [];

    /// <summary>Every prompt that was ever accepted: one that is sent again is known.</summary>
    public ImmutableHashSet<PromptId> Prompts { get; init; } = [];

    public ImmutableDictionary<CallId, OpenCall> OpenCalls { get; init; } = ImmutableDictionary<CallId, OpenCall>.Empty;
    public ImmutableHashSet<CallId> Questions { get; init; } = [];

    /// <summary>The number in the newest call's name, also where a log that was salvaged has lost calls: no name is given twice.</summary>
    public long Calls { get; init; }

    public ContextState Context { get; init; } = ContextState.Empty;

    public SessionState Apply(Envelope envelope)
    {
        var state = this with { Context = Context.Apply(envelope) };
        return envelope.Event switch
        {
            SessionOpened opened => state with { Workspace = opened.Workspace, ApprovalMode = opened.ApprovalMode },
            ApprovalModeSelected selected => state with { ApprovalMode = selected.Mode },
            PromptQueued queued => state with { Waiting = Waiting.Add(queued), Prompts = Prompts.Add(queued.Prompt) },
            TurnStarted started => state with
            {
                Turn = started.Turn,
                IsInterrupted = false,
                Waiting = Waiting.RemoveAll(queued => queued.Prompt == started.Prompt),
                Prompts = Prompts.Add(started.Prompt),
            },
            CallRequested requested => state with
            {
                Calls = Math.Max(Calls + 1, NumberOf(requested.Call.Id)),
                OpenCalls = OpenCalls.SetItem(requested.Call.Id, new OpenCall(requested.Call, Started: false)),
            },
            PermissionRequested asked => state with { Questions = Questions.Add(asked.Call) },
            PermissionAnswered answered => state with { Questions = Questions.Remove(answered.Call) },
            CallStarted started when OpenCalls.TryGetValue(started.Call, out var open) => state with
            {
                OpenCalls = OpenCalls.SetItem(started.Call, open with { Started = true }),
            },
            CallCompleted completed => state with
            {
                OpenCalls = OpenCalls.Remove(completed.Call),
                Questions = Questions.Remove(completed.Call),
            },
            InterruptRequested => state with { IsInterrupted = true },
            TurnEnded => state with { Turn = null, IsInterrupted = false, Questions = [] },
            _ => state,
        };
    }

    private static long NumberOf(CallId call) =>
        long.TryParse(call.Value.AsSpan(call.Value.LastIndexOf('_') + 1), out var number) ? number : 0;
}

/// <summary>A call without a result. <paramref name="Started"/> tells "it never ran" from "nobody knows".</summary>
internal sealed record OpenCall(ToolCall Call, bool Started);
