using Thole.Core.Models;
using Thole.Providers.Anthropic;
using Thole.Providers.Endpoints;
using Thole.Providers.Google;
using Thole.Providers.OpenAI;
using Thole.Providers.Presets;
using Thole.Providers.Responses;

namespace Thole.Providers;

/// <summary>Finds models by name, with what the user set for their providers. Holds the connections; nothing is opened before it is used.</summary>
/// <param name="settings">By the name of the provider.</param>
/// <param name="environment">Reads an environment variable; null where it is not set.</param>
/// <param name="storedKey">The key that the user gave for a provider's name, wherever it is kept; asked only where neither settings nor environment have one.</param>
/// <param name="retries">How often a failed request is made again where nobody set it for the model.</param>
public sealed class ProviderCatalog(
    IReadOnlyDictionary<string, ProviderSettings> settings,
    Func<string, string?> environment,
    TimeProvider time,
    Random random,
    Func<string, string?>? storedKey = null,
    RetryOptions? retries = null
) : IModelCatalog, IDisposable
{
    /// <summary>In the order in which they are offered; the first is meant where a name has no provider.</summary>
    internal static IReadOnlyList<Provider> All { get; } =
    [
        OpenAIProvider.Definition,
        ResponsesProvider.Definition,
        AnthropicProvider.Definition,
        GeminiProvider.Definition,
        ModelScopeProvider.Definition,
        DashScopeProvider.Definition,
        DashScopeIntlProvider.Definition,
        CodingPlanProvider.Definition,
        CodingPlanIntlProvider.Definition,
        OpenRouterProvider.Definition,
        DeepSeekProvider.Definition,
        ZaiProvider.Definition,
        MoonshotProvider.Definition,
        MiniMaxProvider.Definition,
        MistralProvider.Definition,
        LocalProviders.Ollama,
        LocalProviders.LMStudio,
        LocalProviders.LlamaCpp,
        LocalProviders.Vllm,
    ];

    private readonly ProviderConnections _connections = new();

    /// <summary>The providers that may be named: those we know, and those that the user added.</summary>
    internal IReadOnlyList<Provider> Providers { get; } =
    [
        .. All,
        .. settings.Where(static set => All.All(known => known.Name != set.Key)).Select(static set => Own(set.Key, set.Value)),
    ];

    /// <summary>The providers that come with us, in the order in which they are offered.</summary>
    public static IReadOnlyList<KnownProvider> Known { get; } =
    [
        .. All.Select(static provider => new KnownProvider(
            provider.Name,
            provider.Title,
            provider.KeyVariables,
            provider.BaseUrlVariables,
            provider.ModelVariable,
            provider.KeyPage,
            [.. provider.Models.Select(card => card.Id)]
        )),
    ];

    /// <inheritdoc/>
    public ModelEndpoint Find(string name)
    {
        var (provider, model) = Parse(name);
        var set = SettingsOf(provider, model);
        var options = Options(provider, set);
        if (EndpointFailures.BeforeSending(options) is { } impossible)
        {
            throw impossible;
        }

        var address = options.BaseAddress;
        var asked = new EndpointModel(provider.Wire(options, model), options, () => _connections.To(address, set.Proxy), time);
        var takes = set.Takes ?? Modalities.Image;
        var patience = retries ?? new RetryOptions();
        patience = set.Retries is { } count ? patience with { Attempts = count + 1 } : patience;
        return new ModelEndpoint(
            $"{provider.Name}/{model}",
            model,
            new FittingModel(new RetryingModel(asked, patience, time, random), takes),
            new ModelLimits(set.ContextWindow ?? ModelSizes.Unknown.ContextWindow, set.MaxOutput ?? ModelSizes.Unknown.MaxOutput)
        )
        {
            Takes = takes,
            Price = set.Price ?? (address.IsLoopback ? ModelPrice.Free : null),
            IsLocal = address.IsLoopback && set.Proxy is null,
        };
    }

    public void Dispose() => _connections.Dispose();

    internal ModelSettings SettingsOf(Provider provider, string model)
    {
        var set = settings.GetValueOrDefault(provider.Name) ?? new ProviderSettings();
        var ofModel = set.Models.GetValueOrDefault(model) ?? new ModelSettings();
        var card = provider.Models.FirstOrDefault(known => known.Id == model)?.Settings ?? new ModelSettings();
        var sizes = ModelSizes.Find(model);
        return ofModel
            .Over(set.Defaults)
            .Over(card)
            .Over(provider.Defaults)
            .Over(new ModelSettings { ContextWindow = sizes?.ContextWindow, MaxOutput = sizes?.MaxOutput });
    }

    internal Uri AddressOf(Provider provider)
    {
        var text =
            NonEmpty(settings.GetValueOrDefault(provider.Name)?.BaseUrl) ?? First(provider.BaseUrlVariables) ?? provider.BaseUrl;
        return
            Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", Host.Length: > 0 }
            ? address
            : throw new ModelException(
                ModelFailure.InvalidRequest,
                $"\"{OutsideText.ToLine(text, 200)}\" is no http or https address: correct "
                    + $"{(provider.BaseUrlVariables is [var variable, ..] ? $"{variable} or the settings" : $"providers.{provider.Name}.baseUrl in your settings")}."
            );
    }

    internal Credential CredentialOf(Provider provider, Uri address, IEnumerable<string> otherSecrets)
    {
        var set = settings.GetValueOrDefault(provider.Name);
        IReadOnlyList<string> variables = set?.ApiKeyVariable is { } own ? [own] : provider.KeyVariables;
        var key =
            NonEmpty(set?.ApiKey)
            ?? First(variables)
            // A keyring takes its time, and a server on this machine needs no key.
            ?? (address.IsLoopback ? null : storedKey?.Invoke(provider.Name));
        return new Credential(variables[0], key, otherSecrets);
    }

    /// <summary>Names of models hold slashes too (<c>Qwen/Qwen3</c>): the first part is a provider only where we know one of that name.</summary>
    internal (Provider Provider, string Model) Parse(string name)
    {
        name = name.Trim();
        var slash = name.IndexOf('/');
        var provider = slash > 0 ? Providers.FirstOrDefault(known => known.Name == name[..slash]) : null;
        var model = provider is null ? name : name[(slash + 1)..];
        return model.Length > 0
            ? (provider ?? Providers[0], model)
            : throw new ModelException(
                ModelFailure.UnknownModel,
                "No model is named: set one with --model, OPENAI_MODEL or the settings, for example openai/gpt-5."
            );
    }

    private EndpointOptions Options(Provider provider, ModelSettings set)
    {
        var address = AddressOf(provider);
        var headers = set.Headers ?? new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var ordinary = new EndpointOptions
        {
            Provider = provider.Name,
            BaseAddress = address,
            Credential = CredentialOf(provider, address, headers.Values),
            Headers = [.. headers.OrderBy(static header => header.Key, StringComparer.Ordinal)],
            ExtraBody = set.ExtraBody,
            Sampling = set.Sampling,
            MaxOutput = set.MaxOutput,
            Reasoning = set.Reasoning,
            TextCalls = set.TextCalls,
        };
        return ordinary with
        {
            CacheControl = set.CacheControl ?? ordinary.CacheControl,
            IdleTimeout = set.IdleTimeout ?? ordinary.IdleTimeout,
            Lifetime = set.Lifetime ?? ordinary.Lifetime,
        };
    }

    /// <summary>A provider of the user's own speaks what the settings say, and chat completions where they say nothing.</summary>
    private static Provider Own(string name, ProviderSettings set)
    {
        var protocol = set.Protocol ?? All[0].Name;
        var speaker =
            All.FirstOrDefault(known => known.Name == protocol)
            ?? throw new ModelException(
                ModelFailure.InvalidRequest,
                $"providers.{name}.protocol is \"{OutsideText.ToLine(protocol, 100)}\", which nobody here speaks:"
                    + $" it must be one of {string.Join(", ", All.Select(static known => known.Name))}."
            );
        return new Provider
        {
            Name = name,
            Title = name,
            BaseUrl = "",
            KeyVariables = [VariableOf(name)],
            Wire = speaker.Wire,
        };
    }

    /// <summary>A variable's name holds capital letters, digits and underscores: <c>my-host</c> is <c>MY_HOST_API_KEY</c>.</summary>
    private static string VariableOf(string name) =>
        string.Concat(name.Select(static letter => char.IsAsciiLetterOrDigit(letter) ? char.ToUpperInvariant(letter) : '_'))
        + "_API_KEY";

    private string? First(IEnumerable<string> variables) =>
        variables.Select(name => NonEmpty(environment(name))).FirstOrDefault(static value => value is not null);

    private static string? NonEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <summary>A provider that comes with us, for those who list, explain and configure.</summary>
/// <param name="Name">As in <c>provider/model</c>.</param>
/// <param name="KeyVariables">Environment variables with its key; the first that is set holds.</param>
/// <param name="BaseUrlVariables">Environment variables with its address.</param>
/// <param name="ModelVariable">The environment variable with the model that people want of it.</param>
/// <param name="KeyPage">Where people get a key; null where none is needed.</param>
/// <param name="Models">The models that we know, best first.</param>
public sealed record KnownProvider(
    string Name,
    string Title,
    IReadOnlyList<string> KeyVariables,
    IReadOnlyList<string> BaseUrlVariables,
    string? ModelVariable,
    string? KeyPage,
    IReadOnlyList<string> Models
);
