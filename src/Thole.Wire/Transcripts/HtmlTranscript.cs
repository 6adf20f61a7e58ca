using System.Text;
using Thole.Protocol;

namespace Thole.Wire.Transcripts;

/// <summary>
/// A session as one page that needs nothing beside it: no script, no reference to anywhere, readable in light and in dark. All that a
/// model, a tool or a person said is text in it and nothing else; that a model wrote Markdown, or a link, changes nothing.
/// </summary>
public sealed class HtmlTranscript
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _reasoning = new();
    private readonly Dictionary<CallId, (string Name, bool HasStarted)> _open = [];

    private HtmlTranscript() { }

    /// <summary>What a browser may do with the page: show it. For the header of an answer; the page says it, too.</summary>
    public static string Policy => Html.Policy;

    public static async Task WriteAsync(
        SessionSummary session,
        IAsyncEnumerable<Envelope> events,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var transcript = new HtmlTranscript();
        var title = session.Title ?? "Session";
        await output.WriteAsync(Html.Head(title));
        await output.WriteAsync(
            $"""
            <header>
            <h1>{Html.Line(title)}</h1>
            <dl>
            <dt>session</dt><dd>{Html.Code(session.Id.Value)}</dd>
            <dt>workspace</dt><dd>{Html.Code(session.Workspace)}</dd>
            <dt>model</dt><dd>{Html.Code(session.Model ?? "none")}</dd>
            <dt>started</dt><dd>{TranscriptWords.Of(session.CreatedAt)}</dd>
            </dl>
            </header>
            <main>

            """.ReplaceLineEndings("\n")
        );
        await foreach (var envelope in events.WithCancellation(cancellationToken))
        {
            await output.WriteAsync(transcript.Render(envelope));
        }

        await output.WriteAsync($"{transcript.End()}</main>\n</body>\n</html>\n");
        await output.FlushAsync(cancellationToken);
    }

    private string Render(Envelope envelope) =>
        envelope.Event switch
        {
            TurnStarted started =>
                $"<h2>Prompt ({TranscriptWords.Of(envelope.At)})</h2>\n{Contents(started.Content, "said asked")}",
            TextPiece piece => Keep(_text, piece.Text),
            ReasoningPiece piece => Keep(_reasoning, piece.Text),
            StepStarted => Drop(),
            AttemptFailed failed => $"{Drop()}{Note(TranscriptWords.Of(failed))}",
            MessageCompleted completed => $"{Message()}{Tokens(completed.Usage)}",
            CallRequested requested => Requested(requested),
            PermissionRequested asked => Note($"Asked: {asked.Question}"),
            PermissionAnswered answered => Answered(answered, envelope.Actor),
            CallStarted started => Started(started),
            CallCompleted completed => Completed(completed),
            TodosChanged changed => Todos(changed.Todos),
            SteeringTaken taken => string.Concat(
                taken.Messages.Select(message => $"<h3>Said while it ran</h3>\n{Contents(message.Content, "said asked")}")
            ),
            ModelSelected selected => Note($"From here on with the model {selected.Model}."),
            ApprovalModeSelected selected => Note($"From here on with the approval mode {TranscriptWords.Of(selected.Mode)}."),
            ContextCompacted compacted =>
                $"{Note("Older parts were replaced by a summary:")}{Html.Folded("Summary", compacted.Summary)}",
            CompactionFailed failed => Note($"The context could not be summarised: {failed.Message}"),
            MediaDescribed described => $"{Note($"{described.Model} described it:")}{Html.Folded("Description", described.Text)}",
            MediaLeftOut left => Note($"Not shown to the model: {left.Message}"),
            InterruptRequested => Note("Interrupt asked for."),
            TurnEnded ended => Ended(ended),
            LogRecovered recovered => Plain($"The log was recovered: {recovered.Message}", "end"),
            UnknownEvent unknown =>
                $"{Note($"An event that this version cannot read ({unknown.Type}):")}{Html.Block(unknown.Payload.ToString())}",
            _ => "", // what was set up or queued shows in what came of it
        };

    private static string Contents(IReadOnlyList<Content> contents, string kind) =>
        string.Concat(contents.Select(content => Shown(content, kind)));

    private static string Shown(Content content, string kind) =>
        content switch
        {
            TextContent text => Said(text.Text, kind),
            MediaContent media => Note($"{TranscriptWords.Of(media)}, {media.MediaType}, blob {media.Blob.Value}"),
            DiffContent diff => $"<p>{Html.Code(diff.Path)}{(diff.IsNew ? " (new)" : "")}</p>\n{Html.Diff(diff.UnifiedDiff)}",
            TerminalContent terminal =>
                $"{Html.Block($"$ {terminal.Command}\n{terminal.Output}")}{Note(terminal.ExitCode is { } code ? $"Exit code {code}." : "No exit code.")}",
            _ => Note("content that a newer version wrote"),
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
        var reasoning = Html.Folded("Reasoning", _reasoning.ToString());
        var text = _text.Length > 0 ? Said(_text.ToString(), "said") : "";
        Drop();
        return reasoning.Length + text.Length > 0 ? $"<h2>Answer</h2>\n{reasoning}{text}" : "";
    }

    private string Requested(CallRequested requested)
    {
        var shown = requested.Title.Length > 0 ? requested.Title : requested.Call.Arguments;
        _open[requested.Call.Id] = ($"{Html.Code(requested.Call.Tool)} {Html.Code(shown)}", HasStarted: false);
        return "";
    }

    private string Started(CallStarted started)
    {
        _open[started.Call] = (_open.GetValueOrDefault(started.Call).Name ?? Html.Code(started.Call.Value), HasStarted: true);
        return "";
    }

    private string Completed(CallCompleted completed)
    {
        _ = _open.Remove(completed.Call, out var call);
        var name = call.Name ?? Html.Code(completed.Call.Value);
        return $"<h3>{name}: {TranscriptWords.Of(completed.Outcome)}</h3>\n"
            + $"{Contents(completed.Result.Display, "said")}{Html.Folded("Result", completed.Result.Text)}";
    }

    private static string Answered(PermissionAnswered answered, Actor by)
    {
        var answers = answered.Answers is [] ? "" : $": {string.Join("; ", answered.Answers)}";
        return Note($"{(answered.Allow ? "Permitted" : "Not permitted")} by {by.Value}{answers}.");
    }

    private static string Todos(IReadOnlyList<Todo> todos)
    {
        var items = todos.Select(todo =>
            $"<li>{(todo.Status is TodoStatus.Completed ? "☑" : "☐")} {Html.Line(todo.Content)}{(todo.Status is TodoStatus.InProgress ? " (in progress)" : "")}</li>\n"
        );
        return $"<ul>\n{string.Concat(items)}</ul>\n";
    }

    private string Ended(TurnEnded ended)
    {
        // A turn that ended in the middle of a message leaves what had come of it.
        var message = Message();
        return TranscriptWords.Of(ended.Outcome) is { } end
            ? message + Plain(ended.Message is null ? end : $"{end} {ended.Message}", "end")
            : message;
    }

    private string End() =>
        Message()
        + string.Concat(_open.Values.Select(call => $"<h3>{call.Name}: {TranscriptWords.OfOpen(call.HasStarted)}</h3>\n"));

    private static string Tokens(Usage usage) => TranscriptWords.Of(usage) is { Length: > 0 } counts ? Note(counts) : "";

    private static string Said(string text, string kind) => $"<div class=\"{kind}\">{Html.Text(text).TrimEnd('\n')}</div>\n";

    private static string Note(string text) => Plain(text, "note");

    private static string Plain(string text, string kind) => $"<p class=\"{kind}\">{Html.Line(text)}</p>\n";
}
