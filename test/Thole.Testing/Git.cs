using System.Diagnostics;
using System.Text;

namespace Thole.Testing;

/// <summary>The real git, as the oracle of tests; apart from the user's configuration.</summary>
public static class Git
{
    private static readonly Lazy<bool> s_isThere = new(() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(static folder => File.Exists(Path.Join(folder, OperatingSystem.IsWindows() ? "git.exe" : "git")))
    );

    public static bool IsThere => s_isThere.Value;

    /// <returns>What it printed; its exit code is not looked at, because several commands use it for an answer.</returns>
    public static async Task<string> RunAsync(string directory, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        start.Environment["GIT_CONFIG_GLOBAL"] = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        using var git = Process.Start(start)!;
        var output = git.StandardOutput.ReadToEndAsync();
        await git.StandardInput.WriteAsync(input);
        git.StandardInput.Close();
        await git.WaitForExitAsync();
        return await output;
    }
}
