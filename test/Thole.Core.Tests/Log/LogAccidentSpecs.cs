using System.Diagnostics;
using System.Globalization;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

/// <summary>Real accidents: a process that is killed, a disk that is full.</summary>
public sealed class LogAccidentSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_killed_process_acknowledged_is_there_once_and_in_order()
    {
        using var bench = new LogBench();
        var random = new Random(20260203);
        long acknowledged = 0;
        var rounds = Environment.GetEnvironmentVariable("THOLE_LONG") == "1" ? 200 : 8;
        for (var round = 0; round < rounds; round++)
        {
            using var probe = Start(bench.Folder);
            for (var wait = random.Next(1, 120); wait > 0; wait--)
            {
                acknowledged = Number(await probe.StandardOutput.ReadLineAsync(Now), acknowledged);
            }

            probe.Kill();
            while (await probe.StandardOutput.ReadLineAsync(Now) is { } line)
            {
                acknowledged = Number(line, acknowledged);
            }

            await probe.WaitForExitAsync(Now);
            await using var log = await new SqliteEventStore(
                bench.Folder,
                TimeProvider.System,
                BootId.Read,
                EventUpgrades.All
            ).OpenAsync(LogBench.Session, Now);
            Assert.Null(log.Recovery); // the kernel still has what a killed process wrote: no gap
            Assert.True(log.Latest >= acknowledged, $"{acknowledged} was acknowledged, the log ends at {log.Latest}");
            var events = await LogBench.AllAsync(log);
            Assert.Equal(
                Enumerable.Range(1, (int)log.Latest).Select(number => (long)number),
                events.Select(envelope => envelope.Sequence)
            );
            Assert.All(events.Skip(1), envelope => Assert.Contains($"number {envelope.Sequence}", envelope.Event.ToString()));
            acknowledged = log.Latest;
        }
    }

    [Fact]
    public async Task A_lease_is_also_one_against_other_processes_and_readers_need_none()
    {
        using var bench = new LogBench();
        using var probe = Start(bench.Folder);
        Assert.NotNull(await probe.StandardOutput.ReadLineAsync(Now));
        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await bench.Store().OpenAsync(LogBench.Session, Now)
        );
        Assert.Equal("session_in_use", refused.Reason);
        using var catalogue = new Catalogue(bench.Folder);
        Assert.Single(await catalogue.ListAsync(null, 10, Now));
        Assert.Empty((await catalogue.VerifyAsync(LogBench.Session, Now)).Problems);
        probe.Kill();
        await probe.WaitForExitAsync(Now);
        await using var log = await bench.Store().OpenAsync(LogBench.Session, Now);
    }

    [Fact]
    public async Task A_full_disk_acknowledges_nothing_and_costs_nothing_once_there_is_space()
    {
        using var bench = new LogBench();
        Directory.CreateDirectory(bench.Folder);
        if (!OperatingSystem.IsLinux() || !await RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", bench.Folder))
        {
            Assert.Skip("needs the right to mount a tmpfs: run as root");
        }

        try
        {
            await using (var log = bench.Store().Create(LogBench.Session))
            {
                await LogBench.AppendAsync(log, LogBench.Opened());
                var ballast = Path.Join(bench.Folder, "ballast");
                await File.WriteAllBytesAsync(ballast, new byte[500_000], Now);
                var refused = await Assert.ThrowsAsync<LogException>(async () =>
                {
                    while (true)
                    {
                        await LogBench.AppendAsync(log, new CompactionFailed(new string('x', 20_000)));
                    }
                });
                Assert.Contains("disk is full", refused.Message);
                var acknowledged = log.Latest;
                Assert.Equal(acknowledged, (await LogBench.AllAsync(log)).Count);
                await Assert.ThrowsAsync<LogException>(async () => await log.StoreAsync(new byte[400_000], Now));
                File.Delete(ballast);
                await LogBench.AppendAsync(log, new CompactionFailed("after"));
                Assert.Equal(acknowledged + 1, log.Latest);
            }

            await using var again = await bench.Store().OpenAsync(LogBench.Session, Now);
            Assert.Equal(new CompactionFailed("after"), (await LogBench.AllAsync(again))[^1].Event);
        }
        finally
        {
            Assert.True(await RunAsync("umount", "-l", bench.Folder));
        }
    }

    private static long Number(string? line, long last)
    {
        var number = long.Parse(line!, CultureInfo.InvariantCulture);
        Assert.True(number > last, $"{number} was acknowledged after {last}");
        return number;
    }

    private static Process Start(string folder)
    {
        var probe = Path.Join(AppContext.BaseDirectory, "Thole.Probe.dll");
        return Process.Start(
            new ProcessStartInfo("dotnet", [probe, "log", folder, LogBench.Session.Value])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false }
            )!;
            await process.WaitForExitAsync(Now);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
