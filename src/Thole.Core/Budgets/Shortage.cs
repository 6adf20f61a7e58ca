using System.Globalization;

namespace Thole.Core.Budgets;

/// <summary>A budget that lets nothing more through.</summary>
/// <param name="Used">What was used, and what is reserved for requests that are under way.</param>
/// <param name="Reserved">The part of it that is reserved.</param>
public sealed record Shortage(Cap Cap, decimal Used, decimal Reserved)
{
    /// <summary>One sentence for a person, and the cure.</summary>
    public string Sentence
    {
        get
        {
            var reserved = Reserved > 0 ? $", of which {Show(Cap.Unit, Reserved)} is reserved for requests under way" : "";
            var spent =
                $"The budget of this {Cap.Scope.ToString().ToLowerInvariant()} is spent: {Show(Cap.Unit, Used)} of {Show(Cap.Unit, Cap.Most)}{reserved}.";
            return Cap.Scope switch
            {
                BudgetScope.Run =>
                    $"{spent} Nothing is lost: the next prompt goes on with a budget of its own; for more at once raise {Cap.Setting}.",
                BudgetScope.Day =>
                    $"{spent} Nothing is lost: raise {Cap.Setting}, or wait for tomorrow, and go on with the next prompt.",
                _ => $"{spent} Nothing is lost: raise {Cap.Setting} and go on with the next prompt.",
            };
        }
    }

    /// <summary>As people write it: <c>12,000 tokens</c>, <c>$1.50</c>.</summary>
    public static string Show(BudgetUnit unit, decimal amount) =>
        unit is BudgetUnit.Tokens
            ? string.Create(CultureInfo.InvariantCulture, $"{amount:#,0} tokens")
            : string.Create(CultureInfo.InvariantCulture, $"${amount:#,0.00####}");
}
