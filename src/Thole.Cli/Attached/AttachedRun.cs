using Thole.Cli.Headless;
using Thole.Client;
using Thole.Protocol;

namespace Thole.Cli.Attached;

/// <summary>
/// A person at a session of the daemon: events are shown as they come, lines are said to the session or answer its questions. Leaving
/// leaves the session as it is.
/// </summary>
/// <param name="watchesAtEnd">Input that ends without a line means that somebody only watches; on a terminal it means to leave.</param>
internal sealed class AttachedRun(
    TholeSession session,
    AttachScreen screen,
    TextReader input,
    bool watchesAtEnd,
    Func<PromptId> newPrompt
) : IDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private readonly Questions _questions = new(session, screen);
    private readonly Lock _gate = new();
    private readonly HashSet<PromptId> _said = [];
    private readonly HashSet<PromptId> _unheard = [];
    private Task _listening = Task.CompletedTask;
    private TurnId? _turn;
    private bool _hasInput;
    private bool _inputEnded;
    private bool _isInterrupting;
    private bool _isMine;
    private int _exitCode;

    /// <param name="after">The number of the last event that is not to be shown; null for only what is new.</param>
    /// <returns>How the last turn of what was said here ended, where input came from a pipe; else that all is well.</returns>
    public async Task<int> RunAsync(long? after)
    {
        using var signals = new AttachSignals(() => _ = InterruptAsync(), Leave); // before anything is shown: whoever sees it may press it
        try
        {
            await ReadAsync(after, await session.StatusAsync(_leaving.Token));
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            // Whoever leaves has said so.
        }

        if (_listening.IsFaulted)
        {
            await _listening;
        }

        return signals.Received is { } signal ? 128 + signal
            : watchesAtEnd ? _exitCode
            : ExitCodes.Done;
    }

    public void Dispose() => _leaving.Dispose();

    private async Task ReadAsync(long? after, SessionStatus status)
    {
        lock (_gate)
        {
            _turn = status.Turn?.Turn;
        }

        Greet(status);
        var isUpToDate = (after ?? status.Latest) >= status.Latest;
        if (isUpToDate)
        {
            OpenQuestions(status);
        }

        _listening = ListenAsync();
        var tally = new TurnTally();
        await foreach (var envelope in session.ReadAsync(after ?? status.Latest, _leaving.Token))
        {
            screen.Show(envelope, Follow(envelope.Event));
            await _questions.FollowAsync(envelope, isUpToDate, _leaving.Token);
            if (tally.Add(envelope) is { } summary)
            {
                screen.EndTurn(summary);
                EndTurn(summary);
            }

            if (!isUpToDate && envelope.Sequence >= status.Latest)
            {
                isUpToDate = true;
                OpenQuestions(status);
            }
        }

        screen.Note("The session is closed.");
    }

    private void Greet(SessionStatus status)
    {
        var state = status.Turn is null ? "it rests" : "a turn runs";
        var waiting = status.Waiting.Count + status.Steering.Count is > 0 and var count ? $", {count} wait" : "";
        screen.Note(
            $"session {status.Session} ({status.Model}, {Words.Kebab(status.ApprovalMode)}): {state}{waiting}. A line is said to it; Ctrl+C interrupts, a second one leaves."
        );
    }

    private void OpenQuestions(SessionStatus status)
    {
        foreach (var question in status.Questions)
        {
            _questions.Open(question.Call, question.Request);
        }
    }

    private async Task ListenAsync()
    {
        await Task.Yield();
        while (await input.ReadLineAsync(_leaving.Token) is { } line)
        {
            _hasInput = true;
            try
            {
                if (!await _questions.TryAnswerAsync(line, _leaving.Token) && !string.IsNullOrWhiteSpace(line))
                {
                    await SayAsync(line);
                }
            }
            catch (Exception refused) when (refused is RefusedException or DaemonLostException)
            {
                screen.Note(refused.Message);
            }
        }

        if (!watchesAtEnd)
        {
            Leave();
        }

        bool isDone;
        lock (_gate)
        {
            _inputEnded = true;
            isDone = IsDone;
        }

        if (isDone)
        {
            Leave();
        }
    }

    private async Task SayAsync(string line)
    {
        var id = newPrompt();
        lock (_gate)
        {
            _said.Add(id);
            _unheard.Add(id);
        }

        try
        {
            // To a turn that runs it is steering; where none runs it is a prompt. The session decides, which knows.
            await session.SubmitAsync(new Steer(id, [new TextContent(line)]), _leaving.Token);
        }
        catch
        {
            lock (_gate)
            {
                _unheard.Remove(id);
            }

            throw;
        }
    }

    /// <returns>Whether it tells of something that was said here.</returns>
    private bool Follow(SessionEvent happened)
    {
        lock (_gate)
        {
            switch (happened)
            {
                case TurnStarted started:
                    (_turn, _isInterrupting) = (started.Turn, false);
                    _isMine = _said.Contains(started.Prompt);
                    _unheard.Remove(started.Prompt);
                    return _isMine;
                case PromptQueued queued:
                    return _said.Contains(queued.Prompt);
                case SteeringReceived said:
                    return _said.Contains(said.Prompt);
                case SteeringTaken taken:
                    foreach (var message in taken.Messages)
                    {
                        _isMine |= _said.Contains(message.Prompt);
                        _unheard.Remove(message.Prompt);
                    }

                    return false;
                case PromptWithdrawn withdrawn:
                    _unheard.Remove(withdrawn.Prompt);
                    return _said.Contains(withdrawn.Prompt);
                default:
                    return false;
            }
        }
    }

    private void EndTurn(RunSummary summary)
    {
        bool isDone;
        lock (_gate)
        {
            (_turn, _isInterrupting) = (null, false);
            _exitCode = _isMine ? summary.ExitCode : _exitCode;
            _isMine = false;
            isDone = IsDone;
        }

        if (isDone)
        {
            Leave();
        }
    }

    private bool IsDone => _inputEnded && _hasInput && _turn is null && _unheard.Count == 0;

    /// <summary>The first Ctrl+C ends the turn, if one runs; the next one leaves.</summary>
    private async Task InterruptAsync()
    {
        TurnId? turn;
        lock (_gate)
        {
            turn = _isInterrupting || screen.IsLost ? null : _turn;
            _isInterrupting = true;
        }

        if (turn is not { } running)
        {
            Leave();
            return;
        }

        screen.Note("Interrupting; Ctrl+C once more leaves, and the session goes on in the daemon.");
        try
        {
            await session.SubmitAsync(new Interrupt(running), _leaving.Token);
        }
        catch (Exception refused) when (refused is RefusedException or DaemonLostException)
        {
            screen.Note(refused.Message);
        }
        catch (OperationCanceledException)
        {
            // It was left before it heard.
        }
    }

    private void Leave()
    {
        try
        {
            _leaving.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has been left.
        }
    }
}
