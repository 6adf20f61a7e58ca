using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Thole.Server.Tests.Hosting;

/// <summary>One event of a stream. Those with an <paramref name="Id"/> count; a comment has the type <c>:</c>.</summary>
internal sealed record Frame(long? Id, string Type, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);

    /// <summary>The <c>data</c> of a frame of the daemon protocol.</summary>
    public JsonElement Data => Json.GetProperty("data");

    public bool Is(string type) => Type == type;
}

/// <summary>
/// A stream as its client reads it, one event at a time and no further. It is a reader of its own, so that a mistake of ours in writing
/// is not undone by the same mistake in reading.
/// </summary>
internal sealed class SseTape(Call call) : IAsyncDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    private readonly StreamReader _text = new(call.Content, new UTF8Encoding(false), false, 4096, leaveOpen: true);
    private readonly CancellationTokenSource _patience = new(s_longest);
    private volatile bool _isLeft;

    public int Status => call.Status;

    public Call Call => call;

    /// <summary>All that came so far.</summary>
    public List<Frame> Frames { get; } = [];

    public IEnumerable<Frame> Numbered => Frames.Where(frame => frame.Id is not null);

    /// <summary>The cursor to come back with.</summary>
    public long? Last => Numbered.LastOrDefault()?.Id;

    /// <summary>The whole answer, where it is no stream.</summary>
    public Task<Answer> AnswerAsync() => call.ReadAsync(_patience.Token);

    /// <summary>Null where the stream has ended, or was cut.</summary>
    public async Task<Frame?> NextAsync()
    {
        string? id = null;
        string? type = null;
        List<string> data = [];
        while (await LineAsync() is { } line)
        {
            if (line is [':', .. var comment])
            {
                return Keep(new Frame(null, ":", comment.Trim()));
            }

            var colon = line.IndexOf(':');
            var (field, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].TrimStart(' '));
            switch (field)
            {
                case "id":
                    id = value;
                    break;
                case "event":
                    type = value;
                    break;
                case "data":
                    data.Add(value);
                    break;
                case "" when data is not []:
                    return Keep(
                        new Frame(
                            id is null ? null : long.Parse(id, CultureInfo.InvariantCulture),
                            type ?? "message",
                            string.Join('\n', data)
                        )
                    );
            }
        }

        return null;
    }

    /// <summary>The next that fits; what comes before it is on the tape.</summary>
    public async Task<Frame> UntilAsync(Func<Frame, bool> fits)
    {
        while (await NextAsync() is { } frame)
        {
            if (fits(frame))
            {
                return frame;
            }
        }

        throw new InvalidOperationException(
            $"The stream ended after {string.Join(' ', Frames.TakeLast(20).Select(frame => $"{frame.Type}/{frame.Id}"))}."
        );
    }

    public Task<Frame> UntilAsync(string type) => UntilAsync(frame => frame.Is(type));

    /// <summary>Reads to the end; fails where the stream does not end.</summary>
    public async Task<IReadOnlyList<Frame>> ToEndAsync()
    {
        while (await NextAsync() is not null) { }

        return Frames;
    }

    /// <summary>The connection ends here and now, as seen by the client: nothing more is taken from it.</summary>
    public void Leave()
    {
        _isLeft = true;
        call.Leave();
    }

    public async ValueTask DisposeAsync()
    {
        Leave();
        await call.DisposeAsync();
        _patience.Dispose();
    }

    private Frame? Keep(Frame frame)
    {
        if (_isLeft)
        {
            return null;
        }

        Frames.Add(frame);
        return frame;
    }

    private async ValueTask<string?> LineAsync()
    {
        if (_isLeft)
        {
            return null;
        }

        try
        {
            return await _text.ReadLineAsync(_patience.Token);
        }
        catch (Exception cut) when (cut is IOException or ObjectDisposedException)
        {
            return null;
        }
        catch (OperationCanceledException) when (_isLeft)
        {
            return null;
        }
    }
}
