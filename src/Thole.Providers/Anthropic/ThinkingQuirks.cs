namespace Thole.Providers.Anthropic;

/// <summary>How models let themselves be told to think. Each generation refuses what the one before it demanded.</summary>
internal sealed record ThinkingQuirks
{
    /// <summary>Whether a number of tokens may be set.</summary>
    public bool TakesBudget { get; init; } = true;

    /// <summary>Whether the model may be left to decide how much it thinks.</summary>
    public bool IsAdaptive { get; init; }

    /// <summary>Whether thoughts come without their words unless asked for.</summary>
    public bool HidesThoughts { get; init; }

    /// <summary>The efforts it knows, from the least on; where it does not know the one that is wanted, the next lower one is meant.</summary>
    public IReadOnlyList<ReasoningEffort> Efforts { get; init; } = s_all;

    /// <summary>The word that ends thinking; null where there is none: most models do not think unasked.</summary>
    public string? Off { get; init; }

    /// <summary>Whether nothing ends its thinking: then the least effort comes nearest.</summary>
    public bool AlwaysThinks { get; init; }

    public static ThinkingQuirks For(string model)
    {
        var name = model[(model.LastIndexOf('/') + 1)..].Replace('.', '-');
        foreach (var (prefix, quirks) in s_table)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return quirks;
            }
        }

        return s_others;
    }

    private static readonly ReasoningEffort[] s_all = Enum.GetValues<ReasoningEffort>();
    private static readonly ReasoningEffort[] s_upToHigh = [ReasoningEffort.Low, ReasoningEffort.Medium, ReasoningEffort.High];

    private static readonly ThinkingQuirks s_adaptive = new()
    {
        TakesBudget = false,
        IsAdaptive = true,
        HidesThoughts = true,
    };

    private static readonly ThinkingQuirks s_both = new() { IsAdaptive = true, Efforts = [.. s_upToHigh, ReasoningEffort.Max] };
    private static readonly ThinkingQuirks s_budget = new() { Efforts = [] };

    // Whoever serves other models in these words takes what the words are made for.
    private static readonly ThinkingQuirks s_others = new() { Off = "disabled" };

    // The first row that fits holds.
    private static readonly (string ModelPrefix, ThinkingQuirks Quirks)[] s_table =
    [
        ("claude-3", s_budget),
        ("claude-opus-4-5", s_budget with { Efforts = s_upToHigh }),
        ("claude-opus-4-6", s_both),
        ("claude-sonnet-4-6", s_both),
        ("claude-opus-4-7", s_adaptive),
        ("claude-opus-4-8", s_adaptive),
        ("claude-opus-4", s_budget),
        ("claude-sonnet-4", s_budget),
        ("claude-haiku-4", s_budget),
        ("claude-opus-5-5", s_adaptive with { AlwaysThinks = true }),
        ("claude-opus-5", s_adaptive with { Off = "disabled" }),
        ("claude-sonnet-5-5", s_adaptive with { Off = "between_tools" }),
        ("claude-sonnet-5", s_adaptive with { Off = "disabled" }),
        ("claude-haiku-5", s_adaptive with { Off = "disabled" }),
        ("claude", s_adaptive with { AlwaysThinks = true }),
    ];
}
