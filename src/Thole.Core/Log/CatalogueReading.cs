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

    public void Run(LogStamp stamp)
    {
        var entry = index.Entry(id) ?? new CatalogueEntry(New(stamp), 0);
        var summary = entry.Summary with { Bytes = stamp.Size, Problem = null };
        (_read, _isRunning, _waiting) = (entry.Read, entry.IsRunning, entry.Waiting);
        try
        {
            using var file = LogFile.Open(path, forWriting: false);
            if (!file.IsEmpty)
            {
                // A log that was salvaged, or replaced by a copy, may end before what we know of it.
                if (_read > 0 && file.LastThrough(_read)?.Number != _read)
                {
                    index.Forget(id);
                    (summary, _read, _isRunning, _waiting) = (New(stamp), 0, false, 0);
                }

                summary = Read(file, summary);
            }
        }
        catch (Exception broken) when (broken is DatabaseException or LogException or IOException)
        {
            summary = summary with { Problem = broken.Message };
        }

        index.Set(new CatalogueEntry(summary, _messageAt > 0 ? _messageAt - 1 : _read, _isRunning, _waiting), stamp);
    }

    private SessionSummary Read(LogFile file, SessionSummary summary)
    {
        while (file.Page(_read, long.MaxValue) is { Count: > 0 } rows)
        {
            foreach (var row in rows)
            {
                _read = row.Number;
                var envelope = codec.Decode(row);
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
                return summary with { Title = renamed.Name };
            case PromptQueued or SteeringReceived:
                _waiting++;
                return summary;
            case PromptWithdrawn:
                _waiting--;
                return summary;
            case SteeringTaken taken:
                _waiting -= taken.Messages.Count;
                return summary;
            case TurnStarted started:
                _isRunning = true;
                _waiting -= started.QueuedAt is null ? 0 : 1;
                var prompt = string.Join('\n', started.Content.OfType<TextContent>().Select(text => text.Text));
                index.Add(id, _read, prompt);
                return summary with { Turns = summary.Turns + 1, Title = summary.Title ?? Title(prompt) };
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
