using System.Runtime.InteropServices;

namespace Thole.Benchmarks;

/// <summary>Which machine, and how busy it was: figures mean nothing without it.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var processor = Line("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        var load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
        return $"{Environment.ProcessorCount} × {processor}, {memory} GiB, {RuntimeInformation.OSDescription}, load {load} at the start";
    }

    private static string? Line(string file, string name) =>
        File.Exists(file)
            ? File.ReadLines(file)
                .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
                ?.Split(':', 2)[1]
                .Trim()
            : null;
}
