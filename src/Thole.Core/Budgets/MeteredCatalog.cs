using Thole.Core.Models;

namespace Thole.Core.Budgets;

/// <summary>
/// Hands out the models of another catalogue, each with a meter before it: whoever asks a model that came from here is counted,
/// be it a turn, a compaction, a fallback or a hook, and is stopped where a budget is spent.
/// </summary>
/// <param name="caps">Asked before each request, so that a budget that was raised holds from the next one on.</param>
public sealed class MeteredCatalog(IModelCatalog catalog, Ledger ledger, Func<IReadOnlyList<Cap>> caps) : IModelCatalog
{
    /// <inheritdoc/>
    public ModelEndpoint Find(string name) => Meter(catalog.Find(name));

    /// <summary>A model that somebody opened otherwise, with a meter before it.</summary>
    public ModelEndpoint Meter(ModelEndpoint found) => found with { Client = new MeteredModel(found, ledger, caps) };
}
