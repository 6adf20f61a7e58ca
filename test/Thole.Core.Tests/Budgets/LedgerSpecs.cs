using Thole.Core.Budgets;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Budgets;

/// <summary>One file that many count in: nothing is counted twice, and nothing is given back that may have been spent.</summary>
public sealed class LedgerSpecs : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new() { Zone = TimeZoneInfo.Utc };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_is_made_before_the_first_request_and_then_for_its_owner_alone()
    {
        using var ledger = Open();
        Assert.Empty(ledger.Report(UsageBy.Model, null, []).Rows);
        Assert.False(Directory.Exists(_folder.File("state")));

        Spend(ledger, Charge(10));

        Assert.Equal(10, Assert.Single(ledger.Report(UsageBy.Model, null, []).Rows).Input);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        }
    }

    [Theory]
    [InlineData(0, 20)] // it is 03:04:05 in Greenwich
    [InlineData(14, 6)]
    [InlineData(-11, 7)]
    public void A_day_ends_at_midnight_of_where_the_user_is(int offset, int hoursLeft)
    {
        _time.Zone = TimeZoneInfo.CreateCustomTimeZone("there", TimeSpan.FromHours(offset), "there", "there");
        using var ledger = Open();
        Spend(ledger, Charge(100));
        IReadOnlyList<Cap> caps = [Tokens(BudgetScope.Day, 100)];

        _time.Advance(TimeSpan.FromHours(hoursLeft));
        Assert.NotNull(ledger.Reserve(Charge(1), caps, out _));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(ledger.Reserve(Charge(1), caps, out _));
    }

    [Fact]
    public void A_request_over_midnight_counts_on_the_day_on_which_it_began()
    {
        using var ledger = Open();
        Assert.Null(ledger.Reserve(Charge(5), [], out var reservation));
        _time.Advance(TimeSpan.FromHours(22));
        ledger.Settle(reservation, Charge(7), ChargeState.Counted);

        Assert.Equal("2026-01-02", Assert.Single(ledger.Report(UsageBy.Day, null, []).Rows).Key);
        Assert.Empty(ledger.Report(UsageBy.Day, new DateOnly(2026, 1, 3), []).Rows);
    }

    [Fact]
    public void A_subagent_draws_on_the_budgets_of_the_turn_that_it_works_for_and_is_shown_under_its_own_name()
    {
        using var ledger = Open();
        var parent = new Account(new SessionId("parent"), new TurnId("t1"), "main");
        var child = new Account(new SessionId("child"), new TurnId("t9"), "explore") { Payer = parent.Payer };
        Spend(ledger, Charge(100) with { Account = child });

        Assert.NotNull(ledger.Reserve(Charge(1) with { Account = parent }, [Tokens(BudgetScope.Run, 100)], out _));
        Assert.NotNull(ledger.Reserve(Charge(1) with { Account = child }, [Tokens(BudgetScope.Session, 100)], out _));
        Assert.Equal("child", Assert.Single(ledger.Report(UsageBy.Session, null, []).Rows).Key);
    }

    [Fact]
    public void A_request_without_an_account_counts_for_the_day_alone()
    {
        using var ledger = Open();
        Spend(ledger, Charge(100) with { Account = null });

        Assert.Null(ledger.Reserve(Charge(1) with { Account = null }, [Tokens(BudgetScope.Run, 1)], out _));
        Assert.Null(ledger.Reserve(Charge(1), [Tokens(BudgetScope.Session, 1)], out _));
        Assert.NotNull(ledger.Reserve(Charge(1), [Tokens(BudgetScope.Day, 100)], out _));
    }

    [Fact]
    public void What_is_reserved_counts_until_it_is_settled_or_released()
    {
        using var ledger = Open();
        IReadOnlyList<Cap> caps = [Tokens(BudgetScope.Day, 100)];
        Assert.Null(ledger.Reserve(Charge(100), caps, out var one));
        var shortage = ledger.Reserve(Charge(1), caps, out _);
        Assert.Equal((100m, 100m), (shortage!.Used, shortage.Reserved));
        Assert.Contains("of which 100 tokens is reserved for requests under way", shortage.Sentence);

        ledger.Settle(one, Charge(60), ChargeState.Counted);
        Assert.Null(ledger.Reserve(Charge(40), caps, out var two));
        ledger.Release(two);
        Assert.Null(ledger.Reserve(Charge(40), caps, out _));
        var balance = Assert.Single(ledger.Report(UsageBy.Day, null, caps).Today);
        Assert.Equal((100m, 40m, 0m), (balance.Used, balance.Reserved, balance.Left));
    }

    [Fact]
    public async Task Many_sessions_of_many_processes_come_to_the_cap_and_one_call_each_at_most()
    {
        const int Sessions = 20;
        const int Cap = 3_000;
        IReadOnlyList<Cap> caps = [Tokens(BudgetScope.Day, Cap)];
        var asked = 0;

        await Task.WhenAll(
            Enumerable
                .Range(0, Sessions)
                .Select(number =>
                    Task.Run(() =>
                    {
                        using var ledger = Open(); // a connection of its own, as a process has
                        var account = new Account(new SessionId($"s{number}"), new TurnId("t"), "main");
                        while (ledger.Reserve(Charge(10) with { Account = account }, caps, out var reservation) is null)
                        {
                            Interlocked.Increment(ref asked);
                            ledger.Settle(reservation, Charge(25) with { Account = account }, ChargeState.Counted);
                        }
                    })
                )
        );

        using var reader = Open();
        var rows = reader.Report(UsageBy.Session, null, []).Rows;
        Assert.Equal(asked, rows.Sum(row => row.Requests));
        Assert.InRange(rows.Sum(row => row.Input), Cap, Cap + (Sessions * 25));
    }

    [Fact]
    public void A_deleted_file_is_made_again_and_what_is_under_way_is_written_there()
    {
        using var ledger = Open();
        Assert.Null(ledger.Reserve(Charge(5), [], out var reservation));
        foreach (var file in Directory.GetFiles(_folder.File("state")))
        {
            File.Delete(file);
        }

        ledger.Settle(reservation, Charge(7), ChargeState.Counted);

        using var other = Open();
        Assert.Equal(7, Assert.Single(other.Report(UsageBy.Model, null, []).Rows).Input);
    }

    [Fact]
    public void What_cannot_be_written_stops_who_has_a_budget_and_is_owed_by_who_has_none()
    {
        File.WriteAllText(_folder.File("state"), "a file where the folder should be");
        using var ledger = Open();

        var refused = Assert.Throws<LogException>(() => ledger.Reserve(Charge(5), [Tokens(BudgetScope.Day, 10)], out _));
        Assert.Contains("cannot be used", refused.Message);

        Assert.Null(ledger.Reserve(Charge(5), [], out var reservation));
        ledger.Settle(reservation, Charge(7), ChargeState.Counted);
        File.Delete(_folder.File("state"));
        Assert.NotNull(ledger.Reserve(Charge(5), [Tokens(BudgetScope.Day, 7)], out _));
    }

    [Fact]
    public void A_full_disk_takes_no_reservation_and_what_was_under_way_is_written_when_there_is_room()
    {
        Directory.CreateDirectory(_folder.File("state"));
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", _folder.File("state")),
            "needs the right to mount a tmpfs: run as root"
        );
        try
        {
            using (var ledger = Open())
            {
                IReadOnlyList<Cap> caps = [Tokens(BudgetScope.Day, 1_000_000)];
                Assert.Null(ledger.Reserve(Charge(5), caps, out var underWay));
                var full = Assert.Throws<LogException>(() =>
                {
                    while (ledger.Reserve(Charge(5), caps, out _) is null) { }
                });
                Assert.Contains("The disk is full: the ledger", full.Message);
                ledger.Settle(underWay, Charge(7_000_000), ChargeState.Counted);
                Assert.Null(ledger.Reserve(Charge(5), [], out _));
                Assert.True(Run("mount", "-o", "remount,size=1m", _folder.File("state")));

                Assert.NotNull(ledger.Reserve(Charge(5), caps, out _));
            }
        }
        finally
        {
            Assert.True(Run("umount", "-l", _folder.File("state")));
        }
    }

    [Fact]
    public void A_damaged_file_is_put_aside_with_what_can_be_read_and_said_once_to_who_has_a_budget()
    {
        using (var before = Open())
        {
            for (var count = 0; count < 500; count++)
            {
                Spend(before, Charge(10));
            }
        }

        var bytes = File.ReadAllBytes(Path);
        bytes.AsSpan(bytes.Length / 2).Clear();
        File.WriteAllBytes(Path, bytes);
        using var ledger = Open();
        IReadOnlyList<Cap> caps = [Tokens(BudgetScope.Day, 1_000_000)];

        var said = Assert.Throws<LogException>(() =>
        {
            for (var count = 0; count < 500; count++)
            {
                ledger.Reserve(Charge(10), caps, out _);
            }
        });

        Assert.Matches("was damaged, and lies at '.*' now: [0-9]+ of its rows could be read", said.Message);
        Assert.Null(ledger.Reserve(Charge(10), caps, out _));
        var report = ledger.Report(UsageBy.Model, null, []);
        var loss = Assert.Single(report.Losses);
        Assert.True(File.Exists(loss.Aside));
        Assert.True(loss.Kept > 0);
        Assert.Equal(loss.Kept + 1, report.Rows.Sum(row => row.Requests));
    }

    [Theory]
    [InlineData("DROP TABLE charges")]
    [InlineData("PRAGMA user_version=0")]
    public void A_file_that_is_none_of_ours_any_more_is_put_aside(string accident)
    {
        using (var before = Open())
        {
            Spend(before, Charge(10));
        }

        using (var file = Database.Open(Path))
        {
            file.Execute(accident);
        }

        using var ledger = Open();
        Assert.Throws<LogException>(() => ledger.Reserve(Charge(1), [Tokens(BudgetScope.Day, 50)], out _));
        Assert.Null(ledger.Reserve(Charge(1), [Tokens(BudgetScope.Day, 50)], out _));
        Assert.Single(ledger.Report(UsageBy.Day, null, []).Losses);
    }

    [Fact]
    public void Who_finds_that_another_has_put_the_file_aside_goes_on_in_the_new_one()
    {
        using var one = Open();
        using var two = Open();
        Spend(one, Charge(10));
        Spend(two, Charge(10));
        File.Move(Path, Path + ".damaged");
        foreach (var end in (string[])["-wal", "-shm"])
        {
            File.Delete(Path + end);
        }

        Spend(one, Charge(1));
        Spend(two, Charge(2));

        Assert.Equal(3, one.Report(UsageBy.Model, null, []).Rows.Sum(row => row.Input));
    }

    [Fact]
    public void What_is_two_months_old_is_added_up_and_still_counts_for_its_session()
    {
        using (var before = Open())
        {
            Assert.Null(before.Reserve(Charge(10), [], out _)); // nobody settles it
            Spend(before, Charge(10));
            Spend(before, Charge(10));
            Spend(before, Charge(10) with { Dollars = null });
        }

        _time.Advance(TimeSpan.FromDays(70));
        using var ledger = Open();
        Spend(ledger, Charge(1));

        var report = ledger.Report(UsageBy.Day, null, []).Rows;
        Assert.Equal(["2026-01-02", "2026-03-13"], report.Select(row => row.Key));
        Assert.Equal((4, 40, 1, 1), (report[0].Requests, report[0].Input, report[0].Estimated, report[0].Unpriced));
        Assert.Equal(0.03m, report[0].Dollars);
        Assert.NotNull(ledger.Reserve(Charge(1), [Tokens(BudgetScope.Session, 41)], out _));
    }

    [Fact]
    public void Small_amounts_of_money_add_up_exactly()
    {
        using var ledger = Open();
        for (var count = 0; count < 1_000; count++)
        {
            Spend(ledger, Charge(1) with { Dollars = 0.000_000_3m });
        }

        Assert.Equal(0.000_3m, ledger.Report(UsageBy.Model, null, []).Rows.Single().Dollars);
    }

    [Fact]
    public void A_provider_that_counts_wildly_does_not_break_the_sums()
    {
        using var ledger = Open();
        for (var count = 0; count < 20; count++)
        {
            Spend(ledger, Charge(long.MaxValue) with { Dollars = decimal.MaxValue });
            Spend(ledger, Charge(-5) with { Dollars = -1 });
        }

        Assert.NotNull(ledger.Reserve(Charge(1), [Tokens(BudgetScope.Day, 1), Dollars(BudgetScope.Day, 1)], out _));
    }

    [Fact]
    public void A_file_of_a_newer_version_is_refused_and_left_as_it_is()
    {
        using (var ledger = Open())
        {
            Spend(ledger, Charge(1));
        }

        using (var file = Database.Open(Path))
        {
            file.Execute("PRAGMA user_version=99");
        }

        using var newer = Open();
        var refused = Assert.Throws<LogException>(() => newer.Reserve(Charge(1), [Tokens(BudgetScope.Day, 5)], out _));
        Assert.Contains("newer Thole (format 99", refused.Message);
        Assert.Throws<LogException>(() => newer.Report(UsageBy.Day, null, []));
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false }
        )!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private string Path => _folder.File("state/ledger.db");

    private Ledger Open() => new(Path, _time);

    private static void Spend(Ledger ledger, Charge charge)
    {
        Assert.Null(ledger.Reserve(charge, [], out var reservation));
        ledger.Settle(reservation, charge, ChargeState.Counted);
    }

    private static Charge Charge(long input) =>
        new(new Account(new SessionId("s"), new TurnId("t"), "main"), "test/model", input, 0, 0, 0.01m);

    private static Cap Tokens(BudgetScope scope, decimal most) => new(scope, BudgetUnit.Tokens, most, "it");

    private static Cap Dollars(BudgetScope scope, decimal most) => new(scope, BudgetUnit.Dollars, most, "it");
}
