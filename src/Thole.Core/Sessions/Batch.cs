using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// Letters that waited together: what they come to, decided in the order in which they came, before any of it is written.
/// </summary>
internal sealed class Batch(SessionState state, long latest, long next, Closing closing, SessionParts parts)
{
    private readonly List<Action> _answers = [];

    public List<Envelope> Events { get; } = [];

    public bool MustBeDurable => Events.Exists(envelope => Durability.IsNeeded(envelope.Event));

    /// <summary>The state after <see cref="Events"/>.</summary>
    public SessionState State { get; private set; } = state;

    public Closing Closing { get; private set; } = closing;

    public void Add(Letter letter)
    {
        Closing = letter is CloseLetter close ? Closed(close) : Closing;
        var before = Events.Count;
        try
        {
            MustBeTaken(letter);
            foreach (var happened in Decide(letter))
            {
                Write(happened, letter.Actor);
            }
        }
        catch (RefusedException refused)
        {
            _answers.Add(() => letter.Handled.TrySetException(refused));
            return;
        }

        foreach (var settled in Decisions.Settle(State).ToList())
        {
            Write(settled, Actor.Runtime); // nobody decided it, whoever voted last
        }

        // What waits when we close goes on waiting: it was accepted, and whoever opens the session next begins it.
        if (Closing is Closing.No && Decisions.Continue(State, parts.NewTurn) is var (started, asker))
        {
            Write(started, asker);
        }

        var receipt = ReceiptOf(letter, before);
        _answers.Add(() => letter.Handled.TrySetResult(receipt));
    }

    /// <summary>
    /// Called when everything is in the log. Who was refused is told no sooner: told that the session closes, they find it closed.
    /// </summary>
    public void Confirm() => _answers.ForEach(static answer => answer());

    private Closing Closed(CloseLetter close) =>
        close.OnlyIfResting && State is not { Running: null, Waiting: [], Steering: [] } ? Closing
        : close.AfterTurn ? (Closing is Closing.No ? Closing.AfterTurn : Closing)
        : parts.Rules.KeepsQuestions && State.WaitsForPerson ? Closing.KeepsTurn
        : Closing.EndsTurn;

    private void MustBeTaken(Letter letter)
    {
        if (Closing is Closing.KeepsTurn ? letter is not CloseLetter : Closing is not Closing.No && letter is SubmitLetter)
        {
            throw Mailbox.Closed();
        }
    }

    private IReadOnlyList<SessionEvent> Decide(Letter letter) =>
        letter switch
        {
            SubmitLetter(var command, var from) => Decisions.Decide(State, command, from, parts.Rules, parts.NewTurn),
            RecordLetter(var happened, _) => happened,
            AskLetter(var asked, _) => State.OpenCalls.GetValueOrDefault(asked.Call)?.Question is null ? [asked] : [],
            UnaskLetter(var call, var reason) => Decisions.Unask(State, call, reason),
            TakeSteeringLetter when Closing is Closing.No => Decisions.TakeSteering(State),
            TakeSteeringLetter or CloseLetter => [],
            EndTurnLetter(var end) => Decisions.EndTurn(State, end),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private void Write(SessionEvent happened, Actor? actor)
    {
        var sequence = Events is [.., var previous] ? previous.Sequence + 1 : next;
        var envelope = new Envelope(sequence, parts.Time.GetUtcNow(), actor ?? Actors.Of(happened), happened);
        Events.Add(envelope);
        State = State.Apply(envelope);
    }

    private Receipt ReceiptOf(Letter letter, int before)
    {
        var mine = Events.Skip(before).ToList();
        var repeated = letter switch
        {
            SubmitLetter(Prompt(var id, _), _) => State.Prompts.GetValueOrDefault(id)?.Sequence,
            SubmitLetter(Steer(var id, _), _) => State.Prompts.GetValueOrDefault(id)?.Sequence,
            SubmitLetter(AnswerPermission answer, var voter) => State
                .Asked.FirstOrDefault(open => open.Call.Id == answer.Call)
                ?.Votes.GetValueOrDefault(voter.Identity)
                ?.Sequence,
            _ => null,
        };
        return new Receipt(
            Events is [.., var last] ? last.Sequence : latest,
            mine.Select(envelope => envelope.Event).OfType<TurnStarted>().LastOrDefault()?.Turn,
            mine is [var first, ..] ? first.Sequence : repeated ?? 0,
            mine.Select(envelope => envelope.Event).OfType<VoteRefused>().FirstOrDefault()?.Reason
        );
    }
}

/// <summary>Whether a session takes letters, and what becomes of its turn when it does not.</summary>
internal enum Closing
{
    No,

    /// <summary>The turn goes on to its end, and nothing begins after it.</summary>
    AfterTurn,

    /// <summary>The turn is interrupted, and still writes how it ended.</summary>
    EndsTurn,

    /// <summary>The turn waits for a person, and goes on in whichever process opens the session next: nothing more is written.</summary>
    KeepsTurn,
}
