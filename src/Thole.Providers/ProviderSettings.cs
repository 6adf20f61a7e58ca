namespace Thole.Providers;

/// <summary>What the user set for a provider; what is null is left to the environment, then to what we know of the provider.</summary>
public sealed record ProviderSettings
{
    /// <summary>What is spoken: the name of a provider that speaks it (openai, openai-responses, anthropic, gemini). For providers of the user's own.</summary>
    public string? Protocol { get; init; }

    public string? BaseUrl { get; init; }

    public string? ApiKey { get; init; }

    /// <summary>The environment variable that holds the key, in place of the provider's usual one.</summary>
    public string? ApiKeyVariable { get; init; }

    /// <summary>For all its models.</summary>
    public ModelSettings Defaults { get; init; } = new();

    /// <summary>By the model's name at the provider.</summary>
    public IReadOnlyDictionary<string, ModelSettings> Models { get; init; } =
        new Dictionary<string, ModelSettings>(StringComparer.Ordinal);

    /// <summary>Keys and headers are secrets: this says none of them.</summary>
    public override string ToString() => $"ProviderSettings(key {(ApiKey is null ? "not set" : "set")})";
}
