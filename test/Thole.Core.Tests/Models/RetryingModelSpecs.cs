using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing;
using Thole.Testing.Models;

namespace Thole.Core.Tests.Models;

public sealed class RetryingModelSpecs
{
    private readonly ManualTime _time = new();
    private readonly ScriptedModel _model = new();

    [Fact]
    public async Task A_failure_that_may_pass_is_told_waited_for_and_tried_again()
    {
        _model
            .Step(step => step.Fail(ModelFailure.Overloaded))
            .Step(step => step.Fail(ModelFailure.Network))
            .Step(step => step.Text("Hi."));

        var (events, failure) = await AskAsync();

        Assert.Null(failure);
        var voided = events.OfType<AttemptVoided>().ToList();
        Assert.Equal([1, 2], voided.Select(attempt => attempt.Attempt));
        Assert.InRange(voided[0].RetryIn.TotalSeconds, 1.5 * 0.7, 1.5 * 1.3);
        Assert.InRange(voided[1].RetryIn.TotalSeconds, 3 * 0.7, 3 * 1.3);
        Assert.Equal(3, _model.Requests.Count);
        Assert.IsType<ModelFinished>(events[^1]);
    }

    [Fact]
    public async Task Waits_double_up_to_the_longest_and_attempts_come_to_an_end()
    {
        _model.Otherwise(step => step.Fail(ModelFailure.Overloaded, "It is unwell."));

        var (events, failure) = await AskAsync();

        Assert.Equal(7, _model.Requests.Count);
        Assert.Equal("It is unwell. Tried 7 times.", failure!.Message);
        Assert.Equal(ModelFailure.Overloaded, failure.Failure);
        Assert.All(
            events.Cast<AttemptVoided>(),
            attempt => Assert.InRange(attempt.RetryIn, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(39))
        );
        Assert.InRange(((AttemptVoided)events[^1]).RetryIn.TotalSeconds, 30 * 0.7, 30 * 1.3);
    }

    [Fact]
    public async Task A_provider_that_names_a_time_is_left_alone_for_exactly_so_long()
    {
        _model
            .Step(step => step.Fail(new ModelException(ModelFailure.RateLimited, "x") { RetryAfter = TimeSpan.FromSeconds(42) }))
            .Step(step => step.Text("Hi."));

        var (events, _) = await AskAsync();

        Assert.Equal(TimeSpan.FromSeconds(42), Assert.Single(events.OfType<AttemptVoided>()).RetryIn);
    }

    [Fact]
    public async Task A_provider_that_asks_for_too_long_is_not_waited_for()
    {
        _model.Step(step =>
            step.Fail(new ModelException(ModelFailure.RateLimited, "Too many.") { RetryAfter = TimeSpan.FromHours(30) })
        );

        var (events, failure) = await AskAsync();

        Assert.Empty(events);
        Assert.Equal("Too many. It asks to be left alone for 1800 minutes.", failure!.Message);
        Assert.Equal(TimeSpan.FromHours(30), failure.RetryAfter);
    }

    [Theory]
    [InlineData(ModelFailure.Unauthorized)]
    [InlineData(ModelFailure.UnknownModel)]
    [InlineData(ModelFailure.InvalidRequest)]
    [InlineData(ModelFailure.ContextOverflow)]
    [InlineData(ModelFailure.QuotaExhausted)]
    public async Task What_will_not_pass_is_not_tried_again(ModelFailure failure)
    {
        _model.Step(step => step.Text("Hi.").Fail(failure, "As it came."));

        var (_, failed) = await AskAsync();

        Assert.Equal((failure, "As it came."), (failed!.Failure, failed.Message));
        Assert.Single(_model.Requests);
    }

    [Fact]
    public async Task What_was_said_before_a_break_is_voided_and_only_two_such_attempts_are_repeated()
    {
        _model.Otherwise(step => step.Text("Half a").Fail(ModelFailure.StreamCut));

        var (events, failure) = await AskAsync();

        Assert.Equal(3, _model.Requests.Count);
        Assert.Equal(ModelFailure.StreamCut, failure!.Failure);
        Assert.Collection(
            events,
            said => Assert.IsType<TextDelta>(said),
            said => Assert.IsType<AttemptVoided>(said),
            said => Assert.IsType<TextDelta>(said),
            said => Assert.IsType<AttemptVoided>(said),
            said => Assert.IsType<TextDelta>(said)
        );
    }

    [Fact]
    public async Task An_interrupt_while_waiting_ends_the_wait()
    {
        _model.Step(step => step.Fail(ModelFailure.Overloaded));
        using var leaving = new CancellationTokenSource();
        await using var events = Retrying().StreamAsync(Request(), leaving.Token).GetAsyncEnumerator(leaving.Token);
        Assert.True(await events.MoveNextAsync());

        var next = events.MoveNextAsync().AsTask();
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        Assert.Single(_model.Requests);
    }

    [Fact]
    public async Task A_failure_after_an_interrupt_is_not_repeated()
    {
        using var leaving = new CancellationTokenSource();
        _model.Step(step => step.Text("Hi.").Fail(ModelFailure.StreamCut));
        await using var events = Retrying().StreamAsync(Request(), CancellationToken.None).GetAsyncEnumerator(leaving.Token);
        Assert.True(await events.MoveNextAsync());
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await events.MoveNextAsync());
        Assert.Single(_model.Requests);
    }

    private RetryingModel Retrying() => new(_model, new RetryOptions(), _time, new Random(7));

    private async Task<(List<ModelEvent> Events, ModelException? Failure)> AskAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        List<ModelEvent> events = [];
        try
        {
            await using var said = Retrying().StreamAsync(Request(), cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                var next = said.MoveNextAsync().AsTask();
                if (events is [.., AttemptVoided { RetryIn: var wait }])
                {
                    await _time.TimersAsync(1, cancellationToken);
                    _time.Advance(wait - TimeSpan.FromTicks(10_000));
                    Assert.False(next.IsCompleted, "It came back too early.");
                    _time.Advance(TimeSpan.FromTicks(20_000));
                }

                if (!await next)
                {
                    return (events, null);
                }

                events.Add(said.Current);
            }
        }
        catch (ModelException failed)
        {
            return (events, failed);
        }
    }

    private static ModelRequest Request() =>
        new()
        {
            Model = "scripted",
            System = "",
            Items = [],
            Tools = [],
            ReadBlob = static (_, _) => new ValueTask<byte[]?>((byte[]?)null),
        };
}
