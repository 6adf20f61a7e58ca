namespace Thole.Providers;

/// <summary>Where the key of a provider comes from; never the key.</summary>
/// <param name="Variable">The environment variable it came from, or in which it would be looked for first.</param>
public sealed record KeySource(KeyPlace Place, string Variable);

/// <summary>The places in which a key is looked for, in that order.</summary>
public enum KeyPlace
{
    Settings,
    Variable,

    /// <summary>There is none, and a server on this machine wants none.</summary>
    NotNeeded,

    /// <summary>Neither of those: who keeps keys may have one.</summary>
    Nowhere,
}
