namespace Thole.Benchmarks;

/// <summary>Prints what was measured as a Markdown table, a line as soon as it is known.</summary>
internal sealed class Table(TextWriter output)
{
    public void Begin()
    {
        output.WriteLine("Each cell: least / **median** / most.");
        output.WriteLine();
        output.WriteLine("| figure | runs | wall ms | CPU ms | peak RSS MiB | aim |");
        output.WriteLine("|---|---|---|---|---|---|");
    }

    /// <param name="aim">What promises we measure ourselves by; empty where there is none.</param>
    public void Add(string figure, int runs, Spread? wall, Spread? cpu, Spread? rss, string aim)
    {
        output.WriteLine($"| {figure} | {runs} | {Cell(wall)} | {Cell(cpu)} | {Cell(rss)} | {aim} |");
        output.Flush();
    }

    public void Add(string figure, Measurement measured, string aim) =>
        Add(figure, measured.Runs, measured.Wall, measured.Cpu, measured.PeakRss, aim);

    /// <summary>A figure that is counted, not timed.</summary>
    public void Add(string figure, string counted, string aim) =>
        output.WriteLine($"| {figure} | - | {counted} | - | - | {aim} |");

    private static string Cell(Spread? spread) => spread?.ToString() ?? "-";
}
