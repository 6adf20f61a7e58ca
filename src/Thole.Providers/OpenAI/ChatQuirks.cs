namespace Thole.Providers.OpenAI;

/// <summary>
/// Where endpoints that speak chat completions differ in what they take. Values, chosen by the parsed host, then by the model's name;
/// never by a pattern over the whole address, which a path or a query could satisfy.
/// </summary>
public sealed record ChatQuirks
{
    public ReasoningEcho Reasoning { get; init; } = ReasoningEcho.AsReceived;

    /// <summary>The field that limits the answer: OpenAI's reasoning models refuse the old name, others do not know the new one.</summary>
    public string OutputLimitField { get; init; } = "max_tokens";

    /// <summary>Whether usage must, and may, be asked for with <c>stream_options</c>.</summary>
    public bool AsksForUsage { get; init; } = true;

    /// <summary>Whether <c>prompt_cache_key</c> is understood.</summary>
    public bool TakesCacheKey { get; init; }

    /// <summary>Whether a cache begins only where <c>cache_control</c> marks it, on parts of messages.</summary>
    public bool MarksCache { get; init; }

    /// <summary>How it is told how much to think.</summary>
    public ThinkingField Thinking { get; init; } = ThinkingField.Effort;

    internal Efforts Efforts { get; init; } = Efforts.Usual;

    /// <summary>Whether reasoning comes as <c>&lt;think&gt;</c> at the beginning of the text.</summary>
    public bool ThinksInText { get; init; }

    /// <summary>Sent with every request.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>With what a test of the endpoint found, and what the user set.</summary>
    internal ChatQuirks With(ChatRepairs? repairs, bool? thinksInText) =>
        repairs is null && thinksInText is null
            ? this
            : this with
            {
                Reasoning = repairs?.Echo ?? Reasoning,
                OutputLimitField = repairs?.OutputLimitField ?? OutputLimitField,
                AsksForUsage = repairs?.AsksForUsage ?? AsksForUsage,
                ThinksInText = thinksInText ?? ThinksInText,
            };

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

    private static readonly ChatQuirks s_openai = new()
    {
        Reasoning = ReasoningEcho.Never,
        OutputLimitField = "max_completion_tokens",
        TakesCacheKey = true,
    };

    private static readonly ChatQuirks s_dashScope = new()
    {
        MarksCache = true,
        Thinking = ThinkingField.EnableThinking,
        Headers = [new("X-DashScope-CacheControl", "enable")],
    };

    // 400 in thinking mode unless every assistant message carries the field, be it empty.
    private static readonly ChatQuirks s_deepSeek = new()
    {
        Reasoning = ReasoningEcho.Always,
        Thinking = ThinkingField.Thinking,
        Efforts = Efforts.HighOrMax,
    };

    private static readonly ChatQuirks s_zai = new() { Thinking = ThinkingField.Thinking };

    private static readonly ChatQuirks s_miniMax = new() { ThinksInText = true };

    // 422 extra_forbidden for stream_options; usage comes unasked.
    private static readonly ChatQuirks s_mistral = new()
    {
        Reasoning = ReasoningEcho.Never,
        AsksForUsage = false,
        Efforts = Efforts.UpToHigh,
    };

    // The first row that fits both columns holds; null fits all.
    private static readonly (string? Host, string? ModelPrefix, ChatQuirks Quirks)[] s_table =
    [
        ("api.openai.com", null, s_openai),
        ("openai.azure.com", null, s_openai with { TakesCacheKey = false }),
        ("dashscope.aliyuncs.com", null, s_dashScope),
        ("dashscope-intl.aliyuncs.com", null, s_dashScope),
        ("dashscope-us.aliyuncs.com", null, s_dashScope),
        ("maas.aliyuncs.com", null, s_dashScope),
        ("modelscope.cn", null, new() { Thinking = ThinkingField.EnableThinking }),
        ("api.mistral.ai", null, s_mistral),
        ("api.cerebras.ai", null, new() { Reasoning = ReasoningEcho.Never }),
        ("api.groq.com", null, new() { Reasoning = ReasoningEcho.Never }),
        ("openrouter.ai", "claude", new() { MarksCache = true, Thinking = ThinkingField.Reasoning }),
        ("openrouter.ai", null, new() { Thinking = ThinkingField.Reasoning }),
        ("api.deepseek.com", null, s_deepSeek),
        ("z.ai", null, s_zai),
        ("bigmodel.cn", null, s_zai),
        ("moonshot.ai", null, new() { Thinking = ThinkingField.Thinking }),
        ("moonshot.cn", null, new() { Thinking = ThinkingField.Thinking }),
        ("minimax.io", null, s_miniMax),
        ("minimaxi.com", null, s_miniMax),
        ("xiaomimimo.com", null, new() { Reasoning = ReasoningEcho.Always }),
        (null, "deepseek", s_deepSeek with { Thinking = ThinkingField.Effort, Efforts = Efforts.Usual }),
        (null, "mimo-", new() { Reasoning = ReasoningEcho.Always }),
        (null, "mistral", s_mistral with { AsksForUsage = true }),
        (null, "magistral", s_mistral with { AsksForUsage = true }),
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

/// <summary>The field by which an endpoint is told how much to think.</summary>
public enum ThinkingField
{
    /// <summary><c>"reasoning_effort":"high"</c></summary>
    Effort,

    /// <summary><c>"reasoning":{"effort":"high"}</c>, with <c>max_tokens</c> for a budget and <c>enabled:false</c> for none.</summary>
    Reasoning,

    /// <summary><c>"enable_thinking":true</c>, with <c>thinking_budget</c>.</summary>
    EnableThinking,

    /// <summary><c>"thinking":{"type":"enabled"}</c>, and an effort beside it.</summary>
    Thinking,
}
