using System.Text;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>A session for people to read: what was asked, what was answered, what was done and how it ended.</summary>
public sealed class MarkdownTranscript
{
    private readonly TextWriter _output;
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _reasoning = new();
    private readonly Dictionary<CallId, (string Name, bool HasStarted)> _open = [];

    private MarkdownTranscript(TextWriter output) => _output = output;

    public static async Task WriteAsync(
        SessionSummary session,
        IAsyncEnumerable<Envelope> events,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var transcript = new MarkdownTranscript(output);
        await output.WriteAsync(
            $"""
            # {TerminalText.EscapeLine(session.Title ?? "Session")}

            - session {Markdown.Code(session.Id.Value)}
            - workspace {Markdown.Code(session.Workspace)}
            - model {Markdown.Code(session.Model ?? "none")}
            - started {TranscriptWords.Of(session.CreatedAt)}

            """.ReplaceLineEndings("\n")
        );
        await foreach (var envelope in events.WithCancellation(cancellationToken))
        {
            await output.WriteAsync(transcript.Render(envelope));
        }

        await output.WriteAsync(transcript.End());
        await output.FlushAsync(cancellationToken);
    }

    private string Render(Envelope envelope) =>
        envelope.Event switch
        {
            TurnStarted started => $"\n## Prompt ({TranscriptWords.Of(envelope.At)})\n\n{Contents(started.Content)}",
            TextPiece piece => Keep(_text, piece.Text),
            ReasoningPiece piece => Keep(_reasoning, piece.Text),
            StepStarted => Drop(),
            AttemptFailed failed => $"{Drop()}\n*{Line(TranscriptWords.Of(failed))}*\n",
            MessageCompleted completed => $"{Message()}{Tokens(completed.Usage)}",
            CallRequested requested => Requested(requested),
            PermissionRequested asked => $"\n*Asked: {Line(asked.Question)}*\n",
            PermissionAnswered answered => Answered(answered, envelope.Actor),
            CallStarted started => Started(started),
            CallCompleted completed => Completed(completed),
            TodosChanged changed => Todos(changed.Todos),
            SteeringTaken taken => string.Concat(
                taken.Messages.Select(message => $"\n### Said while it ran\n\n{Contents(message.Content)}")
            ),
            ModelSelected selected => $"\n*From here on with the model {Markdown.Code(selected.Model)}.*\n",
            ApprovalModeSelected selected => $"\n*From here on with the approval mode {TranscriptWords.Of(selected.Mode)}.*\n",
            ContextCompacted compacted =>
                $"\n*Older parts were replaced by a summary:*\n\n{Folded("Summary", compacted.Summary)}",
            CompactionFailed failed => $"\n*The context could not be summarised: {Line(failed.Message)}*\n",
            MediaDescribed described =>
                $"\n*{Markdown.Code(described.Model)} described it:*\n\n{Folded("Description", described.Text)}",
            MediaLeftOut left => $"\n*Not shown to the model: {Line(left.Message)}*\n",
            InterruptRequested => "\n*Interrupt asked for.*\n",
            TurnEnded ended => Ended(ended),
            LogRecovered recovered => $"\n**The log was recovered: {Line(recovered.Message)}**\n",
            UnknownEvent unknown =>
                $"\n*An event that this version cannot read ({Markdown.Code(unknown.Type)}):*\n\n{Markdown.Fence(unknown.Payload.ToString(), "json")}",
            _ => "", // what was set up or queued shows in what came of it
        };

    private static string Contents(IReadOnlyList<Content> contents) => string.Join('\n', contents.Select(Shown));

    private static string Shown(Content content) =>
        content switch
        {
            TextContent text => Markdown.Quote(text.Text),
            MediaContent media =>
                $"> *{Line(TranscriptWords.Of(media))}, {Line(media.MediaType)}, blob {Line(media.Blob.Value)}*\n",
            DiffContent diff =>
                $"{Markdown.Code(diff.Path)}{(diff.IsNew ? " (new)" : "")}\n\n{Markdown.Fence(diff.UnifiedDiff, "diff")}",
            TerminalContent terminal =>
                $"{Markdown.Fence($"$ {terminal.Command}\n{terminal.Output}")}\n{(terminal.ExitCode is { } code ? $"Exit code {code}.\n" : "No exit code.\n")}",
            _ => "*content that a newer version wrote*\n",
        };

    private static string Keep(StringBuilder target, string piece)
    {
        target.Append(piece);
        return "";
    }

    private string Drop()
    {
        _text.Clear();
        _reasoning.Clear();
        return "";
    }

    private string Message()
    {
        var reasoning = _reasoning.Length > 0 ? Folded("Reasoning", _reasoning.ToString()) : "";
        var text = _text.Length > 0 ? $"\n{Markdown.Prose(_text.ToString())}" : "";
        Drop();
        return reasoning.Length + text.Length > 0 ? $"\n## Answer\n{reasoning}{text}" : "";
    }

    private string Requested(CallRequested requested)
    {
        _open[requested.Call.Id] = (Name(requested), HasStarted: false);
        return "";
    }

    private string Started(CallStarted started)
    {
        _open[started.Call] = (_open.GetValueOrDefault(started.Call).Name ?? Markdown.Code(started.Call.Value), HasStarted: true);
        return "";
    }

    private string Completed(CallCompleted completed)
    {
        _ = _open.Remove(completed.Call, out var call);
        var name = call.Name ?? Markdown.Code(completed.Call.Value);
        var shown = completed.Result.Display.Count > 0 ? $"\n{Contents(completed.Result.Display)}" : "";
        return $"\n### {name}: {TranscriptWords.Of(completed.Outcome)}\n{shown}{Folded("Result", completed.Result.Text)}";
    }

    private static string Answered(PermissionAnswered answered, Actor by)
    {
        var answers = answered.Answers is [] ? "" : $": {string.Join("; ", answered.Answers.Select(Line))}";
        return $"\n*{(answered.Allow ? "Permitted" : "Not permitted")} by {Line(by.Value)}{answers}.*\n";
    }

    private static string Todos(IReadOnlyList<Todo> todos) =>
        $"\n{string.Concat(todos.Select(todo => $"- [{(todo.Status is TodoStatus.Completed ? 'x' : ' ')}] {Line(todo.Content)}{(todo.Status is TodoStatus.InProgress ? " (in progress)" : "")}\n"))}";

    private string Ended(TurnEnded ended)
    {
        // A turn that ended in the middle of a message leaves what had come of it.
        var message = Message();
        var why = ended.Message is null ? "" : $" {Line(ended.Message)}";
        return TranscriptWords.Of(ended.Outcome) is { } end ? $"{message}\n**{end}**{why}\n" : message;
    }

    private string End()
    {
        var rest = new StringBuilder(Message());
        foreach (var (name, hasStarted) in _open.Values)
        {
            rest.Append($"\n### {name}: {TranscriptWords.OfOpen(hasStarted)}\n");
        }

        return rest.ToString();
    }

    private static string Folded(string title, string text) =>
        text.Length == 0 ? "" : $"\n<details><summary>{title}</summary>\n\n{Markdown.Fence(text)}\n</details>\n";

    private static string Name(CallRequested requested) =>
        $"{Markdown.Code(requested.Call.Tool)} {Markdown.Code(requested.Title.Length > 0 ? requested.Title : requested.Call.Arguments)}";

    private static string Tokens(Usage usage) =>
        TranscriptWords.Of(usage) is { Length: > 0 } counts ? $"\n<sub>{counts}</sub>\n" : "";

    private static string Line(string text) => TerminalText.EscapeLine(text);
}
