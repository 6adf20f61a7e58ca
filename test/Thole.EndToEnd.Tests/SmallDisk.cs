using System.Diagnostics;

namespace Thole.EndToEnd.Tests;

/// <summary>A file system of two megabytes over a folder, so that a disk can be full.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Ballast => Path.Join(_folder, "ballast");

    public static async Task<SmallDisk> MountAsync(string folder, CancellationToken cancellationToken)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a tmpfs: Linux");
        Assert.SkipUnless(
            await RunAsync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", folder], cancellationToken),
            "needs the right to mount a tmpfs: run as root"
        );
        return new SmallDisk(folder);
    }

    public async Task FillAsync(CancellationToken cancellationToken)
    {
        await using var ballast = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                await ballast.WriteAsync(new byte[4_096], cancellationToken);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync() => await RunAsync("umount", [_folder], CancellationToken.None);

    private static async Task<bool> RunAsync(string command, string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(command, arguments) { UseShellExecute = false, RedirectStandardError = true }
            )!;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
