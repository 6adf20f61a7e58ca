using System.Globalization;
using System.Text.Json;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>Budgets and the ledger of the real program, in many processes at once.</summary>
public sealed class BudgetRunSpecs : IAsyncDisposable
{
    /// <summary>Of one scripted answer: 5,000 tokens at ten dollars a million.</summary>
    private const decimal Call = 0.05m;

    private readonly TholeProgram _thole = new();
    private int _answers;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task A_day_stops_a_daemon_and_other_processes_at_the_cap_and_all_go_on_when_it_is_raised()
    {
        const int InDaemon = 6;
        const int Others = 4;
        Script();
        Set("""{"day":{"dollars":1}}""");
        await using var daemon = await RunningDaemon.StartAsync(_thole);
        using var client = daemon.Connect();
        var sessions = await Task.WhenAll(
            Enumerable.Range(0, InDaemon).Select(_ => client.OpenAsync(cancellationToken: Now).AsTask())
        );

        var turns = sessions.Select(session => EndAsync(session, "work")).ToList();
        var runs = Enumerable.Range(0, Others).Select(number => RunElsewhereAsync(number, "-p", "work", "-o", "json")).ToList();
        var ended = await Task.WhenAll(turns);
        var outcomes = await Task.WhenAll(runs);

        Assert.All(ended, turn => Assert.Equal(TurnOutcome.BudgetExhausted, turn.Outcome));
        Assert.All(ended, turn => Assert.Contains($"raise budget.day.dollars in {_thole.Home}", turn.Message));
        Assert.All(
            outcomes,
            outcome =>
                Assert.Equal("error_budget", outcome.MustEndWith(6).Of("result").Single().GetProperty("subtype").GetString())
        );
        var spent = await SpentAsync();
        Assert.InRange(spent, 1m, 1m + ((InDaemon + Others) * Call));
        Assert.Equal(_thole.Server.Requests.Count * Call, spent);

        // Neither the daemon nor a session is opened anew.
        Set("""{"day":{"dollars":1000}}""");
        _thole.Server.ReplyWhen(
            request => request.Text.Contains("finish", StringComparison.Ordinal),
            reply => reply.Text("Done.").Usage(4_000, 1_000).Done()
        );
        Assert.All(
            await Task.WhenAll(sessions.Select(session => EndAsync(session, "finish"))),
            turn => Assert.Equal(TurnOutcome.Completed, turn.Outcome)
        );
        Assert.All(
            await Task.WhenAll(
                Enumerable.Range(0, Others).Select(number => RunElsewhereAsync(number, "-p", "finish", "--continue"))
            ),
            outcome => outcome.MustSucceed()
        );
        Assert.Equal(_thole.Server.Requests.Count * Call, await SpentAsync());
    }

    [Fact]
    public async Task What_a_killed_process_had_reserved_counts_for_good()
    {
        _thole.Server.Reply(reply => reply.Text("I beg").Hang()).ReplyOtherwise(reply => reply.Text("Yes.").Done());
        Set("""{"day":{"tokens":500}}""");
        await using (var killed = _thole.Start("-p", "work"))
        {
            killed.CloseInput();
            await _thole.Server.RequestAsync(1, Now);
            await killed.SignalAsync("KILL");
            Assert.NotEqual(0, (await killed.EndAsync()).ExitCode);
        }

        (await _thole.RunAsync("-p", "again")).MustFail(
            6,
            "The budget of this day is spent",
            "is reserved for requests under way"
        );
        Assert.Single(_thole.Server.Requests);
        var usage = await UsageAsync();
        Assert.Equal(1, usage.GetProperty("total").GetProperty("estimatedRequests").GetInt64());
        Assert.True(usage.GetProperty("today")[0].GetProperty("reserved").GetDecimal() > 500);

        Set("""{"day":{"tokens":500000}}""");
        (await _thole.RunAsync("-p", "again", "--continue")).MustSucceed();
    }

    [Fact]
    public async Task A_run_has_a_budget_by_flag_and_the_session_goes_on_with_the_next()
    {
        Script();
        Set("{}");
        var stopped = (await _thole.RunAsync("-p", "work", "--max-budget-dollars", "0.12")).MustFail(
            6,
            "The budget of this run is spent: $0.15 of $0.12.",
            "raise --max-budget-dollars"
        );
        Assert.Equal(3, _thole.Server.Requests.Count);
        Assert.Contains("budget", stopped.Error);

        _thole.Server.ReplyWhen(
            request => request.Text.Contains("finish", StringComparison.Ordinal),
            reply => reply.Text("Done.").Done()
        );
        (await _thole.RunAsync("-p", "finish", "--continue", "--max-budget-dollars", "0.12")).MustSucceed();
        (await _thole.RunAsync("-p", "x", "--max-budget-dollars", "much")).MustFail(2, "must be a number from 0 to 1000000");
    }

