using System.Runtime.CompilerServices;

namespace Thole.Core.Models;

/// <summary>How often, and after which waits, a failed request is made again.</summary>
public sealed record RetryOptions
{
    /// <summary>Attempts in all, the first among them.</summary>
    public int Attempts { get; init; } = 7;

    /// <summary>How many attempts may break after they have said something: each of them has been paid for.</summary>
    public int RetriesAfterOutput { get; init; } = 2;

    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1.5);

    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A provider that asks for more than this is not waited for: the person is told and decides.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>
/// Makes a failed request again, where that may help, after telling that what was said so far is void. Waits double and vary by
/// 30 %, so that many clients do not come back at once; a provider that names a time is left alone for so long.
/// </summary>
public sealed class RetryingModel(IModel model, RetryOptions options, TimeProvider time, Random random) : IModel
{
    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var brokenAfterOutput = 0;
        for (var attempt = 1; ; attempt++)
        {
            var saidSomething = false;
            ModelException? failure = null;
            await using (var events = model.StreamAsync(request, cancellationToken).GetAsyncEnumerator(cancellationToken))
            {
                while (true)
                {
                    try
                    {
                        if (!await events.MoveNextAsync())
                        {
                            yield break;
                        }
                    }
                    catch (ModelException failed) when (failed.IsRetryable && !cancellationToken.IsCancellationRequested)
                    {
                        failure = failed;
                        break;
                    }

                    saidSomething = true;
                    yield return events.Current;
                }
            }

            brokenAfterOutput += saidSomething ? 1 : 0;
            if (attempt >= options.Attempts || brokenAfterOutput > options.RetriesAfterOutput)
            {
                throw attempt == 1 ? failure : GivenUp(failure, $"{failure.Message} Tried {attempt} times.");
            }

            if (failure.RetryAfter > options.LongestRetryAfter)
            {
                throw GivenUp(
                    failure,
                    $"{failure.Message} It asks to be left alone for {failure.RetryAfter.Value.TotalMinutes:0} minutes."
                );
            }

            var delay = failure.RetryAfter ?? Backoff(attempt);
            yield return new AttemptVoided(failure, attempt, delay);
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    private TimeSpan Backoff(int attempt)
    {
        // Beyond 2^20 every wait is the longest one anyway, and a shift must not overflow.
        var doubled = options.FirstDelay * (1L << Math.Min(attempt - 1, 20));
        var capped = doubled < options.LongestDelay ? doubled : options.LongestDelay;
        return capped * (0.7 + (random.NextDouble() * 0.6));
    }

    private static ModelException GivenUp(ModelException last, string message) =>
        new(last.Failure, message, last) { RetryAfter = last.RetryAfter, Raw = last.Raw };
}
