using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Providers;
using Thole.Providers.Listing;

namespace Thole.Cli.Keys;

/// <summary>The providers there is a key for, and what is known of their models, as a client of the daemon chooses among them.</summary>
internal sealed class KeyedProviders(ProviderDirectory directory, StoredKeys keys)
{
    public IReadOnlyList<ProviderListing> List() => [.. directory.All().Where(HasKey).Select(Listing)];

    private static ProviderListing Listing(ListedProvider listed) =>
        new(
            "model_provider",
            listed.Problem is null ? InventoryStatus.Ok : InventoryStatus.Error,
            listed.Name,
            Current: false,
            [.. listed.Models.Select(model => Listing(model, model.Name[(listed.Name.Length + 1)..]))],
            listed.Problem
        );

    private static ModelListing Listing(ListedModel model, string name) =>
        new(model.Name, name, name, model.Limits.ContextWindow, IsCurrent: false, IsRuntime: false);

    /// <summary>A keyring is not asked: that it has a key is written down.</summary>
    private bool HasKey(ListedProvider listed)
    {
        try
        {
            return listed.Key.Place is KeyPlace.Settings or KeyPlace.Variable
                || (listed.Key.Place is KeyPlace.Nowhere && listed.KeyNames.Any(keys.List().ContainsKey));
        }
        catch (WorkspaceException)
        {
            return false; // whoever asks a model is told why
        }
    }
}
