using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers;
using Thole.Providers.TextCalls;

namespace Thole.Cli.Configuration;

/// <summary>The settings beneath <c>providers</c>, as the room that uses them wants them.</summary>
internal static class ProviderSection
{
    /// <summary>By the name of the provider.</summary>
    /// <exception cref="UsageException">A value cannot be what it should be.</exception>
    public static IReadOnlyDictionary<string, ProviderSettings> Read(Settings settings) =>
        settings
            .All.Where(static value => value.Definition.Segments[0] is "providers")
            .GroupBy(static value => value.Names[0], StringComparer.Ordinal)
            .ToDictionary(static ofProvider => ofProvider.Key, ReadProvider, StringComparer.Ordinal);

    private static ProviderSettings ReadProvider(IEnumerable<SettingValue> values)
    {
        var ofProvider = new Fields(values.Where(static value => value.Names.Count == 1), skip: 2);
        return new ProviderSettings
        {
            Protocol = ofProvider.Get<string>("protocol"),
            BaseUrl = ofProvider.Get<string>("baseUrl"),
            ApiKey = ofProvider.Get<string>("apiKey"),
            ApiKeyVariable = ofProvider.Get<string>("apiKeyVariable"),
            Defaults = ReadModel(ofProvider),
            Models = values
                .Where(static value => value.Names.Count == 2)
                .GroupBy(static value => value.Names[1], StringComparer.Ordinal)
                .ToDictionary(
                    static ofModel => ofModel.Key,
                    static ofModel => ReadModel(new Fields(ofModel, skip: 4)),
                    StringComparer.Ordinal
                ),
        };
    }

    private static ModelSettings ReadModel(Fields fields) =>
        new()
        {
            ContextWindow = fields.Number("contextWindow"),
            MaxOutput = fields.Number("maxOutputTokens"),
            Takes = fields
                .Get<IReadOnlyList<string>>("modalities")
                ?.Aggregate(Modalities.None, static (taken, word) => taken | Enum.Parse<Modalities>(word, ignoreCase: true)),
            Sampling = fields.Json("sampling"),
            Reasoning = ReadReasoning(fields),
            ExtraBody = fields.Json("extraBody"),
            Headers = fields.Get<IReadOnlyDictionary<string, string>>("headers"),
            CacheControl = fields.Get<object>("cacheControl") as bool?,
            TextCalls = fields.Get<string>("textCalls") is { } word ? TextCallFormats.Find(word) : null,
            ThinksInText = fields.Get<object>("thinksInText") as bool?,
            IdleTimeout = fields.Number("idleTimeoutSeconds") is { } idle ? TimeSpan.FromSeconds(idle) : null,
            Lifetime = fields.Number("timeoutSeconds") is { } lifetime ? TimeSpan.FromSeconds(lifetime) : null,
            Retries = (int?)fields.Number("maxRetries"),
            Proxy = fields.Address("proxy"),
            Price = ReadPrice(fields),
        };

    private static ReasoningSetting? ReadReasoning(Fields fields)
    {
        var (effort, budget) = (fields.Get<string>("reasoning.effort"), fields.Number("reasoning.budgetTokens"));
        return (effort, budget) switch
        {
            (null, null) => null,
            ("off", _) => new ReasoningSetting(IsOff: true),
            (null, _) => new ReasoningSetting(Budget: budget),
            _ => new ReasoningSetting(Enum.Parse<ReasoningEffort>(effort, ignoreCase: true), budget),
        };
    }

    private static ModelPrice? ReadPrice(Fields fields)
    {
        var (input, output) = (fields.Amount("price.input"), fields.Amount("price.output"));
        return (input, output) switch
        {
            (null, null) => null,
            ({ } ofInput, { } ofOutput) => new ModelPrice(
                ofInput,
                ofOutput,
                fields.Amount("price.cachedInput"),
                fields.Amount("price.cacheWrite")
            ),
            _ => throw new UsageException(
                $"{fields.Origin}: a price has an input and an output; set {(input is null ? "price.input" : "price.output")} as well."
            ),
        };
    }

    /// <summary>The values of one provider or model, by what stands after its name.</summary>
    private sealed class Fields(IEnumerable<SettingValue> values, int skip)
    {
        private readonly Dictionary<string, SettingValue> _values = values.ToDictionary(
            value => string.Join('.', value.Definition.Segments.Skip(skip)),
            StringComparer.Ordinal
        );

        public string Origin => _values.Values.First().Origin;

        public T? Get<T>(string field)
            where T : class => _values.GetValueOrDefault(field)?.Value as T;

        public long? Number(string field) => _values.GetValueOrDefault(field)?.Value as long?;

        public decimal? Amount(string field) => _values.GetValueOrDefault(field)?.Value as decimal?;

        public JsonElement? Json(string field) => _values.GetValueOrDefault(field)?.Value as JsonElement?;

        public Uri? Address(string field) =>
            Get<string>(field) is not { } text ? null
            : Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address
            : throw new UsageException(
                $"{_values[field].Origin}: '{_values[field].Path}' must be an http address, such as http://proxy.example:3128."
            );
    }
}
