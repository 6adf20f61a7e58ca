using System.Runtime.CompilerServices;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>What readers of a session see: what the bell still holds while they keep up, else the log, a page at a time.</summary>
internal sealed class Reading(IEventLog log, Bell bell)
{
    private const int PageLength = 256;

    public async IAsyncEnumerable<Envelope> ReadAsync(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            foreach (var envelope in bell.Recent(after) ?? await ReadPageAsync(after, cancellationToken))
            {
                after = envelope.Sequence;
                yield return envelope;
            }

            await bell.WaitAsync(after).WaitAsync(cancellationToken);
        }
    }

    private async Task<IReadOnlyList<Envelope>> ReadPageAsync(long after, CancellationToken cancellationToken)
    {
        List<Envelope> page = [];
        try
        {
            await foreach (var envelope in log.ReadAsync(after, bell.Latest, cancellationToken))
            {
                page.Add(envelope);
                if (page.Count == PageLength)
                {
                    break;
                }
            }
        }
        catch (ObjectDisposedException closed)
        {
            throw new RefusedException("session_closed", "The session was closed.", closed);
        }

        return page;
    }
}
