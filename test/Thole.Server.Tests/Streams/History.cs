using System.Collections.Concurrent;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Server.Tests.Streams;

/// <summary>
/// One session and all that can befall it in one order that a seed gives: prompts, votes, interrupts, unloading, stops and deaths of its
/// daemon, while readers come and go. What each of them got is then held against the log.
/// </summary>
internal sealed class History : IAsyncDisposable
{
    private static readonly string[] s_words =
    [
        "a",
        "to be",
        "naïve ☕",
        "line\nbreak",
        "\r\n",
        "data: x",
        "\u2028",
        "𝄞",
        "\"\\",
    ];

    private readonly Random _random;
    private readonly TestHost _host;
    private readonly SessionId _session;
    private readonly List<Task> _asked = [];
    private readonly HistoryEnd _end = new();
    private int _prompts;

    private History(Random random, TestHost host, SessionId session) => (_random, _host, _session) = (random, host, session);

    /// <summary>Every prompt that was accepted, by its answer.</summary>
    public ConcurrentDictionary<string, string> Admitted { get; } = new();

    /// <summary>What nobody may ever see: an answer that fits nothing, a defect.</summary>
    public ConcurrentQueue<string> Wrong { get; } = new();

    public List<HistoryReader> Readers { get; } = [];

    public IReadOnlyList<Envelope> Events => _host.Events(_session);

    public static async Task<History> BeginAsync(int seed, HostOptions options)
    {
        var random = new Random(seed);
        var model = Model(new Random(random.Next()));
        var host = await TestHost.StartAsync(
            model,
            options with
            {
                Tools = static _ => [new TestTool("look", "seen"), new TestTool("change", new string('x', 3_000))],
                Judge = static tool => tool is "change" ? Verdict.Ask : Verdict.Allow,
                Window = random.Next(3) == 0 ? 1_024 : 64 * 1_024,
            }
        );
        return new History(random, host, await host.OpenAsync());
    }

