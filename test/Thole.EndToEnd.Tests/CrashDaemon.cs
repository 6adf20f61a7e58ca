using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// A daemon of the real program, traced where a test wants it so, that dies and is started again, and clients that are used to that: who
/// is not answered asks again, who is cut off comes back with the last number it has seen.
/// </summary>
internal sealed class CrashDaemon(CrashProgram program, ScriptedModelServer model, params string[] flags) : IAsyncDisposable
{
    private const string Announcement = "thole serve listening on ";

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private Process? _process;
    private bool _isAsked;
    private int _number;
    private TaskCompletionSource<Life> _life = NewSource();

    /// <summary>One process that listens.</summary>
    internal sealed record Life(int Number, Uri Address, int Process, CancellationTokenSource Ended);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public Task<Life> LifeAsync => Volatile.Read(ref _life).Task.WaitAsync(Now);

    /// <param name="before">Words before the program: strace and what it shall do.</param>
    /// <returns>False where it died before it listened.</returns>
    public async Task<bool> StartAsync(params string[] before)
    {
        _process = program.Start(model.BaseAddress, before, ["serve", "--port", "0", "--rate-limit", "0", .. flags]);
        _ = _process.StandardError.ReadToEndAsync(Now);
        while (await _process.StandardOutput.ReadLineAsync(Now) is { } line)
        {
            if (line.StartsWith(Announcement, StringComparison.Ordinal))
            {
                var address = new Uri(line[Announcement.Length..].Split(' ')[0]);
                try
                {
                    using var status = await SendAsync(address, HttpMethod.Get, "/daemon/status", null, Now);
                    var process = (await JsonAsync(status)).GetProperty("daemon").GetProperty("pid").GetInt32();
                    _life.SetResult(new Life(_number++, address, process, new CancellationTokenSource()));
                    return true;
                }
                catch (HttpRequestException)
                {
                    break; // it died at once
                }
            }
        }

        await _process.WaitForExitAsync(Now);
        return false;
    }

    /// <summary>Completes when it is dead; what is asked from now on waits for the next.</summary>
    public async Task DeadAsync()
    {
        await _process!.WaitForExitAsync(Now);
        if (Volatile.Read(ref _life) is { Task.IsCompletedSuccessfully: true } ended)
        {
            Volatile.Write(ref _life, NewSource());
            await (await ended.Task).Ended.CancelAsync();
        }
    }

    /// <summary>Starts it again once it has died of what strace did to it.</summary>
    public async Task StartWhenDeadAsync()
    {
        await DeadAsync();
        if (!_isAsked)
        {
            await StartAsync();
        }
    }

    /// <param name="name">KILL, or TERM.</param>
    public async Task SignalAsync(string name)
    {
        var life = await LifeAsync;
        _isAsked = true;
        using var kill = Process.Start("kill", [$"-{name}", life.Process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Now);
        await DeadAsync();
    }

    /// <summary>Asks until there is an answer.</summary>
    public async Task<JsonElement> AskAsync(HttpMethod method, string target, string? body = null, params int[] fine)
    {
        while (true)
        {
            var life = await LifeAsync;
            try
            {
                using var answer = await SendAsync(life.Address, method, target, body, life.Ended.Token);
                if ((int)answer.StatusCode is 200 or 202 or 204 || fine.Contains((int)answer.StatusCode))
                {
                    return await JsonAsync(answer);
                }

                if ((int)answer.StatusCode != 503)
                {
                    throw new InvalidOperationException(
                        $"{method} {target}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Now)}"
                    );
                }
            }
            catch (Exception cut) when (IsCut(cut))
            {
                await GoneAsync(life);
            }
        }
    }

    public async Task<string> OpenAsync() =>
        (await AskAsync(HttpMethod.Post, "/session", """{"sessionScope":"thread"}""")).GetProperty("sessionId").GetString()!;

    public Task<JsonElement> PromptAsync(string session, string text, string id) =>
        AskAsync(
            HttpMethod.Post,
            $"/session/{session}/prompt",
            $$"""{"prompt":[{"type":"text","text":"{{text}}"}],"promptId":"{{id}}"}"""
        );

    /// <summary>Everything after a number, from one process to the next, until an event is the last that is wanted.</summary>
    /// <param name="path">Of the stream.</param>
    /// <param name="after">The first cursor; null for only what follows.</param>
    /// <param name="got">Where what comes is kept.</param>
    /// <param name="isLast">Asked of each, in the order in which they come.</param>
    public async Task ReadAsync(string path, long? after, DaemonTape got, Func<TapeFrame, bool> isLast)
    {
        while (true)
        {
            var life = await LifeAsync;
            try
            {
                using var request = Request(life.Address, HttpMethod.Get, path);
                if ((got.Last ?? after) is { } cursor)
                {
                    request.Headers.Add("Last-Event-ID", cursor.ToString(CultureInfo.InvariantCulture));
                }

                using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, life.Ended.Token);
                answer.EnsureSuccessStatusCode();
                await using var body = await answer.Content.ReadAsStreamAsync(Now);
                if (await got.ReadAsync(body, isLast, Now))
                {
                    return;
                }
            }
            catch (Exception cut) when (IsCut(cut)) { }

            got.Cuts++;
            await GoneAsync(life);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        _client.Dispose();
    }

    /// <summary>Whoever was cut off waits until the process is known to be gone: there is nobody to come back to before.</summary>
    private static async Task GoneAsync(Life life)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var ended = life.Ended.Token.Register(gone.SetResult);
        await gone.Task.WaitAsync(Now);
    }

