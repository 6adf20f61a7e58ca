using System.Runtime.CompilerServices;
using Thole.Core.Models;

namespace Thole.Core.Budgets;

/// <summary>
/// Reserves before each attempt what it may use, and settles after it. It stands above the retries and hears of each: an attempt that
/// broke is charged and the next one reserved anew, so that a budget stops repetitions, too; it stands below the fallbacks, so that each
/// endpoint is charged by its own price.
/// </summary>
internal sealed class MeteredModel(ModelEndpoint endpoint, Ledger ledger, Func<IReadOnlyList<Cap>> caps) : IModel
{
    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var attempt = MeteredAttempt.Begin(endpoint, request, ledger, caps());
        try
        {
            var events = endpoint.Client.StreamAsync(request, cancellationToken);
            await using var said = events.GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await said.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (ModelException failure)
                {
                    attempt.Fail(failure);
                    throw;
                }

                // Before it is handed on: who has heard the end does not come back for more.
                attempt.Hear(said.Current);
                yield return said.Current;
                if (said.Current is AttemptVoided)
                {
                    attempt = MeteredAttempt.Begin(endpoint, request, ledger, caps());
                }
            }
        }
        finally
        {
            attempt.Abandon();
        }
    }
}
