using System.Diagnostics;
using System.Runtime.CompilerServices;
using Thole.Core.Workspaces;

namespace Thole.Core.Tests.Workspaces;

/// <summary>This test program once more, as a process that runs commands and can be killed or counted.</summary>
internal static class SpecsHost
{
    private const string BackgroundName = "THOLE_SPECS_BACKGROUND";
    private const string CountedName = "THOLE_SPECS_COUNTED";

    /// <summary>A process that starts the command in the background and then does nothing.</summary>
    public static Process WithBackground(string command, string directory) =>
        Start(BackgroundName, command, directory, before: "");

    /// <summary>A process that runs a quick command so many times, and prints how many results were wrong and what was left.</summary>
    public static Process ThatCounts(int runs, string before, string directory) =>
        Start(CountedName, $"{runs}", directory, before);

    // Before the test platform starts; blocks or ends the process. Nothing here may run on another thread: it would wait for
    // this method to return.
    [ModuleInitializer]
    internal static void RunInsteadOfTests()
    {
        if (Environment.GetEnvironmentVariable(BackgroundName) is { } command)
        {
            var runner = new ProcessRunner(new ChildEnvironment([]), TimeProvider.System);
            runner.Start(new ProcessRequest(command, Environment.CurrentDirectory, TimeSpan.Zero));
            Console.WriteLine("started");
            Thread.Sleep(Timeout.Infinite);
        }

        if (Environment.GetEnvironmentVariable(CountedName) is { } runs)
        {
            var runner = new ProcessRunner(new ChildEnvironment([]), TimeProvider.System);
            var request = new ProcessRequest("exit 3", Environment.CurrentDirectory, TimeSpan.FromMinutes(1));
            Run(runner, request);
            var before = Descriptors();
            var wrong = 0;
            for (var run = 0; run < int.Parse(runs); run++)
            {
                wrong += Run(runner, request) == 3 ? 0 : 1;
            }

            Console.WriteLine($"{wrong} wrong, {Descriptors() - before} descriptors, {Zombies()} zombies");
            Environment.Exit(0);
        }
    }

    private static int? Run(ProcessRunner runner, ProcessRequest request)
    {
        var command = runner.Start(request);
        ((IAsyncResult)command.Ended).AsyncWaitHandle.WaitOne();
        return command.Result?.ExitCode;
    }

    /// <summary>
    /// What stays open: a command that has just ended, and this look itself, hold some for a moment. Nothing tells when the kernel has
    /// closed them, so we look a few times, and the least is what was kept.
    /// </summary>
    private static int Descriptors() =>
        Enumerable
            .Range(0, 20)
            .Min(look =>
            {
                Thread.Sleep(look == 0 ? 0 : 10);
                return Directory.GetFileSystemEntries("/proc/self/fd").Length;
            });

    private static int Zombies()
    {
        var count = 0;
        foreach (var thread in Directory.GetDirectories("/proc/self/task"))
        {
            foreach (var child in File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                count += File.ReadAllText($"/proc/{child}/stat").Contains(") Z ") ? 1 : 0;
            }
        }

        return count;
    }

    private static Process Start(string name, string value, string directory, string before) =>
        Process.Start(
            new ProcessStartInfo("sh", ["-c", $"{before} exec \"$0\"", Path.Join(AppContext.BaseDirectory, "Thole.Core.Tests")])
            {
                WorkingDirectory = directory,
                Environment = { [name] = value },
                UseShellExecute = false,
                RedirectStandardOutput = true,
            }
        )!;
}
