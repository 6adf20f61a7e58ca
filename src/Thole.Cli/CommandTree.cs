using System.CommandLine;
using Thole.Cli.Commands;
using Thole.Cli.Configuration;
using Thole.Cli.Keys;
using Thole.Core.Access;

namespace Thole.Cli;

/// <summary>The words of the command line. To add a verb: write it in Commands/, name it here.</summary>
internal static class CommandTree
{
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var exitCode = await ParseAndRunAsync(args);
            Terminal.Output.Flush();
            return exitCode;
        }
        catch (OutputLostException lost)
        {
            Terminal.Error.WriteLine($"thole: {Protocol.TerminalText.EscapeLine(lost.Message)}");
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> ParseAndRunAsync(string[] args)
    {
        if (args is ["--version"])
        {
            Terminal.Output.WriteLine(Composition.Version); // before the parser is built: scripts ask often
            return ExitCodes.Done;
        }

        var flags = new SettingFlags();
        var run = new RunCommand();
        var root = new RootCommand("Thole: a coding agent for repositories you cannot afford to lose.");
        flags.AddTo(root);
        run.AddTo(root);

        // Read once, and only by a verb that needs them: help works beside a settings file that does not parse.
        ParseResult? arguments = null;
        var settings = new Lazy<Settings>(() => flags.Load(arguments!));
        var house = new Lazy<Composition>(() => new Composition(settings.Value));
        root.SetAction((parsed, _) => run.RunAsync(parsed, () => settings.Value));
        root.Subcommands.Add(ConfigCommand.Create(() => settings.Value));
        root.Subcommands.Add(DemoCommand.Create());
        root.Subcommands.Add(
            new SessionsCommand(
                () => house.Value.Catalog,
                () => settings.Value.Workspace,
                Terminal.Output,
                Terminal.Error,
                Composition.WriteFileAsync,
                Console.IsInputRedirected ? null : Terminal.Confirm
            ).Create()
        );
        root.Subcommands.Add(
            new UsageCommand(
                () => house.Value.Ledger,
                () => house.Value.Catalog,
                () => BudgetSection.Read(settings.Value),
                Terminal.Output,
                Terminal.Error,
                TimeProvider.System
            ).Create()
        );
        root.Subcommands.Add(
            new ModelsCommand(() => house.Value, () => settings.Value, Terminal.Output, Terminal.Error).Create()
        );
        root.Subcommands.Add(
            new AuthCommand(() => house.Value, new KeyPrompt(Terminal.Error), Terminal.Output, Terminal.Error).Create()
        );
        root.Subcommands.Add(new ServeCommand(() => settings.Value).Create());
        root.Subcommands.Add(new AttachCommand(() => settings.Value).Create());
        root.Subcommands.Add(
            new TokenCommand(
                () => new TokenFile(settings.Value.Locations.Access, TimeProvider.System),
                Terminal.Output,
                Terminal.Error,
                TimeProvider.System
            ).Create()
        );

        // A prompt may begin with @ (a file that is meant) and must not be taken for a response file.
        arguments = root.Parse(
            [.. SettingFlags.KeepTexts(args, root)],
            new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false }
        );
        var wrong =
            run.UnknownFlag(arguments) is { } flag ? $"There is no option {flag}; a prompt that begins so is passed with -p."
            : arguments.Errors is [var error, ..] ? error.Message
            : null;
        if (wrong is not null)
        {
            return run.Refuse(arguments, $"{wrong} thole --help shows what there is.");
        }

        try
        {
            return await arguments.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null, // signals are ours: the first ends the turn, the second the process
                    Output = Terminal.Output,
                    Error = Terminal.Error,
                }
            );
        }
        catch (UsageException unusable)
        {
            Terminal.Error.WriteLine($"thole: {Protocol.TerminalText.EscapeLine(unusable.Message)}");
            return ExitCodes.BadUsage;
        }
        catch (Exception defect) when (defect is not OutputLostException)
        {
            // The edge of this door: nothing is hidden, nothing is called what it is not.
            Terminal.Error.WriteLine(
                $"thole: a defect of ours, please report it: {Protocol.TerminalText.Escape(defect.ToString())}"
            );
            return ExitCodes.Failed;
        }
        finally
        {
            if (house.IsValueCreated)
            {
                await house.Value.DisposeAsync();
            }
        }
    }
}
