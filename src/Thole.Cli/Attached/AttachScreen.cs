using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Thole.Cli.Headless;
using Thole.Client;
using Thole.Protocol;
using Thole.Wire.Transcripts;

namespace Thole.Cli.Attached;

/// <summary>
/// What an attached terminal shows: the answers on standard output and everything beside them on standard error, or every event as a line
/// of JSON. Events, questions and news of the connection come from different threads, and each is written whole.
/// </summary>
/// <param name="echoes">What comes on standard input is not on the screen yet.</param>
internal sealed class AttachScreen(TextWriter output, TextWriter error, bool isJson, bool echoes)
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _gate = new();
    private volatile bool _isLost;
    private readonly TextOutput _text = new(output, error, showCalls: true);

    /// <summary>Nobody hears what is said now.</summary>
    public bool IsLost => _isLost;

    public void ShowContact(Contact contact)
    {
        _isLost = contact is Contact.Lost;
        Note(
            contact is Contact.Lost
                ? "The daemon does not answer; this goes on where it was when it is back. Ctrl+C leaves."
                : "The daemon is back."
        );
    }

    public void Note(string sentence)
    {
        lock (_gate)
        {
            _text.Note(sentence);
        }
    }

    /// <summary>The last line is left open for what is typed.</summary>
    public void Ask(Ask ask)
    {
        lock (_gate)
        {
            _text.Note("A call waits for you:");
            error.Write(string.Join('\n', ask.Lines));
        }
    }

    public void Answer(string line)
    {
        lock (_gate)
        {
            if (echoes)
            {
                error.WriteLine(TerminalText.EscapeLine(line));
            }
        }
    }

    /// <param name="isMine">The prompt that begins a turn was typed here: it stands on the screen already.</param>
    public void Show(Envelope envelope, bool isMine)
    {
        lock (_gate)
        {
            if (isJson)
            {
                ShowJson(envelope);
                return;
            }

            if (NoteOf(envelope, isMine) is { } note)
            {
                _text.Note(note);
            }

            _text.Show(envelope);
        }
    }

    public void EndTurn(RunSummary summary)
    {
        lock (_gate)
        {
            if (!isJson)
            {
                _text.EndTurn(summary with { Refused = [] }); // who refused what was seen when it was refused
            }
        }
    }

    private static string? NoteOf(Envelope envelope, bool isMine)
    {
        var who = envelope.Actor.Value;
        return envelope.Event switch
        {
            TurnStarted started when !isMine => $"{who} asks: {Words(started.Content)}",
            PromptQueued queued when !isMine => $"{who} asks, when this turn has ended: {Words(queued.Content)}",
            PromptQueued => "It waits for the end of this turn.",
            SteeringReceived said when !isMine => $"{who} says to the turn: {Words(said.Content)}",
            PromptWithdrawn => $"{who} took a prompt back.",
            InterruptRequested => $"{who} interrupts the turn.",
            ModelSelected selected => $"{who} chose the model {selected.Model}.",
            ApprovalModeSelected selected => $"{who} chose the approval mode {Headless.Words.Kebab(selected.Mode)}.",
            PermissionVoted voted =>
                $"{who} voted {YesOrNo(voted.Allow)}: {voted.Allowing} for it, {voted.Refusing} against, {voted.Quorum} decide.",
            VoteRefused refused => $"The vote of {who} does not count ({refused.Reason}).",
            SessionRenamed renamed => $"{who} named the session {renamed.Name}.",
            SessionClosed => $"{who} closed the session.",
            SessionReopened => $"{who} opened the session again.",
            UnknownEvent unknown => $"{unknown.Type} {unknown.Payload.GetRawText()}",
            _ => null,
        };
    }

    private static string YesOrNo(bool allow) => allow ? "yes" : "no";

    private static string Words(IReadOnlyList<Content> content) =>
        string.Join(' ', content.Select(part => part is TextContent text ? text.Text : "[image]"));

    private void ShowJson(Envelope envelope)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, s_json))
        {
            EnvelopeJson.Write(writer, envelope);
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
        output.Flush();
    }
}
