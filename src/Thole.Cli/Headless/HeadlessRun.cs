using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>
/// A run without a person: prompts go in, events come out, and every question is answered with no, because nobody is there to be
/// asked. It is a client like every other: it sees the runtime through the one door.
/// </summary>
/// <param name="isShared">
/// Others may speak to the session meanwhile: their turns are not shown, their questions not answered, their work not stopped.
/// </param>
internal sealed class HeadlessRun(
    IAgentRuntime runtime,
    SessionId session,
    IOutput output,
    Func<Guid> newId,
    bool isShared = false
) : IDisposable
{
    private const string NobodyToAsk =
        "Nobody can be asked: this is a headless run. The call was refused and did not run. Go on without it, or say in your answer "
        + "what the user has to allow (--approval-mode, --allowed-tools).";

    private readonly CancellationTokenSource _nothingMore = new();
    private readonly HashSet<PromptId> _outstanding = [];
    private readonly Lock _gate = new();
    private bool _inputEnded;
    private bool _isInterrupted;
    private bool _isOurs = !isShared;
    private TurnId? _turn;
    private TaskCompletionSource _turnEnded = NewSource();

    /// <summary>How many turns have ended.</summary>
    public int Turns { get; private set; }

    /// <summary>Shows the turns of the prompts that <paramref name="feedAsync"/> gives, until all have ended.</summary>
    /// <returns>The exit code of the last turn.</returns>
    public async Task<int> RunAsync(Func<Func<IReadOnlyList<Content>, Task>, Task> feedAsync)
    {
        var firstEvent = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var feeding = FeedAsync(feedAsync, firstEvent);
        var exitCode = ExitCodes.Done;
        var tally = new TurnTally();
        try
        {
            var after = await firstEvent.Task.WaitAsync(_nothingMore.Token) - 1;
            await foreach (var envelope in runtime.ReadAsync(session, after, _nothingMore.Token))
            {
                if (envelope.Event is PromptWithdrawn withdrawn && EndWithdrawn(withdrawn.Prompt))
                {
                    exitCode = ExitCodes.Interrupted;
                    break;
                }

                if (!IsOurs(envelope.Event))
                {
                    continue;
                }

                output.Show(envelope);
                await AnswerAsync(envelope.Event);
                if (tally.Add(envelope) is { } summary)
                {
                    exitCode = summary.ExitCode;
                    Turns++;
                    output.EndTurn(summary);
                    if (EndTurn(tally.Prompt))
                    {
                        break; // cancelling would throw, and the first exception of a process is its dearest
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_nothingMore.IsCancellationRequested)
        {
            // Every prompt has had its turn.
        }

        // After an interrupt nobody waits for more lines of standard input.
        if (!_isInterrupted)
        {
            await feeding;
        }

        return exitCode;
    }

    /// <summary>Ctrl+C: the turn ends cleanly, and no further prompt is taken.</summary>
    public async Task InterruptAsync()
    {
        bool isIdle;
        PromptId[] waiting = [];
        lock (_gate)
        {
            isIdle = _outstanding.Count == 0;
            (_isInterrupted, _inputEnded) = (true, true);
            if (isShared)
            {
                waiting = [.. _outstanding]; // the runtime outlives us: what waits in it would still run
            }
            else
            {
                _outstanding.Clear();
            }
        }

        // A prompt that is on its way becomes a turn, and its beginning is where it is stopped.
        if (isIdle)
        {
            await _nothingMore.CancelAsync();
        }

        await StopTurnAsync();
        foreach (var prompt in waiting)
        {
            await WithdrawAsync(prompt);
        }
    }

    /// <summary>Stops the turn that runs, if one does; the next prompt is taken as before.</summary>
    public async Task StopTurnAsync()
    {
        TurnId? running;
        lock (_gate)
        {
            running = _turn;
        }

        if (running is { } turn)
        {
            await runtime.SubmitAsync(session, new Interrupt(turn), Actor.User, CancellationToken.None);
        }
    }

    public void Dispose() => _nothingMore.Dispose();

    private async Task FeedAsync(Func<Func<IReadOnlyList<Content>, Task>, Task> feedAsync, TaskCompletionSource<long> firstEvent)
    {
        try
        {
            await feedAsync(async content =>
            {
                var prompt = new PromptId(newId().ToString("d"));
                lock (_gate)
                {
                    if (_isInterrupted)
                    {
                        return;
                    }

                    _outstanding.Add(prompt);
                }

                if (await SubmitAsync(new Prompt(prompt, content)) is not { } receipt)
                {
                    return;
                }

                firstEvent.TrySetResult(receipt.First > 0 ? receipt.First : receipt.Sequence);
                bool isUnwanted;
                lock (_gate)
                {
                    // Known before its first event is read: an interrupt in the next line of input means this turn.
                    _turn = _outstanding.Contains(prompt) ? receipt.Turn ?? _turn : _turn;
                    isUnwanted = _isInterrupted && isShared;
                }

                if (isUnwanted)
                {
                    await WithdrawAsync(prompt);
                }
            });
        }
        catch (Exception exception)
        {
            firstEvent.TrySetException(exception);
            throw;
        }
        finally
        {
            bool isDone;
            lock (_gate)
            {
                _inputEnded = true;
                isDone = _outstanding.Count == 0;
            }

            if (isDone)
            {
                await _nothingMore.CancelAsync();
            }
        }
    }

    /// <summary>Where too many wait, it waits until one of ours has ended.</summary>
    /// <returns>Null where nobody wants it any more.</returns>
    private async Task<Receipt?> SubmitAsync(Prompt prompt)
    {
        while (true)
        {
            Task ended;
            lock (_gate)
            {
                ended = _turnEnded.Task;
            }

            try
            {
                return await runtime.SubmitAsync(session, prompt, Actor.User, CancellationToken.None);
            }
            catch (RefusedException full) when (full.Reason is "prompt_queue_full" && HasOthers())
            {
                await ended;
            }

            lock (_gate)
            {
                if (_isInterrupted)
                {
                    _outstanding.Remove(prompt.Id);
                    return null;
                }
            }
        }

        bool HasOthers()
        {
            lock (_gate)
            {
                return _outstanding.Count > 1;
            }
        }
    }

    private async Task WithdrawAsync(PromptId prompt) =>
        await runtime.SubmitAsync(session, new Withdraw(prompt), Actor.User, CancellationToken.None);

    private bool IsOurs(SessionEvent happened)
    {
        lock (_gate)
        {
            if (happened is TurnStarted started)
            {
                _isOurs = !isShared || _outstanding.Contains(started.Prompt);
            }

            return _isOurs;
        }
    }

    private async Task AnswerAsync(SessionEvent happened)
    {
        switch (happened)
        {
            case TurnStarted started:
                bool isUnwanted;
                lock (_gate)
                {
                    _turn = started.Turn;
                    isUnwanted = _isInterrupted;
                }

                if (isUnwanted)
                {
                    await StopTurnAsync();
                }

                break;
            case PermissionRequested asked:
                var no = new AnswerPermission(asked.Call, Allow: false, [], NobodyToAsk);
                await runtime.SubmitAsync(session, no, Actor.Runtime, CancellationToken.None);
                break;
        }
    }

    /// <returns>Whether it was the last.</returns>
    private bool EndTurn(PromptId prompt)
    {
        lock (_gate)
        {
            (_turn, _isOurs) = (null, !isShared);
            return Forget(prompt);
        }
    }

    /// <summary>A prompt of ours was taken back.</summary>
    /// <returns>Whether it was the last, and we wanted it.</returns>
    /// <exception cref="RefusedException">It was the last, and somebody else did that.</exception>
    private bool EndWithdrawn(PromptId prompt)
    {
        lock (_gate)
        {
            return _outstanding.Contains(prompt)
                && Forget(prompt)
                && (
                    _isInterrupted
                        ? true
                        : throw new RefusedException(
                            "prompt_withdrawn",
                            "Another client took the prompt back, or closed the session, before its turn began."
                        )
                );
        }
    }

    private bool Forget(PromptId prompt)
    {
        _outstanding.Remove(prompt);
        (_turnEnded, var ended) = (NewSource(), _turnEnded);
        ended.SetResult();
        return _inputEnded && _outstanding.Count == 0;
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
