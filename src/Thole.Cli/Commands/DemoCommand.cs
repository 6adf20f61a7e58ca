using System.CommandLine;
using Thole.Cli.Configuration;
using Thole.Cli.Demo;
using Thole.Cli.Headless;
using Thole.Protocol;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole demo</c>: the main job, offline and without a key, in a small repository of its own.</summary>
internal static class DemoCommand
{
    private const string Prompt = "The test fails. Find the bug, mend it, run the test, and tell me what it was.";

    public static Command Create()
    {
        var demo = new Command("demo", "See the main job on a small repository, offline and without a key.");
        demo.SetAction((_, _) => RunAsync());
        return demo;
    }

    private static async Task<int> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("thole-demo-").FullName;
        var repository = Core.Workspaces.Workspace.RealPath(Directory.CreateDirectory(Path.Join(folder, "repository")).FullName);
        var git = new Git(repository);
        await DemoRepository.CreateAsync(repository, git);

        var settings = Settings.Load(
            new Locations(Path.Join(folder, "home"), Path.Join(folder, "home")),
            repository,
            static _ => null,
            new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
            {
                ["model"] = [DemoModel.Name],
                ["approvalMode"] = ["auto-edit"],
                ["allowedTools"] = [$"run_shell_command({DemoRepository.TestCommand})"],
            }
        );
        Terminal.Output.WriteLine($"A repository with a failing test: {repository}\n\n> {Prompt}\n");
        Terminal.Output.Flush();

        await using var house = new Composition(settings, new DemoModel(TimeProvider.System));
        var session = await house.Runtime.OpenSessionAsync(
            new OpenSession
            {
                Workspace = repository,
                Model = settings.Model,
                ApprovalMode = settings.ApprovalMode,
            },
            CancellationToken.None
        );
        using var run = new HeadlessRun(
            house.Runtime,
            session,
            new TextOutput(Terminal.Output, Terminal.Output, showCalls: true),
            house.NewId
        );
        var exitCode = await run.RunAsync(promptAsync => promptAsync([new TextContent(Prompt)]));

        Terminal.Output.WriteLine($"\nWhat changed:\n\n{TerminalText.Escape(await git.RunAsync("diff"))}");
        Terminal.Output.WriteLine($"The session's record: {Path.Join(settings.Locations.Sessions, $"{session}.db")}");
        Terminal.Output.WriteLine(
            $"Read it:  THOLE_HOME={settings.Locations.State} {Environment.ProcessPath ?? "thole"} sessions show {session}"
        );
        Terminal.Output.Flush();
        return exitCode;
    }
}
