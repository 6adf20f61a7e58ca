using Thole.Core.Models;
using Thole.Providers.Anthropic;
using Thole.Providers.Endpoints;
using Thole.Providers.Google;
using Thole.Providers.Listing;
using Thole.Providers.OpenAI;
using Thole.Providers.Presets;
using Thole.Providers.Probing;
using Thole.Providers.Responses;

namespace Thole.Providers;

/// <summary>Finds models by name, with what the user set for their providers. Holds the connections; nothing is opened before it is used.</summary>
/// <param name="settings">By the name of the provider.</param>
/// <param name="environment">Reads an environment variable; null where it is not set.</param>
/// <param name="storedKey">The key that the user gave for a provider's name, wherever it is kept; asked only where neither settings nor environment have one.</param>
/// <param name="profiles">What a test found of a model at an endpoint; asked when that model is opened.</param>
/// <param name="retries">How often a failed request is made again where nobody set it for the model.</param>
public sealed class ProviderCatalog(
    IReadOnlyDictionary<string, ProviderSettings> settings,
    Func<string, string?> environment,
    TimeProvider time,
    Random random,
    Func<string, string?>? storedKey = null,
    Func<ProfilePlace, ModelProfile?>? profiles = null,
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
        DashScopeProviders.Mainland,
        DashScopeProviders.International,
        CodingPlanProviders.Mainland,
        CodingPlanProviders.International,
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

    internal TimeProvider Time => time;

    /// <inheritdoc/>
    public ModelEndpoint Find(string name)
    {
        var (provider, model) = Parse(name);
        var set = SettingsOf(provider, model, ProfileOf(provider, model));
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

    /// <param name="profile">Goes over what we know of the model, and under all that the user set.</param>
    internal ModelSettings SettingsOf(Provider provider, string model, ModelProfile? profile = null) =>
        LayersOf(provider, model, profile)
            .Select(static layer => layer.Settings)
            .Aggregate(static (upper, below) => upper.Over(below));

    /// <summary>The uppermost first.</summary>
    internal IReadOnlyList<SettingsLayer> LayersOf(Provider provider, string model, ModelProfile? profile)
    {
        var set = settings.GetValueOrDefault(provider.Name) ?? new ProviderSettings();
        var card = provider.Models.FirstOrDefault(known => known.Id == model)?.Settings ?? new ModelSettings();
        var sizes = ModelSizes.Find(model);
        return
        [
            new("set for the model", set.Models.GetValueOrDefault(model) ?? new ModelSettings()),
            new("set for the provider", set.Defaults),
            new("tested", profile?.Settings(card.Takes ?? provider.Defaults.Takes) ?? new ModelSettings()),
            new("known of the model", card),
            new("known of the provider", provider.Defaults),
            new("known by its name", new ModelSettings { ContextWindow = sizes?.ContextWindow, MaxOutput = sizes?.MaxOutput }),
        ];
    }

    internal ModelProfile? ProfileOf(Provider provider, string model) => profiles?.Invoke(PlaceOf(provider, model));

    internal ProfilePlace PlaceOf(Provider provider, string model) =>
        new(provider.Protocol, ProviderDirectory.Shown(AddressOf(provider)), model);

    internal HttpMessageInvoker ConnectionTo(Uri address, Uri? proxy) => _connections.To(address, proxy);

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
        var key = NonEmpty(set?.ApiKey) ?? First(variables);
        if (key is not null)
        {
            return new Credential(variables[0], key, otherSecrets);
        }

        // A keyring takes its time, and a server on this machine needs no key.
        var stored = address.IsLoopback ? null : StoredKey(provider, address);
        return new Credential(variables[0], stored, otherSecrets) { IsStored = stored is not null };
    }

    /// <summary>Under which names a key for this provider may be kept: one account has one key, whatever is spoken with it.</summary>
    internal IEnumerable<string> KeyNamesOf(Provider provider, Uri address) =>
        All.Where(other =>
                other.Name != provider.Name
                && provider.KeyVariables.Contains(other.KeyVariables[0], StringComparer.Ordinal)
                && AddressOf(other) == address
            )
            .Select(static other => other.Name)
            .Prepend(provider.Name);

    /// <summary>Where the key comes from, without asking a keyring.</summary>
    internal KeySource KeySourceOf(Provider provider)
    {
        var set = settings.GetValueOrDefault(provider.Name);
        IReadOnlyList<string> variables = set?.ApiKeyVariable is { } own ? [own] : provider.KeyVariables;
        return NonEmpty(set?.ApiKey) is { } key
            ? variables.FirstOrDefault(name => NonEmpty(environment(name)) == key) is { } copied
                ? new KeySource(KeyPlace.Variable, copied)
                : new KeySource(KeyPlace.Settings, variables[0])
            : variables.FirstOrDefault(name => NonEmpty(environment(name)) is not null) is { } variable
                ? new KeySource(KeyPlace.Variable, variable)
                : new KeySource(AddressOf(provider).IsLoopback ? KeyPlace.NotNeeded : KeyPlace.Nowhere, variables[0]);
    }

    internal IEnumerable<string> ModelsOf(Provider provider) =>
        provider
            .Models.Select(static card => card.Id)
            .Concat(settings.GetValueOrDefault(provider.Name)?.Models.Keys ?? [])
            .Distinct(StringComparer.Ordinal);

    private string? StoredKey(Provider provider, Uri address) =>
        storedKey is null
            ? null
            : KeyNamesOf(provider, address).Select(storedKey).FirstOrDefault(static key => !string.IsNullOrWhiteSpace(key));

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

    /// <param name="key">To be used in place of the one that is kept, by who wants to know whether it is good.</param>
    internal EndpointOptions Options(Provider provider, ModelSettings set, string? key = null)
    {
        var address = AddressOf(provider);
        var headers = set.Headers ?? new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var ordinary = new EndpointOptions
        {
            Provider = provider.Name,
            BaseAddress = address,
            Credential = key is null
                ? CredentialOf(provider, address, headers.Values)
                : new Credential(provider.KeyVariables[0], key, headers.Values) { IsStored = true },
            Headers = [.. headers.OrderBy(static header => header.Key, StringComparer.Ordinal)],
            ExtraBody = set.ExtraBody,
            Sampling = set.Sampling,
            MaxOutput = set.MaxOutput,
            Reasoning = set.Reasoning,
            TextCalls = set.TextCalls,
            ThinksInText = set.ThinksInText,
            Repairs = set.Repairs,
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
            Protocol = protocol,
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
