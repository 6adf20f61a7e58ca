using Thole.Protocol;

namespace Thole.Core.Models;

/// <summary>What a model costs, in US dollars for a million tokens.</summary>
/// <param name="CachedInput">For input read from a cache; as other input where it is null.</param>
/// <param name="CacheWrite">For input written to a cache, where the provider charges that; as other input where it is null.</param>
public sealed record ModelPrice(decimal Input, decimal Output, decimal? CachedInput = null, decimal? CacheWrite = null)
{
    private const decimal Million = 1_000_000m;

    public static ModelPrice Free { get; } = new(0, 0);

    /// <summary>What a request cost, in US dollars; what the provider did not count costs nothing.</summary>
    public decimal Of(Usage usage)
    {
        var cached = usage.CachedTokens ?? 0;
        var written = usage.CacheWriteTokens ?? 0;
        var fresh = Math.Max(0, (usage.InputTokens ?? 0) - cached - written);
        return (
                (fresh * Input)
                + (cached * (CachedInput ?? Input))
                + (written * (CacheWrite ?? Input))
                + ((usage.OutputTokens ?? 0) * Output)
            ) / Million;
    }

    /// <summary>The most that a request may cost: nothing cached, and all said that may be said.</summary>
    public decimal AtMost(long input, long output) =>
        ((input * Math.Max(Input, CacheWrite ?? Input)) + (output * Output)) / Million;
}
