using Thole.Core.Log;
using Thole.Protocol;

namespace Thole.Core.Tests.Log;

public sealed class CatalogueSpecs : IDisposable
{
    private readonly LogBench _bench = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_folder_that_is_not_there_has_no_sessions_and_is_not_made()
    {
        using var catalogue = new Catalogue(_bench.Folder);
        Assert.Empty(await catalogue.ListAsync(null, 10, Now));
        Assert.Null(await catalogue.FindAsync("a", Now));
        Assert.Empty(await catalogue.SearchAsync("word", 10, Now));
        Assert.False(Directory.Exists(_bench.Folder));
    }

    [Fact]
    public async Task Sessions_are_listed_newest_first_by_workspace_with_what_was_said()
    {
        await using var one = await OpenAsync("one", "/a", "Fix the\u001b[31m parser\nplease", minute: 1);
        await using var two = await OpenAsync("two", "/b", "  \n Write docs ", minute: 3);
        await using var three = await OpenAsync("three", "/a", new string('x', 200), minute: 2);
        using var catalogue = new Catalogue(_bench.Folder);
        Assert.Equal(["two", "three", "one"], (await catalogue.ListAsync(null, 10, Now)).Select(session => session.Id.Value));
        var listed = await catalogue.ListAsync("/a", 10, Now);
        Assert.Equal(["three", "one"], listed.Select(session => session.Id.Value));
        Assert.Equal(80, listed[0].Title!.Length);
        Assert.DoesNotContain('\u001b', listed[1].Title!);
        Assert.StartsWith("Fix the", listed[1].Title);
        Assert.Equal(("/a", "local/model", 1), (listed[1].Workspace, listed[1].Model, listed[1].Turns));
        Assert.Single(await catalogue.ListAsync(null, 1, Now));
        Assert.Equal("Write docs", (await catalogue.FindAsync("tw", Now))!.Title);
        Assert.Equal(
            "session_ambiguous",
            (await Assert.ThrowsAsync<RefusedException>(async () => await catalogue.FindAsync("t", Now))).Reason
        );
        Assert.Null(await catalogue.FindAsync("t*", Now));
    }

