using System.Globalization;

namespace Thole.Benchmarks;

/// <summary>The least, the middle and the most of several runs.</summary>
internal sealed record Spread(double Min, double Median, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return new Spread(
            sorted[0],
            sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
            sorted[^1]
        );
    }

    public override string ToString() => $"{Short(Min)} / **{Short(Median)}** / {Short(Max)}";

    private static string Short(double value) => value.ToString(Math.Abs(value) < 10 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
