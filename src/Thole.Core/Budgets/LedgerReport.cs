namespace Thole.Core.Budgets;

/// <summary>By what usage is added up.</summary>
public enum UsageBy
{
    Model,
    Session,

    /// <summary>The day on which a request began, in the time zone of whoever asked then.</summary>
    Day,
}

/// <summary>What was used for one thing.</summary>
/// <param name="Key"><c>provider/model</c>, the id of a session or a date; null for requests of no session.</param>
/// <param name="Input">Tokens, those from a cache among them.</param>
/// <param name="Dollars">Of those requests whose price is known.</param>
/// <param name="Estimated">How many of the requests the provider did not count, or has not yet.</param>
/// <param name="Unpriced">How many of the requests went to a model without a price.</param>
public sealed record UsageRow(
    string? Key,
    long Requests,
    long Input,
    long Cached,
    long Output,
    decimal Dollars,
    long Estimated,
    long Unpriced
);

/// <summary>A ledger was damaged, and another goes on in its place.</summary>
/// <param name="Kept">How many rows could be read.</param>
/// <param name="Aside">Where the damaged file lies.</param>
public sealed record LedgerLoss(DateTimeOffset At, long Kept, string Aside);

/// <summary>How much of a budget is left.</summary>
/// <param name="Used">What was used and what is reserved; in the unit of the cap.</param>
/// <param name="Reserved">The part that is reserved, or was by a process that died.</param>
public sealed record BudgetBalance(Cap Cap, decimal Used, decimal Reserved)
{
    public decimal Left => Math.Max(0, Cap.Most - Used);
}

/// <summary>Where it went.</summary>
public sealed record LedgerReport(
    IReadOnlyList<UsageRow> Rows,
    IReadOnlyList<BudgetBalance> Today,
    IReadOnlyList<LedgerLoss> Losses
);
