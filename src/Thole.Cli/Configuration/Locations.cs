using System.Security.Cryptography;
using System.Text;

namespace Thole.Cli.Configuration;

/// <summary>Where state and the user's settings lie: beneath <c>THOLE_HOME</c> where it is set, else in the platform's usual folders.</summary>
internal sealed record Locations(string Config, string State)
{
    public string UserSettings => Path.Join(Config, "settings.json");

    public string Sessions => Path.Join(State, "sessions");

    /// <summary>What the user's models have used, and what is reserved.</summary>
    public string Ledger => Path.Join(State, "ledger.db");

    /// <summary>What we remember about one workspace, kept apart from it.</summary>
    public string StateOf(string workspace) =>
        Path.Join(State, "workspaces", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(workspace)))[..16]);

    /// <summary>Which daemon serves which workspace.</summary>
    public string Daemons => Path.Join(State, "daemons");

    /// <summary>Who may speak to a daemon.</summary>
    public string Access => Path.Join(State, "access");

    /// <summary>What tests found of models.</summary>
    public string Profiles => Path.Join(State, "profiles");

    public static string ProjectSettings(string workspace) => Path.Join(workspace, ".thole", "settings.json");

    /// <exception cref="UsageException">There is neither <c>THOLE_HOME</c> nor a home directory.</exception>
    public static Locations Find(Func<string, string?> environment)
    {
        if (environment("THOLE_HOME") is { Length: > 0 } own)
        {
            return Path.IsPathFullyQualified(own)
                ? new Locations(own, own)
                : throw new UsageException($"THOLE_HOME must be an absolute path; it is '{own}'.");
        }

        if (OperatingSystem.IsWindows())
        {
            var local = Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "Thole");
            return new Locations(Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "Thole"), local);
        }

        var home = environment("HOME") is { Length: > 0 } told
            ? told
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (!Path.IsPathFullyQualified(home))
        {
            throw new UsageException(
                "There is no home directory to keep sessions in; set HOME or THOLE_HOME to an absolute path."
            );
        }

        if (OperatingSystem.IsMacOS())
        {
            var support = Path.Join(home, "Library", "Application Support", "thole");
            return new Locations(support, support);
        }

        // The XDG Base Directory Specification: a relative value is to be ignored.
        return new Locations(Xdg("XDG_CONFIG_HOME", ".config"), Xdg("XDG_STATE_HOME", ".local/state"));

        string Xdg(string variable, string otherwise) =>
            Path.Join(
                environment(variable) is { } set && Path.IsPathFullyQualified(set) ? set : Path.Join(home, otherwise),
                "thole"
            );
    }
}
