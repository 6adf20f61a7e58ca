namespace Thole.Providers.Listing;

/// <summary>A model in an endpoint's own list: outside text, to be made harmless before it is shown.</summary>
/// <param name="ContextWindow">Tokens, where the list says.</param>
/// <param name="MaxOutput">Tokens of one answer, where the list says.</param>
public sealed record ServedModel(string Id, long? ContextWindow, long? MaxOutput);

/// <summary>A server on this machine that was looked for.</summary>
/// <param name="Provider">By whose usual port.</param>
/// <param name="Models">Null where nobody answers there, or not as a model server does.</param>
/// <param name="Problem">Why there is no list; null where there is one.</param>
public sealed record LocalServer(string Provider, string Address, IReadOnlyList<ServedModel>? Models, string? Problem);
