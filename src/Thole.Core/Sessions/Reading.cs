using System.Runtime.CompilerServices;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// What readers of a session see: what the bell still holds while they keep up, else the log. However far behind a reader is, it holds
/// a page of the log at most, and no lock.
/// </summary>
internal sealed class Reading(IEventLog log, Bell bell)
{
    public async IAsyncEnumerable<Envelope> ReadAsync(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            if (bell.Recent(after) is { } recent)
            {
                foreach (var envelope in recent)
                {
                    after = envelope.Sequence;
                    yield return envelope;
                }
            }
            else
            {
                await using var past = Past(after, cancellationToken);
                while (await MoveNextAsync(past))
                {
                    after = past.Current.Sequence;
                    yield return past.Current;
                }
            }

            await bell.WaitAsync(after).WaitAsync(cancellationToken);
        }
    }

    private IAsyncEnumerator<Envelope> Past(long after, CancellationToken cancellationToken)
    {
        try
        {
            return log.ReadAsync(after, bell.Latest, cancellationToken).GetAsyncEnumerator(cancellationToken);
        }
        catch (ObjectDisposedException closed)
        {
            throw Closed(closed);
        }
    }

    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<Envelope> past)
    {
        try
        {
            return await past.MoveNextAsync();
        }
        catch (ObjectDisposedException closed)
        {
            throw Closed(closed);
        }
    }

    private static RefusedException Closed(ObjectDisposedException closed) =>
        new("session_closed", "The session was closed.", closed);
}
