using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Thole.Cli.Configuration;
using Thole.Cli.Headless;
using Thole.Cli.Serving;
using Thole.Client;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Cli.Commands;

/// <summary>The main job: <c>thole -p "…"</c>. One prompt, or many as JSON lines; the answer on standard output.</summary>
internal sealed class RunCommand
{
    // What opening a session writes: what was recovered, the calls that were left open, the choices of the run.
    private const int MostEventsOfOpening = 100;

    private readonly Argument<string[]> _words = new("prompt") { Description = "The prompt.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _prompt = new("--prompt", "-p")
    {
        Description = "The prompt; joined with standard input where that is not a terminal.",
    };
    private readonly Option<string> _output = new("--output-format", "-o")
    {
        Description = "text, json (all messages at the end) or stream-json (each as it comes).",
        DefaultValueFactory = _ => "text",
    };
    private readonly Option<string> _input = new("--input-format")
    {
        Description = "text, or stream-json: prompts as JSON lines on standard input.",
        DefaultValueFactory = _ => "text",
    };
    private readonly Option<bool> _partial = new("--include-partial-messages")
    {
        Description = "With stream-json: text as it is said.",
    };
    private readonly Option<bool> _continue = new("--continue", "-c")
    {
        Description = "Go on with the newest session of this workspace.",
    };
    private readonly Option<string?> _resume = new("--resume", "-r")
    {
        Description = "Go on with this session: its id, or the beginning of it.",
    };

    public void AddTo(RootCommand root)
    {
        OneOf.Accept(_output, ["text", "json", "stream-json"]);
        OneOf.Accept(_input, ["text", "stream-json"]);
        root.Arguments.Add(_words);
        foreach (Option option in (Option[])[_prompt, _output, _input, _partial, _continue, _resume])
        {
            root.Options.Add(option);
        }
    }

    /// <summary>A word that looks like a flag and is none: a typing error must not become a prompt.</summary>
    public string? UnknownFlag(ParseResult arguments)
    {
        var words = arguments.GetResult(_words)?.Tokens ?? [];
        var afterDashes = arguments.Tokens.SkipWhile(token => token.Type is not TokenType.DoubleDash).Count() - 1;
        return words
            .Take(words.Count - Math.Max(0, afterDashes))
            .Select(word => word.Value)
            .FirstOrDefault(word => word.Length > 1 && word[0] == '-' && !word.Any(char.IsWhiteSpace));
    }

    /// <summary>Says in the format that was asked for that the command line cannot be.</summary>
    public int Refuse(ParseResult arguments, string sentence)
    {
        MakeOutput(arguments).End(sentence, ExitCodes.BadUsage);
        return ExitCodes.BadUsage;
    }

    public async Task<int> RunAsync(ParseResult arguments, Func<Settings> load)
    {
        var isStream = arguments.GetValue(_input) is "stream-json";
        var (goOn, resume) = (arguments.GetValue(_continue), arguments.GetValue(_resume));
        var told = MakeOutput(arguments);
        var exitCode = ExitCodes.Failed;
        string? failure = null;
        try
        {
            if (isStream && told is not JsonOutput { IsStream: true })
            {
                throw new UsageException("--input-format stream-json needs --output-format stream-json.");
            }

            if (isStream && (arguments.GetValue(_prompt) is not null || arguments.GetValue(_words) is [_, ..]))
            {
                throw new UsageException("With --input-format stream-json prompts come on standard input; leave -p out.");
            }

            if (goOn && resume is not null)
            {
                throw new UsageException("--continue and --resume exclude each other; pass one of them.");
            }

            var settings = load();
            var prompt = isStream ? null : ReadPrompt(arguments);
            exitCode = await RunAsync(settings, told, prompt, goOn, resume);
        }
        catch (UsageException wrong)
        {
            (failure, exitCode) = (wrong.Message, ExitCodes.BadUsage);
        }
        catch (ModelException unusable)
        {
            failure = unusable.Message;
            exitCode = unusable.Failure is ModelFailure.Unauthorized ? ExitCodes.NoCredentials : ExitCodes.BadUsage;
        }
        catch (RefusedException refused)
        {
            failure = DaemonDoor.Explain(refused);
            exitCode = refused.Reason switch
            {
                "session_unwritable" or "session_closed" or "prompt_withdrawn" => ExitCodes.Failed,
                "unauthorized" or "no_credentials" => ExitCodes.NoCredentials,
                _ => ExitCodes.BadUsage,
            };
        }
        catch (DaemonLostException lost)
        {
            failure = $"{lost.Message} What it accepted is in the log of the session, and goes on when the daemon does.";
        }
        catch (LogException unreadable)
        {
            failure = unreadable.Message;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            failure = $"{refused.Message} Check the permissions and the free space there.";
        }

        told.End(failure, exitCode);
        return exitCode;
    }

    private IOutput MakeOutput(ParseResult arguments)
    {
        // The format itself may be what is wrong.
        var format = arguments.GetResult(_output)?.Errors.Any() is true ? "text" : arguments.GetValue(_output);
        return format switch
        {
            "json" => new JsonOutput(Terminal.Output, Terminal.Error, OutputFormat.Json, includePartial: false),
            "stream-json" => new JsonOutput(
                Terminal.Output,
                Terminal.Error,
                OutputFormat.StreamJson,
                arguments.GetValue(_partial)
            ),
            _ => new TextOutput(Terminal.Output, Terminal.Error, showCalls: !Console.IsErrorRedirected),
        };
    }

    private static async Task<int> RunAsync(Settings settings, IOutput output, string? prompt, bool goOn, string? resume)
    {
        await using var house = new Composition(settings);
        var known = resume is null && !goOn ? null : await FindAsync(house.Catalog, settings.Workspace, resume);
        var openedAt = TimeProvider.System.GetUtcNow();
        using var place = await RunPlace.OpenAsync(settings, house, known);
        var (runtime, session) = (place.Runtime, place.Session);
        using var run = new HeadlessRun(runtime, session, output, house.NewId, place.IsShared);
        using var signals = new Signals(run.InterruptAsync);
        output.Begin(
            new RunStart(session, settings.Workspace, place.Model, settings.ApprovalMode, house.ToolNames, Composition.Version)
        );
        await ShowOpeningAsync(runtime, session, output, openedAt, place.Latest);
        var exitCode = await run.RunAsync(
            prompt is not null
                ? promptAsync => promptAsync([new TextContent(prompt)])
                : promptAsync =>
                    new StreamJsonInput(Terminal.Input, (JsonOutput)output, runtime, session).ReadAsync(
                        promptAsync,
                        run.StopTurnAsync
                    )
        );
        await signals.Handled;
        if (run.Turns == 0 && signals.Received is null)
        {
            throw new UsageException("No prompt came on standard input, so nothing was done.");
        }

        return signals.Received is { } signal ? 128 + signal : exitCode;
    }

    /// <summary>A log that had to be salvaged is spoken of before the first answer that builds on it.</summary>
    private static async Task ShowOpeningAsync(
        IAgentRuntime runtime,
        SessionId session,
        IOutput output,
        DateTimeOffset openedAt,
        long latest
    )
    {
        if (latest == 0)
        {
            return;
        }

        var after = Math.Max(0, latest - MostEventsOfOpening);
        await foreach (var envelope in runtime.ReadAsync(session, after, CancellationToken.None))
        {
            if (envelope is { Event: LogRecovered } && envelope.At >= openedAt)
            {
                output.Show(envelope);
            }

            if (envelope.Sequence >= latest)
            {
                break;
            }
        }
    }

    private static async Task<SessionSummary> FindAsync(ICatalog catalog, string workspace, string? resume)
    {
        if (resume is not null)
        {
            return await catalog.FindAsync(resume, CancellationToken.None)
                ?? throw new UsageException(
                    $"There is no session '{resume}'; thole sessions list shows those of this workspace."
                );
        }

        return await catalog.ListAsync(workspace, limit: 1, CancellationToken.None) is [var newest]
            ? newest
            : throw new UsageException("There is no session to continue in this workspace; leave --continue out to begin one.");
    }

    private string ReadPrompt(ParseResult arguments)
    {
        var words = string.Join(' ', arguments.GetValue(_words) ?? []);
        if (arguments.GetValue(_prompt) is { } option)
        {
            words = words.Length == 0 ? option : $"{option} {words}";
        }

        var piped = Console.IsInputRedirected ? Terminal.ReadAllInput().TrimEnd() : "";
        return (piped.Length > 0, words.Trim().Length > 0) switch
        {
            (true, true) => $"{piped}\n\n{words}",
            (true, false) => piped,
            (false, true) => words,
            _ => throw new UsageException("There is no prompt: pass one with -p, or on standard input."),
        };
    }

    /// <summary>The first Ctrl+C (or SIGTERM) ends the turn cleanly; a second one ends the process at once.</summary>
    private sealed class Signals : IDisposable
    {
        private static readonly (PosixSignal Signal, int Number)[] s_numbers =
        [
            (PosixSignal.SIGHUP, 1), // the terminal was closed
            (PosixSignal.SIGINT, 2),
            (PosixSignal.SIGQUIT, 3),
            (PosixSignal.SIGTERM, 15),
        ];

        private readonly PosixSignalRegistration[] _registrations;

        public Signals(Func<Task> interruptAsync)
        {
            _registrations = Array.ConvertAll(
                s_numbers,
                one => PosixSignalRegistration.Create(one.Signal, context => Receive(context, one.Number))
            );

            void Receive(PosixSignalContext context, int number)
            {
                if (Received is not null)
                {
                    Environment.Exit(128 + number);
                }

                (context.Cancel, Received) = (true, number);
                Handled = interruptAsync();
            }
        }

        /// <summary>The interrupt that a signal asked for has been handed on.</summary>
        public Task Handled { get; private set; } = Task.CompletedTask;

        /// <summary>The number of the signal that came.</summary>
        public int? Received { get; private set; }

        public void Dispose() => Array.ForEach(_registrations, static registration => registration.Dispose());
    }
}
