using System.Globalization;
using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Probing;

/// <summary>
/// Finds out with a handful of small requests what an endpoint really does. A probe that fails is a result like any other; only
/// where nothing can be asked at all the test ends.
/// </summary>
/// <param name="meter">Puts a meter before a model, so that a test is paid for like any other request; null for none.</param>
public sealed class ModelTest(ProviderCatalog catalog, Func<ModelEndpoint, ModelEndpoint>? meter = null)
{
    /// <summary>However the endpoint answers.</summary>
    public const int MostRequests = 12;

    /// <summary>What every other question would meet as well.</summary>
    private static readonly ModelFailure[] s_ofAll =
    [
        ModelFailure.Unauthorized,
        ModelFailure.Network,
        ModelFailure.UnknownModel,
        ModelFailure.QuotaExhausted,
        ModelFailure.BudgetExhausted,
        ModelFailure.PriceUnknown,
    ];

    private const string FromCache = "cache hits";

    /// <summary>What a test holds, roughly and at most, in tokens.</summary>
    public static (long Input, long Output) Tokens { get; } = (Probes.InputTokens, Probes.OutputTokens);

    /// <param name="name"><c>provider/model</c>.</param>
    /// <param name="tell">Is told each result as soon as it is there.</param>
    /// <exception cref="ModelException">There is no key, nobody answers, or the model is not known there.</exception>
    public async Task<(ProfilePlace Place, ModelProfile Profile)> RunAsync(
        string name,
        Action<ProbeRow> tell,
        CancellationToken cancellationToken
    )
    {
        var (provider, model) = catalog.Parse(name);
        var session = new ProbeSession(catalog, provider, model, meter ?? (static asked => asked));
        List<ProbeRow> rows = [];
        void TellRow(string probe, ProbeOutcome outcome, string detail)
        {
            var row = new ProbeRow(probe, outcome, detail);
            rows.Add(row);
            tell(row);
        }

        await StreamAsync(session, TellRow, cancellationToken);
        await CallProbes.CallAsync(session, TellRow, cancellationToken);
        await CallProbes.CallTwiceAsync(session, TellRow, cancellationToken);
        await StopAsync(session, TellRow, cancellationToken);
        var takesImages = await LookAsync(session, TellRow, cancellationToken);
        await CacheAsync(session, TellRow, cancellationToken);
        return (
            catalog.PlaceOf(provider, model),
            new ModelProfile
            {
                TestedAt = catalog.Time.GetUtcNow(),
                TextCalls = session.TextCalls,
                ThinksInText = session.ThinksInText ? true : null,
                TakesImages = takesImages,
                Repairs = session.Repairs == new ChatRepairs() ? null : session.Repairs,
                Rows = rows,
            }
        );
    }

    private static async Task StreamAsync(ProbeSession session, Tell tell, CancellationToken cancellationToken)
    {
        var answer = await FirstAsync(session, cancellationToken);
        session.ThinksInText = answer.ThinksInText;
        if (answer.Failure is { } failure)
        {
            if (s_ofAll.Contains(failure.Failure))
            {
                throw failure; // the others would only say the same
            }

            tell("streaming", ProbeOutcome.NotOk, failure.Message);
            return;
        }

        tell(
            "streaming",
            answer.Chunks > 1 ? ProbeOutcome.Ok : ProbeOutcome.NotSupported,
            answer.Chunks > 1
                ? $"{answer.Chunks} chunks, the first after {Milliseconds(answer.FirstAfter ?? default)};"
                    + $" gaps {Milliseconds(Median(answer.Gaps))} in the middle, {Milliseconds(answer.Gaps.Max())} at most"
                : "the answer comes in one piece"
        );
        var usage = answer.Finished?.Usage;
        tell(
            "usage",
            usage is { InputTokens: > 0, OutputTokens: > 0 } ? ProbeOutcome.Ok : ProbeOutcome.NotSupported,
            usage is { InputTokens: > 0, OutputTokens: > 0 }
                ? $"{Number(usage.InputTokens.Value)} tokens in, {Number(usage.OutputTokens.Value)} out"
                : "tokens are not counted"
        );
        tell(
            "reasoning",
            answer.Reasoning.Length > 0 ? ProbeOutcome.Ok : ProbeOutcome.NotSupported,
            answer.ThinksInText ? "shown as <think> in the text"
                : answer.Reasoning.Length > 0 ? "shown apart from the text"
                : "none is shown"
        );
    }