    /// <param name="paths">The streams that readers read, <c>{id}</c> for the session.</param>
    /// <param name="overSockets">Whether they do so over sockets.</param>
    public async Task RunAsync(IReadOnlyList<string> paths, bool overSockets)
    {
        var readers = _random.Next(2, 5);
        for (var number = 0; number < readers; number++)
        {
            var path = paths[number % paths.Count].Replace("{id}", _session.Value);
            Readers.Add(new HistoryReader(_host, path, new Random(_random.Next()), overSockets, _end));
        }

        var reading = Task.WhenAll(Readers.Select(reader => reader.RunAsync()));
        for (var steps = _random.Next(4, 14); steps > 0; steps--)
        {
            await StepAsync();
            for (var pause = _random.Next(20); pause > 0; pause--)
            {
                await Task.Yield();
            }
        }

        await Task.WhenAll(_asked);
        await SettleAsync();
        _end.Set(Events[^1].Sequence);
        await reading;
        foreach (var path in paths)
        {
            var whole = new HistoryReader(_host, path.Replace("{id}", _session.Value), new Random(0), overSockets, _end)
            {
                IsPatient = true,
            };
            Readers.Add(whole);
            await whole.RunAsync(from: 0);
        }

        foreach (var defect in _host.Log.Where(line => !line.StartsWith("A vote of ", StringComparison.Ordinal))) // who comes too late is noted
        {
            Wrong.Enqueue($"the daemon says: {defect}");
        }
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task StepAsync()
    {
        switch (_random.Next(22))
        {
            case < 7:
                _asked.Add(PromptAsync($"p{++_prompts}", Words()));
                break;
            case 7:
                await Task.WhenAll(_asked);
                break;
            case 8 or 9:
                await AnswerAsync();
                break;
            case 10:
                await _host.SendAsync("POST", $"/session/{_session}/cancel");
                break;
            case 11:
                _asked.Add(SteerAsync($"s{++_prompts}", Words()));
                break;
            case 12:
                await _host.SendAsync("DELETE", $"/session/{_session}/pending-prompts/p{_random.Next(1, _prompts + 2)}");
                break;
            case 13:
                Check(
                    await _host.SendAsync(
                        "PATCH",
                        $"/session/{_session}/metadata",
                        $$"""{"displayName":"name {{_random.Next()}}"}"""
                    ),
                    200
                );
                break;
            case 14 or 15 or 16:
                await _host.Live.UnloadAsync(_session, CancellationToken.None);
                break;
            case 17 or 18:
                await _host.RestartAsync();
                break;
            case 19 or 20:
                await _host.RestartAsync(kill: true);
                break;
            default:
                await CloseAsync();
                break;
        }
    }

    /// <summary>A client that was not answered asks again, until it is.</summary>
    private async Task PromptAsync(string id, string text)
    {
        while (true)
        {
            var changed = _host.Changed;
            var answer = await _host.PromptAsync(_session, text, id);
            if (answer.Status == 202)
            {
                Admitted[id] = $"{answer.Text("promptId")} after {answer.Json.GetProperty("lastEventId")}";
                return;
            }

            if (answer is { Status: 503, Code: "prompt_queue_full" } or { Status: 404, Code: "session_not_found" })
            {
                return; // so it is: it was not accepted
            }

            if (answer is not ({ Status: 0 } or { Status: 503, Code: "daemon_draining" }))
            {
                Check(answer, 202);
                return;
            }

            await changed;
        }
    }

    private async Task SteerAsync(string id, string text)
    {
        var answer = await _host.SendAsync(
            "POST",
            $"/session/{_session}/mid-turn-message",
            $$"""{"message":{{System.Text.Json.JsonSerializer.Serialize(text)}},"messageId":"{{id}}"}"""
        );
        Check(answer, 200);
    }

    private async Task AnswerAsync()
    {
        foreach (var question in _host.Live.Find(_session)?.Questions ?? [])
        {
            Check(await _host.VoteAsync(_session, $"{_session}.{question.Call.Id}", _random.Next(2) == 0), 200);
        }
    }

    private async Task CloseAsync()
    {
        Check(await _host.SendAsync("DELETE", $"/session/{_session}"), 204);
        Check(await _host.SendAsync("POST", $"/session/{_session}/load", "{}"), 200);
        _host.Change();
    }

    /// <summary>Until nothing runs and nothing waits.</summary>
    private async Task SettleAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            Check(await _host.SendAsync("POST", $"/session/{_session}/load", "{}"), 200);
            if (_host.Live.Find(_session) is not { } status)
            {
                continue;
            }

            if (status is { Turn: null, Waiting: [], Steering: [] })
            {
                return;
            }

            await AnswerAsync();
            await foreach (var _ in _host.Life.Runtime.ReadAsync(_session, status.Latest, patience.Token))
            {
                break;
            }
        }
    }

    private void Check(Answer answer, int status)
    {
        var isFine =
            answer.Status == status
            || answer is { Status: 0 } or { Status: 503, Code: "daemon_draining" }
            || answer is { Status: 404, Code: "session_not_found" or "permission_not_pending" }
            || answer is { Status: 503, Code: "prompt_queue_full" };
        if (!isFine)
        {
            Wrong.Enqueue($"{answer.Status} {System.Text.Encoding.UTF8.GetString(answer.Body)}");
        }
    }

    private string Words() =>
        string.Join(' ', Enumerable.Range(0, _random.Next(1, 4)).Select(_ => s_words[_random.Next(s_words.Length)]));

    /// <summary>Says this and that, asks for tools now and then, and fails once in a while.</summary>
    private static ScriptedModel Model(Random random) =>
        new ScriptedModel().Otherwise(step =>
        {
            // Text and reasoning in turns: each change of these is an event of its own.
            for (var pieces = random.Next(12); pieces > 0; pieces--)
            {
                var text = s_words[random.Next(s_words.Length)];
                _ = pieces % 2 == 0 ? step.Text(text) : step.Reasoning(text);
            }

            switch (random.Next(8))
            {
                case 0:
                    step.Call("look").Call("change");
                    break;
                case 1 or 2:
                    step.Call(random.Next(2) == 0 ? "look" : "change");
                    break;
                case 3:
                    step.Fail(ModelFailure.InvalidRequest);
                    break;
            }
        });
}
