using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

/// <summary>One broken record costs at most itself, and what is lost is said.</summary>
public sealed class LogSalvageSpecs
{
    private const int Events = 200;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_random_damage_leaves_a_session_that_opens_and_says_what_it_lost()
    {
        var rounds = Environment.GetEnvironmentVariable("THOLE_LONG") == "1" ? 1_000 : 200;
        using var whole = await FilledAsync(closed: true);
        using var running = new LogBench();
        await using var log = running.Store().Create(LogBench.Session);
        await FillAsync(log);
        using var killed = running.Killed();
        long keptInAll = 0;
        for (var seed = 0; seed < rounds; seed++)
        {
            var random = new Random(seed);
            using var damaged = random.Next(2) == 0 ? whole.Killed() : killed.Killed();
            var file = damaged.File(random.Next(3) > 0 && File.Exists(damaged.File(".db-wal")) ? ".db-wal" : ".db");
            var what = Damage(file, random);
            keptInAll += await AssertHonestAsync(damaged, $"seed {seed}: {what} of {Path.GetExtension(file)}");
        }

        // Truncation takes what it takes; over all kinds most events must come through.
        Assert.True(keptInAll > rounds * Events * 6 / 10, $"only {keptInAll} of {rounds * Events} events came through");
    }

    [Fact]
    public async Task A_destroyed_first_page_costs_nothing()
    {
        using var bench = await FilledAsync(closed: true);
        await using (var file = File.OpenWrite(bench.File()))
        {
            file.Write(new byte[4096]);
        }

        await using var log = await bench.OpenAsync();
        var events = await LogBench.AllAsync(log);
        Assert.Equal(Events + 1, events.Count);
        var recovered = Assert.IsType<LogRecovered>(events[^1].Event);
        Assert.Contains("no event was found missing", recovered.Message);
        Assert.True(File.Exists(bench.File(".db.damaged-1")));
        Assert.Equal(0, File.ReadAllBytes(bench.File(".db.damaged-1"))[0]);
    }

    [Fact]
    public async Task A_damaged_event_costs_itself_and_its_place_says_so()
    {
        using var bench = await FilledAsync(closed: true);
        Overwrite(bench.File(), "message number 77.", "message number 7?.");
        await using var log = await bench.OpenAsync();
        var events = await LogBench.AllAsync(log);
        Assert.Equal(new LogRecovered(76, "Event 77 was damaged and is lost."), events[76].Event);
        Assert.Equal(
            Enumerable.Range(1, Events).Select(number => (long)number),
            events[..^1].Select(envelope => envelope.Sequence)
        );
        Assert.Contains("lost: event 77.", Assert.IsType<LogRecovered>(events[^1].Event).Message);
        using var catalogue = new Catalogue(bench.Folder);
        Assert.Empty((await catalogue.VerifyAsync(LogBench.Session, Now)).Problems);
    }

    [Fact]
    public async Task The_first_event_is_kept_twice()
    {
        using var bench = await FilledAsync(closed: true);
        Overwrite(bench.File(), "/code/space", "/code/spice", last: true);
        await using var log = await bench.OpenAsync();
        Assert.Equal(LogBench.Opened(), (await LogBench.AllAsync(log))[0].Event);
    }

    [Fact]
    public async Task A_damaged_snapshot_is_no_snapshot_and_no_loss()
    {
        using var bench = new LogBench();
        await using (var log = bench.Store().Create(LogBench.Session))
        {
            await FillAsync(log);
            await log.WriteSnapshotAsync(new Snapshot(150, 1, "the state as it was"u8.ToArray()), Now);
        }

        Overwrite(bench.File(), "the state as it was", "the state as it is.");
        await using var again = await bench.Store().OpenAsync(LogBench.Session, Now);
        Assert.Null(again.Recovery);
        Assert.Null(await again.ReadSnapshotAsync(Now));
    }

    [Fact]
    public async Task Damage_that_opening_did_not_touch_is_found_when_it_is_read_and_salvaged_when_it_is_opened_again()
    {
        using var bench = new LogBench();
        await using (var log = bench.Store().Create(LogBench.Session))
        {
            await FillAsync(log);
            await log.WriteSnapshotAsync(new Snapshot(190, 1, "state"u8.ToArray()), Now);
        }

        Overwrite(bench.File(), "message number 77.", "message number 7?.");
        await using (var log = await bench.Store().OpenAsync(LogBench.Session, Now))
        {
            Assert.Null(log.Recovery);
            var found = await Assert.ThrowsAsync<LogException>(() => LogBench.AllAsync(log));
            Assert.Contains("damaged after event 76", found.Message);
            await LogBench.AppendAsync(log, new TextPiece("goes on"));
        }

        await using var again = await bench.OpenAsync();
        Assert.Contains("event 77", Assert.IsType<LogRecovered>((await LogBench.AllAsync(again))[^1].Event).Message);
    }

