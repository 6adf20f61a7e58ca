using System.Text;
using Thole.Server.Tests.Hosting;

namespace Thole.Server.Tests.Streams;

/// <summary>The number of the last event, once it has happened.</summary>
internal sealed class HistoryEnd
{
    private readonly TaskCompletionSource _come = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Come => _come.Task;

    public long? Sequence { get; private set; }

    public void Set(long sequence)
    {
        Sequence = sequence;
        _come.SetResult();
    }
}

/// <summary>A reader that comes, reads a while, leaves, and comes back with the last number that it has seen.</summary>
/// <param name="path">Of the stream.</param>
internal sealed class HistoryReader(TestHost host, string path, Random random, bool overSockets, HistoryEnd end)
{
    /// <summary>Null where it wanted only what follows, and has not learned yet from where.</summary>
    public long? From { get; private set; }

    public string Path => path;

    /// <summary>Reads on and on.</summary>
    public bool IsPatient { get; init; }

    /// <summary>All that has a number, in the order in which it came.</summary>
    public List<Frame> Got { get; } = [];

    /// <summary>What it was told and could not believe.</summary>
    public List<string> Wrong { get; } = [];

    private long? Last => Got is [.., var newest] ? newest.Id : From;

    public async Task RunAsync(long? from = null)
    {
        From = from ?? (random.Next(4) == 0 ? null : await SomeCursorAsync());
        while (!IsDone())
        {
            var changed = host.Changed;
            if (await OpenAsync() is not { } tape)
            {
                await Task.WhenAny(changed, end.Come);
                continue;
            }

            await using (tape)
            {
                if (tape.Status == 200)
                {
                    await ReadAsync(tape);
                    continue;
                }

                var answer = await tape.AnswerAsync();
                if (answer is not ({ Code: "daemon_draining" } or { Code: "session_not_found" }))
                {
                    Wrong.Add($"{answer.Status} {Encoding.UTF8.GetString(answer.Body)}");
                    return;
                }
            }

            await Task.WhenAny(changed, end.Come);
        }
    }

    private bool IsDone() => Last >= end.Sequence;

    /// <summary>Any number that an event has by now, or 0.</summary>
    private async Task<long> SomeCursorAsync()
    {
        while (true)
        {
            var changed = host.Changed;
            var answer = await host.SendAsync("GET", $"/v1/sessions/{path.Split('/')[^2]}");
            if (answer.Status == 200)
            {
                return random.NextInt64(answer.Json.GetProperty("latest").GetInt64() + 1);
            }

            await Task.WhenAny(changed, end.Come);
        }
    }

    private async Task<SseTape?> OpenAsync()
    {
        // The state is asked for: where only what follows is wanted, it says what follows what.
        var request = new Request("GET", path.StartsWith("/session", StringComparison.Ordinal) ? $"{path}?snapshot=1" : path)
        {
            Headers = Last is { } cursor ? [("Last-Event-ID", $"{cursor}")] : [],
        };
        return await host.CallAsync(request, overSockets, host.Options.Window) is { } call ? new SseTape(call) : null;
    }

    private async Task ReadAsync(SseTape tape)
    {
        var left = IsPatient || random.Next(4) == 0 ? int.MaxValue : random.Next(1, 60);
        var isSlow = random.Next(3) == 0;
        while (left-- > 0)
        {
            var next = tape.NextAsync();
            if (await Task.WhenAny(next, end.Come) == end.Come && IsDone())
            {
                tape.Leave();
                await next;
                return;
            }

            if (await next is not { } frame)
            {
                return;
            }

            if (frame.Id is not null)
            {
                Got.Add(frame);
            }
            else if (From is null && frame.Is("session_snapshot"))
            {
                From = frame.Data.GetProperty("latestEventId").GetInt64();
            }
            else if (From is null && frame.Is("status"))
            {
                From = frame.Json.GetProperty("latest").GetInt64();
            }

            if (IsDone())
            {
                return;
            }

            for (var pause = isSlow ? random.Next(10) : 0; pause > 0; pause--)
            {
                await Task.Yield();
            }
        }
    }
}
