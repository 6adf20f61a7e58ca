using Thole.Core.Workspaces;

namespace Thole.Cli.Keys;

/// <summary>The system's own place for secrets.</summary>
internal interface IKeyring
{
    /// <summary>Null where it has none.</summary>
    /// <exception cref="KeyringException">It does not answer, or refuses.</exception>
    string? Find(string provider);

    /// <exception cref="KeyringException">It does not answer, or does not take it.</exception>
    void Store(string provider, string key);

    /// <summary>Nothing happens where it has none.</summary>
    /// <exception cref="KeyringException">It does not answer.</exception>
    void Remove(string provider);
}

/// <summary>A keyring did not do what it is for. The message is the end of a sentence: what it did.</summary>
internal sealed class KeyringException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Finds the keyring of this system.</summary>
internal static class Keyrings
{
    private const string MacTool = "/usr/bin/security";

    /// <param name="workspace">A program in it is somebody else's, and must not be given a key.</param>
    /// <returns>Null where there is none. On Windows a file in the user's profile does as well.</returns>
    public static IKeyring? Find(string workspace) =>
        OperatingSystem.IsMacOS() ? (File.Exists(MacTool) ? new MacKeychain(new KeyringProgram(MacTool)) : null)
        : OperatingSystem.IsWindows() ? null
        : Programs.Find("secret-tool", Environment.GetEnvironmentVariable("PATH"), workspace) is { } tool
            ? new SecretTool(new KeyringProgram(tool))
        : null;
}
