using System.ComponentModel;
using System.Diagnostics;

namespace Thole.Cli.Demo;

/// <summary>git in the demo's own folder, apart from whatever the user's git is configured to do.</summary>
internal sealed class Git(string folder)
{
    /// <exception cref="UsageException">git is not on PATH, or failed.</exception>
    public async Task<string> RunAsync(params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("git")
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("GIT_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["GIT_CONFIG_GLOBAL"] = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using var git = Process.Start(start)!;
            git.StandardInput.Close();
            var error = git.StandardError.ReadToEndAsync();
            var output = await git.StandardOutput.ReadToEndAsync();
            await git.WaitForExitAsync();
            return git.ExitCode == 0 ? output : throw new UsageException($"git {arguments[0]} failed: {(await error).Trim()}");
        }
        catch (Win32Exception missing)
        {
            throw new UsageException("The demo needs git on PATH; install it and try again.", missing);
        }
    }
}
