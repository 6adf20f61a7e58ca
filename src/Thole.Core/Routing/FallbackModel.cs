using System.Runtime.CompilerServices;
using Thole.Core.Models;

namespace Thole.Core.Routing;

/// <summary>
/// Asks the next model where one is out of reach, overloaded or out of quota, after telling that what was said so far is void and
/// who speaks from now on. What a request itself is to blame for (a wrong key, a refused question) is not asked again elsewhere.
/// </summary>
/// <param name="confined">The rule by which all of them are on this machine; null where there is none.</param>
internal sealed class FallbackModel(IReadOnlyList<ModelEndpoint> chain, string? confined) : IModel
{
    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (var index = 0; ; index++)
        {
            ModelException? failure = null;
            var asked = chain[index];
            var events = asked.Client.StreamAsync(request with { Model = asked.Model }, cancellationToken);
            await using (var said = events.GetAsyncEnumerator(cancellationToken))
            {
                while (true)
                {
                    try
                    {
                        if (!await said.MoveNextAsync())
                        {
                            yield break;
                        }
                    }
                    catch (ModelException failed) when (!cancellationToken.IsCancellationRequested && MayBeAskedElsewhere(failed))
                    {
                        failure = failed;
                        break;
                    }

                    yield return said.Current;
                }
            }

            if (index + 1 == chain.Count)
            {
                throw GivenUp(failure);
            }

            yield return new AttemptVoided(failure, 1, TimeSpan.Zero) { Next = chain[index + 1].Name };
        }
    }

    private static bool MayBeAskedElsewhere(ModelException failure) =>
        failure.IsRetryable || failure.Failure is ModelFailure.QuotaExhausted;

    private ModelException GivenUp(ModelException last) =>
        confined is null
            ? last
            : new ModelException(
                last.Failure,
                $"{last.Message} Nobody else may be asked: the session has touched {confined}, which may not leave this machine.",
                last
            )
            {
                RetryAfter = last.RetryAfter,
                Raw = last.Raw,
            };
}
