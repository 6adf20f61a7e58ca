namespace Thole.Providers.Responses;

/// <summary>Where endpoints that speak Responses differ in what they take. Values, chosen by host and model name.</summary>
internal sealed record ResponsesQuirks
{
    /// <summary>Whether reasoning can be asked for in the encrypted form in which it may be sent back.</summary>
    public bool HasEncryptedReasoning { get; init; }

    /// <summary>Whether reasoning that came in plain text may be sent back.</summary>
    public bool TakesPlainReasoning { get; init; } = true;

    /// <summary>Whether summaries of the reasoning may be asked for.</summary>
    public bool HasSummaries { get; init; }

    /// <summary>Whether <c>prompt_cache_key</c> is understood.</summary>
    public bool TakesCacheKey { get; init; }

    /// <summary>Whether the output of a call may hold images; where not, they follow in the user's place.</summary>
    public bool TakesImagesInOutputs { get; init; }

    /// <summary>Whether a prompt may hold PDF documents.</summary>
    public bool TakesDocuments { get; init; }

    /// <summary>
    /// Whether the model's own items are refused without <c>id</c> and <c>status</c>, as by servers that check against the types of
    /// answers. Those that keep answers look an id up, and refuse one that they did not keep.
    /// </summary>
    public bool WantsItemIds { get; init; } = true;

    /// <summary>The efforts that may be asked of the model, from least to most; null where it is not asked how much it thinks.</summary>
    public IReadOnlyList<string>? Efforts { get; init; }

    /// <summary>Whether the model is one that thinks.</summary>
    public bool Reasons => Efforts is not null;

    public static ResponsesQuirks For(Uri baseAddress, string model)
    {
        foreach (var (domain, quirks) in s_hosts)
        {
            if (IsOf(baseAddress.Host, domain))
            {
                return quirks with { Efforts = quirks.Efforts ?? ReasoningModels.Efforts(model) };
            }
        }

        return s_ordinary with
        {
            Efforts = ReasoningModels.Efforts(model),
        };
    }

    private static readonly ResponsesQuirks s_ordinary = new();

    private static readonly ResponsesQuirks s_openai = new()
    {
        HasEncryptedReasoning = true,
        TakesPlainReasoning = false,
        HasSummaries = true,
        TakesCacheKey = true,
        TakesImagesInOutputs = true,
        TakesDocuments = true,
        WantsItemIds = false,
    };

    // What is not here gets the fields that all take.
    private static readonly (string Domain, ResponsesQuirks Quirks)[] s_hosts =
    [
        ("api.openai.com", s_openai),
        ("openai.azure.com", s_openai),
        ("cognitiveservices.azure.com", s_openai),
        ("services.ai.azure.com", s_openai),
        ("githubcopilot.com", s_openai with { TakesCacheKey = false, TakesImagesInOutputs = false, TakesDocuments = false }),
        ("api.x.ai", s_openai with { HasSummaries = false, TakesImagesInOutputs = false, TakesDocuments = false }),
        // It translates for whoever serves the model, and drops what that one does not take.
        (
            "openrouter.ai",
            new()
            {
                HasEncryptedReasoning = true,
                HasSummaries = true,
                TakesDocuments = true,
                Efforts = ["none", "minimal", "low", "medium", "high", "xhigh"],
            }
        ),
        // 400 for fields it does not know.
        ("api.groq.com", new() { TakesPlainReasoning = false }),
    ];

    private static bool IsOf(string host, string domain) =>
        host.EndsWith(domain, StringComparison.OrdinalIgnoreCase)
        && (host.Length == domain.Length || host[host.Length - domain.Length - 1] == '.');
}
