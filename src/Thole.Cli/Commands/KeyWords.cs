using Thole.Cli.Keys;
using Thole.Providers;

namespace Thole.Cli.Commands;

/// <summary>Where a key is, for people and for scripts; never the key.</summary>
/// <param name="kept">What <c>thole auth</c> keeps, by the name of the provider.</param>
internal sealed class KeyWords(IReadOnlyDictionary<string, KeptKey> kept)
{
    /// <summary>One of <c>settings</c>, <c>variable</c>, <c>keyring</c>, <c>file</c>, <c>not_needed</c>, <c>none</c>.</summary>
    /// <param name="names">The names under which it may be kept.</param>
    public string WordOf(KeySource source, IReadOnlyList<string> names) =>
        source.Place switch
        {
            KeyPlace.Settings => "settings",
            KeyPlace.Variable => "variable",
            KeyPlace.NotNeeded => "not_needed",
            _ => names.Where(kept.ContainsKey).Select(name => kept[name].IsInKeyring ? "keyring" : "file").FirstOrDefault("none"),
        };

    public string SentenceOf(KeySource source, IReadOnlyList<string> names) =>
        WordOf(source, names) switch
        {
            "settings" => "key in the settings",
            "variable" => $"key in {source.Variable}",
            "keyring" => "key in the system's keyring",
            "file" => "key in a file",
            "not_needed" => "no key needed",
            _ => $"no key ({source.Variable})",
        };
}
