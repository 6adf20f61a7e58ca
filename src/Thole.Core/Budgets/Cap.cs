namespace Thole.Core.Budgets;

/// <summary>The most that may be used. A request is let through while what was used and what is reserved are below it.</summary>
/// <param name="Most">Whole tokens, or US dollars.</param>
/// <param name="Setting">What a person raises for more, as the end of a sentence: <c>budget.day.dollars in …/settings.json</c>.</param>
public sealed record Cap(BudgetScope Scope, BudgetUnit Unit, decimal Most, string Setting);

/// <summary>What a budget is for.</summary>
public enum BudgetScope
{
    /// <summary>One turn, with all that works for it.</summary>
    Run,

    /// <summary>One session, with all that works for it.</summary>
    Session,

    /// <summary>A day of the user's, in the local time zone: all sessions of all processes.</summary>
    Day,
}

/// <summary>In what a budget is counted.</summary>
public enum BudgetUnit
{
    /// <summary>Input and output, as the provider counts them; what came from a cache is input.</summary>
    Tokens,

    /// <summary>US dollars, by the price of each model.</summary>
    Dollars,
}
