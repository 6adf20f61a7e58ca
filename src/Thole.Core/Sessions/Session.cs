using Microsoft.Extensions.Logging;
using Thole.Core.Context;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// One conversation. A single reader takes letters from the mailbox: it decides, appends, applies, rings.
/// Nobody else writes the log or the state, so there is nothing to lock.
/// </summary>
internal sealed partial class Session : ISessionJournal, IAsyncDisposable
{
    private readonly Mailbox _mailbox;
    private readonly Questions _questions;
    private readonly IEventLog _log;
    private readonly Snapshots _snapshots;
    private readonly SessionParts _parts;
    private readonly ILogger _logger;
    private readonly Bell _bell;
    private readonly Task _reading;
    private readonly Lazy<Task> _closing;

    private long _callsNamed;
    private CancellationTokenSource _turnCancellation = new();
    private Task _turn = Task.CompletedTask;
    private volatile bool _isBroken;
    private volatile Closing _closed;

    private Session(SessionId id, IEventLog log, SessionState state, string workspace, Snapshots snapshots, SessionParts parts)
    {
        (Id, _log, State, _snapshots, _parts, _logger) = (id, log, state, snapshots, parts, parts.Logger);
        _callsNamed = state.Calls;
        _bell = new Bell(log.Latest);
        _questions = new Questions(parts.Time, parts.Rules.PermissionTimeout);
        Hands = parts.OpenHands(workspace, log, state.Context.Files.Values);
        _mailbox = new Mailbox(CommitAsync, Break);
        _reading = Task.Run(_mailbox.ReadAsync);
        _closing = new Lazy<Task>(CloseAsync);
    }

    public SessionId Id { get; }

    public SessionState State
    {
        get => Volatile.Read(ref field);
        private set => Volatile.Write(ref field, value);
    }

    /// <summary>It is being closed, or its log could not be written. One that only takes nothing new any more is not over yet.</summary>
    public bool IsOver => _isBroken || _closed is Closing.EndsTurn or Closing.KeepsTurn;

    public TurnId Turn => State.Turn ?? throw new InvalidOperationException("No turn runs.");

    public ContextState Context => State.Context;

    public string Root => State.Workspace;
    public ApprovalMode ApprovalMode => State.ApprovalMode;

    public bool HasSteering => State.Steering is [_, ..];

    private bool IsAtWork => State is { Turn: not null, WaitsForPerson: false };

    public int Step => State.Running?.Step ?? 0;

    public IReadOnlyList<PendingCall> OpenCalls =>
        [.. State.CallsInOrder.Select(open => new PendingCall(open.Call, open.Problem, open.Question is not null))];

    public SessionStatus Status => State.ToStatus(Id);

    public ToolContext Hands { get; }

    /// <summary>
    /// Opens what is in the log, or begins it with <paramref name="opening"/>. What the last process left open ends, or goes on;
    /// then what was accepted and waits begins. All of it is decided in one piece.
    /// </summary>
    public static async Task<Session> OpenAsync(
        SessionId id,
        IEventLog log,
        OpenSession request,
        IReadOnlyList<SessionEvent> opening,
        Actor actor,
        SessionParts parts
    )
    {
        Session? session = null;
        try
        {
            var snapshots = new Snapshots(log, parts.Logger);
            var state = await snapshots.LoadAsync(CancellationToken.None);
            Decisions.CheckWorkspace(id, state, request.Workspace);
            session = new Session(id, log, state, request.Workspace, snapshots, parts);
            IEnumerable<SessionEvent> begun = log.Recovery is { } recovery ? [recovery, .. opening] : opening;
            var taken = Decisions.TakeOver(state, request.ApprovalMode, parts.Rules);
            await session._mailbox.PostAsync(new RecordLetter([.. begun, .. taken], actor));
            if (Decisions.GoesOn(state, parts.Rules))
            {
                session.StartTurn();
            }

            return session;
        }
        catch
        {
            // Who was refused holds nothing: the log is free for the next who opens it.
            await ((IAsyncDisposable?)session ?? log).DisposeAsync();
            throw;
        }
    }

    /// <exception cref="RefusedException">It works on another directory.</exception>
    public void MustBelongTo(string workspace) => Decisions.CheckWorkspace(Id, State, workspace);

    public ValueTask<Receipt> SubmitAsync(Command command, Actor actor) => _mailbox.PostAsync(new SubmitLetter(command, actor));

    public async ValueTask RecordAsync(params IReadOnlyList<SessionEvent> happened) =>
        await _mailbox.PostAsync(new RecordLetter(happened));

    public async ValueTask<PermissionAnswered> AskAsync(PermissionRequested question, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<PermissionAnswered>(TaskCreationOptions.RunContinuationsAsynchronously);
        var election = State.Running is { } turn ? _parts.Elect(Id, turn.Asker) : null;
        await _mailbox.PostAsync(new AskLetter(question with { Election = election }, answer));
        if (await _questions.UnansweredAsync(question.Call, State, answer.Task, cancellationToken) is { } why)
        {
            await UnaskAsync(question.Call, why);
        }

        return await answer.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask UnaskAsync(CallId call, string reason) => await _mailbox.PostAsync(new UnaskLetter(call, reason));

    public async ValueTask TakeSteeringAsync() => await _mailbox.PostAsync(new TakeSteeringLetter());

    public IReadOnlyList<CallId> NewCalls(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new CallId($"call_{Interlocked.Increment(ref _callsNamed)}"))];

