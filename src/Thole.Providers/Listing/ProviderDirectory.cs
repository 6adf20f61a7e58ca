using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.Probing;

namespace Thole.Providers.Listing;

/// <summary>Answers who there is and what they serve. Nobody is connected to unless the question cannot be answered otherwise.</summary>
public sealed class ProviderDirectory(ProviderCatalog catalog)
{
    private static readonly TimeSpan s_listTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_localTime = TimeSpan.FromSeconds(1.5);

    /// <summary>Those that come with us, in the order in which they are offered, then the user's own.</summary>
    public IReadOnlyList<ListedProvider> All() => [.. catalog.Providers.Select(Listed)];

    /// <summary>Null where there is none of that name.</summary>
    public ListedProvider? Find(string provider) => Known(provider) is { } known ? Listed(known) : null;

    /// <exception cref="ModelException">The name has no model, or the provider's address is none.</exception>
    public ModelDescription Describe(string name)
    {
        var (provider, model) = catalog.Parse(name);
        var profile = catalog.ProfileOf(provider, model);
        var layers = catalog.LayersOf(provider, model, profile);
        var set = catalog.SettingsOf(provider, model, profile);
        return new ModelDescription(
            $"{provider.Name}/{model}",
            provider.Protocol,
            Shown(catalog.AddressOf(provider)),
            catalog.KeySourceOf(provider),
            [.. catalog.KeyNamesOf(provider, catalog.AddressOf(provider))],
            Limits(set),
            set.Takes ?? Modalities.Image,
            set.Price ?? (catalog.AddressOf(provider).IsLoopback ? ModelPrice.Free : null),
            set,
            profile
        )
        {
            OriginOf = pick => layers.FirstOrDefault(layer => pick(layer.Settings) is not null)?.Origin ?? "assumed",
        };
    }

    /// <summary>Asks the endpoint itself.</summary>
    /// <exception cref="ModelException">There is no such provider or no key for it, it cannot be reached, or it gives no list.</exception>
    public Task<IReadOnlyList<ServedModel>> ServedAsync(string provider, CancellationToken cancellationToken)
    {
        var known =
            Known(provider)
            ?? throw new ModelException(
                ModelFailure.UnknownModel,
                $"There is no provider \"{OutsideText.ToLine(provider, 100)}\": 'thole models list' shows those there are."
            );
        return List(known, s_listTime).ReadAsync(cancellationToken);
    }

    /// <summary>Looks on the usual ports of this machine, on all of them at once.</summary>
    public async Task<IReadOnlyList<LocalServer>> LocalAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(catalog.Providers.Where(IsLocal).Select(provider => LookAsync(provider, cancellationToken)));

    /// <summary>Whether a key is good, found out with the cheapest question there is.</summary>
    /// <returns>A remark where the key could not be checked, or is good and of no use at the moment; null where it is good.</returns>
    /// <exception cref="ModelException">It is not accepted, or the provider cannot be asked.</exception>
    public async Task<string?> CheckKeyAsync(string provider, string key, CancellationToken cancellationToken)
    {
        var known = Known(provider) ?? throw new ArgumentOutOfRangeException(nameof(provider));
        try
        {
            if (!known.HasOpenList)
            {
                await List(known, s_listTime, key).ReadAsync(cancellationToken);
                return null;
            }
        }
        catch (ModelException failed) when (IsOfTheList(failed))
        {
            // Whoever has no list may still answer a question.
        }
        catch (ModelException failed) when (IsOfTheAccount(failed))
        {
            return failed.Message;
        }

        return await AskOnceAsync(known, key, cancellationToken);
    }

