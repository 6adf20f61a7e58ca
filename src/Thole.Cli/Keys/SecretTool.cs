namespace Thole.Cli.Keys;

/// <summary>The keyring of Linux desktops (GNOME Keyring, KWallet, KeePassXC), through libsecret's own program.</summary>
internal sealed class SecretTool(KeyringProgram program) : IKeyring
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    // A person may be asked for the password of the keyring.
    private static readonly TimeSpan s_patienceWithPeople = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public string? Find(string provider)
    {
        var (exitCode, output) = program.Run(s_patience, "", ["lookup", .. Attributes(provider)]);
        return exitCode == 0 && output.Trim() is { Length: > 0 } key ? key : null;
    }

    /// <inheritdoc/>
    public void Store(string provider, string key)
    {
        // Without a line end: all of standard input is the secret.
        var (exitCode, _) = program.Run(
            s_patienceWithPeople,
            key,
            ["store", $"--label=Thole: {provider}", .. Attributes(provider)]
        );
        if (exitCode != 0)
        {
            throw new KeyringException("does not take it");
        }
    }

    /// <inheritdoc/>
    public void Remove(string provider) => program.Run(s_patienceWithPeople, "", ["clear", .. Attributes(provider)]);

    private static string[] Attributes(string provider) => ["service", "thole", "provider", provider];
}
