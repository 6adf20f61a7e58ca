using System.CommandLine;
using Thole.Cli.Attached;
using Thole.Cli.Configuration;
using Thole.Cli.Serving;
using Thole.Client;
using Thole.Protocol;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole attach</c>: a session of the running daemon on this terminal, line by line.</summary>
internal sealed class AttachCommand(Func<Settings> load)
{
    private const int MostListed = 1_000;

    private readonly Argument<string?> _session = new("session")
    {
        Description = "Its id, or the beginning of it; the newest one of the workspace if left out.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<bool> _json = new("--json") { Description = "Every event in its envelope, a JSON line each." };
    private readonly Option<long?> _after = new("--after")
    {
        Description = "Show what follows this event, 0 for everything; only what is new if left out.",
    };

    public Command Create()
    {
        var command = new Command("attach", "Shows a session of the running daemon as it goes on, and takes lines to say to it.");
        command.Arguments.Add(_session);
        command.Options.Add(_json);
        command.Options.Add(_after);
        _after.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(long.TryParse(token.Value, out var number) && number >= 0))
            {
                result.AddError($"--after takes the number of an event, 0 for everything; it was '{token.Value}'.");
            }
        });
        command.SetAction((arguments, _) => RunAsync(arguments));
        return command;
    }

    private async Task<int> RunAsync(ParseResult arguments)
    {
        var settings = load();
        var screen = new AttachScreen(Terminal.Output, Terminal.Error, arguments.GetValue(_json), Console.IsInputRedirected);
        try
        {
            using var client =
                DaemonDoor.Find(settings, Timeout.InfiniteTimeSpan, screen.ShowContact)
                ?? throw new UsageException($"No daemon serves {settings.Workspace}; start one with thole serve.");
            var session = await FindAsync(client, settings, arguments.GetValue(_session));
            using var attached = new AttachedRun(
                session,
                screen,
                Terminal.Input,
                watchesAtEnd: Console.IsInputRedirected,
                static () => new PromptId(Guid.NewGuid().ToString("d"))
            );
            return await attached.RunAsync(arguments.GetValue(_after));
        }
        catch (RefusedException refused)
        {
            throw new UsageException(DaemonDoor.Explain(refused), refused);
        }
        catch (DaemonLostException lost)
        {
            Terminal.Error.WriteLine($"thole: {TerminalText.EscapeLine(lost.Message)}");
            return ExitCodes.Failed;
        }
    }

    private static async Task<TholeSession> FindAsync(TholeClient client, Settings settings, string? asked)
    {
        var all = await client.ListAsync(asked is null ? 1 : MostListed, CancellationToken.None);
        if (asked is null)
        {
            return all is [{ Problem: null } newest] && await IsOpenAsync(client.Session(newest.Id))
                ? client.Session(newest.Id)
                : await client.OpenAsync(cancellationToken: CancellationToken.None);
        }

        return all.Where(session => session.Id.Value.StartsWith(asked, StringComparison.Ordinal))
            .Select(session => session.Id)
            .ToArray() switch
        {
            [var one] when asked.Length > 0 => await client.ResumeAsync(one, CancellationToken.None),
            [_, _, ..] when asked.Length > 0 => throw new UsageException(
                $"Several sessions begin with '{asked}'; write more of the id, thole sessions list shows them."
            ),
            _ => throw new UsageException(
                $"There is no session '{asked}' in {settings.Workspace}; thole sessions list shows them."
            ),
        };
    }

    private static async Task<bool> IsOpenAsync(TholeSession session) =>
        !(await session.StatusAsync(CancellationToken.None)).IsClosed;
}
