namespace Thole.Providers;

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
