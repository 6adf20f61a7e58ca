namespace Thole.Core.Models;

/// <summary>From a name to somebody who thinks.</summary>
public interface IModelCatalog
{
    /// <param name="name"><c>provider/model</c>, or a bare model name for the default provider.</param>
    /// <exception cref="ModelException">There is no such provider, or no credential for it.</exception>
    ModelEndpoint Find(string name);
}

/// <summary>A model that can be asked, and what is known of it. <paramref name="Name"/> is <c>provider/model</c>.</summary>
public sealed record ModelEndpoint(string Name, string Model, IModel Client, ModelLimits Limits)
{
    /// <summary>What it may be shown besides text.</summary>
    public Modalities Takes { get; init; } = Modalities.Image;

    /// <summary>Null where nobody told what it costs; free where it runs on this machine.</summary>
    public ModelPrice? Price { get; init; }

    /// <summary>Whether what it is shown stays on this machine: it is asked over loopback.</summary>
    public bool IsLocal { get; init; }
}

/// <summary>Sizes in tokens.</summary>
public sealed record ModelLimits(long ContextWindow, long MaxOutput);
