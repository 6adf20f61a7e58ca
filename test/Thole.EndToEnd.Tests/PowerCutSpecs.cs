using System.Diagnostics;
using System.Globalization;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.EndToEnd.Tests;

/// <summary>What was acknowledged survives the power: the file system of a writer is stopped without a flush, and mounted again.</summary>
public sealed class PowerCutSpecs
{
    private static readonly SessionId s_session = new("cut");

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public async Task What_a_log_acknowledged_survives_a_power_cut(string fileSystem)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux: to mount an image");
        Assert.SkipUnless(await Shell.TryAsync("xfs_io", "-V"), "needs xfs_io: apt-get install xfsprogs");
        using var place = new CrashProgram();
        var image = place.Beside("image");
        using (var file = File.Create(image))
        {
            file.SetLength(400L << 20); // the least that mkfs.xfs takes is 300 MiB; the file is sparse
        }

        Assert.SkipUnless(await Shell.TryAsync($"mkfs.{fileSystem}", "-q", image), $"needs mkfs.{fileSystem}");
        Assert.SkipUnless(await MountAsync(), "needs loop devices: losetup -f");
        var isMounted = true;
        try
        {
            var random = new Random(20260204);
            var cuts = KillMatrix.IsLong ? 200 : 5;
            for (var cut = 1; cut <= cuts; cut++)
            {
                using var writer = Process.Start(
                    new ProcessStartInfo(
                        Path.Join(AppContext.BaseDirectory, "Thole.Probe"),
                        ["log-durable", place.Sessions, "cut"]
                    )
                    {
                        UseShellExecute = false,
                        RedirectStandardOutput = true,
                        RedirectStandardError = true,
                    }
                )!;
                List<long> acknowledged = [];
                for (var wait = random.Next(2, 60); wait > 0; wait--)
                {
                    acknowledged.Add(Number(await writer.StandardOutput.ReadLineAsync(Now)));
                }

                Assert.True(await Shell.TryAsync("xfs_io", "-x", "-c", "shutdown", place.Home));

                // What it printed before it noticed was promised too, but for one: both file systems let the fsync that this ioctl
                // overtakes succeed, so that a bare loop of write and fsync also loses its last line now and then.
                var errors = writer.StandardError.ReadToEndAsync(Now);
                while (await writer.StandardOutput.ReadLineAsync(Now) is { } line)
                {
                    acknowledged.Add(Number(line));
                }

                await writer.WaitForExitAsync(Now);
                Assert.Contains("LogException", await errors); // and nobody went on as if nothing had been
                Assert.True(await Shell.TryAsync("umount", place.Home));
                isMounted = false;
                Assert.True(isMounted = await MountAsync());
                await CheckAsync(place, acknowledged[^2], cut);
            }
        }
        finally
        {
            Assert.True(!isMounted || await Shell.TryAsync("umount", "-l", place.Home));
        }

        Task<bool> MountAsync() => Shell.TryAsync("mount", "-o", "loop", image, place.Home);
    }

    private static async Task CheckAsync(CrashProgram place, long acknowledged, int cut)
    {
        using var catalogue = new Catalogue(place.Sessions);
        Assert.Empty((await catalogue.VerifyAsync(s_session, Now)).Problems);
        var log = await place.EventsAsync(s_session);
        Assert.True(
            log[^1].Sequence >= acknowledged,
            $"cut {cut}: {acknowledged} was acknowledged, the log ends at {log[^1].Sequence}"
        );
        Assert.All(
            log.Skip(1).Where(envelope => envelope.Event is not LogRecovered),
            envelope => Assert.Contains($"number {envelope.Sequence}", envelope.Event.ToString())
        );
    }

    private static long Number(string? line) => long.Parse(line!, CultureInfo.InvariantCulture);
}
