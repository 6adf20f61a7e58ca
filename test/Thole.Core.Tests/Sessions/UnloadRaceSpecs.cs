using System.Collections.Concurrent;
using Thole.Core.Log;
using Thole.Protocol;
using Thole.Testing;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Sessions;

/// <summary>Sessions that are put away while somebody asks something of them, hears them, or opens them.</summary>
public sealed class UnloadRaceSpecs
{
    private static readonly string[] s_notOpen = ["session_closed", "session_not_found"];

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_prompt_that_meets_an_unloading_is_accepted_or_refused_and_then_accepted_by_whoever_opens_again()
    {
        const int prompts = 300;
        var (accepted, refused) = (0, 0);
        var model = new ScriptedModel().Otherwise(step => step.Text("ok"));
        await using var session = await TestSession.OpenAsync(model);
        for (var round = 1; round <= prompts; round++)
        {
            // Something to write beside them, so that the prompt and the closing may be decided together and are not told at once.
            session.Log.Writing = static async () => await Task.Yield();
            var unloading = Task.Run(async () => await session.Live.UnloadAsync(session.Id, Now), Now);
            var renaming = Task.Run(() => TryAsync(session, new RenameSession($"{round}")), Now);
            var prompt = new Prompt(new PromptId($"race{round}"), [new TextContent("go")]);
            for (var spin = 0; spin < round % 7; spin++)
            {
                await Task.Yield();
            }

            if (await TryAsync(session, prompt))
            {
                accepted++;
            }
            else
            {
                refused++;
                await session.OpenAgainAsync();
                await session.SubmitAsync(prompt); // no other unloading: it must be taken
            }

            await Task.WhenAll(unloading, renaming);
            await session.OpenAgainAsync(); // the turn may have ended before the unloading came
            await session.UntilAsync<TurnEnded>(round);
        }

        Assert.Equal(prompts, session.Log.Events.OfType<TurnStarted>().Select(turn => turn.Prompt).Distinct().Count());
        Assert.Equal(prompts, session.Log.Events.OfType<TurnStarted>().Count());
        Assert.Equal(prompts, session.Log.Events.OfType<TurnEnded>().Count(turn => turn.Outcome is TurnOutcome.Completed));
        Assert.Equal(prompts, model.Requests.Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{accepted} accepted at once, {refused} refused first");
    }

    [Fact]
    public async Task A_reader_is_told_that_the_session_closed_and_goes_on_from_its_cursor_without_gap_or_repetition()
    {
        const int prompts = 200;
        await using var session = await TestSession.OpenAsync(new ScriptedModel().Otherwise(step => step.Text("ok")));
        using var done = new CancellationTokenSource();
        var unloading = UnloadUntilAsync(session, done.Token);
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() => ReadAsync(session, prompts), Now)).ToArray();
        await Parallel.ForAsync(
            0,
            prompts,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Now },
            async (number, _) =>
            {
                var prompt = new Prompt(new PromptId($"p{number}"), [new TextContent("go")]);
                while (!await TryAsync(session, prompt))
                {
                    await session.OpenAgainAsync();
                }
            }
        );

        var read = await Task.WhenAll(readers);
        await done.CancelAsync();
        var unloaded = await unloading;

        Assert.All(read, closings => Assert.True(closings <= unloaded, $"{closings} of {unloaded}"));
        Assert.Equal(prompts, session.Log.Events.OfType<TurnEnded>().Count());
        Assert.Equal(prompts, session.Log.Events.OfType<TurnStarted>().Select(turn => turn.Prompt).Distinct().Count());
    }

    [Fact]
    public async Task A_new_session_that_is_put_away_the_moment_it_is_there_is_open_to_whoever_made_it()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel());
        var steps = new Steps();
        var opening = steps.Begin(() =>
            session.Door.OpenSessionAsync(new OpenSession { Workspace = "/workspace", Model = "test/model" }, Now).AsTask()
        );
        SessionStatus? made;
        while ((made = session.Live.All.SingleOrDefault(status => status.Session != session.Id)) is null)
        {
            steps.RunOne();
        }

        Assert.True(await session.Live.UnloadAsync(made.Session, Now)); // whoever made it has not been told yet
        while (!opening.IsCompleted)
        {
            steps.RunOne();
        }

        Assert.Equal(made.Session, await opening);
        Assert.NotNull(session.Live.Find(made.Session));
        Assert.Single(session.Store[made.Session].Events);
    }

    [Fact]
    public async Task What_was_opened_anew_is_not_forgotten_with_what_was_put_away()
    {
        await using var session = await TestSession.OpenAsync(new ScriptedModel());
        var (reached, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        session.Log.Closing = async () =>
        {
            reached.TrySetResult();
            await gate.Task;
        };
        var unloading = Task.Run(async () => await session.Live.UnloadAsync(session.Id, Now), Now);
        await reached.Task.WaitAsync(Now);
        var steps = new Steps();
        var slow = steps.Begin(session.OpenAgainAsync);
        gate.SetResult();
        await unloading;
        await session.OpenAgainAsync();

        while (!slow.IsCompleted)
        {
            steps.RunOne(); // it was told that the old one is over, and comes when there is a new one
        }

        await slow;
        Assert.NotNull(session.Live.Find(session.Id));
        Assert.Equal(session.Id, Assert.Single(session.Live.All).Session);
    }

    [Fact]
    public async Task Nobody_in_this_process_finds_the_file_of_a_session_in_use()
    {
        using var folder = new TempFolder();
        var options = new TestOptions
        {
            Disk = new SqliteEventStore(folder.Path, TimeProvider.System, static () => "boot", EventUpgrades.All),
        };
        await using var session = await TestSession.OpenAsync(
            new ScriptedModel().Otherwise(step => step.Text("ok")),
            options: options
        );
        using var done = new CancellationTokenSource();
        var unloading = UnloadUntilAsync(session, done.Token);
        await Parallel.ForAsync(
            0,
            60,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Now },
            async (number, _) =>
            {
                var prompt = new Prompt(new PromptId($"p{number}"), [new TextContent("go")]);
                while (!await TryAsync(session, prompt))
                {
                    await session.OpenAgainAsync(); // session_in_use would end the test
                }
            }
        );
        await done.CancelAsync();
        await unloading;
        await session.OpenAgainAsync();

        var events = await session.UntilAsync<TurnEnded>(times: 60);
        Assert.Equal(Enumerable.Range(1, events.Count).Select(number => (long)number), events.Select(one => one.Sequence));
        Assert.Equal(60, events.Select(one => one.Event).OfType<TurnStarted>().Select(turn => turn.Prompt).Distinct().Count());
    }

    /// <summary>False where it met a session that is not open; anything else that is refused is a failure.</summary>
    private static async Task<bool> TryAsync(TestSession session, Command command)
    {
        try
        {
            await session.SubmitAsync(command);
            return true;
        }
        catch (RefusedException refused)
        {
            Assert.Contains(refused.Reason, s_notOpen);
            return false;
        }
    }

    /// <returns>How often it was put away.</returns>
    private static Task<int> UnloadUntilAsync(TestSession session, CancellationToken done) =>
        Task.Run(
            async () =>
            {
                var times = 0;
                while (!done.IsCancellationRequested)
                {
                    times += await session.Live.UnloadAsync(session.Id, Now) ? 1 : 0;
                    await Task.Yield();
                }

                return times;
            },
            Now
        );

    /// <returns>How often it was told that the session closed before it had heard of the end of <paramref name="turns"/>.</returns>
    private static async Task<int> ReadAsync(TestSession session, int turns)
    {
        var (cursor, closings) = (0L, 0);
        while (true)
        {
            try
            {
                await foreach (var envelope in session.Door.ReadAsync(session.Id, cursor, Now))
                {
                    Assert.Equal(cursor + 1, envelope.Sequence);
                    cursor = envelope.Sequence;
                    if (envelope.Event is TurnEnded && --turns == 0)
                    {
                        return closings;
                    }
                }
            }
            catch (RefusedException refused)
            {
                Assert.Contains(refused.Reason, s_notOpen);
                closings += refused.Reason is "session_closed" ? 1 : 0;
                await session.OpenAgainAsync();
            }
        }
    }

    /// <summary>Runs what was begun through it step by step, when the test says so.</summary>
    private sealed class Steps
    {
        private readonly ConcurrentQueue<Action> _waiting = new();

        public T Begin<T>(Func<T> work)
        {
            var outside = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(new Step(_waiting));
            try
            {
                return work();
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(outside);
            }
        }

        public void RunOne() =>
            Begin(() =>
            {
                if (_waiting.TryDequeue(out var step))
                {
                    step();
                }

                return Thread.Yield();
            });

        /// <summary>One each, because what follows is not put off where it finds itself in the context that it asked for.</summary>
        private sealed class Step(ConcurrentQueue<Action> waiting) : SynchronizationContext
        {
            public override void Post(SendOrPostCallback d, object? state) => waiting.Enqueue(() => d(state));
        }
    }
}