    private async Task<string?> AskOnceAsync(Provider provider, string key, CancellationToken cancellationToken)
    {
        if (catalog.ModelsOf(provider).FirstOrDefault() is not { } model)
        {
            return $"The key was not checked: {provider.Name} lists no models, and we know none of it.";
        }

        var options = catalog.Options(provider, catalog.SettingsOf(provider, model), key) with
        {
            MaxOutput = Probes.LeastOutput,
            Reasoning = null,
            IdleTimeout = s_listTime,
            Lifetime = s_listTime * 2,
        };
        var asked = new EndpointModel(
            provider.Wire(options, model),
            options,
            () => Connection(provider, options, catalog.SettingsOf(provider, model)),
            catalog.Time
        );
        try
        {
            await foreach (var said in asked.StreamAsync(Probes.Greeting(model), cancellationToken))
            {
                _ = said; // whatever it says, it says it to this key
            }
        }
        catch (ModelException failed) when (IsOfTheAccount(failed) || IsOfTheList(failed))
        {
            return $"The key was not refused, but: {failed.Message}";
        }

        return null;
    }

    private async Task<LocalServer> LookAsync(Provider provider, CancellationToken cancellationToken)
    {
        var address = Shown(catalog.AddressOf(provider));
        try
        {
            return new LocalServer(
                provider.Name,
                address,
                await List(provider, s_localTime).ReadAsync(cancellationToken),
                Problem: null
            );
        }
        catch (ModelException failed)
        {
            return new LocalServer(provider.Name, address, Models: null, failed.Message);
        }
    }

    private bool IsLocal(Provider provider)
    {
        try
        {
            return provider.IsLocalServer && catalog.AddressOf(provider).IsLoopback;
        }
        catch (ModelException)
        {
            return false;
        }
    }

    private EndpointList List(Provider provider, TimeSpan time, string? key = null)
    {
        var set = catalog.SettingsOf(provider, "");
        var options = catalog.Options(provider, set, key) with { IdleTimeout = time, Lifetime = time * 2 };
        return new EndpointList(provider.Wire(options, ""), options, () => Connection(provider, options, set), catalog.Time);
    }

    private HttpMessageInvoker Connection(Provider provider, EndpointOptions options, ModelSettings set) =>
        catalog.ConnectionTo(options.BaseAddress, set.Proxy);

    private ListedProvider Listed(Provider provider)
    {
        try
        {
            var address = catalog.AddressOf(provider);
            return Listed(provider, address) with { KeyNames = [.. catalog.KeyNamesOf(provider, address)] };
        }
        catch (ModelException unusable)
        {
            return Listed(provider, null) with { Problem = unusable.Message };
        }
    }

    private ListedProvider Listed(Provider provider, Uri? address) =>
        new(
            provider.Name,
            provider.Title,
            provider.Protocol,
            address is null ? null : Shown(address),
            address is null ? new KeySource(KeyPlace.Nowhere, provider.KeyVariables[0]) : catalog.KeySourceOf(provider),
            provider.KeyPage,
            [
                .. catalog
                    .ModelsOf(provider)
                    .Select(model =>
                    {
                        // Profiles are read for a model that is opened, not for all that could be.
                        var set = catalog.SettingsOf(provider, model);
                        return new ListedModel(
                            $"{provider.Name}/{model}",
                            Limits(set),
                            set.Takes ?? Modalities.Image,
                            set.Price ?? (address?.IsLoopback is true ? ModelPrice.Free : null)
                        );
                    }),
            ]
        );

    private Provider? Known(string name) => catalog.Providers.FirstOrDefault(known => known.Name == name);

    private static ModelLimits Limits(ModelSettings set) =>
        new(set.ContextWindow ?? ModelSizes.Unknown.ContextWindow, set.MaxOutput ?? ModelSizes.Unknown.MaxOutput);

    internal static string Shown(Uri address) => $"{address.Scheme}://{address.Authority}{address.AbsolutePath.TrimEnd('/')}";

    /// <summary>It has no list, or none that we can read.</summary>
    private static bool IsOfTheList(ModelException failed) =>
        failed.Failure is ModelFailure.UnknownModel or ModelFailure.InvalidRequest or ModelFailure.StreamError;

    /// <summary>It knows whose key it is, and would answer another time.</summary>
    private static bool IsOfTheAccount(ModelException failed) =>
        failed.Failure is ModelFailure.QuotaExhausted or ModelFailure.RateLimited;
}