    public IAsyncEnumerable<Envelope> ReadAsync(long after, CancellationToken cancellationToken) =>
        new Reading(_log, _bell).ReadAsync(after, cancellationToken);

    public ValueTask DisposeAsync() => new(_closing.Value);

    /// <summary>Takes nothing more; returns when no turn is at work any more.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        for (var seen = (await _mailbox.PostAsync(new CloseLetter(AfterTurn: true))).Sequence; IsAtWork; seen = _bell.Latest)
        {
            await _bell.WaitAsync(seen).WaitAsync(cancellationToken);
        }
    }

    /// <summary>Closes it where nothing runs and nothing waits.</summary>
    public async ValueTask<bool> TryCloseAsync()
    {
        await _mailbox.PostLastAsync(new CloseLetter(OnlyIfResting: true));
        if (!IsOver)
        {
            return false;
        }

        await DisposeAsync();
        return true;
    }

    private async Task CloseAsync()
    {
        await _mailbox.PostLastAsync(new CloseLetter());
        await _turn.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _mailbox.Close();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _bell.Close(new RefusedException("session_closed", "The session was closed."));
        _turnCancellation.Dispose();
        try
        {
            await Hands.Processes.DisposeAsync();
        }
        catch (Exception exception)
        {
            LogProcessesLeft(exception);
        }
        finally
        {
            await _log.DisposeAsync(); // the next who opens it must find it closed, whatever became of the processes
        }
    }

    /// <summary>Decide every waiting letter, append once, apply, ring, react — in this order. If the append fails, nothing happened.</summary>
    private async Task CommitAsync(IReadOnlyList<Letter> letters)
    {
        var batch = new Batch(State, _log.Latest, _log.Next, _closed, _parts);
        foreach (var letter in letters)
        {
            batch.Add(letter);
        }

        if (batch.Events is not [])
        {
            await _log.AppendAsync(batch.Events, batch.MustBeDurable, CancellationToken.None);
            State = batch.State;
            _bell.Ring(batch.Events);
        }

        foreach (var ask in letters.OfType<AskLetter>())
        {
            _questions.Await(ask, State);
        }

        batch.Events.ForEach(envelope => React(envelope.Event));
        await _snapshots.KeepAsync(State);
        _closed = batch.Closing;
        if (_closed is Closing.EndsTurn or Closing.KeepsTurn)
        {
            _ = _turnCancellation.CancelAsync();
        }

        batch.Confirm();
    }

    private void React(SessionEvent happened)
    {
        switch (happened)
        {
            case TurnStarted:
                StartTurn();
                break;
            case PermissionAnswered answered when !State.IsInterrupted: // else the token ends the wait
                _questions.Settle(answered);
                break;
            case InterruptRequested:
                _ = _turnCancellation.CancelAsync(); // its callbacks stop processes: not on the mailbox's time
                break;
            case TurnEnded:
                _questions.Clear();
                break;
        }
    }

    private void StartTurn()
    {
        _turnCancellation.Dispose();
        _turnCancellation = Deadlines.Begin(State.Running, _parts.Time);
        var cancellationToken = _turnCancellation.Token;
        _turn = Task.Run(() => RunTurnAsync(cancellationToken), CancellationToken.None);
    }

    private async Task RunTurnAsync(CancellationToken cancellationToken)
    {
        TurnEnd end;
        try
        {
            cancellationToken.ThrowIfCancellationRequested(); // it may have waited until its time was over
            end = await _parts.Turns.RunAsync(this, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            end =
                State.IsInterrupted ? TurnEnd.OfInterrupt
                : IsOver ? TurnEnd.OfLostProcess
                : TurnEnd.OfDeadline;
        }
        catch (RefusedException refused)
        {
            end = TurnEnd.OfDefect(refused); // where we can no longer write, or may not, the turn hears of it so: no defect then
        }
        catch (Exception exception)
        {
            LogTurnFailed(exception);
            end = TurnEnd.OfDefect(exception);
        }

        try
        {
            await _mailbox.PostAsync(new EndTurnLetter(end));
        }
        catch (RefusedException)
        {
            // The log ends inside the turn, and the next process closes it, or goes on with it.
        }
    }

    private void Break(RefusedException broken)
    {
        _isBroken = true;
        LogSessionBroken(broken);
        _bell.Close(broken);
        _ = _turnCancellation.CancelAsync();
    }

    [LoggerMessage(LogLevel.Error, "The processes of the session did not end.")]
    private partial void LogProcessesLeft(Exception exception);

    [LoggerMessage(LogLevel.Error, "The turn failed.")]
    private partial void LogTurnFailed(Exception exception);

    [LoggerMessage(LogLevel.Critical, "The session can no longer be written, and closes.")]
    private partial void LogSessionBroken(Exception exception);
}
