using System.Runtime.CompilerServices;
using Thole.Protocol;
using Thole.Testing.Log;

namespace Thole.Server.Tests.Hosting;

/// <summary>The list of the sessions whose logs are in memory.</summary>
internal sealed class MemoryCatalog(MemoryEventStore store) : ICatalog
{
    /// <summary>A log without an event is not there yet.</summary>
    private IEnumerable<SessionId> Begun => store.Sessions.Where(id => store[id].Latest > 0);

    public ValueTask<IReadOnlyList<SessionSummary>> ListAsync(
        string? workspace,
        int limit,
        CancellationToken cancellationToken
    ) => new([.. Begun.Select(Summary).OrderByDescending(summary => summary.UpdatedAt).Take(limit)]);

    public ValueTask<SessionSummary?> FindAsync(string idOrPrefix, CancellationToken cancellationToken) =>
        new(Begun.Where(id => id.Value.StartsWith(idOrPrefix, StringComparison.Ordinal)).Select(Summary).FirstOrDefault());

    public async IAsyncEnumerable<Envelope> ReadAsync(
        SessionId session,
        long after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        foreach (var envelope in store[session].Envelopes.Where(envelope => envelope.Sequence > after))
        {
            await Task.Yield();
            yield return envelope;
        }
    }

    public ValueTask<byte[]?> ReadBlobAsync(SessionId session, BlobId blob, CancellationToken cancellationToken) =>
        store[session].ReadBlobAsync(blob, cancellationToken);

    public ValueTask<IReadOnlyList<SearchHit>> SearchAsync(string words, int limit, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<VerifyReport> VerifyAsync(SessionId session, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask DeleteAsync(SessionId session, CancellationToken cancellationToken) => throw new NotSupportedException();

    private SessionSummary Summary(SessionId id)
    {
        var events = store[id].Envelopes;
        var open = new HashSet<PromptId>();
        var (turns, isRunning) = (0, false);
        foreach (var envelope in events)
        {
            switch (envelope.Event)
            {
                case PromptQueued queued:
                    open.Add(queued.Prompt);
                    break;
                case SteeringReceived steering:
                    open.Add(steering.Prompt);
                    break;
                case SteeringTaken taken:
                    open.ExceptWith(taken.Messages.Select(message => message.Prompt));
                    break;
                case PromptWithdrawn withdrawn:
                    open.Remove(withdrawn.Prompt);
                    break;
                case TurnStarted started:
                    open.Remove(started.Prompt);
                    (turns, isRunning) = (turns + 1, true);
                    break;
                case TurnEnded:
                    isRunning = false;
                    break;
            }
        }

        return new SessionSummary(
            id,
            TestHost.Workspace,
            Title: null,
            Model: null,
            events[0].At,
            events[^1].At,
            turns,
            Bytes: 0,
            IsUnfinished: isRunning || open.Count > 0
        );
    }
}
