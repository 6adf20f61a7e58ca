using System.Text.Json.Nodes;
using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

public sealed class SqliteEventLogSpecs : EventLogConformance, IDisposable
{
    private readonly LogBench _bench = new();

    protected override IEventLog Create() => _bench.Store().Create(LogBench.Session);

    protected override ValueTask<IEventLog> ReopenAsync() => _bench.Store().OpenAsync(LogBench.Session, Now);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Nothing_is_on_disk_before_the_first_event_and_then_it_is_the_users_alone()
    {
        await using var log = Create();
        await log.StoreAsync(new byte[100], Now);
        Assert.False(Directory.Exists(_bench.Folder));
        await LogBench.AppendAsync(log, LogBench.Opened());
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Assert.Equal(Own | UnixFileMode.UserExecute, File.GetUnixFileMode(_bench.Folder));
            foreach (var file in Directory.GetFiles(_bench.Folder))
            {
                Assert.Equal(Own, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact]
    public async Task A_closed_session_is_one_file_that_can_be_carried_away()
    {
        await using (var log = Create())
        {
            await LogBench.AppendAsync(log, LogBench.Opened());
        }

        using var elsewhere = new LogBench();
        Directory.CreateDirectory(elsewhere.Folder);
        File.Copy(_bench.File(), elsewhere.File());
        Assert.False(File.Exists(_bench.File("-wal")) || File.Exists(_bench.File(".db-wal")));
        await using var copy = await elsewhere.OpenAsync();
        Assert.Single(await LogBench.AllAsync(copy));
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a.db")]
    [InlineData("a\n")]
    [InlineData("\u001b[2J")]
    public async Task An_id_that_is_no_name_is_no_session(string id)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await _bench.Store().OpenAsync(new SessionId(id), Now)
        );
        Assert.Equal("session_not_found", refused.Reason);
        Assert.DoesNotContain('\u001b', refused.Message);
        Assert.Throws<RefusedException>(() => _bench.Store().Create(new SessionId(id)));
    }

    [Fact]
    public async Task A_session_is_created_once()
    {
        await using (var log = Create())
        {
            await LogBench.AppendAsync(log, LogBench.Opened());
        }

        await using var second = Create();
        await Assert.ThrowsAsync<LogException>(() => LogBench.AppendAsync(second, LogBench.Opened()));
    }

    [Fact]
    public async Task A_kill_of_the_process_loses_nothing_and_leaves_no_gap()
    {
        await using var log = Create();
        await LogBench.AppendAsync(log, LogBench.Opened());
        await LogBench.AppendAsync(log, new TextPiece("not synced"));
        using var killed = _bench.Killed();
        await using var again = await killed.Store().OpenAsync(LogBench.Session, Now);
        Assert.Null(again.Recovery);
        Assert.Equal(3, again.Next);
        Assert.Equal(2, (await LogBench.AllAsync(again)).Count);
    }

    [Fact]
    public async Task After_a_stop_of_the_machine_numbers_jump_and_the_log_says_so_until_it_is_written_down()
    {
        await using var log = Create();
        await LogBench.AppendAsync(log, LogBench.Opened());
        using var killed = _bench.Killed("boot-2");
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await using var opened = await killed.Store().OpenAsync(LogBench.Session, Now);
            Assert.Equal(65_536, opened.Next);
            Assert.Equal(1, opened.Recovery!.After);
            await Assert.ThrowsAsync<ArgumentException>(() => LogBench.AppendAsync(opened, new TextPiece("first")));
        }

        await using (var again = await killed.OpenAsync())
        {
            await LogBench.AppendAsync(again, new TextPiece("then"));
            Assert.Equal([1, 65_536, 65_537], (await LogBench.AllAsync(again)).Select(envelope => envelope.Sequence));
        }

        using var catalogue = new Catalogue(killed.Folder);
        Assert.Empty((await catalogue.VerifyAsync(LogBench.Session, Now)).Problems);
    }

    [Fact]
    public async Task A_lost_write_ahead_file_is_noticed_and_told()
    {
        await using (var first = Create())
        {
            await LogBench.AppendAsync(first, LogBench.Opened());
        }

        await using var log = await ReopenAsync();
        await LogBench.AppendAsync(log, new TextPiece("seen by somebody"));
        using var killed = _bench.Killed();
        File.Delete(killed.File(".db-wal"));
        File.Delete(killed.File(".db-shm"));
        await using var again = await killed.Store().OpenAsync(LogBench.Session, Now);
        Assert.Equal(
            new LogRecovered(1, "Events 2 to 2 were written and are no longer there: the end of the log is lost."),
            again.Recovery
        );
        Assert.Equal(65_536, again.Next);
    }

