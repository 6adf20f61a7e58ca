using System.Diagnostics;
using System.Globalization;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// S56: what the daemon holds (tokens, keys, what its environment said) is not to be had by looking into its process. Whoever looks is
/// the same user without a privilege, and an ordinary process beside it, of which the same look shows everything, is the control.
/// </summary>
public sealed class InspectionSpecs : IAsyncDisposable
{
    private const string Key = "key-of-the-tests";

    /// <summary>Root may look into everything: so all are root without what makes it root, which the owner of the files still is.</summary>
    private static readonly string[] s_unprivileged = Environment.IsPrivilegedProcess
        ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        : ["env"];

    private readonly CrashProgram _program = new();
    private readonly ScriptedModelServer _model = ScriptedModelServer.Start();

    public InspectionSpecs() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: /proc");

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task S56_another_process_of_the_same_user_reads_neither_its_environment_nor_its_memory()
    {
        await using var daemon = new CrashDaemon(_program, _model);
        Assert.True(await daemon.StartAsync(s_unprivileged));
        var served = (await daemon.LifeAsync).Process;
        using var other = _program.Start(_model.BaseAddress, [.. s_unprivileged, "sh", "-c", "echo here; exec sleep 600"]);
        try
        {
            Assert.Equal("here", await other.StandardOutput.ReadLineAsync(Now));

            Assert.Contains(Key, (await LookAsync("cat", other.Id, "environ")).Output); // this is what there would be to see
            foreach (var what in (string[])["environ", "auxv", "maps"])
            {
                Assert.Equal(0, (await LookAsync("cat", other.Id, what)).ExitCode);
                AssertDenied(await LookAsync("cat", served, what), what);
            }

            AssertDenied(await LookAsync("cat", served, "mem"), "mem");
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task S56_no_core_is_left_of_it_however_it_dies()
    {
        var control = await DieAsync("sh", "-c", "echo 'thole serve listening on'; exec sleep 600");
        Assert.SkipUnless(
            control.Contains("core dumped", StringComparison.Ordinal),
            "needs a machine that keeps cores: core_pattern"
        );

        var said = await DieAsync(CrashProgram.Binary, "serve", "--port", "0");

        Assert.DoesNotContain("core dumped", said);
    }

    public async ValueTask DisposeAsync()
    {
        await _model.DisposeAsync();
        _program.Dispose();
    }

    private static void AssertDenied(CrashRun look, string what)
    {
        Assert.True(look.ExitCode != 0 && look.Error.Contains("denied", StringComparison.Ordinal), $"{what}: {look.Error}");
        Assert.DoesNotContain(Key, look.Output);
    }

    private static async Task<CrashRun> LookAsync(string tool, int process, string what)
    {
        string[] command = [.. s_unprivileged, tool, $"/proc/{process}/{what}"];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        using var look = Process.Start(start)!;
        var error = look.StandardError.ReadToEndAsync(Now);
        var output = await look.StandardOutput.ReadToEndAsync(Now);
        await look.WaitForExitAsync(Now);
        return new CrashRun(look.ExitCode, output, await error);
    }

    /// <summary>Starts it with leave to leave a core, and kills it once it listens, by a signal that does so and that .NET lets alone.</summary>
    /// <returns>What the shell says of its end, which knows from the kernel whether there was a core.</returns>
    private async Task<string> DieAsync(params string[] command)
    {
        const string Script = """
            export LC_ALL=C
            ulimit -c unlimited
            (echo "pid $BASHPID"; exec "${@:2}") &
            wait $!
            """;
        using var shell = _program.Start(_model.BaseAddress, ["bash", "-c", Script, "bash"], command);
        var error = shell.StandardError.ReadToEndAsync(Now);
        var process = 0;
        while (await shell.StandardOutput.ReadLineAsync(Now) is { } line)
        {
            if (line.StartsWith("pid ", StringComparison.Ordinal))
            {
                process = int.Parse(line.AsSpan(4), CultureInfo.InvariantCulture);
            }
            else if (line.StartsWith("thole serve listening on", StringComparison.Ordinal))
            {
                Assert.True(await Shell.TryAsync("kill", "-XCPU", $"{process}"));
            }
        }

        await shell.WaitForExitAsync(Now);
        Assert.Equal(128 + 24, shell.ExitCode); // of that signal, and of nothing else
        return await error;
    }
}
