using Thole.Providers.Endpoints;

namespace Thole.Providers;

/// <summary>
/// Somebody who serves models: its name in <c>provider/model</c>, where people keep its key and address, and what it speaks. A new
/// one is such a value, in the folder of its wire, and a line in <see cref="ProviderCatalog"/>.
/// </summary>
internal sealed record Provider
{
    /// <summary>Lower case, as in <c>openai/gpt-5</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is asked when nobody sets another address.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>The environment variables in which people keep its key; the first that is set holds, and sentences name the first.</summary>
    public required IReadOnlyList<string> KeyVariables { get; init; }

    public required IReadOnlyList<string> BaseUrlVariables { get; init; }

    /// <summary>What is spoken with a model of it.</summary>
    public required Func<EndpointOptions, string, IWire> Wire { get; init; }
}
