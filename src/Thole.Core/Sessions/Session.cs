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
    private readonly Dictionary<CallId, TaskCompletionSource<PermissionAnswered>> _questions = [];
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
    private volatile bool _isOver;

    private Session(SessionId id, IEventLog log, SessionState state, string workspace, Snapshots snapshots, SessionParts parts)
    {
        (Id, _log, State, _snapshots, _parts, _logger) = (id, log, state, snapshots, parts, parts.Logger);
        _callsNamed = state.Calls;
        _bell = new Bell(log.Latest);
        Hands = parts.OpenHands(workspace, log, state.Context.Files.Values);
        _mailbox = new Mailbox(CommitAsync, BreakAsync);
        _reading = Task.Run(_mailbox.ReadAsync);
        _closing = new Lazy<Task>(CloseAsync);
    }

    public SessionId Id { get; }

    public SessionState State
    {
        get => Volatile.Read(ref field);
        private set => Volatile.Write(ref field, value);
    }

    /// <summary>It takes no more letters: it was closed, or its log could not be written.</summary>
    public bool IsOver => _isOver;

    public TurnId Turn => State.Turn ?? throw new InvalidOperationException("No turn runs.");

    public ContextState Context => State.Context;

    public ApprovalMode ApprovalMode => State.ApprovalMode;

    public ToolContext Hands { get; }

    /// <summary>Opens what is in the log, or begins it with <paramref name="opening"/>; ends what the last process left open.</summary>
    public static async Task<Session> OpenAsync(
        SessionId id,
        IEventLog log,
        string workspace,
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
            Decisions.CheckWorkspace(id, state, workspace);
            session = new Session(id, log, state, workspace, snapshots, parts);
            if ((log.Recovery is { } recovery ? [recovery, .. opening] : opening) is [_, ..] first)
            {
                await session._mailbox.PostAsync(new RecordLetter(first, actor));
            }

            if (session.State.Turn is not null)
            {
                var end = new TurnEnd(TurnOutcome.Interrupted, "The process ended during this turn.");
                await session._mailbox.PostAsync(new EndTurnLetter(end));
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
        await _mailbox.PostAsync(new AskLetter(question, answer));
        return await answer.Task.WaitAsync(cancellationToken);
    }

    public IReadOnlyList<CallId> NewCalls(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new CallId($"call_{Interlocked.Increment(ref _callsNamed)}"))];

    public IAsyncEnumerable<Envelope> ReadAsync(long after, CancellationToken cancellationToken) =>
        new Reading(_log, _bell).ReadAsync(after, cancellationToken);

    public ValueTask DisposeAsync() => new(_closing.Value);

    private async Task CloseAsync()
    {
        try
        {
            await _mailbox.PostAsync(new CloseLetter());
        }
        catch (RefusedException)
        {
            // The log could not be written: the turn was told then.
        }

        await _turn.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _mailbox.Close();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _bell.Close(new RefusedException("session_closed", "The session was closed."));
        _turnCancellation.Dispose();
        try
        {
            await Hands.Processes.DisposeAsync();
        }
        finally
        {
            await _log.DisposeAsync(); // the next who opens it must find it closed, whatever became of the processes
        }
    }

    /// <summary>Decide every waiting letter, append once, apply, ring, react — in this order. If the append fails, nothing happened.</summary>
    private async Task CommitAsync(IReadOnlyList<Letter> letters)
    {
        var state = State;
        List<Envelope> batch = [];
        var receipts = new Receipt[letters.Count];
        for (var index = 0; index < letters.Count; index++)
        {
            var turn = (TurnId?)null;
            _isOver |= letters[index] is CloseLetter;
            if (_isOver && letters[index] is SubmitLetter)
            {
                letters[index].Handled.TrySetException(Mailbox.Closed());
                continue;
            }

            foreach (var happened in Decide(state, letters[index]))
            {
                Write(happened, letters[index].Actor);
            }

            // What waits when we close goes on waiting: it was accepted, and whoever opens the session next begins it.
            foreach (var happened in _isOver ? [] : Decisions.Continue(state, NewTurn))
            {
                Write(happened, Actor.Runtime);
            }

            receipts[index] = new Receipt(batch is [.., var last] ? last.Sequence : _log.Latest, turn);

            void Write(SessionEvent happened, Actor? actor)
            {
                var sequence = batch is [.., var previous] ? previous.Sequence + 1 : _log.Next;
                var envelope = new Envelope(sequence, _parts.Time.GetUtcNow(), actor ?? Actors.Of(happened), happened);
                batch.Add(envelope);
                state = state.Apply(envelope);
                turn = happened is TurnStarted started ? started.Turn : turn;
            }
        }

        if (batch is not [])
        {
            await _log.AppendAsync(batch, batch.Exists(envelope => Durability.IsNeeded(envelope.Event)), CancellationToken.None);
            foreach (var ask in letters.OfType<AskLetter>())
            {
                _questions[ask.Asked.Call] = ask.Answer;
            }

            State = state;
            _bell.Ring(batch);
            batch.ForEach(envelope => React(envelope.Event));
            await _snapshots.KeepAsync(State);
        }

        if (letters.Any(letter => letter is CloseLetter))
        {
            _ = _turnCancellation.CancelAsync();
        }

        for (var index = 0; index < letters.Count; index++)
        {
            letters[index].Handled.TrySetResult(receipts[index]);
        }
    }

    private IReadOnlyList<SessionEvent> Decide(SessionState state, Letter letter) =>
        letter switch
        {
            SubmitLetter(var command, _) => Decisions.Decide(state, command, NewTurn),
            RecordLetter(var happened, _) => happened,
            AskLetter(var asked, _) => [asked],
            CloseLetter => [],
            EndTurnLetter(var end) => Decisions.EndTurn(state, end.Outcome, end.Message),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private void React(SessionEvent happened)
    {
        switch (happened)
        {
            case TurnStarted:
                _turnCancellation.Dispose();
                _turnCancellation = new CancellationTokenSource();
                var cancellationToken = _turnCancellation.Token;
                _turn = Task.Run(() => RunTurnAsync(cancellationToken), CancellationToken.None);
                break;
            case PermissionAnswered answered when _questions.Remove(answered.Call, out var question):
                question.TrySetResult(answered);
                break;
            case InterruptRequested:
                _ = _turnCancellation.CancelAsync(); // its callbacks stop processes: not on the mailbox's time
                break;
            case TurnEnded:
                _questions.Clear();
                break;
        }
    }

    private async Task RunTurnAsync(CancellationToken cancellationToken)
    {
        TurnEnd end;
        try
        {
            end = await _parts.Turns.RunAsync(this, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            end = new TurnEnd(TurnOutcome.Interrupted, "The turn was interrupted.");
        }
        catch (RefusedException)
        {
            return; // the session can no longer be written, and has told everybody
        }
        catch (LogException unusable)
        {
            end = new TurnEnd(TurnOutcome.Failed, unusable.Message);
        }
        catch (Exception exception)
        {
            LogTurnFailed(exception);
            end = new TurnEnd(
                TurnOutcome.Failed,
                $"A defect of ours ended the turn: {exception.GetType().Name}: {exception.Message}"
            );
        }

        try
        {
            await _mailbox.PostAsync(new EndTurnLetter(end));
        }
        catch (RefusedException)
        {
            // As above: the log ends inside the turn, and the next process closes it.
        }
    }

    private async Task BreakAsync(RefusedException broken)
    {
        _isOver = true;
        LogSessionBroken(broken);
        _bell.Close(broken);
        await _turnCancellation.CancelAsync();
    }

    private TurnId NewTurn() => new($"turn_{_parts.NewId():n}");

    [LoggerMessage(LogLevel.Error, "The turn failed.")]
    private partial void LogTurnFailed(Exception exception);

    [LoggerMessage(LogLevel.Critical, "The session can no longer be written, and closes.")]
    private partial void LogSessionBroken(Exception exception);
}