    /// <summary>The first question may have to be put in other words before the endpoint takes it.</summary>
    private static async Task<ProbeAnswer> FirstAsync(ProbeSession session, CancellationToken cancellationToken)
    {
        var request = Probes.Counting(session.Model, 40);
        var answer = await session.AskAsync(request, cancellationToken);
        for (var tries = 0; tries < 2 && session.IsChat && answer.Failure?.Failure is ModelFailure.InvalidRequest; tries++)
        {
            var words = answer.Failure.Message;
            var isOfLimit = ChatRepairs.OutputLimitFields.Any(field => words.Contains(field, StringComparison.Ordinal));
            session.Repairs = isOfLimit
                ? session.Repairs with
                {
                    OutputLimitField = ChatRepairs.OutputLimitFields.First(field => field != session.OutputLimitField),
                }
                : session.Repairs with
                {
                    AsksForUsage = false,
                };
            answer = await session.AskAsync(request, cancellationToken);
        }

        if (answer.Failure is not null)
        {
            session.Repairs = new ChatRepairs(); // they mended nothing
        }

        return answer;
    }

    private static async Task StopAsync(ProbeSession session, Tell tell, CancellationToken cancellationToken)
    {
        var answer = await session.AskAsync(Probes.Counting(session.Model, 500), cancellationToken, Probes.LeastOutput);
        var (outcome, detail) =
            answer.Failure is { } failure ? (ProbeOutcome.NotOk, failure.Message)
            : answer.Finished?.Stop is StopReason.OutputLimit ? (ProbeOutcome.Ok, "an answer that was cut says so")
            : (ProbeOutcome.NotOk, "an answer that was cut, or a limit that was not kept, looks like one that is whole");
        tell("stop reason", outcome, detail);
    }

    private static async Task<bool?> LookAsync(ProbeSession session, Tell tell, CancellationToken cancellationToken)
    {
        var answer = await session.AskAsync(Probes.Looking(session.Model), cancellationToken);
        if (answer.Failure is { } failure)
        {
            tell("images", failure.Outcome, failure.Message);
            return failure.Outcome is ProbeOutcome.NotSupported ? false : null;
        }

        var isSeen = answer.Text.Contains("red", StringComparison.OrdinalIgnoreCase);
        tell(
            "images",
            isSeen ? ProbeOutcome.Ok : ProbeOutcome.NotOk,
            isSeen ? "it was shown a red square, and saw it" : "it takes a red square, and does not say that it is red"
        );
        return isSeen ? true : null;
    }

    private static async Task CacheAsync(ProbeSession session, Tell tell, CancellationToken cancellationToken)
    {
        var request = Probes.Long(session.Model);
        var first = await session.AskAsync(request, cancellationToken, Probes.LeastOutput);
        var answer = first.Failure is null ? await session.AskAsync(request, cancellationToken, Probes.LeastOutput) : first;
        if (answer.Failure is { } failure)
        {
            tell(FromCache, ProbeOutcome.NotOk, failure.Message);
            return;
        }

        var usage = answer.Finished?.Usage ?? new Protocol.Usage();
        tell(
            FromCache,
            usage.CachedTokens > 0 ? ProbeOutcome.Ok : ProbeOutcome.NotSupported,
            usage.CachedTokens is not { } cached ? "tokens from a cache are not counted"
                : cached > 0 ? $"{Number(cached)} of {Number(usage.InputTokens ?? cached)} tokens came from a cache"
                : "the same beginning twice, and nothing of it from a cache"
        );
    }

    private static TimeSpan Median(IReadOnlyList<TimeSpan> gaps) =>
        gaps is [] ? TimeSpan.Zero : gaps.Order().ElementAt(gaps.Count / 2);

    private static string Milliseconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:#,0} ms");

    private static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}
