using Thole.Providers.Endpoints;

namespace Thole.Providers;

/// <summary>
/// Somebody who serves models: its name in <c>provider/model</c>, where people keep its key and address, what it speaks, and which
/// of its models we know. A new one is such a value in a file of its own, and a line in <see cref="ProviderCatalog"/>.
/// </summary>
internal sealed record Provider
{
    /// <summary>Lower case, as in <c>openai/gpt-5</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What people call it.</summary>
    public required string Title { get; init; }

    /// <summary>Where it is asked when nobody sets another address.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>The environment variables in which people keep its key; the first that is set holds, and sentences name the first.</summary>
    public required IReadOnlyList<string> KeyVariables { get; init; }

    public IReadOnlyList<string> BaseUrlVariables { get; init; } = [];

    /// <summary>The environment variable in which people name the model of it that they want.</summary>
    public string? ModelVariable { get; init; }

    /// <summary>The page where people get a key; null where none is needed.</summary>
    public string? KeyPage { get; init; }

    /// <summary>What it speaks: the name of the provider after which settings call that.</summary>
    public string Protocol { get; init; } = "openai";

    /// <summary>Whether it lists its models to anybody: then a list proves nothing of a key.</summary>
    public bool HasOpenList { get; init; }

    /// <summary>Whether it is a program that people run on their own machine.</summary>
    public bool IsLocalServer { get; init; }

    /// <summary>What is spoken with a model of it.</summary>
    public required Func<EndpointOptions, string, IWire> Wire { get; init; }

    /// <summary>The models we know, best first. Others are taken as well: the endpoint knows what it serves.</summary>
    public IReadOnlyList<ModelCard> Models { get; init; } = [];

    /// <summary>For all its models, where neither the user nor a card says otherwise.</summary>
    public ModelSettings Defaults { get; init; } = new();
}

/// <summary>A model that we know. Prices are list prices of the day in the file's history; settings go over them.</summary>
internal sealed record ModelCard(string Id, ModelSettings Settings);
