namespace Thole.EndToEnd.Tests;

/// <summary>Whichever sync of a log fails, also one that only moves what was written: nobody is promised anything after it.</summary>
public sealed class LogSyncSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("s.db", 2)]
    [InlineData("s.db-wal", 1)]
    [InlineData("s.db-wal", 40)]
    public async Task A_writer_whose_sync_failed_acknowledges_nothing_more(string file, int ordinal)
    {
        await KillMatrix.RequireAsync(Now);
        using var place = new CrashProgram();
        var trace = place.Beside("trace");
        var ended = await Shell.TryAsync(
            "timeout",
            "60",
            "strace",
            "-f",
            "-qq",
            "-o",
            trace,
            "-P",
            Path.Join(place.Sessions, file),
            "-P",
            "/dev/null",
            "-e",
            $"inject=fsync:error=EIO:when={ordinal}",
            "sh",
            "-c",
            $"'{Path.Join(AppContext.BaseDirectory, "Thole.Probe")}' log-durable '{place.Sessions}' s > /dev/null"
        );

        Assert.False(ended);
        var after = (await File.ReadAllLinesAsync(trace, Now)).SkipWhile(line => !line.Contains("INJECTED")).Skip(1).ToList();
        Assert.True(File.ReadAllText(trace).Contains("INJECTED"), "no sync failed");
        Assert.DoesNotContain(after, line => line.Contains("write(1"));
    }
}
