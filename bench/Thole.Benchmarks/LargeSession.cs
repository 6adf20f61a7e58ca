using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;

namespace Thole.Benchmarks;

/// <summary>Going on with a session of 1 GB must not feel it: as a whole turn, and the opening alone.</summary>
internal static class LargeSession
{
    private const long Bytes = 1 << 30;

    public static async Task MeasureAsync(
        Workplace place,
        ModelScript model,
        int runs,
        Table table,
        CancellationToken cancellationToken
    )
    {
        model.Say("Done.");
        var sessions = Path.Combine(place.Home, "sessions");
        var small = await PrepareAsync(1 << 16);
        var large = await PrepareAsync(Bytes);
        table.Add("one-shot that resumes a small session", Measurement.Of(runs, watch => Resume(small, watch)), "");
        table.Add("one-shot that resumes a session of 1 GB", Measurement.Of(runs, watch => Resume(large, watch)), "");

        List<double> wall = [];
        List<double> cpu = [];
        List<double> memory = [];
        for (var run = 0; run < runs; run++)
        {
            await OpenAsync(small); // compiles what the other shall not pay for
            var opened = await OpenAsync(large);
            wall.Add(opened.Wall.TotalMilliseconds);
            cpu.Add(opened.Cpu.TotalMilliseconds);
            memory.Add(opened.PeakRss / 1048576.0);
        }

        table.Add(
            "session of 1 GB: the opening alone; extra RSS",
            runs,
            Spread.Of(wall),
            Spread.Of(cpu),
            Spread.Of(memory),
            "200 ms, 64 MiB"
        );

        // The generator leaves no state to begin from. A first turn reads all of it once, and leaves one.
        async Task<SessionId> PrepareAsync(long bytes)
        {
            var session = new SessionId(Guid.NewGuid().ToString());
            var store = Store(sessions);
            await LogGenerator.WriteAsync(store, session, place.Repository, bytes, cancellationToken);
            await using (var log = await store.OpenAsync(session, cancellationToken))
            {
                await log.WriteSnapshotAsync(new Snapshot(log.Latest, Version: 0, default), cancellationToken);
            }

            Resume(session, watchMemory: false);
            return session;
        }

        ChildRun Resume(SessionId session, bool watchMemory) =>
            place.Run(
                watchMemory,
                place.Repository,
                "-p",
                "Say that you are done.",
                "--resume",
                session.ToString(),
                "--approval-mode",
                "yolo"
            );

        async Task<ChildRun> OpenAsync(SessionId session)
        {
            await using var runtime = new Runtime(Parts(sessions));
            var request = new OpenSession
            {
                Workspace = place.Repository,
                Session = session,
                Model = "local/model",
            };
            var before = Memory("VmRSS:");
            ForgetPeak();
            var (started, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            await runtime.OpenSessionAsync(request, cancellationToken);
            var took = Stopwatch.GetElapsedTime(started);
            return new ChildRun(took, Environment.CpuUsage.TotalTime - used, Memory("VmHWM:") - before);
        }
    }

    private static SqliteEventStore Store(string folder) => new(folder, TimeProvider.System, BootId.Read, EventUpgrades.All);

    private static RuntimeParts Parts(string sessions) =>
        new()
        {
            Store = Store(sessions),
            Models = new NoModels(),
            Tools = static () => new ToolBox([]),
            Policy = new ApprovalPolicy([]),
            OpenHands = OpenHands,
            SystemPrompt = "",
            Sources = [],
            Limits = new TurnLimits(),
            Time = TimeProvider.System,
            NewId = Guid.NewGuid,
            Logger = NullLogger.Instance,
            Version = "0",
        };

    private static ToolContext OpenHands(string root, IBlobStore blobs, IEnumerable<FileSeen> seen)
    {
        var workspace = new Workspace(root, [], TimeProvider.System);
        var files = new FileLedger();
        foreach (var fact in seen)
        {
            files.Apply(fact);
        }

        return new ToolContext
        {
            Workspace = workspace,
            Search = new Searcher(workspace),
            Processes = new ProcessRunner(new ChildEnvironment([]), TimeProvider.System),
            Files = files,
            Blobs = blobs,
            Time = TimeProvider.System,
        };
    }

    private static long Memory(string name) =>
        File.Exists("/proc/self/status")
            ? long.Parse(
                File.ReadLines("/proc/self/status")
                    .First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..]
                    .Trim()
                    .Split(' ')[0]
            ) * 1024
            : 0;

    /// <summary>Sets the high-water mark back to what is used now (proc(5), clear_refs).</summary>
    private static void ForgetPeak()
    {
        if (File.Exists("/proc/self/clear_refs"))
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }

    private sealed class NoModels : IModelCatalog
    {
        public ModelEndpoint Find(string name) => throw new ModelException(ModelFailure.UnknownModel, "Opening asks no model.");
    }
}
