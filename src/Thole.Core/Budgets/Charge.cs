using Thole.Core.Models;

namespace Thole.Core.Budgets;

/// <summary>What one request uses, or is expected to.</summary>
/// <param name="Model"><c>provider/model</c>.</param>
/// <param name="Input">Tokens, those from a cache among them.</param>
/// <param name="Dollars">Null where nobody told what the model costs.</param>
internal sealed record Charge(Account? Account, string Model, long Input, long Cached, long Output, decimal? Dollars)
{
    // A provider that counts wildly must not make a sum overflow: a trillion tokens, a million dollars for one request.
    private const long MostTokens = 1_000_000_000_000;
    private const decimal MostDollars = 1_000_000;
    private const decimal Billion = 1_000_000_000;

    public long Input { get; } = Math.Clamp(Input, 0, MostTokens);

    public long Cached { get; } = Math.Clamp(Cached, 0, MostTokens);

    public long Output { get; } = Math.Clamp(Output, 0, MostTokens);

    /// <summary>In billionths of a dollar, rounded up: a sum of many small amounts stays exact.</summary>
    public long? Nanos => Dollars is { } dollars ? (long)Math.Ceiling(Math.Clamp(dollars, 0, MostDollars) * Billion) : null;

    public static decimal FromNanos(long nanos) => nanos / Billion;
}

/// <summary>How well it is known what a request used.</summary>
internal enum ChargeState
{
    /// <summary>It is under way, or its process died: what it may have used counts until somebody knows better.</summary>
    Reserved = 0,

    /// <summary>It ended without the provider's count: what was sent and said was estimated.</summary>
    Estimated = 1,

    /// <summary>The provider counted it.</summary>
    Counted = 2,
}

/// <summary>A request that was let through, until it is settled or released.</summary>
/// <param name="Id">0 where it could not be written down.</param>
/// <param name="Day">The local day on which it counts, by its number (<see cref="DateOnly.DayNumber"/>).</param>
internal sealed record Reservation(long Id, DateTimeOffset At, int Day, Charge Expected)
{
    /// <summary>A request that nobody makes, to ask what a day has used.</summary>
    public static Reservation OfNobody(DateTimeOffset at, int day) => new(0, at, day, new Charge(null, "", 0, 0, 0, 0));
}
