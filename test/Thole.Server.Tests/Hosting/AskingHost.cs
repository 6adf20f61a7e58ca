using Thole.Core.Permissions;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing.Sessions;

namespace Thole.Server.Tests.Hosting;

/// <summary>A daemon whose model asks for a tool in every turn, which counts how often it was run, over all processes.</summary>
internal static class AskingHost
{
    /// <summary>How often the tool had an effect.</summary>
    internal sealed class Counter
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public IReadOnlyList<ITool> Tools(ProcessLife process) =>
            [
                new TestTool(
                    "change",
                    async (_, cancellationToken) =>
                    {
                        if (!process.TryDo(() => Interlocked.Increment(ref _count)))
                        {
                            await Task.Delay(Timeout.Infinite, cancellationToken); // the dead say nothing
                        }

                        return ToolResult.Ok("changed");
                    }
                ),
            ];
    }

    public static async Task<(TestHost Host, Counter Effects)> StartAsync(
        Func<SessionOptions, SessionOptions>? sessions = null,
        Func<HostOptions, HostOptions>? options = null
    )
    {
        var effects = new Counter();
        var all = new HostOptions { Tools = effects.Tools, Judge = static _ => Verdict.Ask };
        all = all with { Sessions = sessions?.Invoke(all.Sessions) ?? all.Sessions };
        return (await TestHost.StartAsync(Scripts.Calling("change"), options?.Invoke(all) ?? all), effects);
    }

    /// <summary>Begins a turn and waits until it asks; the name of the question.</summary>
    public static async Task<string> AskAsync(this TestHost host, SessionId session, string token = TestTokens.Owner)
    {
        await using var tape = await host.ReadAsync(session, host.Events(session)[^1].Sequence);
        (await host.PromptAsync(session, "go", token: token)).Expect(202);
        return (await tape.UntilAsync("permission_request")).Data.GetProperty("requestId").GetString()!;
    }

    /// <summary>Everything after that number, up to the end of a turn.</summary>
    public static async Task<IReadOnlyList<Frame>> ToTurnEndAsync(this TestHost host, SessionId session, long after = 0)
    {
        await using var tape = await host.ReadAsync(session, after);
        await tape.UntilAsync(frame => frame.Type is "turn_complete" or "turn_error");
        return tape.Frames;
    }

    /// <summary>That identity is there.</summary>
    public static async Task AttendAsync(this TestHost host, SessionId session, params string[] tokens)
    {
        foreach (var token in tokens)
        {
            var here = await host.SendAsync(new Request("POST", $"/session/{session}/heartbeat") { Token = token });
            here.Expect(200);
        }
    }
}
