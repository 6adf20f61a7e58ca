using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Thole.Core.Workspaces;

namespace Thole.EndToEnd.Tests;

/// <summary>A writer that is killed, or fails, at any system call leaves the old content or the new one, and never promises what is not there.</summary>
public sealed class FileWriterKillSpecs
{
    // Longer than a page and than a pipe takes at once, and of different lengths, so that half of either shows.
    private static readonly string s_old = string.Concat(Enumerable.Repeat("old line\n", 2000));
    private static readonly string s_new = string.Concat(Enumerable.Repeat("the new line\n", 3000));
    private const string New = "the new line\n*3000";

    private static string Probe =>
        Path.Join(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Thole.Probe.exe" : "Thole.Probe");

    [Theory]
    [InlineData("kill", 1)]
    [InlineData("ENOSPC", 4)]
    [InlineData("EIO", 4)]
    [InlineData("EROFS", 5)]
    [InlineData("EDQUOT", 5)]
    [InlineData("EINTR", 4)]
    [InlineData("EXDEV", 5)]
    public async Task An_edit_leaves_old_or_new(string mode, int stride) =>
        await RunAsync(
            ["edit", "{D}/file", Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(s_old))), New],
            Plain,
            mode,
            stride
        );

    [Theory]
    [InlineData("kill", 2)]
    [InlineData("EIO", 5)]
    public async Task A_write_of_state_leaves_old_or_new(string mode, int stride) =>
        await RunAsync(["write", "{D}/file", New], Plain, mode, stride);

    [Theory]
    [InlineData("kill", 2)]
    [InlineData("ENOSPC", 5)]
    public async Task A_new_file_is_whole_or_not_there(string mode, int stride) =>
        await RunAsync(["create", "{D}/file", New], Nothing, mode, stride);

    [Theory]
    [InlineData("kill", 1)]
    [InlineData("ENOSPC", 4)]
    [InlineData("EIO", 4)]
    [InlineData("EINTR", 5)]
    public async Task A_file_with_two_names_is_old_or_new_once_the_next_of_us_has_looked(string mode, int stride) =>
        await RunAsync(["write", "{D}/file", New], TwoNames, mode, stride);

    [Theory]
    [InlineData("EIO")]
    [InlineData("ENOSPC")]
    [InlineData("EDQUOT")]
    [InlineData("EROFS")]
    public async Task A_failed_fsync_is_never_acknowledged(string mode)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await KillMatrix.RequireAsync(cancellationToken);
        foreach (var setUp in (Action<string>[])[Plain, TwoNames])
        {
            var report = await new KillMatrix([Probe, "write", "{D}/file", New], setUp, Was(s_old)).RunAsync(
                mode,
                1,
                "fsync",
                cancellationToken
            );

            Assert.Empty(report.Violations);
            Assert.True(report.Points >= 2, "file and folder are both synced");
            Assert.Equal(0, report.Acknowledged);
        }
    }

    [Fact]
    public async Task File_and_folder_are_synced_around_the_rename_and_before_the_acknowledgement()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await KillMatrix.RequireAsync(cancellationToken);

        var calls = await new KillMatrix([Probe, "write", "{D}/file", New], Plain, Was(s_old)).TraceAsync(cancellationToken);

        Assert.Equal(
            ["fsync", "renameat", "fsync", "write"],
            calls.Select(call => call.Name).Where(name => name is "fsync" or "renameat" or "write").Take(4)
        );
    }

    [Fact]
    public async Task A_file_of_somebody_else_is_written_and_stays_theirs()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await KillMatrix.RequireAsync(cancellationToken);
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: to become somebody else");
        var folder = Directory.CreateTempSubdirectory("thole-theirs-");
        try
        {
            Plain(folder.FullName);
            var path = Path.Join(folder.FullName, "file");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, (UnixFileMode)0x1B6);
                File.SetUnixFileMode(folder.FullName, (UnixFileMode)0x1FF);
            }

            using var probe = Process.Start(
                "setpriv",
                ["--reuid=65534", "--regid=65534", "--clear-groups", Probe, "write", path, New]
            );
            await probe.WaitForExitAsync(cancellationToken);

            Assert.SkipWhen(probe.ExitCode is 126 or 127, "needs setpriv, and a build that others may read");
            Assert.Equal(0, probe.ExitCode);
            Assert.Equal(s_new, await File.ReadAllTextAsync(path, cancellationToken));
            using var owner = Process.Start(
                new ProcessStartInfo("stat", ["-c", "%u %a", path]) { UseShellExecute = false, RedirectStandardOutput = true }
            )!;
            Assert.Equal("0 666\n", await owner.StandardOutput.ReadToEndAsync(cancellationToken));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_control_that_truncates_and_writes_does_fail()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await KillMatrix.RequireAsync(cancellationToken);

        var report = await new KillMatrix([Probe, "naive", "{D}/file", New], Plain, Was(s_old)).RunAsync(
            "kill",
            1,
            null,
            cancellationToken
        );

        Assert.NotEmpty(report.Violations);
    }

    private static async Task RunAsync(string[] arguments, Action<string> setUp, string mode, int stride)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await KillMatrix.RequireAsync(cancellationToken);
        var started = Stopwatch.GetTimestamp();

        var report = await new KillMatrix([Probe, .. arguments], setUp, Was(setUp == Nothing ? null : s_old)).RunAsync(
            mode,
            KillMatrix.IsLong ? 1 : stride,
            null,
            cancellationToken
        );

        TestContext.Current.SendDiagnosticMessage(
            $"{arguments[0]} {mode}: {report.Points} points, {report.Acknowledged} acknowledged, {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s"
        );
        Assert.Empty(report.Violations);
        Assert.True(report.Points > 3 && (report.Acknowledged < report.Points || mode is "EINTR"), "nothing was killed");
    }

    private static Func<KillPoint, string, bool, string?> Was(string? before) =>
        (point, folder, isAcknowledged) => Check(point, folder, isAcknowledged, before);

    private static void Nothing(string folder) { }

    private static void Plain(string folder) => File.WriteAllText(Path.Join(folder, "file"), s_old);

    private static void TwoNames(string folder)
    {
        Plain(folder);
        using var link = Process.Start("ln", [Path.Join(folder, "file"), Path.Join(folder, "second")]);
        link.WaitForExit();
    }

    /// <param name="before">What was there; null for no file.</param>
    private static string? Check(KillPoint point, string folder, bool isAcknowledged, string? before)
    {
        var path = Path.Join(folder, "file");
        var second = Path.Join(folder, "second");
        new FileWriter(TimeProvider.System).Recover(folder);
        var content = File.Exists(path) ? File.ReadAllText(path) : null;
        if (content != s_new && content != before)
        {
            return $"neither old nor new: {content?.Length ?? -1} characters";
        }

        if (isAcknowledged && content != s_new)
        {
            return "acknowledged, and the old content is there";
        }

        if (File.Exists(second) && File.ReadAllText(second) != content)
        {
            return "the second name has another content";
        }

        // Whoever is killed cannot clean up, and a temporary file that cannot be removed stays.
        var left = Directory.GetFiles(folder, ".thole-*");
        return left is [] || point.Mode is "kill" || point.Call is "unlinkat"
            ? null
            : $"left behind: {Path.GetFileName(left[0])}";
    }
}
