using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

public sealed class OrphanGuardSpecs : IDisposable
{
    private readonly TempFolder _folder = new();

    public OrphanGuardSpecs() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs setsid and /proc");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("exec 9> alive; sleep 100")]
    [InlineData("exec 9> alive; trap '' INT TERM HUP; setsid nohup sleep 100 & (sleep 100 &) ; wait")]
    [InlineData("exec 9> alive; setsid sh -c 'setsid sleep 100 & exit'; sleep 100")]
    [InlineData("exec 9> alive; env -i setsid sleep 100 & env -i sleep 100")]
    [InlineData("exec 9> alive; set -m; (env -i sleep 100 &); sleep 100")]
    public async Task Kill_minus_nine_leaves_no_process(string command)
    {
        var alive = await Fifo.MakeAsync(Path.Join(_folder.Path, "alive"));
        using var host = SpecsHost.WithBackground(command, _folder.Path);
        await alive.OpenedAsync();
        await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        host.Kill();

        await alive.EndedAsync();
    }
}
