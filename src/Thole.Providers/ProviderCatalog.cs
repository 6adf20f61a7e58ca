using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.OpenAI;
using Thole.Providers.Responses;

namespace Thole.Providers;

/// <summary>Finds models by name, with what the user set for their providers. Holds the connections; nothing is opened before it is used.</summary>
/// <param name="settings">By the name of the provider.</param>
/// <param name="environment">Reads an environment variable; null where it is not set.</param>
public sealed class ProviderCatalog(
    IReadOnlyDictionary<string, ProviderSettings> settings,
    Func<string, string?> environment,
    TimeProvider time,
    Random random
) : IModelCatalog, IDisposable
{
    internal static IReadOnlyList<Provider> All { get; } = [OpenAIProvider.Definition, ResponsesProvider.Definition];

    private readonly Lazy<HttpMessageInvoker> _direct = new(static () => ProviderConnection.Open(isLoopback: true));
    private readonly Lazy<HttpMessageInvoker> _outside = new(static () => ProviderConnection.Open(isLoopback: false));

    public ModelEndpoint Find(string name)
    {
        var (provider, model) = Parse(name);
        var set = settings.GetValueOrDefault(provider.Name) ?? new ProviderSettings();
        var known = ModelSizes.Find(model);
        var limits = new ModelLimits(
            set.ContextWindow ?? (known ?? ModelSizes.Unknown).ContextWindow,
            set.MaxOutput ?? (known ?? ModelSizes.Unknown).MaxOutput
        );
        var options = Options(provider, set) with { MaxOutput = set.MaxOutput ?? known?.MaxOutput };
        if (EndpointFailures.BeforeSending(options) is { } impossible)
        {
            throw impossible;
        }

        var connection = options.BaseAddress.IsLoopback ? _direct : _outside;
        var asked = new EndpointModel(provider.Wire(options, model), options, () => connection.Value, time);
        var retries = set.Retries is { } count ? new RetryOptions { Attempts = count + 1 } : new RetryOptions();
        return new ModelEndpoint($"{provider.Name}/{model}", model, new RetryingModel(asked, retries, time, random), limits);
    }

    public void Dispose()
    {
        foreach (var connection in (ReadOnlySpan<Lazy<HttpMessageInvoker>>)[_direct, _outside])
        {
            if (connection.IsValueCreated)
            {
                connection.Value.Dispose();
            }
        }
    }

    /// <summary>Names of models hold slashes too (<c>Qwen/Qwen3</c>): the first part is a provider only where we know one of that name.</summary>
    private static (Provider Provider, string Model) Parse(string name)
    {
        name = name.Trim();
        var slash = name.IndexOf('/');
        var provider = slash > 0 ? All.FirstOrDefault(known => known.Name == name[..slash]) : null;
        var model = provider is null ? name : name[(slash + 1)..];
        return model.Length > 0
            ? (provider ?? All[0], model)
            : throw new ModelException(
                ModelFailure.UnknownModel,
                "No model is named: set one with --model, OPENAI_MODEL or the settings, for example openai/gpt-5."
            );
    }

    private EndpointOptions Options(Provider provider, ProviderSettings set)
    {
        var ordinary = new EndpointOptions
        {
            Provider = provider.Name,
            BaseAddress = Address(provider, set),
            Credential = new Credential(
                provider.KeyVariables[0],
                NonEmpty(set.ApiKey) ?? First(provider.KeyVariables),
                set.Headers.Values
            ),
            Headers = [.. set.Headers.OrderBy(static header => header.Key, StringComparer.Ordinal)],
            ExtraBody = set.ExtraBody,
        };
        return ordinary with
        {
            IdleTimeout = set.IdleTimeout ?? ordinary.IdleTimeout,
            Lifetime = set.Lifetime ?? ordinary.Lifetime,
        };
    }

    private Uri Address(Provider provider, ProviderSettings set)
    {
        var text = NonEmpty(set.BaseUrl) ?? First(provider.BaseUrlVariables) ?? provider.BaseUrl;
        return
            Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", Host.Length: > 0 }
            ? address
            : throw new ModelException(
                ModelFailure.InvalidRequest,
                $"\"{OutsideText.ToLine(text, 200)}\" is no http or https address: correct {provider.BaseUrlVariables[0]} or the settings."
            );
    }

    private string? First(IReadOnlyList<string> variables) =>
        variables.Select(name => NonEmpty(environment(name))).FirstOrDefault(static value => value is not null);

    private static string? NonEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
