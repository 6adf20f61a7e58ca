using Thole.Core.Context;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Tools;
using Thole.Protocol;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Turns;

public sealed class TurnSpecs
{
    [Fact]
    public async Task The_intent_of_a_call_is_durable_before_it_runs()
    {
        TestSession? session = null;
        var before = (Flushes: 0, Started: false);
        var tool = new TestTool(
            "echo",
            (_, _) =>
            {
                before = (session!.Log.Flushes, session.Log.Events[^1] is CallStarted);
                return Task.FromResult(ToolResult.Ok("hi"));
            }
        );
        session = await TestSession.OpenAsync(new ScriptedModel().Step(s => s.Call("echo")).Step(s => s.Text("done")), [tool]);
        await using var _ = session;
        var flushes = session.Log.Flushes;

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        Assert.True(before.Started);
        Assert.Equal(flushes + 2, before.Flushes); // the prompt, the intent
    }

    [Fact]
    public async Task Calls_that_touch_different_things_run_together_and_are_shown_in_order()
    {
        var both = new Barrier(2);
        var tool = new TestTool(
            "meet",
            async (arguments, token) =>
            {
                await Task.Run(() => both.SignalAndWait(TimeSpan.FromSeconds(20), token), token);
                return ToolResult.Ok(arguments);
            }
        )
        {
            Touches = arguments => [new Touch($"/{arguments}", IsWrite: true)],
        };
        var model = new ScriptedModel().Step(s => s.Call("meet", "1").Call("meet", "2")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(["1", "2"], model.Requests[1].Items.OfType<ResultItem>().Select(result => result.Result.Text));
    }

    [Fact]
    public async Task A_call_that_ends_first_is_recorded_first_and_shown_in_its_place()
    {
        var slow = new TaskCompletionSource();
        var tool = new TestTool(
            "race",
            async (arguments, _) =>
            {
                if (arguments is "slow")
                {
                    await slow.Task;
                }

                return ToolResult.Ok(arguments);
            }
        );
        var model = new ScriptedModel().Step(s => s.Call("race", "slow").Call("race", "fast")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("go");
        var first = (await session.UntilAsync<CallCompleted>())[^1].Event;
        slow.SetResult();
        await session.UntilAsync<TurnEnded>();

        Assert.Equal("fast", Assert.IsType<CallCompleted>(first).Result.Text);
        Assert.Equal(["slow", "fast"], model.Requests[1].Items.OfType<ResultItem>().Select(result => result.Result.Text));
    }

    [Fact]
    public async Task Calls_that_conflict_run_one_after_the_other_in_the_order_of_asking()
    {
        var running = 0;
        List<string> order = [];
        var tool = new TestTool(
            "write",
            async (arguments, _) =>
            {
                Assert.Equal(1, Interlocked.Increment(ref running));
                await Task.Yield();
                order.Add(arguments);
                Interlocked.Decrement(ref running);
                return ToolResult.Ok("ok");
            }
        )
        {
            Touches = _ => [Touch.Anything],
        };
        var model = new ScriptedModel()
            .Step(s => s.Call("write", "1").Call("write", "2").Call("write", "3"))
            .Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("go");
        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event);

        Assert.Equal((TurnOutcome.Completed, null), (end.Outcome, end.Message));
        Assert.Equal(["1", "2", "3"], order);
    }

    [Theory]
    [InlineData("/a/b", "/a/b", true)]
    [InlineData("/a", "/a/b", true)]
    [InlineData("/a/b", "/a", true)]
    [InlineData("/a/b", "/a/bc", false)]
    [InlineData("/", "/a", true)]
    [InlineData("*", "/a", true)]
    public void A_folder_conflicts_with_what_lies_beneath_it(string one, string other, bool expected)
    {
        Assert.Equal(expected, new Touch(one, IsWrite: true).ConflictsWith(new Touch(other, IsWrite: false)));
        Assert.False(new Touch(one, IsWrite: false).ConflictsWith(new Touch(other, IsWrite: false)));
    }

    [Fact]
    public async Task A_refused_call_does_not_run_and_the_model_is_told_why()
    {
        var tool = new TestTool("rm", "gone");
        var model = new ScriptedModel().Step(s => s.Call("rm")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool], new TestOptions { Verdict = Verdict.Ask });

        await session.PromptAsync("go");
        var asked = (PermissionRequested)(await session.UntilAsync<PermissionRequested>())[^1].Event;
        await session.SubmitAsync(new AnswerPermission(asked.Call, Allow: false, [], "not today"));
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(0, tool.Runs);
        Assert.Equal("not today", model.Requests[1].Items.OfType<ResultItem>().Single().Result.Text);
        Assert.Equal(CallOutcome.Refused, session.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Fact]
    public async Task A_permitted_call_runs_once()
    {
        var tool = new TestTool("rm", "gone");
        var model = new ScriptedModel().Step(s => s.Call("rm")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool], new TestOptions { Verdict = Verdict.Ask });

        await session.PromptAsync("go");
        var asked = (PermissionRequested)(await session.UntilAsync<PermissionRequested>())[^1].Event;
        await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => session.SubmitAsync(new AnswerPermission(asked.Call, Allow: true, [])))
        );
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(1, tool.Runs);
        Assert.Single(session.Log.Events.OfType<PermissionAnswered>());
    }

    [Fact]
    public async Task A_tool_that_was_not_offered_is_an_answer_not_an_end()
    {
        var model = new ScriptedModel().Step(s => s.Call("no_such_tool")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("go");
        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event);

        Assert.Equal(TurnOutcome.Completed, end.Outcome);
        Assert.Equal(ToolErrors.UnknownTool, model.Requests[1].Items.OfType<ResultItem>().Single().Result.Error);
    }

    [Fact]
    public async Task A_call_that_came_in_pieces_that_do_not_fit_is_never_run()
    {
        var tool = new TestTool("rm", "gone");
        var model = new ScriptedModel().Step(s => s.Call("rm", "{\"path\":\"/", problem: "it was cut")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        Assert.Equal(0, tool.Runs);
        Assert.Equal("it was cut", model.Requests[1].Items.OfType<ResultItem>().Single().Result.Text);
    }

    [Fact]
    public async Task What_a_failed_attempt_said_is_void()
    {
        var model = new ScriptedModel().Step(s =>
            s.Text("rubb")
                .Say(
                    new AttemptVoided(
                        new ModelException(ModelFailure.StreamCut, "cut") { Raw = "data: x"u8.ToArray() },
                        1,
                        TimeSpan.Zero
                    )
                )
                .Text("whole")
        );
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();
        model.Step(s => s.Text("again"));
        await session.PromptAsync("and?");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal("whole", model.Requests[1].Items.OfType<AssistantItem>().Single().Text);
        var failed = session.Log.Events.OfType<AttemptFailed>().Single();
        Assert.Equal("stream_cut", failed.Error);
        Assert.Equal("data: x"u8.ToArray(), await session.Log.ReadBlobAsync(failed.Raw!.Value, CancellationToken.None));
    }

    [Theory]
    [InlineData(ModelFailure.Unauthorized, TurnOutcome.Unauthorized)]
    [InlineData(ModelFailure.StreamCut, TurnOutcome.ProviderFailed)]
    [InlineData(ModelFailure.UnknownModel, TurnOutcome.ProviderFailed)]
    public async Task A_provider_that_fails_ends_the_turn_as_what_it_is(ModelFailure failure, TurnOutcome outcome)
    {
        await using var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(s => s.Text("half").Fail(failure, "the reason"))
        );

        await session.PromptAsync("go");

        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event);
        Assert.Equal((outcome, "the reason"), (end.Outcome, end.Message));
    }

    [Fact]
    public async Task A_stream_that_just_stops_is_not_a_finished_turn()
    {
        await using var session = await TestSession.OpenAsync(
            new ScriptedModel().Step(s => s.Text("half").Fail(new ModelException(ModelFailure.StreamCut, "cut")))
        );

        await session.PromptAsync("go");

        Assert.Equal(
            TurnOutcome.ProviderFailed,
            Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event).Outcome
        );
    }

    [Fact]
    public async Task Steps_are_limited_where_a_limit_is_set()
    {
        var number = 0;
        var tool = new TestTool("count", (_, _) => Task.FromResult(ToolResult.Ok($"{++number}")));
        var model = new ScriptedModel().Otherwise(s => s.Call("count"));
        await using var session = await TestSession.OpenAsync(model, [tool], new TestOptions { MaxSteps = 3 });

        await session.PromptAsync("go");

        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event);
        Assert.Equal(TurnOutcome.LimitReached, end.Outcome);
        Assert.Equal(3, model.Requests.Count);
    }

    [Fact]
    public async Task A_turn_that_goes_in_circles_is_warned_and_then_stopped()
    {
        var step = 0;
        var model = new ScriptedModel().Otherwise(s => s.Call("look", $"{step++ % 2}"));
        await using var session = await TestSession.OpenAsync(model, [new TestTool("look", "the same")]);

        await session.PromptAsync("go");

        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event);
        Assert.Equal(TurnOutcome.LimitReached, end.Outcome);
        Assert.Contains(
            model.Requests[^1].Items,
            item => item is NoteItem note && note.Text.Contains("same results", StringComparison.Ordinal)
        );
        Assert.InRange(model.Requests.Count, 6, 10);
    }

    [Fact]
    public async Task Long_honest_work_is_never_stopped()
    {
        var number = 0;
        var tool = new TestTool("work", (_, _) => Task.FromResult(ToolResult.Ok($"{++number}")));
        var model = new ScriptedModel();
        for (var step = 0; step < 300; step++)
        {
            model.Step(s => s.Call("work"));
        }

        model.Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [tool]);

        await session.PromptAsync("go");

        Assert.Equal(TurnOutcome.Completed, Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event).Outcome);
        Assert.Equal(300, tool.Runs);
    }

    [Fact]
    public async Task An_answer_that_the_output_limit_cut_is_continued()
    {
        var model = new ScriptedModel().Step(s => s.Text("one, ").Finish(StopReason.OutputLimit)).Step(s => s.Text("two"));
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("count");

        Assert.Equal(TurnOutcome.Completed, Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>())[^1].Event).Outcome);
        Assert.IsType<NoteItem>(model.Requests[1].Items[^1]);
    }

    [Fact]
    public async Task An_interrupted_tool_that_does_not_come_back_is_given_up_and_called_unknown()
    {
        var never = new TaskCompletionSource<ToolResult>();
        var model = new ScriptedModel().Step(s => s.Call("deaf"));
        await using var session = await TestSession.OpenAsync(model, [new TestTool("deaf", (_, _) => never.Task)]);
        var turn = (await session.PromptAsync("go")).Turn!.Value;
        await session.UntilAsync<CallStarted>();

        await session.SubmitAsync(new Interrupt(turn));
        await session.Time.TimersAsync(1, TestContext.Current.CancellationToken);
        session.Time.Advance(TimeSpan.FromSeconds(5));

        await session.UntilAsync<TurnEnded>();
        Assert.Equal(CallOutcome.Unknown, session.Log.Events.OfType<CallCompleted>().Single().Outcome);
    }

    [Fact]
    public async Task A_long_result_is_cut_for_the_model_and_kept_whole()
    {
        var text = string.Join('\n', Enumerable.Range(1, 20_000).Select(line => $"line {line}"));
        var model = new ScriptedModel().Step(s => s.Call("talk")).Step(s => s.Text("done"));
        await using var session = await TestSession.OpenAsync(model, [new TestTool("talk", text)]);

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();

        var result = session.Log.Events.OfType<CallCompleted>().Single().Result;
        Assert.InRange(result.Text.Length, 1_000, 27_000);
        Assert.Equal(
            text,
            System.Text.Encoding.UTF8.GetString(
                (await session.Log.ReadBlobAsync(result.FullText!.Value, CancellationToken.None))!
            )
        );
    }

    [Fact]
    public async Task Context_is_compacted_when_the_window_fills_and_instructions_and_todos_stay()
    {
        var model = new ScriptedModel()
            .Step(s => s.Call("todo"))
            .Step(s => s.Call("read", "1").Finish(usage: new Usage(1_000, 10)))
            .Step(s => s.Call("read", "2").Finish(usage: new Usage(9_000, 10)))
            .Step(s => s.Text("THE SUMMARY")) // asked by the compaction
            .Step(s => s.Text("done"));
        var todo = new TestTool(
            "todo",
            (_, _) =>
                Task.FromResult(
                    ToolResult.Ok("noted") with
                    {
                        Facts = [new TodosChanged([new Todo("1", "mend the roof", TodoStatus.Pending)])],
                    }
                )
        );
        var read = new TestTool("read", (arguments, _) => Task.FromResult(ToolResult.Ok(arguments + new string('x', 4_000))));
        var options = new TestOptions { Limits = new ModelLimits(10_000, 1_000), Sources = [new LateSource()] };
        await using var session = await TestSession.OpenAsync(model, [todo, read], options);

        await session.PromptAsync("the task");
        await session.UntilAsync<TurnEnded>();

        Assert.Single(session.Log.Events.OfType<ContextCompacted>());
        var after = model.Requests[^1];
        Assert.Equal("You are tested.", after.System);
        var notes = after.Items.OfType<NoteItem>().ToArray();
        Assert.Contains(notes, note => note.Source is "sub/AGENTS.md");
        Assert.Contains(
            notes,
            note =>
                note.Text.Contains("THE SUMMARY", StringComparison.Ordinal)
                && note.Text.Contains("mend the roof", StringComparison.Ordinal)
        );
        Assert.IsNotType<ResultItem>(after.Items.First(item => item is not NoteItem));
        Assert.Contains(after.Items, item => item is ResultItem result && result.Result.Text.StartsWith('2')); // the frontier of the work
    }

    [Fact]
    public async Task A_compaction_that_fails_changes_nothing_and_is_given_up_after_three()
    {
        var model = new ScriptedModel();
        for (var turn = 1; turn <= 6; turn++)
        {
            if (turn is >= 2 and <= 4)
            {
                model.Step(s => s.Fail(ModelFailure.Overloaded, "no")); // the compaction before the answer
            }

            model.Step(s => s.Text("x").Finish(usage: new Usage(9_900, 10)));
        }

        await using var session = await TestSession.OpenAsync(
            model,
            options: new TestOptions { Limits = new ModelLimits(10_000, 1_000) }
        );
        for (var turn = 1; turn <= 6; turn++)
        {
            await session.PromptAsync($"{turn}");
            await session.UntilAsync<TurnEnded>(turn);
        }

        Assert.Equal(3, session.Log.Events.OfType<CompactionFailed>().Count());
        Assert.All(session.Log.Events.OfType<TurnEnded>(), end => Assert.Equal(TurnOutcome.Completed, end.Outcome));
    }

    [Fact]
    public async Task A_context_that_the_provider_calls_too_long_is_compacted_and_asked_again()
    {
        var model = new ScriptedModel()
            .Step(s => s.Text("one"))
            .Step(s => s.Fail(ModelFailure.ContextOverflow, "too long"))
            .Step(s => s.Text("SUMMARY"))
            .Step(s => s.Text("two"));
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("first");
        await session.UntilAsync<TurnEnded>();
        await session.PromptAsync("second");
        var end = Assert.IsType<TurnEnded>((await session.UntilAsync<TurnEnded>(times: 2))[^1].Event);

        Assert.Equal(TurnOutcome.Completed, end.Outcome);
        Assert.Single(session.Log.Events.OfType<ContextCompacted>());
    }

    [Fact]
    public async Task Text_that_streams_is_coalesced_and_loses_nothing()
    {
        var words = Enumerable.Range(0, 20_000).Select(number => $"w{number} ").ToArray();
        var model = new ScriptedModel().Step(s =>
        {
            foreach (var word in words)
            {
                s.Text(word);
            }
        });
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("talk");
        await session.UntilAsync<TurnEnded>();

        var pieces = session.Log.Events.OfType<TextPiece>().ToArray();
        Assert.Equal(string.Concat(words), string.Concat(pieces.Select(piece => piece.Text)));
        Assert.Equal("w0 ", pieces[0].Text); // the first at once
        Assert.InRange(pieces.Length, 20, 200);
    }

    [Fact]
    public async Task A_surrogate_pair_that_a_provider_cut_is_one_character_again()
    {
        var model = new ScriptedModel().Step(s => s.Text("a\ud83d").Text("\ude00b"));
        await using var session = await TestSession.OpenAsync(model);

        await session.PromptAsync("smile");
        await session.UntilAsync<TurnEnded>();

        Assert.All(
            session.Log.Events.OfType<TextPiece>(),
            piece =>
                Assert.DoesNotContain('\ufffd', new string([.. piece.Text.EnumerateRunes().SelectMany(rune => rune.ToString())]))
        );
        Assert.Equal("a😀b", string.Concat(session.Log.Events.OfType<TextPiece>().Select(piece => piece.Text)));
    }

    [Fact]
    public async Task Instructions_known_before_the_first_step_stand_in_the_system_prompt_under_their_name()
    {
        var model = new ScriptedModel().Step(s => s.Text("one")).Step(s => s.Text("two"));
        await using var session = await TestSession.OpenAsync(
            model,
            options: new TestOptions { Sources = [new LateSource(onTime: 1)] }
        );

        await session.PromptAsync("go");
        await session.UntilAsync<TurnEnded>();
        await session.PromptAsync("on");
        await session.UntilAsync<TurnEnded>(times: 2);

        Assert.Equal("You are tested.\n\nInstructions from sub/AGENTS.md:\n\nUse tabs.", model.Requests[0].System);
        Assert.Equal(model.Requests[0].System, model.Requests[1].System);
    }

    /// <summary>Instructions that turn up when they are asked for the n-th time.</summary>
    private sealed class LateSource(int onTime = 2) : IContextSource
    {
        private int _asked;

        public ValueTask<IReadOnlyList<ContextAdded>> CollectAsync(ContextScope scope, CancellationToken cancellationToken) =>
            new(++_asked == onTime ? [new ContextAdded("sub/AGENTS.md", "Use tabs.")] : []);
    }
}
