namespace Thole.Protocol;

/// <summary>The sessions that a runtime has open. Asking changes nothing that a log holds.</summary>
public interface ILiveSessions
{
    /// <summary>What is true of an open session now; null where it is not open here.</summary>
    SessionStatus? Find(SessionId session);

    int Count { get; }

    /// <summary>Those that are open, in no particular order.</summary>
    IReadOnlyList<SessionStatus> All { get; }

    /// <summary>Keeps bytes beside the events of an open session, so that a prompt can name them.</summary>
    /// <exception cref="RefusedException">The session is not open.</exception>
    ValueTask<BlobId> StoreAsync(SessionId session, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Closes the file of a session that rests and gives its memory back; whoever opens it next finds everything.</summary>
    /// <returns>False where it is not open here, or works, or something waits in it, or a command of its runs in the background.</returns>
    ValueTask<bool> UnloadAsync(SessionId session, CancellationToken cancellationToken);

    /// <summary>
    /// Nothing begins from here on: prompts that wait go on waiting in the log. Returns when no turn is at work any more, or the token
    /// is cancelled; a turn that waits for a person is not at work.
    /// </summary>
    Task DrainAsync(CancellationToken cancellationToken);
}

/// <summary>What is true of a session now, for whoever comes in the middle.</summary>
public sealed record SessionStatus
{
    public required SessionId Session { get; init; }

    public required string Workspace { get; init; }

    public string? Name { get; init; }

    public required string Model { get; init; }

    public required ApprovalMode ApprovalMode { get; init; }

    /// <summary>The number of the newest event: what a reader passes to hear only what follows.</summary>
    public required long Latest { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public bool IsClosed { get; init; }

    /// <summary>Null where it rests.</summary>
    public RunningTurn? Turn { get; init; }

    /// <summary>Prompts that wait their turn, oldest first.</summary>
    public IReadOnlyList<WaitingPrompt> Waiting { get; init; } = [];

    /// <summary>Messages that wait for the next step.</summary>
    public IReadOnlyList<WaitingPrompt> Steering { get; init; } = [];

    public IReadOnlyList<OpenQuestion> Questions { get; init; } = [];

    public IReadOnlyList<Todo> Todos { get; init; } = [];

    /// <summary>How the newest turn ended; null where none has, or one runs.</summary>
    public TurnEnded? LastTurn { get; init; }

    /// <summary>Tokens of the context as the provider counted them last; 0 where it never did.</summary>
    public long ContextTokens { get; init; }
}

/// <param name="QueuedAt">Null where its prompt did not have to wait.</param>
/// <param name="Step">The step that was begun last; 0 before the first.</param>
/// <param name="Deadline">When it must have ended; null for no such time.</param>
/// <param name="Content">What it was asked; null where that was noted by a version that did not keep it.</param>
public sealed record RunningTurn(
    TurnId Turn,
    PromptId Prompt,
    Actor Asker,
    DateTimeOffset StartedAt,
    DateTimeOffset? QueuedAt = null,
    bool IsInterrupted = false,
    int Step = 0,
    IReadOnlyList<Content>? Content = null,
    DateTimeOffset? Deadline = null
);

/// <param name="Deadline">When its turn must have ended; null for no such time.</param>
public sealed record WaitingPrompt(
    PromptId Prompt,
    IReadOnlyList<Content> Content,
    Actor Asker,
    DateTimeOffset At,
    DateTimeOffset? Deadline = null
);

/// <summary>A call that waits for a person, with all that a screen needs to ask.</summary>
/// <param name="Sequence">The number of the event that asked.</param>
/// <param name="Votes">By identity, what was voted so far.</param>
public sealed record OpenQuestion(
    long Sequence,
    DateTimeOffset AskedAt,
    PermissionRequested Request,
    ToolCall Call,
    ToolKind Kind,
    string Title,
    IReadOnlyDictionary<string, bool> Votes
);
