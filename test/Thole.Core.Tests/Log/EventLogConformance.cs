using System.Text;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

/// <summary>What every log must do, whatever keeps it. A new kind of log derives from this and passes.</summary>
public abstract class EventLogConformance
{
    protected static CancellationToken Now => TestContext.Current.CancellationToken;

    /// <summary>A new log in a place of its own.</summary>
    protected abstract IEventLog Create();

    /// <summary>The same log opened again, after the first was disposed.</summary>
    protected abstract ValueTask<IEventLog> ReopenAsync();

    [Fact]
    public async Task An_empty_log_begins_at_one()
    {
        await using var log = Create();
        Assert.Equal(0, log.Latest);
        Assert.Equal(1, log.Next);
        Assert.Null(log.Recovery);
        Assert.Empty(await LogBench.AllAsync(log));
        Assert.Empty(await log.ReadBackwardsAsync(long.MaxValue, 10, Now));
        Assert.Null(await log.ReadSnapshotAsync(Now));
    }

    [Fact]
    public async Task What_was_appended_is_read_as_it_was_also_after_a_restart()
    {
        var at = new DateTimeOffset(2026, 2, 3, 4, 5, 6, 789, TimeSpan.FromHours(2)).AddTicks(1);
        Envelope[] batch =
        [
            new(1, at, Actor.Runtime, LogBench.Opened()),
            new(2, at.AddYears(-50), new Actor("käthe@example"), new TextPiece("a\u0000b \ud83d\ude00 <&>\u2028 \"q\"")),
        ];
        await using (var log = Create())
        {
            await log.AppendAsync(batch, durable: true, Now);
            Assert.Equal(batch, await LogBench.AllAsync(log));
        }

        await using var again = await ReopenAsync();
        Assert.Null(again.Recovery);
        Assert.Equal(3, again.Next);
        Assert.Equal(batch, await LogBench.AllAsync(again));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(-1)]
    public async Task A_number_that_is_not_next_is_refused_and_nothing_is_written(long first)
    {
        await using var log = Create();
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await log.AppendAsync([new(first, DateTimeOffset.UnixEpoch, Actor.User, LogBench.Opened())], durable: true, Now)
        );
        Assert.Equal(0, log.Latest);
        await LogBench.AppendAsync(log, LogBench.Opened());
        Envelope[] torn = [new(2, default, Actor.Model, new TextPiece("a")), new(4, default, Actor.Model, new TextPiece("b"))];
        await Assert.ThrowsAsync<ArgumentException>(async () => await log.AppendAsync(torn, durable: false, Now));
        Assert.Single(await LogBench.AllAsync(log));
    }

    [Fact]
    public async Task An_event_of_a_newer_version_cannot_be_written()
    {
        await using var log = Create();
        await LogBench.AppendAsync(log, LogBench.Opened());
        await Assert.ThrowsAsync<ArgumentException>(() => LogBench.AppendAsync(log, new UnknownEvent("tea_made", 1, default)));
        Assert.Equal(1, log.Latest);
    }

    [Fact]
    public async Task Ranges_and_pages_are_exact()
    {
        await using var log = Create();
        await LogBench.AppendAsync(log, LogBench.Opened());
        for (var index = 2; index <= 1_000; index++)
        {
            await LogBench.AppendAsync(log, new TextPiece($"piece {index}"));
        }

        var middle = new List<long>();
        await foreach (var envelope in log.ReadAsync(300, 700, Now))
        {
            middle.Add(envelope.Sequence);
        }

        Assert.Equal(Enumerable.Range(301, 400).Select(number => (long)number), middle);
        var page = await log.ReadBackwardsAsync(701, 50, Now);
        Assert.Equal(Enumerable.Range(651, 50).Select(number => (long)number), page.Select(envelope => envelope.Sequence));
        Assert.Equal(1_000, (await LogBench.AllAsync(log)).Count);
        Assert.Equal(3, (await log.ReadBackwardsAsync(4, 50, Now)).Count);
    }

    [Fact]
    public async Task Readers_and_the_writer_do_not_disturb_each_other()
    {
        await using var log = Create();
        await LogBench.AppendAsync(log, LogBench.Opened());
        var readers = Enumerable
            .Range(0, 4)
            .Select(_ =>
                Task.Run(
                    async () =>
                    {
                        long after = 0;
                        while (after < 500)
                        {
                            await foreach (var envelope in log.ReadAsync(after, log.Latest, Now))
                            {
                                Assert.Equal(after + 1, envelope.Sequence);
                                after = envelope.Sequence;
                            }

                            await Task.Yield();
                        }
                    },
                    Now
                )
            )
            .ToList();
        for (var index = 2; index <= 500; index++)
        {
            await LogBench.AppendAsync(log, new TextPiece($"piece {index}"));
        }

        await Task.WhenAll(readers);
    }

    [Fact]
    public async Task Blobs_are_named_by_their_content_and_kept_once()
    {
        var content = Encoding.UTF8.GetBytes(new string('x', 300_000));
        BlobId blob;
        await using (var log = Create())
        {
            blob = await log.StoreAsync(content, Now); // before anything is on disk
            Assert.Equal(content, await log.ReadBlobAsync(blob, Now));
            await LogBench.AppendAsync(log, LogBench.Opened(), new AttemptFailed("cut", "The stream was cut.", 1, null, blob));
            Assert.Equal(blob, await log.StoreAsync(content, Now));
            var nothing = await log.StoreAsync(default, Now);
            Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", nothing.Value);
        }

        await using var again = await ReopenAsync();
        Assert.Equal(content, await again.ReadBlobAsync(blob, Now));
        var empty = await again.ReadBlobAsync(
            new BlobId("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            Now
        );
        Assert.Empty(empty!);
        Assert.Null(await again.ReadBlobAsync(new BlobId(new string('0', 64)), Now));
    }

    [Fact]
    public async Task The_newest_snapshot_replaces_the_one_before_and_never_runs_ahead()
    {
        await using (var log = Create())
        {
            await LogBench.AppendAsync(log, LogBench.Opened(), LogBench.Prompted("hello"));
            await log.WriteSnapshotAsync(new Snapshot(1, 3, new byte[] { 1 }), Now);
            await log.WriteSnapshotAsync(new Snapshot(2, 3, new byte[] { 2, 2 }), Now);
            await Assert.ThrowsAsync<ArgumentException>(async () =>
                await log.WriteSnapshotAsync(new Snapshot(3, 3, default), Now)
            );
        }

        await using var again = await ReopenAsync();
        var snapshot = await again.ReadSnapshotAsync(Now);
        Assert.Equal((2, 3), (snapshot!.Sequence, snapshot.Version));
        Assert.Equal(new byte[] { 2, 2 }, snapshot.State.ToArray());
    }

    [Fact]
    public async Task A_session_has_one_writer()
    {
        await using var log = Create();
        await LogBench.AppendAsync(log, LogBench.Opened());
        var refused = await Assert.ThrowsAsync<RefusedException>(async () => await ReopenAsync());
        Assert.Equal("session_in_use", refused.Reason);
    }
}