    [Fact]
    public async Task A_damaged_blob_is_never_shown_and_a_salvage_names_it()
    {
        using var bench = new LogBench();
        BlobId blob;
        BlobId other;
        await using (var log = bench.Store().Create(LogBench.Session))
        {
            await LogBench.AppendAsync(log, LogBench.Opened());
            blob = await log.StoreAsync("what a long output this is"u8.ToArray(), Now);
            other = await log.StoreAsync(Enumerable.Range(0, 50_000).Select(value => (byte)value).ToArray(), Now);
            await LogBench.AppendAsync(
                log,
                new AttemptFailed("cut", "Cut.", 1, null, blob),
                new AttemptFailed("cut", "Cut.", 2, null, other)
            );
        }

        Overwrite(bench.File(), "what a long output", "what a lung output");
        await using (var log = await bench.Store().OpenAsync(LogBench.Session, Now))
        {
            await Assert.ThrowsAsync<LogException>(async () => await log.ReadBlobAsync(blob, Now));
        }

        await using (var file = File.OpenWrite(bench.File()))
        {
            file.Write(new byte[4096]);
        }

        await using var again = await bench.OpenAsync();
        Assert.Null(await again.ReadBlobAsync(blob, Now));
        Assert.Equal(50_000, (await again.ReadBlobAsync(other, Now))!.Length);
        Assert.Contains(
            $"large output {blob.Value[..12]} of event 2",
            Assert.IsType<LogRecovered>((await LogBench.AllAsync(again))[^1].Event).Message
        );
    }

    /// <summary>Everything that is there is what was written, in order; and where anything is missing, the log says so.</summary>
    private static async Task<int> AssertHonestAsync(LogBench bench, string what)
    {
        IEventLog log;
        List<Envelope> events;
        try
        {
            log = await bench.OpenAsync();
            events = await LogBench.AllAsync(log);
        }
        catch (LogException hopeless) when (hopeless.Message.Contains("Nothing in the log"))
        {
            return 0; // truncated to nothing, or before the first row
        }

        await using (log)
        {
            var kept = events.Where(envelope => envelope.Event is not LogRecovered).ToList();
            foreach (var envelope in kept)
            {
                Assert.True(
                    Expected(envelope.Sequence).Equals(envelope.Event),
                    $"{what}: event {envelope.Sequence} is not what was written"
                );
            }

            var numbers = events.Select(envelope => envelope.Sequence).ToList();
            Assert.True(numbers.SequenceEqual(numbers.Order().Distinct()), $"{what}: out of order");
            Assert.True(
                kept.Count == Events || events.Any(envelope => envelope.Event is LogRecovered),
                $"{what}: {Events - kept.Count} lost in silence"
            );
            await LogBench.AppendAsync(log, new TextPiece("life goes on"));
            return kept.Count;
        }
    }

    private static string Damage(string path, Random random)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var length = file.Length;
        var at = random.NextInt64(length);
        file.Position = at;
        switch (random.Next(5))
        {
            case 0:
                file.SetLength(at);
                return $"cut at {at}";
            case 1:
                var zeros = (int)Math.Min(random.Next(1, 6_000), length - at);
                file.Write(new byte[zeros]);
                return $"{zeros} zeros at {at}";
            case 2:
                var flipped = (byte)(file.ReadByte() ^ (1 << random.Next(8)));
                file.Position = at;
                file.WriteByte(flipped);
                return $"bit at {at}";
            case 3:
                var noise = new byte[Math.Min(random.Next(1, 300), length - at)];
                random.NextBytes(noise);
                file.Write(noise);
                return $"noise at {at}";
            default:
                // A page written twice: every row of it is there two times.
                var page = new byte[4096];
                file.Position = at / 4096 * 4096;
                _ = file.ReadAtLeast(page, 4096, throwOnEndOfStream: false);
                file.Position = random.NextInt64(length) / 4096 * 4096;
                file.Write(page);
                return $"page {at / 4096} copied over {file.Position / 4096 - 1}";
        }
    }

    private static void Overwrite(string path, string old, string replacement, bool last = false)
    {
        var bytes = File.ReadAllBytes(path);
        var text = System.Text.Encoding.Latin1.GetString(bytes);
        var at = last ? text.LastIndexOf(old, StringComparison.Ordinal) : text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at > 0);
        System.Text.Encoding.Latin1.GetBytes(replacement).CopyTo(bytes, at);
        File.WriteAllBytes(path, bytes);
    }

    private static async Task<LogBench> FilledAsync(bool closed)
    {
        var bench = new LogBench();
        var log = bench.Store().Create(LogBench.Session);
        await FillAsync(log);
        if (closed)
        {
            await log.DisposeAsync();
        }

        return bench;
    }

    private static async Task FillAsync(IEventLog log)
    {
        for (var number = 1; number <= Events; number++)
        {
            await LogBench.AppendAsync(log, Expected(number));
        }
    }

    private static SessionEvent Expected(long number) =>
        number == 1 ? LogBench.Opened()
        : number > Events ? new TextPiece("life goes on")
        : new CompactionFailed(
            $"message number {number}. {new string((char)('a' + number % 26), number % 40 == 0 ? 9_000 : (int)(number * 7 % 500))}"
        );
}
