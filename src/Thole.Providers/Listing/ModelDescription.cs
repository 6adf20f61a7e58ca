using Thole.Core.Models;
using Thole.Providers.Probing;

namespace Thole.Providers.Listing;

/// <summary>All that is known of a model, and from where.</summary>
/// <param name="Name"><c>provider/model</c>.</param>
/// <param name="Protocol">What is spoken with it.</param>
/// <param name="Address">Where it is asked, without names, passwords and queries.</param>
/// <param name="Settings">What it is asked with.</param>
/// <param name="Profile">What a test found; null where there was none.</param>
public sealed record ModelDescription(
    string Name,
    string Protocol,
    string Address,
    KeySource Key,
    IReadOnlyList<string> KeyNames,
    ModelLimits Limits,
    Modalities Takes,
    ModelPrice? Price,
    ModelSettings Settings,
    ModelProfile? Profile
)
{
    /// <summary>From where a value comes, in a few words.</summary>
    public required Func<Func<ModelSettings, object?>, string> OriginOf { get; init; }
}
