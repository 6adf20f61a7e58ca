using Thole.Core.Budgets;
using Thole.Core.Models;
using Thole.Core.Routing;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Budgets;

/// <summary>What a budget does to a session, seen through the door.</summary>
public sealed class BudgetSpecs : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly Ledger _ledger;
    private readonly ScriptedModel _model = new();
    private readonly ScriptedModel _other = new();
    private readonly Dictionary<string, ModelPrice?> _prices = new(StringComparer.Ordinal)
    {
        ["test/model"] = new ModelPrice(1_000, 10_000),
        ["test/other"] = new ModelPrice(1, 1),
    };
    private List<Cap> _caps = [];

    public BudgetSpecs() => _ledger = new Ledger(_folder.File("state/ledger.db"), _time);

    public void Dispose()
    {
        _ledger.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_turn_that_spends_the_budget_of_its_run_stops_with_all_results_and_the_next_prompt_goes_on()
    {
        _model.Step(step => step.Text("I look.").Call("touch").Finish(usage: new Usage(900, 200)));
        _model.Step(step => step.Text("And on."));
        _caps = [Tokens(BudgetScope.Run, 1_000)];
        await using var session = await OpenAsync();

        var stopped = await RunAsync(session);

        Assert.Equal(TurnOutcome.BudgetExhausted, stopped.Outcome);
        Assert.Equal(
            "The budget of this run is spent: 1,100 tokens of 1,000 tokens. Nothing is lost: the next prompt goes on with a budget of its own;"
                + " for more at once raise budget.run.tokens in the settings.",
            stopped.Message
        );
        Assert.Equal(CallOutcome.Succeeded, Events(session).OfType<CallCompleted>().Single().Outcome);
        Assert.Single(_model.Requests);

        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Contains(_model.Requests[1].Items, item => item is ResultItem);
    }

    [Fact]
    public async Task The_budget_of_a_session_counts_all_its_turns_and_holds_over_a_restart_until_it_is_raised()
    {
        _model.Step(step => step.Text("One.").Finish(usage: new Usage(500, 50)));
        _model.Step(step => step.Text("Two.").Finish(usage: new Usage(500, 50)));
        _model.Step(step => step.Text("Three."));
        _caps = [Tokens(BudgetScope.Session, 1_000)];
        await using var session = await OpenAsync();
        await RunAsync(session);
        await RunAsync(session);
        Assert.Equal(TurnOutcome.BudgetExhausted, (await RunAsync(session)).Outcome);

        await using var again = await session.RestartAsync(_model);
        var stopped = await RunAsync(again);
        Assert.Equal(TurnOutcome.BudgetExhausted, stopped.Outcome);
        Assert.Contains("raise budget.session.tokens in the settings and go on with the next prompt", stopped.Message);
        Assert.Equal(2, _model.Requests.Count);

        _caps = [Tokens(BudgetScope.Session, 5_000)];
        Assert.Equal(TurnOutcome.Completed, (await RunAsync(again)).Outcome);
    }

    [Fact]
    public async Task A_day_in_dollars_stops_the_sessions_that_share_it_until_tomorrow()
    {
        _model.Otherwise(step => step.Text("Yes.").Finish(usage: new Usage(1_000, 100))); // 2 dollars
        _caps = [Dollars(BudgetScope.Day, 4)];
        await using var one = await OpenAsync();
        await using var two = await OpenAsync();

        Assert.Equal(TurnOutcome.Completed, (await RunAsync(one)).Outcome);
        Assert.Equal(TurnOutcome.Completed, (await RunAsync(two)).Outcome);
        var stopped = await RunAsync(one);
        Assert.Equal(TurnOutcome.BudgetExhausted, stopped.Outcome);
        Assert.StartsWith("The budget of this day is spent: $4.00 of $4.00. Nothing is lost: raise", stopped.Message);
        Assert.Equal(TurnOutcome.BudgetExhausted, (await RunAsync(two)).Outcome);

        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(TurnOutcome.Completed, (await RunAsync(two)).Outcome);
    }

    [Fact]
    public async Task A_compaction_is_charged_and_one_that_a_budget_stops_ends_the_turn_and_counts_as_no_failure()
    {
        _model.Step(step => step.Call("touch").Finish(usage: new Usage(90_000, 100)));
        _model.Step(step => step.Text("All that was.").Finish(usage: new Usage(10, 1)));
        _model.Step(step => step.Text("Done."));
        _caps = [Tokens(BudgetScope.Session, 90_000)];
        await using var session = await OpenAsync();

        Assert.Equal(TurnOutcome.BudgetExhausted, (await RunAsync(session)).Outcome);
        Assert.Empty(Events(session).OfType<CompactionFailed>());

        _caps = [Tokens(BudgetScope.Session, 1_000_000)];
        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Equal(["main", "compact", "main"], _model.Requests.Select(request => request.Account!.Role));
        Assert.Equal(90_100 + 11 + 15, Total().Input + Total().Output);
    }

    [Fact]
    public async Task Every_attempt_is_reserved_and_one_that_broke_after_it_spoke_is_charged_as_estimated()
    {
        _model.Step(step =>
            step.Text(new string('x', 4_000))
                .Say(new AttemptVoided(new ModelException(ModelFailure.StreamCut, "It broke."), 1, TimeSpan.Zero))
                .Text("Whole.")
        );
        _caps = [Tokens(BudgetScope.Run, 900)];
        await using var session = await OpenAsync();

        var stopped = await RunAsync(session);

        Assert.Equal(TurnOutcome.BudgetExhausted, stopped.Outcome);
        Assert.Equal((1, 1), (Total().Requests, Total().Estimated));
        Assert.Equal(1_001, Total().Output);
    }

    [Theory]
    [InlineData(ModelFailure.Network, 0)]
    [InlineData(ModelFailure.RateLimited, 0)]
    [InlineData(ModelFailure.InvalidRequest, 0)]
    [InlineData(ModelFailure.StreamIdle, 1)]
    public async Task What_was_refused_before_a_word_costs_nothing_and_a_stream_that_fell_silent_does(
        ModelFailure failure,
        int charged
    )
    {
        _model.Step(step => step.Fail(failure));
        await using var session = await OpenAsync();

        await RunAsync(session);

        Assert.Equal((charged, charged), (Total().Requests, Total().Estimated));
    }

    [Fact]
    public async Task An_interrupted_answer_is_charged_with_what_was_sent_and_said()
    {
        _model.Step(step => step.Text("0123456789abcdef").Hang());
        await using var session = await OpenAsync();
        await session.PromptAsync("go");
        var turn = (TurnStarted)(await session.UntilAsync<TurnStarted>())[^1].Event;
        await session.UntilAsync<StepStarted>();
        while (_model.Requests is [])
        {
            await Task.Yield();
        }

        await session.SubmitAsync(new Interrupt(turn.Turn));
        await session.UntilAsync<TurnEnded>();

        Assert.Equal((1, 1), (Total().Requests, Total().Estimated));
        Assert.True(Total().Dollars > 0);
    }

    [Fact]
    public async Task A_model_without_a_price_is_not_asked_while_there_is_a_budget_in_dollars()
    {
        _prices["test/model"] = null;
        _caps = [Dollars(BudgetScope.Day, 5)];
        await using var session = await OpenAsync();

        var refused = await RunAsync(session);

        Assert.Equal(TurnOutcome.BudgetExhausted, refused.Outcome);
        Assert.Equal(
            "There is a budget in dollars (budget.day.dollars in the settings), and nobody told what test/model costs: set"
                + " providers.test.models.\"model\".price.input and .output in your settings, or use a budget in tokens. Nothing was sent.",
            refused.Message
        );
        Assert.Empty(_model.Requests);

        _model.Step(step => step.Text("Yes."));
        _caps = [Tokens(BudgetScope.Day, 5_000)];
        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Equal(1, Total().Unpriced);
    }

    [Fact]
    public async Task What_costs_nothing_goes_on_when_the_money_is_spent()
    {
        _prices["test/model"] = ModelPrice.Free;
        _model.Otherwise(step => step.Text("Yes."));
        _caps = [Dollars(BudgetScope.Day, 0), Tokens(BudgetScope.Day, 20)];
        await using var session = await OpenAsync();

        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Equal(TurnOutcome.BudgetExhausted, (await RunAsync(session)).Outcome);
    }

    [Fact]
    public async Task Each_of_a_chain_is_charged_by_its_own_price_and_nobody_else_is_asked_where_a_budget_is_spent()
    {
        _model.Step(step => step.Text("Half").Fail(ModelFailure.Overloaded));
        _other.Step(step => step.Text("Whole.").Finish(usage: new Usage(1_000_000, 1_000_000)));
        await using var session = await OpenAsync(new RoutingRules { Fallbacks = ["test/other"] });
        await RunAsync(session);

        var rows = _ledger.Report(UsageBy.Model, null, []).Rows.ToDictionary(row => row.Key!);
        Assert.Equal(2m, rows["test/other"].Dollars);
        Assert.Equal(1, rows["test/model"].Estimated);

        _caps = [Dollars(BudgetScope.Day, 1)];
        Assert.Equal(TurnOutcome.BudgetExhausted, (await RunAsync(session)).Outcome);
        Assert.Single(_other.Requests);
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_used_stops_who_has_a_budget_and_nobody_else()
    {
        Directory.CreateDirectory(_folder.File("state"));
        File.WriteAllText(_folder.File("state/ledger.db"), "no database");
        File.WriteAllText(_folder.File("state/ledger.db.lease"), "");
        _model.Otherwise(step => step.Text("Yes."));
        _caps = [Tokens(BudgetScope.Day, 5_000)];
        await using var session = await OpenAsync();

        var stopped = await RunAsync(session);
        Assert.Equal(TurnOutcome.Failed, stopped.Outcome);
        Assert.Contains("0 of its rows could be read and count on", stopped.Message);
        Assert.Empty(_model.Requests);

        Assert.Equal(TurnOutcome.Completed, (await RunAsync(session)).Outcome);
        Assert.Single(_ledger.Report(UsageBy.Day, null, []).Losses);
    }

    private static Cap Tokens(BudgetScope scope, decimal most) =>
        new(scope, BudgetUnit.Tokens, most, $"budget.{scope.ToString().ToLowerInvariant()}.tokens in the settings");

    private static Cap Dollars(BudgetScope scope, decimal most) =>
        new(scope, BudgetUnit.Dollars, most, $"budget.{scope.ToString().ToLowerInvariant()}.dollars in the settings");

    private UsageRow Total() =>
        _ledger
            .Report(UsageBy.Day, null, [])
            .Rows.Aggregate(
                new UsageRow(null, 0, 0, 0, 0, 0, 0, 0),
                (sum, row) =>
                    new UsageRow(
                        null,
                        sum.Requests + row.Requests,
                        sum.Input + row.Input,
                        sum.Cached + row.Cached,
                        sum.Output + row.Output,
                        sum.Dollars + row.Dollars,
                        sum.Estimated + row.Estimated,
                        sum.Unpriced + row.Unpriced
                    )
            );

    private Task<TestSession> OpenAsync(RoutingRules? routing = null) =>
        TestSession.OpenAsync(
            _model,
            [new TestTool("touch", "touched")],
            new TestOptions
            {
                Routing = routing ?? RoutingRules.None,
                Endpoints = name => new ModelEndpoint(
                    name,
                    name[(name.IndexOf('/') + 1)..],
                    name is "test/other" ? _other : _model,
                    new ModelLimits(100_000, 4_000)
                )
                {
                    Price = _prices[name],
                },
                Meter = catalog => new MeteredCatalog(catalog, _ledger, () => _caps),
            }
        );

    private static async Task<TurnEnded> RunAsync(TestSession session)
    {
        var before = Events(session).OfType<TurnEnded>().Count();
        await session.PromptAsync("go");
        return (TurnEnded)(await session.UntilAsync<TurnEnded>(before + 1))[^1].Event;
    }

    private static IEnumerable<SessionEvent> Events(TestSession session) => session.Log.Envelopes.Select(e => e.Event);
}