    [Fact]
    public async Task A_repository_may_lower_a_budget_and_not_raise_it()
    {
        Script();
        Set("""{"session":{"tokens":11000}}""");
        _thole.Write(".thole/settings.json", """{"budget":{"session":{"tokens":900000},"run":{"tokens":5000}}}""");

        var run = (await _thole.RunAsync("-p", "work")).MustEndWith(6);

        Assert.Contains("'budget.session.tokens' was passed over, since a repository may not loosen it", run.Error);
        Assert.Contains($"raise budget.run.tokens in {_thole.File(".thole/settings.json")}", run.Error);
        Assert.Single(_thole.Server.Requests);
    }

    [Fact]
    public async Task Usage_says_where_it_went_by_model_session_and_day()
    {
        var none = (await _thole.RunAsync("usage")).MustSucceed();
        Assert.Equal(("", "Nothing was used yet.\n"), (none.Output, none.Error));
        Assert.False(File.Exists(Path.Join(_thole.Home, "ledger.db")));

        Set("""{"day":{"dollars":2}}""");
        _thole.Server.Reply(reply => reply.Text("Yes.").Usage(4_000, 1_000, cached: 500).Done());
        _thole.Server.Reply(reply => reply.Text("Yes.").WithoutUsage().Done());
        (await _thole.RunAsync("-p", "Mend the boat")).MustSucceed();
        (await _thole.RunAsync("-p", "Row home", "--model", "openai/free")).MustSucceed();

        var table = (await _thole.RunAsync("usage")).MustSucceed();
        Assert.Matches("^model +requests +input +cached +output +dollars\n", table.Output);
        Assert.Matches("openai/scripted +1 +4,000 +500 +1,000 +\\$0.05\n", table.Output);
        Assert.Matches("openai/free +1 .*~\\$0.00\n", table.Output);
        Assert.Matches("total +2 ", table.Output);
        Assert.Contains("~ 1 of the requests were not counted by their provider", table.Output);
        Assert.Contains("today: $0.05 of $2.00; $1.95 left", table.Output);

        Assert.Contains("Mend the boat", (await _thole.RunAsync("usage", "--by", "session")).MustSucceed().Output);
        var days = (await _thole.RunAsync("usage", "--by", "day", "--since", "7d", "--json")).MustSucceed();
        Assert.Equal(2, JsonElement.Parse(days.Output).GetProperty("usage")[0].GetProperty("requests").GetInt32());
        var later = DateTimeOffset.Now.AddDays(2).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Assert.Contains("Nothing was used", (await _thole.RunAsync("usage", "--since", later)).MustSucceed().Error);
        (await _thole.RunAsync("usage", "--since", "yesterday")).MustFail(2, "write it like 7d or 2026-01-31");
    }

    /// <summary>Calls that never repeat, until a budget ends it.</summary>
    private void Script() =>
        _thole.Server.ReplyOtherwise(reply =>
            reply.Call("glob", $$"""{"pattern":"*.{{Interlocked.Increment(ref _answers)}}"}""").Usage(4_000, 1_000).Done()
        );

    private void Set(string budget) =>
        _thole.WriteSettings(
            $$$"""{"budget": {{{budget}}}, "providers": { "openai": { "models": { "scripted": { "price": { "input": 10, "output": 10 } } } } } }"""
        );

    private static async Task<TurnEnded> EndAsync(Client.TholeSession session, string prompt)
    {
        TurnEnded? ended = null;
        await foreach (var envelope in session.ReadTurnAsync(prompt, Now))
        {
            ended = envelope.Event as TurnEnded ?? ended;
        }

        return ended!;
    }

    private async Task<Outcome> RunElsewhereAsync(int number, params string[] arguments)
    {
        var folder = Directory.CreateDirectory(Path.Join(_thole.Outside, $"{number}")).FullName;
        await using var run = _thole.StartIn(folder, arguments);
        run.CloseInput();
        return await run.EndAsync();
    }

    private async Task<decimal> SpentAsync() => (await UsageAsync()).GetProperty("total").GetProperty("dollars").GetDecimal();

    private async Task<JsonElement> UsageAsync() =>
        JsonElement.Parse((await _thole.RunAsync("usage", "--json")).MustSucceed().Output);
}
