using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Thole.Cli.Configuration;
using Thole.Core.Log;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Wire.Transcripts;
using Command = System.CommandLine.Command;

namespace Thole.Cli.Commands;

/// <summary><c>thole sessions</c>: what was done in earlier sessions, and what becomes of it.</summary>
/// <param name="catalog">Opened only by a verb that runs.</param>
/// <param name="workspace">The root that <c>list</c> is about unless all are asked for.</param>
/// <param name="output">Where answers go.</param>
/// <param name="error">Where refusals go.</param>
/// <param name="writeFile">Writes a whole file, atomically; for <c>export --output</c>.</param>
/// <param name="confirm">Asks a person; null where there is none to ask.</param>
internal sealed class SessionsCommand(
    Func<ICatalog> catalog,
    Func<string> workspace,
    TextWriter output,
    TextWriter error,
    Func<string, ReadOnlyMemory<byte>, CancellationToken, ValueTask> writeFile,
    Func<string, bool>? confirm
)
{
    private const int Failure = 1;
    private const int BadUsage = 2;

    public Command Create()
    {
        var command = new Command("sessions", "Lists, shows, exports, searches, deletes and verifies sessions.");
        command.Subcommands.Add(List());
        command.Subcommands.Add(Show());
        command.Subcommands.Add(Export());
        command.Subcommands.Add(Search());
        command.Subcommands.Add(Delete());
        command.Subcommands.Add(Verify());
        return command;
    }

    private Command List()
    {
        var json = new Option<bool>("--json") { Description = "One JSON document instead of a table." };
        var all = new Option<bool>("--all") { Description = "Sessions of every workspace, not only of this one." };
        var limit = Limit(50);
        var command = new Command("list", "Lists sessions, newest first.") { json, all, limit };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var sessions = await catalog()
                        .ListAsync(parsed.GetValue(all) ? null : workspace(), parsed.GetValue(limit), cancellationToken);
                    if (parsed.GetValue(json))
                    {
                        await output.WriteLineAsync(
                            JsonSerializer.Serialize(sessions, ProtocolJson.Default.IReadOnlyListSessionSummary)
                        );
                        return 0;
                    }

                    foreach (var session in sessions)
                    {
                        await output.WriteLineAsync(Line(session, parsed.GetValue(all)));
                    }

                    if (sessions is [])
                    {
                        await error.WriteLineAsync(
                            parsed.GetValue(all)
                                ? "There are no sessions yet."
                                : "There are no sessions of this workspace yet; '--all' lists those of every workspace."
                        );
                    }

                    return 0;
                })
        );
        return command;
    }

    private Command Show()
    {
        var id = Id();
        var command = new Command("show", "Prints a session for reading.") { id };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var session = await FindAsync(parsed.GetRequiredValue(id), cancellationToken);
                    var events = catalog().ReadAsync(session.Id, 0, cancellationToken);
                    await MarkdownTranscript.WriteAsync(session, events, output, cancellationToken);
                    return 0;
                })
        );
        return command;
    }

    private Command Export()
    {
        var id = Id();
        var format = new Option<string>("--format")
        {
            Description = "markdown, json, jsonl or html.",
            DefaultValueFactory = _ => TranscriptFormat.All[0].Name,
        };
        OneOf.Accept(format, [.. TranscriptFormat.All.Select(known => known.Name)]);
        var file = new Option<string?>("--output", "-o") { Description = "Writes the file instead of standard output." };
        var command = new Command("export", "Exports a session.") { id, format, file };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var session = await FindAsync(parsed.GetRequiredValue(id), cancellationToken);
                    var events = catalog().ReadAsync(session.Id, 0, cancellationToken);
                    var kind = TranscriptFormat.Find(parsed.GetRequiredValue(format))!;
                    if (parsed.GetValue(file) is { } path)
                    {
                        using var content = new MemoryStream();
                        await kind.WriteAsync(session, events, content, cancellationToken);
                        await writeFile(path, content.GetBuffer().AsMemory(0, (int)content.Length), cancellationToken);
                    }
                    else
                    {
                        await using var stream = new WriterStream(output);
                        await kind.WriteAsync(session, events, stream, cancellationToken);
                    }

                    return 0;
                })
        );
        return command;
    }

    private Command Search()
    {
        var words = new Argument<string[]>("words") { Description = "All of them were said.", Arity = ArgumentArity.OneOrMore };
        var limit = Limit(20);
        var command = new Command("search", "Finds what was said in any session.") { words, limit };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var hits = await catalog()
                        .SearchAsync(string.Join(' ', parsed.GetRequiredValue(words)), parsed.GetValue(limit), cancellationToken);
                    foreach (var hit in hits)
                    {
                        var excerpt = TerminalText.EscapeLine(hit.Excerpt.ReplaceLineEndings(" "));
                        await output.WriteLineAsync(
                            $"{TerminalText.EscapeLine(hit.Session.Value)}  {hit.Sequence, 7}  {excerpt}"
                        );
                    }

                    if (hits is [])
                    {
                        await error.WriteLineAsync("Nothing like that was said in any session.");
                    }

                    return 0;
                })
        );
        return command;
    }

    private Command Delete()
    {
        var id = Id();
        var yes = new Option<bool>("--yes", "-y") { Description = "Does not ask." };
        var command = new Command("delete", "Deletes a session and everything kept with it, for good.") { id, yes };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var session = await FindAsync(parsed.GetRequiredValue(id), cancellationToken);
                    var name = $"{session.Id}{(session.Title is { } title ? $" ({TerminalText.EscapeLine(title)})" : "")}";
                    if (!parsed.GetValue(yes))
                    {
                        if (confirm is null)
                        {
                            await error.WriteLineAsync(
                                "thole: There is nobody to ask: add '--yes' to delete the session for good."
                            );
                            return BadUsage;
                        }

                        if (!confirm($"Delete session {name} for good?"))
                        {
                            return Failure;
                        }
                    }

                    await catalog().DeleteAsync(session.Id, cancellationToken);
                    await output.WriteLineAsync($"Deleted session {name}.");
                    return 0;
                })
        );
        return command;
    }

    private Command Verify()
    {
        var id = new Argument<string?>("id")
        {
            Description = "The session, or the beginning of its id.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all") { Description = "Every session of every workspace." };
        var command = new Command("verify", "Recomputes the hashes of everything that was written.") { id, all };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(async () =>
                {
                    var name = parsed.GetValue(id);
                    if (name is null == !parsed.GetValue(all))
                    {
                        await error.WriteLineAsync("thole: Name one session to verify, or say '--all'.");
                        return BadUsage;
                    }

                    IReadOnlyList<SessionSummary> sessions = name is null
                        ? await catalog().ListAsync(null, int.MaxValue, cancellationToken)
                        : [await FindAsync(name, cancellationToken)];
                    var isIntact = true;
                    foreach (var session in sessions)
                    {
                        isIntact &= await VerifyAsync(session.Id, cancellationToken);
                    }

                    return isIntact ? 0 : Failure;
                })
        );
        return command;
    }

    private async Task<bool> VerifyAsync(SessionId session, CancellationToken cancellationToken)
    {
        var report = await catalog().VerifyAsync(session, cancellationToken);
        await output.WriteLineAsync(
            $"{session}  {(report.IsIntact ? "intact" : "NOT INTACT")}  {report.Events} events, {report.Blobs} blobs, head {report.Head ?? "unknown"}"
        );
        foreach (var problem in report.Problems)
        {
            await output.WriteLineAsync($"  {TerminalText.EscapeLine(problem)}");
        }

        // A chain that holds again after a salvage holds over what was left: what was lost before is said each time.
        if (report.IsIntact)
        {
            await foreach (var envelope in catalog().ReadAsync(session, 0, cancellationToken))
            {
                if (envelope.Event is LogRecovered recovered)
                {
                    await output.WriteLineAsync(
                        $"  recovered at {envelope.Sequence}: {TerminalText.EscapeLine(recovered.Message)}"
                    );
                }
            }
        }

        return report.IsIntact;
    }

    private async Task<SessionSummary> FindAsync(string idOrPrefix, CancellationToken cancellationToken) =>
        await catalog().FindAsync(idOrPrefix, cancellationToken)
        ?? throw new RefusedException(
            "session_not_found",
            $"There is no session '{TerminalText.EscapeLine(idOrPrefix)}': 'thole sessions list --all' shows those there are."
        );

    private async Task<int> RunAsync(Func<Task<int>> verb)
    {
        try
        {
            return await verb();
        }
        catch (RefusedException refused)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(refused.Message)}");
            return refused.Reason is "session_not_found" or "session_ambiguous" ? BadUsage : Failure;
        }
        catch (Exception failed) when (failed is LogException or WorkspaceException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"thole: {TerminalText.EscapeLine(failed.Message)}");
            return Failure;
        }
    }

    private static string Line(SessionSummary session, bool withWorkspace)
    {
        var updated = session.UpdatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var title = TerminalText.EscapeLine(
            session.Problem is { } problem ? $"[damaged: {problem}]" : session.Title ?? "(no prompt yet)"
        );
        var where = withWorkspace ? $"  {TerminalText.EscapeLine(session.Workspace)}" : "";
        return $"{session.Id}  {updated}  {session.Turns, 3} turns  {title}{where}";
    }

    private static Argument<string> Id() => new("id") { Description = "The session, or the beginning of its id." };

    private static Option<int> Limit(int most)
    {
        var limit = new Option<int>("--limit") { Description = $"At most so many ({most}).", DefaultValueFactory = _ => most };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, out var number) || number < 1))
            {
                result.AddError("'--limit' takes a number from 1 on.");
            }
        });
        return limit;
    }
}
