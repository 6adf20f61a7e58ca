using System.Text.Json;
using Thole.Core.Context;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Routing;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Turns;

/// <summary>The loop. Ask the model; run what it asks for; until it asks for nothing.</summary>
internal sealed class TurnRunner(
    ModelRouter router,
    Func<ToolBox> tools,
    ContextBuilder context,
    Compaction compaction,
    ToolRunner toolRunner,
    TurnLimits limits,
    TimeProvider time
)
{
    /// <summary>How often an answer that the output limit cut is continued.</summary>
    private const int MaxContinuations = 3;

    public async Task<TurnEnd> RunAsync(ISessionJournal journal, CancellationToken cancellationToken)
    {
        var breaker = new ProgressBreaker();
        var continuations = 0;
        if (journal.OpenCalls is [_, ..] asked)
        {
            var box = tools();
            await toolRunner.RunAsync(
                journal,
                [.. asked.Select(call => ToolRunner.Prepare(journal, box, call))],
                cancellationToken
            );
        }

        for (var step = journal.Step + 1; ; step++)
        {
            if (step > limits.MaxSteps)
            {
                return new TurnEnd(TurnOutcome.LimitReached, $"The limit of {limits.MaxSteps} steps for a turn was reached.");
            }

            cancellationToken.ThrowIfCancellationRequested(); // a call that came back in spite of an interrupt begins no step
            Said said;
            try
            {
                if (journal.HasSteering)
                {
                    await journal.TakeSteeringAsync();
                }

                await journal.RecordAsync([
                    .. await context.CollectAsync(journal.Context, journal.Hands.Workspace, cancellationToken),
                ]);
                said = await StepAsync(journal, step, cancellationToken);
            }
            catch (ModelException failure)
            {
                return EndOf(failure);
            }

            if (said.Calls is [])
            {
                switch (said.Stop)
                {
                    case StopReason.OutputLimit when continuations++ < MaxContinuations:
                        await journal.RecordAsync(
                            ContextBuilder.Notice("Your answer was cut by the output limit. Go on exactly where it stopped.")
                        );
                        continue;
                    case StopReason.OutputLimit:
                        return new TurnEnd(TurnOutcome.LimitReached, "The answer was cut by the model's output limit.");
                    case StopReason.Filtered:
                        return new TurnEnd(TurnOutcome.ProviderFailed, "The provider's content filter cut the answer.");
                    case StopReason.Done when said.IsEmpty && step == 1:
                        return new TurnEnd(TurnOutcome.ProviderFailed, "The model answered nothing.");
                    default:
                        if (journal.HasSteering)
                        {
                            continue; // said while the model spoke its last word: it is answered in this turn
                        }

                        return TurnEnd.Completed;
                }
            }

            var results = await toolRunner.RunAsync(journal, said.Calls, cancellationToken);
            switch (breaker.Judge(said.Calls.Zip(results)))
            {
                case Progress.Doubtful:
                    await journal.RecordAsync(
                        ContextBuilder.Notice(
                            "You made the same calls with the same results again. Do something else, or say what keeps you from going on."
                        )
                    );
                    break;
                case Progress.None:
                    return new TurnEnd(TurnOutcome.LimitReached, "The turn was stopped: its calls repeat and bring nothing new.");
            }
        }
    }

    /// <summary>One model request and what it said. A context that turns out too long is compacted once and asked again.</summary>
    private async Task<Said> StepAsync(ISessionJournal journal, int step, CancellationToken cancellationToken)
    {
        var role = journal.ApprovalMode is ApprovalMode.Plan ? ModelRole.Plan : ModelRole.Main;
        var route = Choose(journal, role);
        var endpoint = route.Endpoint;
        var box = tools();
        if (compaction.IsDue(journal.Context, endpoint, box))
        {
            await CompactAsync(journal, endpoint, cancellationToken);
        }

        await MediaDescriber.DescribeAsync(
            journal,
            endpoint,
            () => Choose(journal, ModelRole.Vision).Endpoint,
            cancellationToken
        );
        try
        {
            return await AskAsync(journal, route, role, box, step, cancellationToken);
        }
        catch (ModelException failure) when (failure.Failure is ModelFailure.ContextOverflow)
        {
            if (!await CompactAsync(journal, endpoint, cancellationToken))
            {
                throw;
            }

            return await AskAsync(journal, route, role, box, step, cancellationToken);
        }
    }

    private Route Choose(ISessionJournal journal, ModelRole role) =>
        router.Choose(
            new ModelNeed
            {
                Role = role,
                SessionModel = journal.Context.Model,
                Root = journal.Root,
                Touched = journal.Context.Touched,
                Tokens = ContextSize.Of(journal.Context, 0),
            }
        );

    private async Task<bool> CompactAsync(ISessionJournal journal, ModelEndpoint main, CancellationToken cancellationToken)
    {
        // Who summarises must be able to read it all.
        var summarising = Choose(journal, ModelRole.Compact).Endpoint;
        var endpoint = summarising.Limits.ContextWindow >= main.Limits.ContextWindow ? summarising : main;
        var account = journal.AccountFor(ModelRole.Compact);
        var happened = await Compaction.RunAsync(journal.Context, endpoint, account, journal.Hands.Blobs, cancellationToken);
        await journal.RecordAsync(happened);
        return happened is ContextCompacted;
    }

    private async Task<Said> AskAsync(
        ISessionJournal journal,
        Route route,
        ModelRole role,
        ToolBox box,
        int step,
        CancellationToken cancellationToken
    )
    {
        var endpoint = route.Endpoint;
        await journal.RecordAsync(new StepStarted(journal.Turn, step, endpoint.Name, route.Reason));
        await using var pieces = new PieceBuffer(journal, time);
        List<CallProposed> calls = [];
        var attempt = 1;
        try
        {
            var request = ContextBuilder.Build(journal.Context, endpoint, box, journal.AccountFor(role), journal.Hands.Blobs);
            await foreach (var said in endpoint.Client.StreamAsync(request, cancellationToken))
            {
                switch (said)
                {
                    case TextDelta(var text):
                        await pieces.AddAsync(text, isReasoning: false);
                        break;
                    case ReasoningDelta(var text):
                        await pieces.AddAsync(text, isReasoning: true);
                        break;
                    case CallProposed call:
                        calls.Add(call);
                        break;
                    case AttemptVoided voided:
                        await pieces.FlushAsync();
                        calls.Clear();
                        attempt = voided.Attempt + 1;
                        pieces.Reset();
                        await RecordFailureAsync(journal, voided.Failure, voided.Attempt, voided.RetryIn, voided.Next);
                        break;
                    case ModelFinished finished:
                        await pieces.FlushAsync();
                        return await CompleteAsync(journal, box, finished, calls, isEmpty: !pieces.HasAny);
                }
            }
        }
        catch (ModelException failure)
        {
            await pieces.FlushAsync();
            await RecordFailureAsync(journal, failure, attempt, retryIn: null);
            throw;
        }

        throw new ModelException(ModelFailure.StreamCut, "The model's stream ended before it was finished.");
    }

    /// <summary>The message and its calls are one fact: whoever reads the one reads the other.</summary>
    private static async Task<Said> CompleteAsync(
        ISessionJournal journal,
        ToolBox box,
        ModelFinished finished,
        List<CallProposed> proposed,
        bool isEmpty
    )
    {
        var ids = journal.NewCalls(proposed.Count);
        RequestedCall[] calls =
        [
            .. proposed.Select(
                (call, index) =>
                    ToolRunner.Prepare(
                        journal,
                        box,
                        new PendingCall(new ToolCall(ids[index], call.Name, call.Arguments, call.ProviderId), call.Problem)
                    )
            ),
        ];
        await journal.RecordAsync([
            new MessageCompleted(Word(finished.Stop.ToString()), finished.Usage, finished.ProviderData),
            .. calls.Select(call => new CallRequested(
                call.Call,
                call.Kind,
                call.Preparation.Title,
                call.Pending.Problem,
                [.. call.Preparation.Touches.SelectMany(touch => touch.DescribeAll(journal.Root))]
            )),
        ]);
        return new Said(finished.Stop, calls, isEmpty && calls is []);
    }

    private static async Task RecordFailureAsync(
        ISessionJournal journal,
        ModelException failure,
        int attempt,
        TimeSpan? retryIn,
        string? next = null
    )
    {
        var raw = failure.Raw.IsEmpty ? null : await journal.Hands.Blobs.TryStoreAsync(failure.Raw);
        await journal.RecordAsync(
            new AttemptFailed(Word(failure.Failure.ToString()), failure.Message, attempt, retryIn, raw, next)
        );
    }

    private static string Word(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private static TurnEnd EndOf(ModelException failure) =>
        failure.Failure switch
        {
            ModelFailure.Unauthorized => new TurnEnd(TurnOutcome.Unauthorized, failure.Message),
            ModelFailure.ContextOverflow => new TurnEnd(TurnOutcome.LimitReached, failure.Message),
            ModelFailure.BudgetExhausted or ModelFailure.PriceUnknown => new TurnEnd(
                TurnOutcome.BudgetExhausted,
                failure.Message
            ),
            _ => new TurnEnd(TurnOutcome.ProviderFailed, failure.Message),
        };

    private sealed record Said(StopReason Stop, IReadOnlyList<RequestedCall> Calls, bool IsEmpty);
}

/// <summary>How long a turn may go on. A null is no limit.</summary>
public sealed record TurnLimits(int? MaxSteps = null);
