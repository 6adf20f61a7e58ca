using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

/// <summary>Whoever touches a row is found, and the number is named.</summary>
public sealed class LogVerificationSpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "UPDATE events SET payload = replace(payload, 'piece 5', 'piece X') WHERE number = 5",
        "event 5 is not what was written"
    )]
    [InlineData("UPDATE events SET actor = 'user' WHERE number = 5", "event 5 is not what was written")]
    [InlineData("UPDATE events SET at = at + 1 WHERE number = 5", "event 5 is not what was written")]
    [InlineData("UPDATE events SET type = 'reasoning_piece' WHERE number = 5", "event 5 is not what was written")]
    [InlineData("UPDATE events SET hash = zeroblob(32) WHERE number = 5", "event 5 is not what was written")]
    [InlineData("DELETE FROM events WHERE number = 5", "event 5 is missing")]
    [InlineData("DELETE FROM events WHERE number IN (5, 6)", "events 5 to 6 are missing")]
    [InlineData("DELETE FROM events WHERE number > 8", "events 9 to 10 were written and are missing at the end")]
    [InlineData(
        "UPDATE events SET number = 99 WHERE number = 5; UPDATE events SET number = 5 WHERE number = 6; UPDATE events SET number = 6 WHERE number = 99",
        "event 5 is not what was written"
    )]
    [InlineData(
        "INSERT INTO events SELECT 11, at, type, version, actor, payload, hash FROM events WHERE number = 10",
        "event 11 is not what was written"
    )]
    [InlineData("UPDATE blobs SET content = x'00'", "named by event 2, is not what was stored")]
    [InlineData("DELETE FROM blobs", "named by event 2, is missing")]
    public async Task Tampering_is_named(string sql, string problem)
    {
        using var bench = new LogBench();
        await using (var log = bench.Store().Create(LogBench.Session))
        {
            await LogBench.AppendAsync(log, LogBench.Opened());
            var blob = await log.StoreAsync("bytes"u8.ToArray(), Now);
            await LogBench.AppendAsync(log, new AttemptFailed("cut", "Cut.", 1, null, blob));
            for (var number = 3; number <= 10; number++)
            {
                await LogBench.AppendAsync(log, new TextPiece($"piece {number}"));
            }
        }

        using var catalogue = new Catalogue(bench.Folder);
        var before = await catalogue.VerifyAsync(LogBench.Session, Now);
        Assert.Equal((10, 1, true), (before.Events, before.Blobs, before.IsIntact));
        Assert.Equal(64, before.Head!.Length);
        using (var database = Database.Open(bench.File()))
        {
            database.Execute(sql);
        }

        var after = await catalogue.VerifyAsync(LogBench.Session, Now);
        Assert.Contains(after.Problems, found => found.Contains(problem));
    }
}
