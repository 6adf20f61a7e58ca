using Thole.Protocol;

namespace Thole.Core.Inventory;

/// <summary>What is set for a workspace, and where an inventory looks besides.</summary>
/// <param name="Model"><c>provider/model</c>, or a bare name, of new sessions.</param>
/// <param name="Variables">Names whose presence is told.</param>
/// <param name="Environment">Reads an environment variable.</param>
public sealed record InventoryScope(
    string Model,
    ApprovalMode ApprovalMode,
    IReadOnlyList<string> Variables,
    Func<string, string?> Environment,
    string Version
)
{
    /// <summary>Who else there is a key for, with the models that are known of each.</summary>
    public Func<IReadOnlyList<ProviderListing>> Providers { get; init; } = static () => [];
}
