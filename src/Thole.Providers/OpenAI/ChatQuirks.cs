namespace Thole.Providers.OpenAI;

/// <summary>Where endpoints that speak chat completions differ in what they take. Values, chosen by host and model name.</summary>
public sealed record ChatQuirks
{
    public ReasoningEcho Reasoning { get; init; } = ReasoningEcho.AsReceived;

    /// <summary>The field that limits the answer: OpenAI's reasoning models refuse the old name, others do not know the new one.</summary>
    public string OutputLimitField { get; init; } = "max_tokens";

    /// <summary>Whether usage must, and may, be asked for with <c>stream_options</c>.</summary>
    public bool AsksForUsage { get; init; } = true;

    /// <summary>Whether <c>prompt_cache_key</c> is understood.</summary>
    public bool TakesCacheKey { get; init; }

    public static ChatQuirks For(Uri baseAddress, string model)
    {
        var name = model[(model.LastIndexOf('/') + 1)..];
        foreach (var (host, prefix, quirks) in s_table)
        {
            if (
                (host is null || IsOf(baseAddress.Host, host))
                && (prefix is null || name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            )
            {
                return quirks;
            }
        }

        return s_ordinary;
    }

    private static readonly ChatQuirks s_ordinary = new();

    // The first row that fits both columns holds; null fits all.
    private static readonly (string? Host, string? ModelPrefix, ChatQuirks Quirks)[] s_table =
    [
        (
            "api.openai.com",
            null,
            new()
            {
                Reasoning = ReasoningEcho.Never,
                OutputLimitField = "max_completion_tokens",
                TakesCacheKey = true,
            }
        ),
        ("openai.azure.com", null, new() { Reasoning = ReasoningEcho.Never, OutputLimitField = "max_completion_tokens" }),
        // 422 extra_forbidden for stream_options; usage comes unasked.
        ("api.mistral.ai", null, new() { Reasoning = ReasoningEcho.Never, AsksForUsage = false }),
        ("api.cerebras.ai", null, new() { Reasoning = ReasoningEcho.Never }),
        ("api.groq.com", null, new() { Reasoning = ReasoningEcho.Never }),
        // 400 in thinking mode unless every assistant message carries the field, be it empty.
        ("api.deepseek.com", null, new() { Reasoning = ReasoningEcho.Always }),
        (null, "deepseek", new() { Reasoning = ReasoningEcho.Always }),
        ("xiaomimimo.com", null, new() { Reasoning = ReasoningEcho.Always }),
        (null, "mimo-", new() { Reasoning = ReasoningEcho.Always }),
        (null, "mistral", new() { Reasoning = ReasoningEcho.Never }),
        (null, "magistral", new() { Reasoning = ReasoningEcho.Never }),
    ];

    private static bool IsOf(string host, string domain) =>
        host.EndsWith(domain, StringComparison.OrdinalIgnoreCase)
        && (host.Length == domain.Length || host[host.Length - domain.Length - 1] == '.');
}

/// <summary>Whether an endpoint wants to see the model's own reasoning again.</summary>
public enum ReasoningEcho
{
    /// <summary>It refuses the field.</summary>
    Never,

    /// <summary>Under the name under which the same model sent it, where it did.</summary>
    AsReceived,

    /// <summary>As <c>reasoning_content</c> on every assistant message, be it empty.</summary>
    Always,
}
