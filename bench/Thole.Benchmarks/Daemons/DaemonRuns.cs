using System.Diagnostics;

namespace Thole.Benchmarks.Daemons;

/// <summary>What a client of the daemon feels, and what the daemon costs while nobody asks anything of it.</summary>
internal static class DaemonRuns
{
    private const int Chunks = 20_000;
    private const int Readers = 50;
    private const int SharedChunks = 2_000;
    private const int AtOnce = 20;
    private const string Ended = "\"turn_complete\"";

    public static async Task MeasureAsync(Workplace place, ModelScript model, int runs, Table table)
    {
        model.Say("Done.");
        await StartAsync(place, runs, table);
        await using var daemon = await RunningDaemon.StartAsync(place);
        await CreateAsync(daemon, runs * 10, table);
        await TurnsAsync(daemon, runs * 10, table);
        await LongTurnAsync(daemon, model, Math.Max(3, runs / 4), table);
        await ReadersAsync(daemon, model, Math.Max(3, runs / 4), table);
        await AtOnceAsync(daemon, model, Math.Max(3, runs / 4), table);
    }

    private static async Task StartAsync(Workplace place, int runs, Table table)
    {
        List<double> healthy = [];
        List<double> answered = [];
        List<double> cpu = [];
        List<double> idle = [];
        for (var run = 0; run <= runs; run++)
        {
            var began = Stopwatch.GetTimestamp();
            await using var daemon = await RunningDaemon.StartAsync(place);
            await daemon.HealthAsync();
            healthy.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            cpu.Add(daemon.Cpu.TotalMilliseconds);
            idle.Add(daemon.RssMiB);
            var session = await daemon.CreateAsync();
            using var reader = await DaemonReader.OpenAsync(daemon, $"/session/{session}/events", 0);
            await daemon.PromptAsync(session);
            await reader.UntilAsync(Ended);
            answered.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        // The first run pays for cold caches of the disk.
        table.Add(
            "daemon: spawn to healthy; idle RSS",
            runs,
            Spread.Of(healthy.Skip(1)),
            Spread.Of(cpu.Skip(1)),
            Spread.Of(idle.Skip(1)),
            "120 ms, 45 MiB"
        );
        table.Add("daemon: spawn to first answer done", runs, Spread.Of(answered.Skip(1)), null, null, "200 ms");
    }

    private static async Task CreateAsync(RunningDaemon daemon, int runs, Table table)
    {
        await daemon.CreateAsync();
        List<double> wall = [];
        var before = daemon.Cpu;
        for (var run = 0; run < runs; run++)
        {
            var began = Stopwatch.GetTimestamp();
            await daemon.CreateAsync();
            wall.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        table.Add(
            "session create",
            runs,
            Spread.Of(wall),
            Spread.Of([(daemon.Cpu - before).TotalMilliseconds / runs]),
            null,
            "3 ms"
        );
    }

    private static async Task TurnsAsync(RunningDaemon daemon, int runs, Table table)
    {
        var session = await daemon.CreateAsync();
        using var reader = await DaemonReader.OpenAsync(daemon, $"/session/{session}/events", 0);
        await daemon.PromptAsync(session);
        await reader.UntilAsync(Ended);
        List<double> wall = [];
        var before = daemon.Cpu;
        for (var run = 0; run < runs; run++)
        {
            var began = Stopwatch.GetTimestamp();
            await daemon.PromptAsync(session);
            await reader.UntilAsync(Ended);
            wall.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        table.Add(
            "instant turn done",
            runs,
            Spread.Of(wall),
            Spread.Of([(daemon.Cpu - before).TotalMilliseconds / runs]),
            null,
            "10 ms, 8 CPU ms"
        );
    }

    private static async Task LongTurnAsync(RunningDaemon daemon, ModelScript model, int runs, Table table)
    {
        model.Say(string.Concat(Enumerable.Repeat("word ", Chunks)));
        var (wall, cpu) = await RepeatAsync(daemon, runs, readers: 1, Chunks);
        table.Add("a turn of 20,000 chunks, read as it comes", runs, wall, cpu, null, "170 ms, 250 CPU ms");
    }

    private static async Task ReadersAsync(RunningDaemon daemon, ModelScript model, int runs, Table table)
    {
        model.Say(string.Concat(Enumerable.Repeat("word ", SharedChunks)));
        var (wall, cpu) = await RepeatAsync(daemon, runs, Readers, SharedChunks);
        table.Add("50 readers of a turn of 2,000 chunks, all of it to all", runs, wall, cpu, null, "200 ms, none cut");
    }

    private static async Task<(Spread Wall, Spread Cpu)> RepeatAsync(RunningDaemon daemon, int runs, int readers, int chunks)
    {
        List<double> wall = [];
        List<double> cpu = [];
        for (var run = 0; run <= runs; run++)
        {
            var session = await daemon.CreateAsync();
            var open = await Task.WhenAll(
                Enumerable.Range(0, readers).Select(_ => DaemonReader.OpenAsync(daemon, $"/session/{session}/events", 0))
            );
            var (began, before) = (Stopwatch.GetTimestamp(), daemon.Cpu);
            var reading = Task.WhenAll(open.Select(reader => Task.Run(() => reader.UntilAsync(Ended))));
            await daemon.PromptAsync(session);
            var counts = await reading;
            wall.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            cpu.Add((daemon.Cpu - before).TotalMilliseconds);
            if (counts.Any(count => count != chunks) || open.Any(reader => reader.Gaps > 0))
            {
                throw new InvalidOperationException($"A reader missed something: {string.Join(' ', counts)}.");
            }

            Array.ForEach(open, static reader => reader.Dispose());
        }

        return (Spread.Of(wall.Skip(1)), Spread.Of(cpu.Skip(1)));
    }

    private static async Task AtOnceAsync(RunningDaemon daemon, ModelScript model, int runs, Table table)
    {
        model.SayAfter(TimeSpan.FromMilliseconds(500), "Done.");
        List<double> wall = [];
        for (var run = 0; run <= runs; run++)
        {
            var sessions = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => daemon.CreateAsync()));
            var readers = await Task.WhenAll(
                sessions.Select(session => DaemonReader.OpenAsync(daemon, $"/session/{session}/events", 0))
            );
            var began = Stopwatch.GetTimestamp();
            await Task.WhenAll(
                sessions
                    .Zip(readers)
                    .Select(async pair =>
                    {
                        await daemon.PromptAsync(pair.First);
                        await pair.Second.UntilAsync(Ended);
                    })
            );
            wall.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            Array.ForEach(readers, static reader => reader.Dispose());
        }

        model.Say("Done.");
        table.Add("20 sessions at once, model takes 500 ms", runs, Spread.Of(wall.Skip(1)), null, null, "560 ms");
    }
}
