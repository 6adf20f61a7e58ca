using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>What a request says of thinking: what the user set, in the words that the model takes.</summary>
/// <param name="Type">The type of <c>thinking</c>; null leaves the field out.</param>
/// <param name="Effort">The word for <c>output_config</c>; null leaves the field out.</param>
internal sealed record ThinkingPlan(string? Type, long? Budget, string? Effort, bool AsksForWords)
{
    private const string Enabled = "enabled";
    private const long LeastBudget = 1024;

    /// <summary>Whether the model is told to think: then it takes no sampling settings.</summary>
    public bool Thinks => Type is Enabled or "adaptive";

    /// <summary>With a budget the answer of a turn must begin with a thought, or the whole request is refused.</summary>
    public bool WantsThoughtFirst => Type is Enabled;

    public static ThinkingPlan For(EndpointOptions options, string model)
    {
        var plan = For(options.Reasoning, ThinkingQuirks.For(model));
        return plan with
        {
            Type = options.IsOverridden("thinking") ? null : plan.Type,
            Effort = options.IsOverridden("output_config") ? null : plan.Effort,
        };
    }

    /// <summary>The limit of the answer, which counts the thoughts too: where the budget would fill it, the answer gets its room besides.</summary>
    public long MaxTokens(long answer) => Type is Enabled && Budget >= answer ? Budget.Value + answer : answer;

    private static ThinkingPlan For(ReasoningSetting? set, ThinkingQuirks quirks)
    {
        var effort = Word(set?.Effort, quirks);
        return set switch
        {
            null => Nothing,
            { IsOff: true } => new(quirks.Off, null, quirks.AlwaysThinks ? Word(ReasoningEffort.Low, quirks) : null, false),
            { Budget: > 0 } when quirks.TakesBudget => new(Enabled, Math.Max(set.Budget.Value, LeastBudget), effort, false),
            _ when quirks.IsAdaptive => new("adaptive", null, effort, quirks.HidesThoughts),
            { Effort: { } wanted } when quirks.Efforts is [] => new(Enabled, BudgetOf(wanted), null, false),
            _ => new(null, null, effort, false),
        };
    }

    private static ThinkingPlan Nothing { get; } = new(null, null, null, false);

    private static string? Word(ReasoningEffort? wanted, ThinkingQuirks quirks) =>
        wanted is { } effort && quirks.Efforts is [var least, ..]
            ? quirks.Efforts.LastOrDefault(known => known <= effort, least).ToString().ToLowerInvariant()
            : null;

    /// <summary>For models that know numbers only.</summary>
    private static long BudgetOf(ReasoningEffort effort) =>
        effort switch
        {
            ReasoningEffort.Low => 4_000,
            ReasoningEffort.Medium => 10_000,
            ReasoningEffort.High => 16_000,
            ReasoningEffort.XHigh => 24_000,
            _ => 31_000,
        };
}
