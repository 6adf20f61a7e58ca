using System.Text.Json;

namespace Thole.Providers;

/// <summary>What the user set for a provider; what is null is left to the environment, then to the provider's own defaults.</summary>
public sealed record ProviderSettings
{
    public string? BaseUrl { get; init; }

    public string? ApiKey { get; init; }

    public IReadOnlyDictionary<string, string> Headers { get; init; } =
        new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Fields for the body of every request, as a JSON object.</summary>
    public JsonElement? ExtraBody { get; init; }

    public long? ContextWindow { get; init; }

    public long? MaxOutput { get; init; }

    public TimeSpan? IdleTimeout { get; init; }

    public TimeSpan? Lifetime { get; init; }

    /// <summary>Attempts after the first; 0 for none.</summary>
    public int? Retries { get; init; }

    /// <summary>Keys and headers are secrets: this says none of them.</summary>
    public override string ToString() => $"ProviderSettings(key {(ApiKey is null ? "not set" : "set")})";
}
