using System.Globalization;

namespace Thole.Benchmarks;

/// <summary>What a person at a shell feels: the whole program from its start to its end.</summary>
internal static class HeadlessRuns
{
    public const int ManyRounds = 11;
    private const int Chunks = 20_000;

    public static void Measure(Workplace place, ModelScript model, int runs, Table table)
    {
        table.Add("`thole --version`", Measurement.Of(runs, watch => place.Run(watch, place.Repository, "--version")), "");

        model.Say("Done.");
        var before = model.Server.Requests.Count;
        var oneShot = Measurement.Of(runs, watch => Prompt(place, watch));
        var request = model.Server.Requests[before];
        table.Add("headless one-shot, instant model", oneShot, "130 ms, 120 CPU ms, 60 MiB");
        table.Add(
            "first model request",
            $"{request.Body.Length.ToString("N0", CultureInfo.InvariantCulture)} bytes",
            "10,000 bytes"
        );

        MeasureRound(place, model, runs, table);

        model.Say(string.Concat(Enumerable.Repeat("word ", Chunks)));
        var stream = Measurement.Of(Math.Max(3, runs / 4), watch => Prompt(place, watch));
        table.Add($"a turn of {Chunks.ToString("N0", CultureInfo.InvariantCulture)} chunks", stream, "170 ms, 250 CPU ms");
    }

    public static ChildRun Prompt(Workplace place, bool watchMemory, string? folder = null) =>
        place.Run(watchMemory, folder ?? place.Repository, "-p", "Say that you are done.", "--approval-mode", "yolo");

    /// <summary>Each round reads another file: a call made twice is no progress, and would be stopped as such.</summary>
    private static IEnumerable<(string, string)> Rounds(int count) =>
        Enumerable.Range(1, count).Select(number => ("read_file", $$"""{"file_path":"src/file{{number}}.txt"}"""));

    /// <summary>A short and a long turn, one after the other, so that both meet the same weather; the difference is the rounds.</summary>
    private static void MeasureRound(Workplace place, ModelScript model, int runs, Table table)
    {
        var pairs = new (ChildRun Short, ChildRun Long)[runs];
        foreach (ref var pair in pairs.AsSpan())
        {
            model.Say("Done.", Rounds(1));
            pair.Short = Prompt(place, watchMemory: false);
            model.Say("Done.", Rounds(ManyRounds));
            pair.Long = Prompt(place, watchMemory: false);
        }

        const int More = ManyRounds - 1;
        table.Add(
            $"one tool round (read a file): a tenth of {ManyRounds} rounds less 1",
            runs,
            Spread.Of(pairs.Select(pair => (pair.Long.Wall - pair.Short.Wall).TotalMilliseconds / More)),
            Spread.Of(pairs.Select(pair => (pair.Long.Cpu - pair.Short.Cpu).TotalMilliseconds / More)),
            null,
            "2 ms"
        );
    }
}
