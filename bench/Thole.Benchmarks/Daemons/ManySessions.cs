using System.Globalization;

namespace Thole.Benchmarks.Daemons;

/// <summary>What a thousand sessions cost: at rest, unloaded, and with two readers each while some of them work.</summary>
internal static class ManySessions
{
    private const int Resting = 200;
    private const int Sessions = 1_000;
    private const int ReadersEach = 2;
    private const int Turns = 300;

    public static async Task MeasureAsync(Workplace place, ModelScript model, Table table)
    {
        model.Say("Done.");
        await RestAsync(place, table);
        await ReadAsync(place, table);
    }

    private static async Task RestAsync(Workplace place, Table table)
    {
        await using var daemon = await RunningDaemon.StartAsync(place, "--session-idle-seconds", "5");
        for (var warm = 0; warm < Resting; warm++)
        {
            await TurnAsync(daemon);
        }

        await UntilAsync(() => daemon.OpenFiles < 100);
        var (before, files) = (daemon.RssMiB, daemon.OpenFiles);
        for (var session = 0; session < Resting; session++)
        {
            await TurnAsync(daemon);
        }

        var loaded = (daemon.RssMiB - before) / Resting;
        await UntilAsync(() => daemon.OpenFiles <= files + 2);
        var unloaded = (daemon.RssMiB - before) / Resting;
        table.Add(
            "an added idle session: open; unloaded",
            string.Create(CultureInfo.InvariantCulture, $"{loaded:0.000} MiB; {Math.Max(0, unloaded):0.000} MiB"),
            "0.1 MiB"
        );
    }

    private static async Task ReadAsync(Workplace place, Table table)
    {
        await using var daemon = await RunningDaemon.StartAsync(place, "--max-sessions", "0");
        var before = daemon.RssMiB;
        List<string> sessions = [];
        for (var session = 0; session < Sessions; session++)
        {
            sessions.Add(await daemon.CreateAsync());
        }

        var readers = new List<DaemonReader>[Sessions];
        for (var session = 0; session < Sessions; session++)
        {
            readers[session] = [];
            for (var reader = 0; reader < ReadersEach; reader++)
            {
                readers[session].Add(await DaemonReader.OpenAsync(daemon, $"/v1/sessions/{sessions[session]}/events", 1));
            }
        }

        var each = (daemon.RssMiB - before) / Sessions;
        var cpu = daemon.Cpu;
        foreach (var turn in Enumerable.Range(0, Turns).Chunk(10))
        {
            await Task.WhenAll(
                turn.Select(async number =>
                {
                    var session = number * 7 % Sessions;
                    await daemon.PromptAsync(sessions[session]);
                    await Task.WhenAll(readers[session].Select(reader => reader.UntilAsync("\"turn_ended\"")));
                })
            );
        }

        var delays = readers.SelectMany(all => all).SelectMany(reader => reader.Delays).Order().ToList();
        var perTurn = (daemon.Cpu - cpu).TotalMilliseconds / Turns;
        table.Add(
            $"{Sessions:N0} sessions, {Sessions * ReadersEach:N0} readers: a session with its readers",
            string.Create(CultureInfo.InvariantCulture, $"{each:0.00} MiB"),
            "0.5 MiB"
        );
        table.Add(
            "the same, ten turns at once: event to reader, median, p99; CPU a turn",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{delays[delays.Count / 2]:0.0} ms, {delays[delays.Count * 99 / 100]:0} ms; {perTurn:0.0} ms"
            ),
            "p99 100 ms"
        );
        foreach (var reader in readers.SelectMany(all => all))
        {
            reader.Dispose();
        }
    }

    private static async Task TurnAsync(RunningDaemon daemon)
    {
        var session = await daemon.CreateAsync();
        using var reader = await DaemonReader.OpenAsync(daemon, $"/session/{session}/events", 0);
        await daemon.PromptAsync(session);
        await reader.UntilAsync("\"turn_complete\"");
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }
}
