using Thole.Core.Models;

namespace Thole.Providers.Listing;

/// <summary>A provider as it is set up here.</summary>
/// <param name="Title">What people call it.</param>
/// <param name="Protocol">What it speaks.</param>
/// <param name="Address">Where it is asked, without names, passwords and queries; null where what is set is no address.</param>
/// <param name="KeyPage">Where people get a key; null where none is needed, or we do not know.</param>
/// <param name="Models">Those that we or the settings know, best first.</param>
public sealed record ListedProvider(
    string Name,
    string Title,
    string Protocol,
    string? Address,
    KeySource Key,
    string? KeyPage,
    IReadOnlyList<ListedModel> Models
)
{
    /// <summary>What speaks against asking it, in one sentence; null where nothing does.</summary>
    public string? Problem { get; init; }

    /// <summary>The names under which a key for it may be kept, its own first.</summary>
    public IReadOnlyList<string> KeyNames { get; init; } = [Name];
}

/// <summary>A model by its full name, <c>provider/model</c>, and what it would be asked with.</summary>
public sealed record ListedModel(string Name, ModelLimits Limits, Modalities Takes, ModelPrice? Price);
