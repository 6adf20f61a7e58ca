using System.Runtime.CompilerServices;
using Thole.Protocol;

namespace Thole.Client;

/// <summary>One session of a daemon.</summary>
public sealed class TholeSession
{
    private readonly TholeClient _client;

    internal TholeSession(TholeClient client, SessionId id) => (_client, Id) = (client, id);

    /// <summary>By which it is known, here and in the daemon's list.</summary>
    public SessionId Id { get; }

    /// <summary>What is true of it now.</summary>
    public async ValueTask<SessionStatus> StatusAsync(CancellationToken cancellationToken = default) =>
        await _client.Runtime.StatusAsync(Id, cancellationToken);

    /// <summary>Everything after a number, 0 for all, then whatever follows; see <see cref="DaemonRuntime.ReadAsync"/>.</summary>
    public IAsyncEnumerable<Envelope> ReadAsync(long after = 0, CancellationToken cancellationToken = default) =>
        _client.Runtime.ReadAsync(Id, after, cancellationToken);

    /// <summary>Starts a turn, or waits its place behind the one that runs.</summary>
    public ValueTask<Sent> PromptAsync(string text, CancellationToken cancellationToken = default) =>
        PromptAsync(NewPrompt(), [new TextContent(text)], cancellationToken);

    /// <summary>The same with a name of the caller's own: sent again with the same content, it changes nothing.</summary>
    public async ValueTask<Sent> PromptAsync(
        PromptId id,
        IReadOnlyList<Content> content,
        CancellationToken cancellationToken = default
    ) => new(id, await SubmitAsync(new Prompt(id, content), cancellationToken));

    /// <summary>Tells the model this before its next step; where no turn runs, it is a prompt.</summary>
    public async ValueTask<Sent> SteerAsync(string text, CancellationToken cancellationToken = default)
    {
        var id = NewPrompt();
        return new Sent(id, await SubmitAsync(new Steer(id, [new TextContent(text)]), cancellationToken));
    }

    /// <summary>Takes back a prompt or a steering message that still waits.</summary>
    public ValueTask<Receipt> WithdrawAsync(PromptId prompt, CancellationToken cancellationToken = default) =>
        SubmitAsync(new Withdraw(prompt), cancellationToken);

    /// <summary>Prompts, and gives the events of that one turn, from its beginning to its end.</summary>
    /// <exception cref="RefusedException"><c>prompt_withdrawn</c>: somebody took it back before its turn began.</exception>
    public async IAsyncEnumerable<Envelope> ReadTurnAsync(
        string prompt,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var sent = await PromptAsync(prompt, cancellationToken);
        TurnId? turn = null;
        await foreach (var envelope in ReadAsync(sent.Receipt.First - 1, cancellationToken))
        {
            switch (envelope.Event)
            {
                case TurnStarted started when started.Prompt == sent.Prompt:
                    turn = started.Turn;
                    break;
                case PromptWithdrawn withdrawn when withdrawn.Prompt == sent.Prompt:
                    throw new RefusedException(
                        "prompt_withdrawn",
                        "Somebody took the prompt back before its turn began; send it again if it is still wanted."
                    );
            }

            if (turn is not null)
            {
                yield return envelope;
            }

            if (envelope.Event is TurnEnded ended && ended.Turn == turn)
            {
                yield break;
            }
        }
    }

    /// <summary>Answers the open question of a call. It may be a vote: the receipt says where it was not counted.</summary>
    /// <param name="call">Of <see cref="PermissionRequested"/>.</param>
    /// <param name="allow">Whether it may run.</param>
    /// <param name="reason">Tells the model why not.</param>
    /// <param name="answers">One text a question, where the call asked the person.</param>
    /// <param name="cancellationToken">Gives up waiting; what was sent by then may still happen.</param>
    public ValueTask<Receipt> AnswerAsync(
        CallId call,
        bool allow,
        string? reason = null,
        IReadOnlyList<string>? answers = null,
        CancellationToken cancellationToken = default
    ) => SubmitAsync(new AnswerPermission(call, allow, answers ?? [], reason), cancellationToken);

    /// <summary>Stops the turn that runs, and no other.</summary>
    /// <returns>False where none runs.</returns>
    public async ValueTask<bool> InterruptAsync(CancellationToken cancellationToken = default)
    {
        if ((await StatusAsync(cancellationToken)).Turn is not { } running)
        {
            return false;
        }

        await SubmitAsync(new Interrupt(running.Turn), cancellationToken);
        return true;
    }

    /// <summary>From the next step on this model thinks: <c>provider/model</c>.</summary>
    public ValueTask<Receipt> SelectModelAsync(string model, CancellationToken cancellationToken = default) =>
        SubmitAsync(new SelectModel(model), cancellationToken);

    /// <summary>From the next call on this mode judges.</summary>
    public ValueTask<Receipt> SelectApprovalModeAsync(ApprovalMode mode, CancellationToken cancellationToken = default) =>
        SubmitAsync(new SelectApprovalMode(mode), cancellationToken);

    /// <summary>Ends its work: what waits is withdrawn, what runs is interrupted. Its log stays.</summary>
    public ValueTask<Receipt> CloseAsync(CancellationToken cancellationToken = default) =>
        SubmitAsync(new CloseSession(), cancellationToken);

    /// <summary>Keeps bytes beside its events, so that a prompt can name them.</summary>
    public async ValueTask<BlobId> StoreAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        await _client.Runtime.StoreAsync(Id, content, cancellationToken);

    /// <summary>Bytes that an event names.</summary>
    public async ValueTask<byte[]> ReadBlobAsync(BlobId blob, CancellationToken cancellationToken = default) =>
        await _client.Runtime.ReadBlobAsync(Id, blob, cancellationToken);

    /// <summary>Any command of the runtime, as it is.</summary>
    /// <exception cref="RefusedException">The daemon says no; nothing has happened.</exception>
    /// <exception cref="DaemonLostException">The daemon cannot be reached, or its answer was lost.</exception>
    public ValueTask<Receipt> SubmitAsync(Command command, CancellationToken cancellationToken = default) =>
        _client.Runtime.SubmitAsync(Id, command, Actor.User, cancellationToken);

    private PromptId NewPrompt() => new(_client.Options.NewId().ToString("d"));
}

/// <summary>A prompt or steering message that was accepted.</summary>
public readonly record struct Sent(PromptId Prompt, Receipt Receipt);
