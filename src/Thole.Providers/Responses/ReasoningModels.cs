namespace Thole.Providers.Responses;

/// <summary>Which models think, and how much they can be asked to: by the beginning of their names, first fit.</summary>
internal static class ReasoningModels
{
    private static readonly string[] s_all = ["none", "minimal", "low", "medium", "high", "xhigh"];

    private static readonly string[] s_plain = ["low", "medium", "high"];
    private static readonly string[] s_long = ["low", "medium", "high", "xhigh"];

    // An empty list is a model that thinks and takes no word about it; one with null does not think, and 400 is the answer to asking.
    private static readonly (string Prefix, string[]? Efforts)[] s_table =
    [
        ("gpt-5-chat", null),
        ("gpt-5-search", null),
        ("gpt-5-codex", s_plain),
        ("gpt-5-pro", ["high"]),
        ("gpt-5.1-chat", ["medium"]),
        ("gpt-5.1-codex-max", s_long),
        ("gpt-5.1-codex", s_plain),
        ("gpt-5.1", ["none", "low", "medium", "high"]),
        ("gpt-5.2-chat", ["medium"]),
        ("gpt-5.2-codex", s_long),
        ("gpt-5.2-pro", ["medium", "high", "xhigh"]),
        ("gpt-5.3-chat", ["medium"]),
        ("gpt-5.3-codex", s_long),
        ("gpt-5.4-pro", ["medium", "high", "xhigh"]),
        ("gpt-5.", ["none", "low", "medium", "high", "xhigh"]),
        ("gpt-5", ["minimal", "low", "medium", "high"]),
        ("gpt-oss", s_plain),
        ("codex-", s_plain),
        ("o1-mini", null),
        ("o1-preview", null),
        ("o1", s_plain),
        ("o3", s_plain),
        ("o4", s_plain),
        ("grok-3-mini", ["low", "high"]),
        ("grok-3", null),
        ("grok-", []),
    ];

    /// <summary>What may be asked of a model, from least to most; null for one that does not think, or that nobody told us of.</summary>
    public static IReadOnlyList<string>? Efforts(string model)
    {
        // The vendor before the slash says nothing.
        var name = model.AsSpan(model.LastIndexOf('/') + 1);
        foreach (var (prefix, efforts) in s_table)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return efforts;
            }
        }

        return null;
    }

    /// <summary>The word, among those a model takes, that is nearest to what was set; null where there is nothing to say.</summary>
    public static string? Nearest(ReasoningSetting? setting, IReadOnlyList<string>? efforts)
    {
        if (efforts is not [_, ..] || setting is null || Word(setting) is not { } wanted)
        {
            return null;
        }

        var rank = Array.IndexOf(s_all, wanted);
        return efforts.MinBy(effort => Math.Abs(Array.IndexOf(s_all, effort) - rank));
    }

    private static string? Word(ReasoningSetting setting) =>
        setting switch
        {
            { IsOff: true } => "none",
            { Effort: ReasoningEffort.Low } => "low",
            { Effort: ReasoningEffort.Medium } => "medium",
            { Effort: ReasoningEffort.High } => "high",
            { Effort: ReasoningEffort.XHigh or ReasoningEffort.Max } => "xhigh",
            // There is no limit in tokens on this wire.
            { Budget: <= 4_096 } => "low",
            { Budget: <= 16_384 } => "medium",
            { Budget: not null } => "high",
            _ => null,
        };
}