    [Fact]
    public async Task Old_events_are_upgraded_when_they_are_read_and_newer_ones_are_kept_unknown()
    {
        await using (var log = Create())
        {
            await LogBench.AppendAsync(log, LogBench.Opened(), new CompactionFailed("old words"));
        }

        EventUpgrade[] upgrades =
        [
            new("compaction_failed", 1, json => new JsonObject { ["message"] = $"{json["message"]}, upgraded" }),
            new("compaction_failed", 2, json => new JsonObject { ["message"] = $"{json["message"]} twice" }),
        ];
        await using (var newer = await _bench.Store(upgrades).OpenAsync(LogBench.Session, Now))
        {
            Assert.Equal(new CompactionFailed("old words, upgraded twice"), (await LogBench.AllAsync(newer))[1].Event);
            await LogBench.AppendAsync(newer, new CompactionFailed("new words"));
        }

        await using var older = await ReopenAsync();
        var events = await LogBench.AllAsync(older);
        Assert.Equal(new CompactionFailed("old words"), events[1].Event);
        var unknown = Assert.IsType<UnknownEvent>(events[2].Event);
        Assert.Equal(("compaction_failed", 3), (unknown.Type, unknown.Version));
        Assert.Equal("new words", unknown.Payload.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_log_of_a_newer_format_is_left_alone_with_a_sentence()
    {
        await using (var log = Create())
        {
            await LogBench.AppendAsync(log, LogBench.Opened());
        }

        using (var database = Database.Open(_bench.File()))
        {
            database.Execute("PRAGMA user_version=2");
        }

        var before = await File.ReadAllBytesAsync(_bench.File(), Now);
        var refused = await Assert.ThrowsAsync<LogException>(async () => await ReopenAsync());
        Assert.Contains("newer Thole", refused.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(_bench.File(), Now));
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is no database")]
    public async Task A_file_in_which_nothing_can_be_read_says_what_to_do(string content)
    {
        Directory.CreateDirectory(_bench.Folder);
        await File.WriteAllTextAsync(_bench.File(), content, Now);
        await File.WriteAllTextAsync(_bench.File(".lease"), "7", Now);
        var refused = await Assert.ThrowsAsync<LogException>(async () => await ReopenAsync());
        Assert.Contains("restore the file from a backup", refused.Message);
        Assert.Equal(content, await File.ReadAllTextAsync(_bench.File(), Now));
    }

    [Fact]
    public async Task Numbers_are_never_used_twice_over_any_history_of_kills_and_power_cuts()
    {
        var histories = Environment.GetEnvironmentVariable("THOLE_LONG") == "1" ? 2_000 : 60;
        for (var seed = 0; seed < histories; seed++)
        {
            var random = new Random(seed);
            var bench = new LogBench();
            var seen = new Dictionary<long, string>();
            var log = bench.Store().Create(LogBench.Session);
            await LogBench.AppendAsync(log, LogBench.Opened());
            var durable = 1L;
            for (var step = 0; step < 30; step++)
            {
                switch (random.Next(6))
                {
                    case 0: // closed and opened
                        await log.DisposeAsync();
                        log = await bench.OpenAsync();
                        break;
                    case 1: // kill -9
                    case 2: // power cut: what was not synced may be gone, here by the whole write-ahead file's end
                        var isCut = random.Next(2) == 0;
                        var next = bench.Killed(isCut ? $"boot-{step}" : null);
                        if (isCut)
                        {
                            File.Delete(next.File(".lease"));
                        }

                        await log.DisposeAsync();
                        bench.Dispose();
                        bench = next;
                        log = await bench.OpenAsync();
                        break;
                    default:
                        var text = $"{seed}.{step}";
                        var number = log.Next;
                        await LogBench.AppendAsync(log, random.Next(2) == 0 ? new TextPiece(text) : new CompactionFailed(text));
                        Assert.True(seen.TryAdd(number, text), $"seed {seed}: {number} was used twice");
                        durable = number;
                        break;
                }
            }

            var numbers = (await LogBench.AllAsync(log)).Select(envelope => envelope.Sequence).ToList();
            Assert.Equal(numbers.Order().Distinct(), numbers);
            Assert.Contains(durable, numbers);
            using (var catalogue = new Catalogue(bench.Folder))
            {
                Assert.Empty((await catalogue.VerifyAsync(LogBench.Session, Now)).Problems);
            }

            await log.DisposeAsync();
            bench.Dispose();
        }
    }
}
