using Thole.Client;
using Thole.Protocol;

namespace Thole.Cli.Attached;

/// <summary>The questions of a session that this terminal may answer, one after the other; others may be quicker.</summary>
internal sealed class Questions(TholeSession session, AttachScreen screen)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<CallId, ToolCall> _calls = [];
    private readonly List<Ask> _open = [];
    private readonly Dictionary<CallId, Envelope?> _answering = [];
    private readonly HashSet<long> _mine = [];

    public void Open(ToolCall call, PermissionRequested request)
    {
        var ask = new Ask(call, request);
        bool isFirst;
        lock (_gate)
        {
            _open.Add(ask);
            isFirst = _open is [_];
        }

        if (isFirst)
        {
            screen.Ask(ask);
        }
    }

    /// <param name="isNew">It happened since this terminal came; older questions are told by the status of the session.</param>
    public async Task FollowAsync(Envelope envelope, bool isNew, CancellationToken cancellationToken)
    {
        switch (envelope.Event)
        {
            case CallRequested requested:
                _calls[requested.Call.Id] = requested.Call;
                break;
            case CallCompleted completed:
                _calls.Remove(completed.Call);
                break;
            case PermissionRequested asked when isNew:
                if (await FindAsync(asked.Call, cancellationToken) is { } call)
                {
                    Open(call, asked);
                }

                break;
            case PermissionAnswered answered:
                Settle(envelope, answered);
                break;
        }
    }

    /// <returns>False where nothing is asked: the line is something else.</returns>
    public async Task<bool> TryAnswerAsync(string line, CancellationToken cancellationToken)
    {
        AnswerPermission answer;
        lock (_gate)
        {
            if (_open is not [var ask, ..])
            {
                return false;
            }

            screen.Answer(line);
            if (ask.Take(line) is not { } whole)
            {
                screen.Ask(ask);
                return true;
            }

            answer = whole;
            _open.RemoveAt(0);
            _answering[answer.Call] = null;
        }

        try
        {
            var receipt = await session.SubmitAsync(answer, cancellationToken);
            Conclude(answer.Call, receipt);
        }
        finally
        {
            lock (_gate)
            {
                _answering.Remove(answer.Call);
            }

            AskNext();
        }

        return true;
    }

    private void Conclude(CallId call, Receipt receipt)
    {
        lock (_gate)
        {
            for (var number = receipt.First; number > 0 && number <= receipt.Sequence; number++)
            {
                _mine.Add(number);
            }

            if (_answering.Remove(call, out var seen) && seen is { Event: PermissionAnswered answered })
            {
                Tell(seen, answered);
            }
        }
    }

    private void Settle(Envelope envelope, PermissionAnswered answered)
    {
        bool wasCurrent;
        lock (_gate)
        {
            if (_answering.ContainsKey(answered.Call))
            {
                _answering[answered.Call] = envelope; // whether it was ours, the receipt will say
                return;
            }

            wasCurrent = _open is [var current, ..] && current.Call == answered.Call;
            _open.RemoveAll(ask => ask.Call == answered.Call);
            Tell(envelope, answered);
        }

        if (wasCurrent)
        {
            AskNext();
        }
    }

    private void Tell(Envelope envelope, PermissionAnswered answered)
    {
        if (_mine.Contains(envelope.Sequence))
        {
            return; // it was typed here
        }

        screen.Note(
            answered.Cancelled ? $"The question is settled: {answered.Reason ?? "it was taken away."}"
            : answered.Allow ? $"{envelope.Actor} has allowed it."
            : $"{envelope.Actor} has refused it{(answered.Reason is { } reason ? $": {reason}" : ".")}"
        );
    }

    private void AskNext()
    {
        Ask? next;
        lock (_gate)
        {
            next = _open.FirstOrDefault();
        }

        if (next is not null)
        {
            screen.Ask(next);
        }
    }

    /// <summary>Null where the question is no longer open.</summary>
    private async Task<ToolCall?> FindAsync(CallId call, CancellationToken cancellationToken) =>
        _calls.TryGetValue(call, out var known)
            ? known
            : (await session.StatusAsync(cancellationToken)).Questions.FirstOrDefault(open => open.Call.Id == call)?.Call;
}
