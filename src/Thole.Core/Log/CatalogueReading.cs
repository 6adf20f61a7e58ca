using System.Text;
using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Brings one session of the index up to date: reads what its log has more, and writes down what was said.</summary>
internal sealed class CatalogueReading(CatalogueIndex index, EventCodec codec, string path, string id)
{
    private const int TitleLength = 80;

    private readonly StringBuilder _message = new();
    private long _read;
    private long _messageAt; // the first piece of a message whose end has not been read
    private bool _isRunning;
    private int _waiting;
    private long _counted;
    private string? _prompted;

    public void Run(LogStamp stamp)
    {
        var entry = index.Entry(id) ?? new CatalogueEntry(New(stamp), 0);
        var summary = entry.Summary with { Bytes = stamp.Size, Problem = null };
        (_read, _isRunning, _waiting, _counted) = (entry.Read, entry.IsRunning, entry.Waiting, entry.Counted);
        _prompted = entry.Prompted;
        try
        {
            using var file = LogFile.Open(path, forWriting: false);
            if (!file.IsEmpty)
            {
                // A log that was salvaged, or replaced by a copy, may end before what we know of it.
                if (Math.Max(_read, _counted) is > 0 and var known && file.LastThrough(known)?.Number != known)
                {
                    index.Forget(id);
                    (summary, _read, _isRunning, _waiting, _counted) = (New(stamp), 0, false, 0, 0);
                    _prompted = null;
                }

                summary = Read(file, summary);
            }
        }
        catch (Exception broken) when (broken is DatabaseException or LogException or IOException)
        {
            summary = summary with { Problem = broken.Message };
        }

        var read = _messageAt > 0 ? _messageAt - 1 : _read; // the rest of the message is read with its beginning
        index.Set(new CatalogueEntry(summary, read, _isRunning, _waiting, _prompted, Math.Max(_read, _counted)), stamp);
    }

    private SessionSummary Read(LogFile file, SessionSummary summary)
    {
        while (file.Page(_read, long.MaxValue) is { Count: > 0 } rows)
        {
            foreach (var row in rows)
            {
                _read = row.Number;
                var envelope = codec.Decode(row);
                _waiting += _read > _counted ? Waits(envelope.Event) : 0;
                summary = Apply(summary with { UpdatedAt = envelope.At }, envelope.Event);
            }
        }

        return summary;
    }

    private SessionSummary Apply(SessionSummary summary, SessionEvent happened)
    {
        switch (happened)
        {
            case SessionOpened opened:
                return summary with { Workspace = opened.Workspace, Model = opened.Model, CreatedAt = summary.UpdatedAt };
            case ModelSelected selected:
                return summary with { Model = selected.Model };
            case SessionRenamed renamed:
                return summary with { Title = renamed.Name is { } name ? TerminalText.EscapeLine(name) : _prompted };
            case TurnStarted started:
                _isRunning = true;
                var prompt = string.Join('\n', started.Content.OfType<TextContent>().Select(text => text.Text));
                index.Add(id, _read, prompt);
                _prompted ??= Title(prompt);
                return summary with { Turns = summary.Turns + 1, Title = summary.Title ?? _prompted };
            case StepStarted or AttemptFailed:
                _message.Clear();
                _messageAt = 0;
                return summary;
            case TextPiece piece:
                _messageAt = _messageAt == 0 ? _read : _messageAt;
                _message.Append(piece.Text);
                return summary;
            case MessageCompleted or TurnEnded:
                _isRunning &= happened is not TurnEnded;
                if (_message.Length > 0)
                {
                    index.Add(id, _messageAt, _message.ToString());
                }

                _message.Clear();
                _messageAt = 0;
                return summary;
            default:
                return summary;
        }
    }

    /// <summary>How many more wait after it.</summary>
    private static int Waits(SessionEvent happened) =>
        happened switch
        {
            PromptQueued or SteeringReceived => 1,
            PromptWithdrawn or TurnStarted { QueuedAt: not null } => -1,
            SteeringTaken taken => -taken.Messages.Count,
            _ => 0,
        };

    private SessionSummary New(LogStamp stamp)
    {
        var changed = new DateTimeOffset(stamp.Changed, TimeSpan.Zero);
        return new SessionSummary(new SessionId(id), "", null, null, changed, changed, 0, stamp.Size);
    }

    private static string? Title(string prompt)
    {
        var line = prompt.AsSpan().Trim();
        line = line[..(line.IndexOfAny('\r', '\n') is >= 0 and var end ? end : line.Length)].TrimEnd();
        var title = TerminalText.EscapeLine(line[..Math.Min(line.Length, 4 * TitleLength)].ToString());
        if (title.Length > TitleLength)
        {
            var cut = char.IsHighSurrogate(title[TitleLength - 2]) ? TitleLength - 2 : TitleLength - 1;
            title = $"{title[..cut]}…";
        }

        return title.Length == 0 ? null : title;
    }
}
