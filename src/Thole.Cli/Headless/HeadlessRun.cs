using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>
/// A run without a person: prompts go in, events come out, and every question is answered with no, because nobody is there to be
/// asked. It is a client like every other: it sees the runtime through the one door.
/// </summary>
internal sealed class HeadlessRun(IAgentRuntime runtime, SessionId session, IOutput output, Func<Guid> newId) : IDisposable
{
    private const string NobodyToAsk =
        "Nobody can be asked: this is a headless run. The call was refused and did not run. Go on without it, or say in your answer "
        + "what the user has to allow (--approval-mode, --allowed-tools).";

    private readonly CancellationTokenSource _nothingMore = new();
    private readonly HashSet<PromptId> _outstanding = [];
    private readonly Lock _gate = new();
    private bool _inputEnded;
    private bool _isInterrupted;
    private TurnId? _turn;

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
        lock (_gate)
        {
            isIdle = _outstanding.Count == 0;
            (_isInterrupted, _inputEnded) = (true, true);
            _outstanding.Clear();
        }

        // A prompt that is on its way becomes a turn, and its beginning is where it is stopped.
        if (isIdle)
        {
            await _nothingMore.CancelAsync();
        }

        await StopTurnAsync();
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

                var receipt = await runtime.SubmitAsync(session, new Prompt(prompt, content), Actor.User, CancellationToken.None);
                firstEvent.TrySetResult(receipt.Sequence);
                lock (_gate)
                {
                    // Known before its first event is read: an interrupt in the next line of input means this turn.
                    _turn = _outstanding.Contains(prompt) ? receipt.Turn ?? _turn : _turn;
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
            _turn = null;
            _outstanding.Remove(prompt);
            return _inputEnded && _outstanding.Count == 0;
        }
    }
}
