using System.Collections.Immutable;
using System.Text.Json.Serialization;
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
    public const int Version = 6;

    public static SessionState Empty { get; } = new();

    /// <summary>The number of the newest event that is part of it.</summary>
    public long Latest { get; init; }

    public string Workspace { get; init; } = "";
    public string? Name { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public ApprovalMode ApprovalMode { get; init; }

    /// <summary>Whoever chose <see cref="ApprovalMode"/> may approve what it no longer asks.</summary>
    public bool IsModeGranted { get; init; }

    /// <summary>It takes no prompt until it is reopened.</summary>
    public bool IsClosed { get; init; }

    public RunningTurn? Running { get; init; }

    /// <summary>How the newest turn ended; null where none has, or one runs.</summary>
    public TurnEnded? LastTurn { get; init; }

    public ImmutableList<WaitingPrompt> Waiting { get; init; } = [];

    /// <summary>Messages that wait for the next step.</summary>
    public ImmutableList<WaitingPrompt> Steering { get; init; } = [];

    /// <summary>Every prompt that was ever accepted: one that is sent again is known.</summary>
    public ImmutableDictionary<PromptId, AcceptedPrompt> Prompts { get; init; } =
        ImmutableDictionary<PromptId, AcceptedPrompt>.Empty;

    /// <summary>Calls without a result.</summary>
    public ImmutableDictionary<CallId, OpenCall> OpenCalls { get; init; } = ImmutableDictionary<CallId, OpenCall>.Empty;

    /// <summary>The number in the newest call's name, also where a log that was salvaged has lost calls: no name is given twice.</summary>
    public long Calls { get; init; }

    public ContextState Context { get; init; } = ContextState.Empty;

    [JsonIgnore]
    public TurnId? Turn => Running?.Turn;

    /// <summary>Somebody asked for the end of <see cref="Turn"/>.</summary>
    [JsonIgnore]
    public bool IsInterrupted => Running is { IsInterrupted: true };

    /// <summary>Open calls in the order in which the model asked for them.</summary>
    [JsonIgnore]
    public IEnumerable<OpenCall> CallsInOrder =>
        OpenCalls.Values.OrderBy(open => open.Call.Id.Value.Length).ThenBy(open => open.Call.Id.Value, StringComparer.Ordinal);

    [JsonIgnore]
    public IEnumerable<OpenCall> Asked => CallsInOrder.Where(open => open.Question is not null && open.Answer is null);

    /// <summary>Nothing happens until a person answers: the turn can wait for that in the log as well as in a process.</summary>
    [JsonIgnore]
    public bool WaitsForPerson =>
        Running is { IsInterrupted: false } && Asked.Any() && !OpenCalls.Values.Any(open => open.Started);

    public SessionState Apply(Envelope envelope)
    {
        var state = this with { Context = Context.Apply(envelope), Latest = envelope.Sequence, UpdatedAt = envelope.At };
        return envelope.Event switch
        {
            SessionOpened opened => state with
            {
                Workspace = opened.Workspace,
                ApprovalMode = opened.ApprovalMode,
                IsModeGranted = opened.Granted,
                CreatedAt = envelope.At,
            },
            ApprovalModeSelected selected => state with { ApprovalMode = selected.Mode, IsModeGranted = selected.Granted },
            SessionRenamed renamed => state with { Name = renamed.Name },
            SessionClosed => state with { IsClosed = true },
            SessionReopened => state with { IsClosed = false },
            PromptQueued queued => state with
            {
                Waiting = Waiting.Add(
                    new WaitingPrompt(queued.Prompt, queued.Content, envelope.Actor, envelope.At, queued.Deadline)
                ),
                Prompts = Accept(queued.Prompt, queued.Content, envelope.Sequence),
            },
            SteeringReceived steering => state with
            {
                Steering = Steering.Add(new WaitingPrompt(steering.Prompt, steering.Content, envelope.Actor, envelope.At)),
                Prompts = Accept(steering.Prompt, steering.Content, envelope.Sequence),
            },
            SteeringTaken taken => state with
            {
                Steering = Steering.RemoveAll(waiting => taken.Messages.Any(message => message.Prompt == waiting.Prompt)),
            },
            PromptWithdrawn withdrawn => state with
            {
                Waiting = Without(Waiting, withdrawn.Prompt),
                Steering = Without(Steering, withdrawn.Prompt),
            },
            TurnStarted started => state with
            {
                Running = new RunningTurn(started.Turn, started.Prompt, envelope.Actor, envelope.At, started.QueuedAt)
                {
                    Content = started.Content,
                    Deadline = started.Deadline,
                },
                LastTurn = null,
                Waiting = Without(Waiting, started.Prompt),
                Steering = Without(Steering, started.Prompt),
                Prompts = Accept(started.Prompt, started.Content, envelope.Sequence),
            },
            StepStarted step => state with { Running = Running is { } turn ? turn with { Step = step.Step } : null },
            CallRequested requested => state with
            {
                Calls = Math.Max(Calls + 1, NumberOf(requested.Call.Id)),
                OpenCalls = OpenCalls.SetItem(
                    requested.Call.Id,
                    new OpenCall(requested.Call, requested.Kind, requested.Title, Started: false, requested.Problem)
                ),
            },
            PermissionRequested asked => state.With(
                asked.Call,
                open => open with { Question = new AskedQuestion(envelope.Sequence, envelope.At, asked) }
            ),
            PermissionVoted voted => state.With(
                voted.Call,
                open =>
                    open with
                    {
                        Votes = open.Votes.SetItem(envelope.Actor.Identity, new CountedVote(voted.Allow, envelope.Sequence)),
                    }
            ),
            PermissionAnswered answered => state.With(answered.Call, open => open with { Answer = answered }),
            CallStarted started => state.With(started.Call, open => open with { Started = true }),
            CallCompleted completed => state with { OpenCalls = OpenCalls.Remove(completed.Call) },
            InterruptRequested => state with { Running = Running is { } turn ? turn with { IsInterrupted = true } : null },
            TurnEnded ended => state with { Running = null, LastTurn = ended },
            _ => state,
        };
    }

    /// <summary>As whoever comes in the middle is told it.</summary>
    public SessionStatus ToStatus(SessionId session) =>
        new()
        {
            Session = session,
            Workspace = Workspace,
            Name = Name,
            Model = Context.Model,
            ApprovalMode = ApprovalMode,
            Latest = Latest,
            CreatedAt = CreatedAt,
            UpdatedAt = UpdatedAt,
            IsClosed = IsClosed,
            Turn = Running,
            Waiting = Waiting,
            Steering = Steering,
            Questions =
            [
                .. Asked.Select(open => new OpenQuestion(
                    open.Question!.Sequence,
                    open.Question.At,
                    open.Question.Request,
                    open.Call,
                    open.Kind,
                    open.Title,
                    open.Cast
                )),
            ],
            Todos = Context.Todos,
            LastTurn = LastTurn,
            ContextTokens = Context.Tokens,
        };

    private SessionState With(CallId call, Func<OpenCall, OpenCall> change) =>
        OpenCalls.TryGetValue(call, out var open) ? this with { OpenCalls = OpenCalls.SetItem(call, change(open)) } : this;

    private ImmutableDictionary<PromptId, AcceptedPrompt> Accept(
        PromptId prompt,
        IReadOnlyList<Content> content,
        long sequence
    ) =>
        Prompts.ContainsKey(prompt) ? Prompts : Prompts.Add(prompt, new AcceptedPrompt(sequence, AcceptedPrompt.Digest(content)));

    private static ImmutableList<WaitingPrompt> Without(ImmutableList<WaitingPrompt> waiting, PromptId prompt) =>
        waiting.RemoveAll(one => one.Prompt == prompt);

    private static long NumberOf(CallId call) =>
        long.TryParse(call.Value.AsSpan(call.Value.LastIndexOf('_') + 1), out var number) ? number : 0;
}

/// <summary>A call without a result. <paramref name="Started"/> tells "it never ran" from "nobody knows".</summary>
internal sealed record OpenCall(ToolCall Call, ToolKind Kind, string Title, bool Started, string? Problem = null)
{
    /// <summary>Set once a person was asked.</summary>
    public AskedQuestion? Question { get; init; }

    /// <summary>By identity, what was voted and when.</summary>
    public ImmutableDictionary<string, CountedVote> Votes { get; init; } = ImmutableDictionary<string, CountedVote>.Empty;

    /// <summary>By identity, what was voted.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, bool> Cast =>
        Votes.ToDictionary(vote => vote.Key, vote => vote.Value.Allow, StringComparer.Ordinal);

    /// <summary>Set once the question is settled.</summary>
    public PermissionAnswered? Answer { get; init; }
}

/// <summary>What an identity voted, and the number of that event.</summary>
internal sealed record CountedVote(bool Allow, long Sequence);

/// <summary>When a person was asked what, and the number of that event.</summary>
internal sealed record AskedQuestion(long Sequence, DateTimeOffset At, PermissionRequested Request);
