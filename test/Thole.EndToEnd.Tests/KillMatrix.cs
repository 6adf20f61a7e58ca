using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Thole.EndToEnd.Tests;

/// <summary>One system call of the program, and what happens there: <c>kill</c>, or the error it returns.</summary>
public sealed record KillPoint(string Call, int Ordinal, string Mode)
{
    public override string ToString() => $"{Mode} at {Call} {Ordinal}";
}

/// <param name="Points">How many times the program was started.</param>
/// <param name="Acknowledged">How often it had said ACK.</param>
public sealed record KillReport(int Points, int Acknowledged, IReadOnlyList<string> Violations);

/// <summary>
/// Ends or fails a program at each system call that it makes after it first touched a folder, and looks at what is left. Every point runs
/// in a folder of its own, whose path replaces <c>{D}</c> in the arguments.
/// </summary>
/// <param name="command">The program and its arguments; it prints ACK where it has promised something.</param>
/// <param name="setUp">Puts into the folder what is to be there before.</param>
/// <param name="check">Given the point, the folder and whether ACK was printed: what is wrong, or null.</param>
public sealed partial class KillMatrix(
    IReadOnlyList<string> command,
    Action<string> setUp,
    Func<KillPoint, string, bool, string?> check
)
{
    private const string Calls =
        "openat,openat2,statx,read,pread64,write,pwrite64,pwritev,fsync,fdatasync,fchmod,fchmodat,fchown,fsetxattr,fgetxattr,flistxattr,"
        + "rename,renameat,renameat2,linkat,unlink,unlinkat,ftruncate,fallocate,flock,fcntl,close,readlinkat,mkdirat,getdents64,lseek";

    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    /// <summary>Everything at every call: minutes, not seconds.</summary>
    public static bool IsLong => Environment.GetEnvironmentVariable("THOLE_LONG") is "1";

    /// <summary>Skips the test where processes cannot be traced.</summary>
    public static async Task RequireAsync(CancellationToken cancellationToken)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: strace");
        try
        {
            var (_, exitCode) = await RunAsync(["strace", "-qq", "-o", "/dev/null", "true"], cancellationToken);
            Assert.SkipWhen(exitCode != 0, "needs permission to trace processes (ptrace): strace true fails");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("needs strace: apt-get install strace");
        }
    }

    /// <param name="mode"><c>kill</c>, or the name of an error: <c>EIO</c>, <c>ENOSPC</c>, …</param>
    /// <param name="stride">Every so many calls only; 1 for all.</param>
    /// <param name="only">Only this call, where given.</param>
    public async Task<KillReport> RunAsync(string mode, int stride, string? only, CancellationToken cancellationToken)
    {
        var calls = await TraceAsync(cancellationToken);
        var violations = new ConcurrentQueue<string>();
        int started = 0,
            acknowledged = 0;
        await Parallel.ForEachAsync(
            calls
                .Where(call => only is null || call.Name == only)
                .Where((_, index) => index % stride == 0)
                .Select(call => new KillPoint(call.Name, call.Ordinal, mode)),
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = cancellationToken },
            async (point, cancel) =>
            {
                using var folder = new Folder(setUp);
                var what = mode is "kill" ? "signal=KILL" : $"error={mode}";
                var (output, _) = await RunAsync(
                    [.. Trace("/dev/null"), "-e", $"inject={point.Call}:{what}:when={point.Ordinal}", .. Command(folder)],
                    cancel
                );
                var hasAck = output.Contains("ACK", StringComparison.Ordinal);
                Interlocked.Increment(ref started);
                Interlocked.Add(ref acknowledged, hasAck ? 1 : 0);
                if (check(point, folder.Path, hasAck) is { } wrong)
                {
                    violations.Enqueue($"{point}: {wrong}");
                }
            }
        );
        return new KillReport(started, acknowledged, [.. violations]);
    }

    /// <summary>The calls of an undisturbed run from the first that names the folder, each with its number among those of its name.</summary>
    public async Task<IReadOnlyList<(string Name, int Ordinal)>> TraceAsync(CancellationToken cancellationToken)
    {
        using var folder = new Folder(setUp);
        var log = folder.Path + ".trace";
        try
        {
            var (output, exitCode) = await RunAsync([.. Trace(log), .. Command(folder)], cancellationToken);
            Assert.True(
                exitCode == 0 && output.Contains("ACK", StringComparison.Ordinal),
                "the program does not work undisturbed"
            );

            // strace counts the calls of each thread by itself: those of the first thread are counted, and it does the work.
            var main = "";
            var isTouched = false;
            var counts = new Dictionary<string, int>(StringComparer.Ordinal);
            var calls = new List<(string, int)>();
            foreach (var line in await File.ReadAllLinesAsync(log, cancellationToken))
            {
                if (CallLine.Match(line) is not { Success: true } match)
                {
                    continue;
                }

                main = main is "" ? match.Groups["thread"].Value : main;
                if (match.Groups["thread"].Value != main)
                {
                    continue;
                }

                var call = match.Groups["call"].Value;
                counts[call] = counts.GetValueOrDefault(call) + 1;
                isTouched |= line.Contains(folder.Path, StringComparison.Ordinal);
                if (isTouched)
                {
                    calls.Add((call, counts[call]));
                }
            }

            Assert.NotEmpty(calls);
            return calls;
        }
        finally
        {
            File.Delete(log);
        }
    }

    // Not with --seccomp-bpf, fast as that is: it injects errors but no signals.
    private static string[] Trace(string log) => ["strace", "-f", "-qq", "-o", log, "-e", $"trace={Calls}"];

    private IEnumerable<string> Command(Folder folder) =>
        command.Select(word => word.Replace("{D}", folder.Path, StringComparison.Ordinal));

    private static async Task<(string Output, int ExitCode)> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(
            new ProcessStartInfo(arguments[0], arguments[1..])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                // A dump of each killed runtime and the diagnostics port of each started one are time lost here.
                Environment = { ["DOTNET_EnableDiagnostics"] = "0", ["DOTNET_TieredCompilation"] = "1" },
            }
        )!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_longest);
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await error;
            await process.WaitForExitAsync(limit.Token);
            return (output, process.ExitCode);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            return ("", -1);
        }
    }

    [GeneratedRegex(@"^(?<thread>\d+)\s+(?<call>[a-z0-9_]+)\(", RegexOptions.NonBacktracking)]
    private static partial Regex CallLine { get; }

    private sealed class Folder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("thole-kill-");

        public Folder(Action<string> setUp) => setUp(Path);

        public string Path => _folder.FullName;

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