    [Fact]
    public async Task What_is_new_is_found_while_the_session_runs_and_void_pieces_are_not()
    {
        await using var log = await OpenAsync("one", "/a", "What is a thole?", minute: 1);
        using var catalogue = new Catalogue(_bench.Folder);
        Assert.Single(await catalogue.SearchAsync("thole", 10, Now));
        var turn = new TurnId("turn-1");
        await LogBench.AppendAsync(
            log,
            new StepStarted(turn, 1, "local/model"),
            new TextPiece("A wrong walrus"),
            new AttemptFailed("cut", "Cut.", 1, null, null)
        );
        await LogBench.AppendAsync(log, new StepStarted(turn, 1, "local/model"), new TextPiece("The pin that "));
        Assert.Empty(await catalogue.SearchAsync("pin", 10, Now));
        await LogBench.AppendAsync(log, new TextPiece("holds an oar"), new MessageCompleted("stop", new Usage()));
        var hit = Assert.Single(await catalogue.SearchAsync("oar pin", 10, Now));
        Assert.Equal((7, "The pin that holds an oar"), (hit.Sequence, hit.Excerpt));
        Assert.Empty(await catalogue.SearchAsync("walrus", 10, Now));
        Assert.Empty(await catalogue.SearchAsync("\" OR (thole* NEAR", 10, Now));
        Assert.Empty(await catalogue.SearchAsync("  ", 10, Now));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broken_or_missing_index_is_made_anew(bool isMissing)
    {
        await using var log = await OpenAsync("one", "/a", "hello", minute: 1);
        using (var first = new Catalogue(_bench.Folder))
        {
            Assert.Single(await first.ListAsync(null, 10, Now));
        }

        var index = Path.Join(_bench.Folder, "catalogue.3.db");
        if (isMissing)
        {
            File.Delete(index);
        }
        else
        {
            await File.WriteAllBytesAsync(index, Enumerable.Repeat((byte)7, 9_000).ToArray(), Now);
        }

        using var second = new Catalogue(_bench.Folder);
        Assert.Single(await second.ListAsync(null, 10, Now));
        Assert.Single(await second.SearchAsync("hello", 10, Now));
    }

    [Fact]
    public async Task A_broken_log_is_marked_and_hides_no_other()
    {
        await using var log = await OpenAsync("one", "/a", "hello", minute: 1);
        await File.WriteAllBytesAsync(Path.Join(_bench.Folder, "broken.db"), new byte[8_192], Now);
        await File.WriteAllTextAsync(Path.Join(_bench.Folder, "text.db"), "this is no database at all", Now);
        using var catalogue = new Catalogue(_bench.Folder);
        var listed = await catalogue.ListAsync(null, 10, Now);
        Assert.Equal(3, listed.Count);
        Assert.Null(listed.Single(session => session.Id.Value == "one").Problem);
        Assert.NotNull(listed.Single(session => session.Id.Value == "text").Problem);
        Assert.NotNull(listed.Single(session => session.Id.Value == "broken").Problem);
    }

    [Fact]
    public async Task A_session_in_use_is_not_deleted_and_a_closed_one_leaves_nothing()
    {
        var log = await OpenAsync("one", "/a", "hello", minute: 1);
        using var catalogue = new Catalogue(_bench.Folder);
        Assert.Single(await catalogue.ListAsync(null, 10, Now));
        var id = new SessionId("one");
        Assert.Equal(
            "session_in_use",
            (await Assert.ThrowsAsync<RefusedException>(async () => await catalogue.DeleteAsync(id, Now))).Reason
        );
        await log.DisposeAsync();
        await catalogue.DeleteAsync(id, Now);
        Assert.Empty(Directory.GetFiles(_bench.Folder, "one*"));
        Assert.Empty(await catalogue.ListAsync(null, 10, Now));
        Assert.Empty(await catalogue.SearchAsync("hello", 10, Now));
        Assert.Equal(
            "session_not_found",
            (await Assert.ThrowsAsync<RefusedException>(async () => await catalogue.DeleteAsync(id, Now))).Reason
        );
    }

    [Fact]
    public async Task Readers_see_a_running_session_and_its_blobs()
    {
        await using var log = await OpenAsync("one", "/a", "hello", minute: 1);
        var blob = await log.StoreAsync(new byte[] { 1, 2, 3 }, Now);
        await LogBench.AppendAsync(log, new AttemptFailed("cut", "Cut.", 1, null, blob));
        using var catalogue = new Catalogue(_bench.Folder);
        var events = new List<Envelope>();
        await foreach (var envelope in catalogue.ReadAsync(new SessionId("one"), 1, Now))
        {
            events.Add(envelope);
        }

        Assert.Equal([2, 3], events.Select(envelope => envelope.Sequence));
        Assert.Equal(new byte[] { 1, 2, 3 }, await catalogue.ReadBlobAsync(new SessionId("one"), blob, Now));
    }

    [Fact]
    public async Task A_session_is_unfinished_while_a_turn_runs_or_something_accepted_has_not_begun()
    {
        await using var log = await OpenAsync("one", "/a", "hello", minute: 1);
        using var catalogue = new Catalogue(_bench.Folder);
        var (first, waiting) = (new TurnId("turn-1"), DateTimeOffset.UnixEpoch);
        IReadOnlyList<Content> content = [new TextContent("more")];
        (bool IsUnfinished, SessionEvent[] Events)[] history =
        [
            (true, []),
            (false, [new TurnEnded(first, TurnOutcome.Completed)]),
            (true, [new TurnStarted(new TurnId("turn-2"), new PromptId("b"), content)]),
            (true, [new PromptQueued(new PromptId("c"), content), new SteeringReceived(new PromptId("d"), content)]),
            (true, [new SteeringTaken(first, [new SteeringReceived(new PromptId("d"), content)])]),
            (true, [new TurnEnded(new TurnId("turn-2"), TurnOutcome.Completed)]), // another waits
            (true, [new TurnStarted(new TurnId("turn-3"), new PromptId("c"), content, waiting)]),
            (true, [new SteeringReceived(new PromptId("e"), content), new PromptWithdrawn(new PromptId("e"))]),
            (false, [new TurnEnded(new TurnId("turn-3"), TurnOutcome.Failed, "why")]),
            (false, [new SessionClosed()]),
        ];

        foreach (var (isUnfinished, events) in history)
        {
            if (events is not [])
            {
                await LogBench.AppendAsync(log, events);
            }

            using var anew = new Catalogue(_bench.Killed().Folder); // which reads it all at once
            Assert.Equal(isUnfinished, (await catalogue.FindAsync("one", Now))!.IsUnfinished);
            Assert.Equal(isUnfinished, (await anew.FindAsync("one", Now))!.IsUnfinished);
        }
    }

    [Fact]
    public async Task What_begins_to_wait_while_the_model_speaks_is_counted_once_however_often_somebody_asks()
    {
        await using var log = await OpenAsync("one", "/a", "hello", minute: 1);
        using var catalogue = new Catalogue(_bench.Folder);
        var turn = new TurnId("turn-1");
        var later = new PromptId("later");
        await LogBench.AppendAsync(log, new StepStarted(turn, 1, "local/model"), new TextPiece("I "));
        await LogBench.AppendAsync(log, new PromptQueued(later, [new TextContent("and then")]));
        Assert.True((await catalogue.FindAsync("one", Now))!.IsUnfinished);
        await LogBench.AppendAsync(log, new TextPiece("speak "));
        Assert.True((await catalogue.FindAsync("one", Now))!.IsUnfinished);
        await LogBench.AppendAsync(log, new TextPiece("slowly"), new MessageCompleted("stop", new Usage()));
        await LogBench.AppendAsync(log, new TurnEnded(turn, TurnOutcome.Completed));
        Assert.True((await catalogue.FindAsync("one", Now))!.IsUnfinished);

        await LogBench.AppendAsync(
            log,
            new TurnStarted(new TurnId("turn-2"), later, [new TextContent("and then")], DateTimeOffset.UnixEpoch),
            new TurnEnded(new TurnId("turn-2"), TurnOutcome.Completed)
        );

        Assert.False((await catalogue.FindAsync("one", Now))!.IsUnfinished);
        Assert.Single(await catalogue.SearchAsync("slowly", 10, Now));
    }

    [Fact]
    public async Task A_session_is_listed_under_its_name_and_without_one_under_its_first_prompt()
    {
        await using var log = await OpenAsync("one", "/a", "Fix the parser", minute: 1);
        using var catalogue = new Catalogue(_bench.Folder);
        Assert.Equal("Fix the parser", await TitleAsync());
        await LogBench.AppendAsync(log, new SessionRenamed("The \u001b[31mroof"));
        Assert.Equal("The \\e[31mroof", await TitleAsync()); // a client gave it: it commands no terminal
        await LogBench.AppendAsync(
            log,
            new TurnEnded(new TurnId("turn-1"), TurnOutcome.Completed),
            LogBench.Prompted("And the lexer", turn: 2)
        );
        Assert.Equal("The \\e[31mroof", await TitleAsync());

        await LogBench.AppendAsync(log, new SessionRenamed());

        Assert.Equal("Fix the parser", await TitleAsync());
        await LogBench.AppendAsync(
            log,
            new TurnEnded(new TurnId("turn-2"), TurnOutcome.Completed),
            LogBench.Prompted("x", turn: 3)
        );
        Assert.Equal("Fix the parser", await TitleAsync());

        async Task<string?> TitleAsync() => (await catalogue.FindAsync("one", Now))!.Title;
    }

    [Fact]
    public async Task A_name_that_was_given_before_the_first_prompt_stays()
    {
        await using var log = _bench.Store().Create(new SessionId("one"));
        await LogBench.AppendAsync(
            log,
            LogBench.Opened() with
            {
                Session = new SessionId("one"),
            },
            new SessionRenamed("The roof")
        );
        using var catalogue = new Catalogue(_bench.Folder);
        Assert.Equal("The roof", (await catalogue.FindAsync("one", Now))!.Title);

        await LogBench.AppendAsync(log, LogBench.Prompted("Fix the parser"));
        Assert.Equal("The roof", (await catalogue.FindAsync("one", Now))!.Title);
        await LogBench.AppendAsync(log, new SessionRenamed());

        Assert.Equal("Fix the parser", (await catalogue.FindAsync("one", Now))!.Title);
    }

    private async Task<IEventLog> OpenAsync(string id, string workspace, string prompt, int minute)
    {
        var log = _bench.Store().Create(new SessionId(id));
        var at = DateTimeOffset.UnixEpoch.AddMinutes(minute);
        await log.AppendAsync(
            [
                new(1, at, Actor.Runtime, LogBench.Opened(workspace) with { Session = new SessionId(id) }),
                new(2, at, Actor.User, LogBench.Prompted(prompt)),
            ],
            durable: true,
            Now
        );
        return log;
    }
}
