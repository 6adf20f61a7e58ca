using Thole.Core.Log;
using Thole.Core.Permissions;
using Thole.Protocol;
using Thole.Server.Tests.Hosting;
using Thole.Testing;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Server.Tests.Streams;

/// <summary>What the memory of this process tells is true only while nobody else works in it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>P14, S60: how much is held for readers that never read.</summary>
[Collection(nameof(Alone))]
public sealed class ReaderMemorySpecs
{
    private const int Readers = 20;

    [Fact]
    public async Task P14_less_than_two_megabytes_for_each_who_is_stuck_while_much_happens()
    {
        await using var host = await TestHost.StartAsync(Scripts.Counting(20_000));
        var session = await host.OpenAsync();
        List<SseTape> stuck = [];
        foreach (var stream in Streams(session))
        {
            var request = new Request("GET", stream) { ReceiveBuffer = 4_096, Headers = [("Last-Event-ID", "0")] };
            stuck.Add(await host.TapeAsync(request, overSocket: true));
        }

        await HappenAsync(host, session, "count");

        await HoldsLittleAsync(host, stuck);
    }

    [Fact]
    public async Task P14_and_for_each_who_is_stuck_in_the_past_where_every_result_is_as_long_as_they_come()
    {
        using var folder = new TempFolder();
        var number = 0;
        await using var host = await TestHost.StartAsync(
            LookingAround(times: 300),
            new HostOptions
            {
                Disk = new SqliteEventStore(folder.Path, TimeProvider.System, BootId.Read, EventUpgrades.All),
                Tools = _ => [new TestTool("look", (_, _) => Task.FromResult(ToolResult.Ok(Large(++number))))],
                Judge = static _ => Verdict.Allow,
            }
        );
        var session = await host.OpenAsync();
        await HappenAsync(host, session, "look around");
        List<SseTape> stuck = [];
        foreach (var stream in Streams(session))
        {
            stuck.Add(await host.ReadAsync(stream, after: 0));
            while (((MemoryCall)stuck[^1].Call).Waiting < host.Options.Window)
            {
                await Task.Yield(); // it has begun a moment ago
            }
        }

        await HoldsLittleAsync(host, stuck);

        static string Large(int number) => $"{number} {new string('x', 24_000)}";
    }

    /// <summary>The same daemon with and without those who are stuck: what goes with them was held for them.</summary>
    private static async Task HoldsLittleAsync(TestHost host, List<SseTape> stuck)
    {
        var with = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var tape in stuck)
        {
            await tape.DisposeAsync();
        }

        stuck.Clear();
        while (await ReadersAsync(host) > 0)
        {
            await Task.Yield();
        }

        var without = GC.GetTotalMemory(forceFullCollection: true);
        TestContext.Current.SendDiagnosticMessage($"{(with - without) / Readers / 1024} KiB for each of {Readers}");
        Assert.InRange((with - without) / Readers, long.MinValue, 2 * 1024 * 1024);
        Assert.Empty(host.Log);
    }

    private static IEnumerable<string> Streams(SessionId session) =>
        Enumerable
            .Range(0, Readers)
            .Select(number => number % 2 == 0 ? $"/session/{session}/events" : $"/v1/sessions/{session}/events");

    /// <summary>Calls so many tools, one after the other.</summary>
    private static ScriptedModel LookingAround(int times)
    {
        var model = new ScriptedModel();
        for (var step = 0; step < times; step++)
        {
            var path = $$"""{"path":"{{step}}"}""";
            model.Step(asked => asked.Call("look", path));
        }

        return model.Step(asked => asked.Text("done"));
    }

    /// <summary>A whole turn, which one who reads gets to its end.</summary>
    private static async Task HappenAsync(TestHost host, SessionId session, string text)
    {
        await using var reader = await host.ReadAsync(session, after: 0, overSocket: true);
        (await host.PromptAsync(session, text)).Expect(202);
        await reader.UntilAsync("turn_complete");
    }

    private static async Task<int> ReadersAsync(TestHost host) =>
        (await host.SendAsync("GET", "/daemon/status")).Expect(200).Json.GetProperty("runtime").GetProperty("readers").GetInt32();
}
