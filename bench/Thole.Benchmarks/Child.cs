using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Thole.Benchmarks;

/// <summary>What one run of a program cost. <paramref name="PeakRss"/> is in bytes, 0 where it was not watched.</summary>
internal sealed record ChildRun(TimeSpan Wall, TimeSpan Cpu, long PeakRss);

/// <summary>Runs a program to its end and says what it cost, with the kernel's own account of its processor time.</summary>
internal static partial class Child
{
    private const int Write = 1;
    private const int Create = 0x40;
    private const int Truncate = 0x200;

    /// <param name="environment">Added to ours.</param>
    /// <param name="watchMemory">
    /// Reads the high-water mark while it runs. The kernel's account at the end will not do: it starts from the memory of whoever
    /// spawned it. Watching costs a little time, so what is timed is not watched.
    /// </param>
    public static ChildRun Run(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        IReadOnlyDictionary<string, string> environment,
        bool watchMemory
    )
    {
        var said = Path.Combine(Path.GetTempPath(), $"thole-bench-{Environment.ProcessId}.err");
        var started = Stopwatch.GetTimestamp();
        var child = Start(program, arguments, folder, environment, said);
        var peak = watchMemory ? WatchMemory(child) : 0;
        Usage usage;
        int status;
        while (Wait(child, out status, 0, out usage) < 0)
        {
            if (Marshal.GetLastPInvokeError() != 4) // EINTR
            {
                throw new InvalidOperationException($"The process {child} cannot be waited for.");
            }
        }

        var wall = Stopwatch.GetElapsedTime(started);
        if (status != 0)
        {
            throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with status {status >> 8}: {File.ReadAllText(said).Trim()}"
            );
        }

        File.Delete(said);
        return new ChildRun(wall, usage.User + usage.System, peak);
    }

    private static int Start(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        IReadOnlyDictionary<string, string> environment,
        string standardError
    )
    {
        var variables = Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string)e.Value!);
        foreach (var (name, value) in environment)
        {
            variables[name] = value;
        }

        var actions = Marshal.AllocHGlobal(512); // larger than the structure of any system
        try
        {
            Check(InitActions(actions));
            Check(AddOpen(actions, 0, "/dev/null", 0, 0));
            Check(AddOpen(actions, 1, "/dev/null", Write, 0));
            Check(AddOpen(actions, 2, standardError, OperatingSystem.IsMacOS() ? 0x601 : Write | Create | Truncate, 0x180));
            Check(AddDirectory(actions, folder));
            Check(
                Spawn(
                    out var child,
                    program,
                    actions,
                    0,
                    [program, .. arguments, null],
                    [.. variables.Select(v => $"{v.Key}={v.Value}"), null]
                )
            );
            return child;
        }
        finally
        {
            _ = DestroyActions(actions);
            Marshal.FreeHGlobal(actions);
        }

        static void Check(int error)
        {
            if (error != 0)
            {
                throw new InvalidOperationException($"A process cannot be started: error {error}.");
            }
        }
    }

    /// <summary>The last mark seen before the end: what grows in the last millisecond is missed.</summary>
    private static long WatchMemory(int child)
    {
        long peak = 0;
        while (true)
        {
            try
            {
                var mark = File.ReadLines($"/proc/{child}/status")
                    .FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
                if (mark is null)
                {
                    return peak; // it has ended, and waits to be waited for
                }

                peak = long.Parse(mark.AsSpan(6).Trim().ToString().Split(' ')[0]) * 1024;
            }
            catch (IOException)
            {
                return peak;
            }

            Thread.Sleep(1);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(
        out int child,
        string path,
        nint actions,
        nint attributes,
        string?[] arguments,
        string?[] environment
    );

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitActions(nint actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(nint actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(nint actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddDirectory(nint actions, string path);

    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    private static partial int Wait(int child, out int status, int options, out Usage usage);

    /// <summary>The beginning of <c>struct rusage</c>, and room for the rest of it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private readonly struct Usage
    {
        private readonly long _userSeconds;
        private readonly long _userMicroseconds;
        private readonly long _systemSeconds;
        private readonly long _systemMicroseconds;

        public TimeSpan User => TimeSpan.FromSeconds(_userSeconds) + TimeSpan.FromMicroseconds((int)_userMicroseconds);

        public TimeSpan System => TimeSpan.FromSeconds(_systemSeconds) + TimeSpan.FromMicroseconds((int)_systemMicroseconds);
    }
}
