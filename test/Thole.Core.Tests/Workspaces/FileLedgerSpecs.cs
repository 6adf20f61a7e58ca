using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Tests.Workspaces;

public sealed class FileLedgerSpecs
{
    private static readonly WorkspacePath s_path = new("/w", "a.txt");
    private readonly FileLedger _ledger = new();

    [Fact]
    public void What_was_never_read_is_not_known()
    {
        var refused = Assert.Throws<WorkspaceException>(() => _ledger.Require(s_path, "h", 9, [new(3, 4)]));

        Assert.Equal(ToolErrors.RequiresRead, refused.Error);
        Assert.Contains("read lines 3-4 of it first", refused.Message);
    }

    [Fact]
    public void Ranges_of_one_state_add_up()
    {
        See("h", new LineRange(1, 10));
        See("h", new LineRange(30, 40));
        See("h", new LineRange(11, 20));

        _ledger.Require(s_path, "h", 40, [new(5, 20), new(31, 31)]);
        var refused = Assert.Throws<WorkspaceException>(() => _ledger.Require(s_path, "h", 40, [new(15, 35)]));

        Assert.Equal(ToolErrors.RequiresRead, refused.Error);
        Assert.Contains("read lines 21-29 of a.txt first (offset 20, limit 9)", refused.Message);
        Assert.Equal([new(1, 20), new(30, 40)], _ledger.Find(s_path.Full)!.Lines!);
    }

    [Fact]
    public void The_whole_file_needs_every_line()
    {
        See("h", new LineRange(1, 10));

        _ledger.Require(s_path, "h", 10, needed: null);
        Assert.Throws<WorkspaceException>(() => _ledger.Require(s_path, "h", 11, needed: null));
        _ledger.Apply(new FileSeen(s_path.Full, "h", null));
        _ledger.Require(s_path, "h", 11, needed: null);
        See("h", new LineRange(1, 2));
        _ledger.Require(s_path, "h", 11, needed: null);
    }

    [Fact]
    public void Another_state_is_a_conflict_and_forgets_what_was_shown()
    {
        See("old", new LineRange(1, 10));

        var refused = Assert.Throws<WorkspaceException>(() => _ledger.Require(s_path, "new", 10, [new(1, 1)]));
        See("new", new LineRange(5, 5));

        Assert.Equal(ToolErrors.ChangedSinceRead, refused.Error);
        Assert.Contains("read line 1 of it again", refused.Message);
        Assert.Throws<WorkspaceException>(() => _ledger.Require(s_path, "new", 10, [new(1, 1)]));
        _ledger.Require(s_path, "new", 10, [new(5, 5)]);
    }

    [Fact]
    public void A_change_of_our_own_moves_what_was_shown()
    {
        // Lines 3-4 become three lines, line 8 goes.
        var moved = FileLedger.Move([new(1, 5), new(8, 12)], [new LineChange(2, 2, 2, 3), new LineChange(7, 1, 8, 0)]);

        Assert.Equal([new(1, 6), new(9, 12)], moved);
    }

    [Fact]
    public void Lines_that_were_never_shown_stay_unseen_when_others_move() =>
        Assert.Equal([new(1, 3)], FileLedger.Move([new(2, 2)], [new LineChange(0, 1, 0, 2)]));

    [Fact]
    public async Task Many_may_tell_and_ask_at_once()
    {
        await Parallel.ForAsync(
            0,
            500,
            TestContext.Current.CancellationToken,
            (line, _) =>
            {
                See("h", new LineRange(line + 1, line + 1));
                return ValueTask.CompletedTask;
            }
        );

        _ledger.Require(s_path, "h", 500, needed: null);
    }

    private void See(string hash, LineRange range) => _ledger.Apply(new FileSeen(s_path.Full, hash, [range]));
}
