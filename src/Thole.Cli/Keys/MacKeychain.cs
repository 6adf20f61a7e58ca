using System.Text;

namespace Thole.Cli.Keys;

/// <summary>The keychain of macOS, through its own program.</summary>
internal sealed class MacKeychain(KeyringProgram program) : IKeyring
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    // A person may be asked for the password of the keychain.
    private static readonly TimeSpan s_patienceWithPeople = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public string? Find(string provider)
    {
        var (exitCode, output) = program.Run(s_patience, "", "find-generic-password", "-s", "thole", "-a", provider, "-w");
        return exitCode == 0 && output.Trim() is { Length: > 0 } key ? key : null;
    }

    /// <summary>Its commands come on standard input, so that the key is in no argument; in hex, so that nothing in it needs quotes.</summary>
    public void Store(string provider, string key)
    {
        var secret = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(key));
        var (exitCode, _) = program.Run(
            s_patienceWithPeople,
            $"add-generic-password -U -s thole -a {Word(provider)} -X {secret}\n",
            "-i"
        );
        if (exitCode != 0)
        {
            throw new KeyringException("does not take it");
        }
    }

    /// <inheritdoc/>
    public void Remove(string provider) =>
        program.Run(s_patienceWithPeople, "", "delete-generic-password", "-s", "thole", "-a", provider);

    /// <summary>A name of the user's own that its command line could misread goes into the file instead.</summary>
    private static string Word(string provider) =>
        provider.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
            ? provider
            : throw new KeyringException("does not take that name");
}
