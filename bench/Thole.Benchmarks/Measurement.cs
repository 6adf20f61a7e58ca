namespace Thole.Benchmarks;

/// <summary>The cost of a program over several runs: milliseconds and MiB.</summary>
internal sealed record Measurement(int Runs, Spread Wall, Spread Cpu, Spread? PeakRss)
{
    // Memory hardly varies, and watching it disturbs the clock: a few runs of their own.
    private const int MemoryRuns = 3;

    /// <param name="run">Runs the program once; told whether its memory is to be watched.</param>
    public static Measurement Of(int runs, Func<bool, ChildRun> run)
    {
        run(false); // the first run pays for cold caches of the disk
        ChildRun[] timed = [.. Enumerable.Range(0, runs).Select(_ => run(false))];
        ChildRun[] watched = OperatingSystem.IsLinux() ? [.. Enumerable.Range(0, MemoryRuns).Select(_ => run(true))] : [];
        return new Measurement(
            runs,
            Spread.Of(timed.Select(one => one.Wall.TotalMilliseconds)),
            Spread.Of(timed.Select(one => one.Cpu.TotalMilliseconds)),
            watched is [] ? null : Spread.Of(watched.Select(one => one.PeakRss / 1048576.0))
        );
    }
}