    private async Task<HttpResponseMessage> SendAsync(
        Uri address,
        HttpMethod method,
        string target,
        string? body,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(address, method, target);
        if (body is not null)
        {
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        }

        return await _client.SendAsync(request, cancellationToken);
    }

    private HttpRequestMessage Request(Uri address, HttpMethod method, string target)
    {
        var token = File.ReadAllText(Path.Join(program.Home, "access", "owner-token")).Trim();
        return new HttpRequestMessage(method, new Uri(address, target))
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) =>
        await answer.Content.ReadAsStringAsync(Now) is { Length: > 0 } text ? JsonElement.Parse(text) : default;

    private static bool IsCut(Exception failure) =>
        failure is HttpRequestException { StatusCode: null } or IOException
        || (failure is OperationCanceledException && !Now.IsCancellationRequested);

    private static TaskCompletionSource<Life> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>An event of a stream.</summary>
internal sealed record TapeFrame(long? Id, string Type, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);

    /// <summary>The prompt whose end it tells, in either dialect; null where it tells of none.</summary>
    public string? EndOf =>
        Type is "turn_complete" or "turn_error" ? Json.GetProperty("data").GetProperty("promptId").GetString()
        : Type is "event"
        && Json.GetProperty("event") is var happened
        && happened.GetProperty("type").GetString() is "turn_ended" or "prompt_withdrawn"
            ? happened.GetProperty("prompt").GetString()
        : null;
}

/// <summary>All that one reader was given, over all its connections.</summary>
internal sealed class DaemonTape
{
    private readonly Lock _lock = new();
    private readonly List<TapeFrame> _frames = [];
    private (int Count, TaskCompletionSource Come)? _waiting;

    public IReadOnlyList<TapeFrame> Frames
    {
        get
        {
            lock (_lock)
            {
                return [.. _frames];
            }
        }
    }

    public IEnumerable<long> Numbers => Frames.Select(frame => frame.Id).OfType<long>();

    public long? Last => Numbers.Cast<long?>().LastOrDefault();

    /// <summary>How often its connection ended.</summary>
    public int Cuts { get; set; }

    /// <summary>Completes when it was given so many.</summary>
    public Task CountAsync(int count)
    {
        lock (_lock)
        {
            if (_frames.Count >= count)
            {
                return Task.CompletedTask;
            }

            var come = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting = (count, come);
            return come.Task;
        }
    }

    /// <returns>False where the stream ended before the last that is wanted.</returns>
    public async Task<bool> ReadAsync(Stream body, Func<TapeFrame, bool> isLast, CancellationToken cancellationToken)
    {
        using var text = new StreamReader(body, new UTF8Encoding(false));
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await text.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
            {
                var colon = line.IndexOf(':');
                var value = line[(colon + 1)..].TrimStart(' ');
                fields[line[..colon]] = fields.TryGetValue(line[..colon], out var before) ? $"{before}\n{value}" : value;
                continue;
            }

            if (fields.TryGetValue("data", out var data))
            {
                var frame = new TapeFrame(
                    fields.TryGetValue("id", out var id) ? long.Parse(id, CultureInfo.InvariantCulture) : null,
                    fields["event"],
                    data
                );
                Keep(frame);
                if (isLast(frame))
                {
                    return true;
                }
            }

            fields.Clear();
        }

        return false;
    }

    private void Keep(TapeFrame frame)
    {
        lock (_lock)
        {
            _frames.Add(frame);
            if (_waiting is { } waiting && _frames.Count >= waiting.Count)
            {
                _waiting = null;
                waiting.Come.SetResult();
            }
        }
    }
}
