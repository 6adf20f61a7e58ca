using Thole.Core.Log;
using Thole.Core.Permissions;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Turns;

/// <summary>
/// The order of safety, in one place: find → prepare → policy → (ask) → wait for conflicting calls → gate → intent on disk →
/// run → cut → outcome on disk. Calls that touch different things run together.
/// </summary>
internal sealed class ToolRunner(IPermissionPolicy policy, FileGate gate, TimeProvider time)
{
    private const int MaxCharacters = 25_000;
    private const int MaxLines = 1_000;

    /// <summary>How long an interrupted tool may take to come back before its call is given up.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(5);

    public static RequestedCall Prepare(ISessionJournal journal, ToolBox box, PendingCall pending)
    {
        var call = pending.Call;
        if (box.Find(call.Tool) is not { } tool)
        {
            var unknown = ToolResult.Failed(ToolErrors.UnknownTool, $"Tool \"{call.Tool}\" not found in registry.");
            return new RequestedCall(pending, null, ToolKind.Other, Preparation.Refused(call.Tool, unknown));
        }

        var preparation = pending.Problem is { } problem
            ? Preparation.Refused(tool.Name, ToolResult.Failed(ToolErrors.InvalidArguments, problem))
            : tool.Prepare(call, journal.Hands);
        return new RequestedCall(pending, tool, tool.Kind, preparation);
    }

    /// <summary>Returns when every call has its outcome in the log; the results are in the order of the calls.</summary>
    public async Task<IReadOnlyList<ToolResult>> RunAsync(
        ISessionJournal journal,
        IReadOnlyList<RequestedCall> calls,
        CancellationToken cancellationToken
    )
    {
        var running = new Task<ToolResult>[calls.Count];
        for (var index = 0; index < calls.Count; index++)
        {
            var call = calls[index];
            Task[] earlier = [.. running.Take(index).Where((_, other) => Conflict(calls[other], call))];
            running[index] = RunOneAsync(journal, call, earlier, cancellationToken);
        }

        // All of them, also when one fails: a turn ends when nothing of it is still running.
        await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await Task.WhenAll(running);
    }

    private static bool Conflict(RequestedCall one, RequestedCall other) =>
        one.Preparation.Touches.Any(touch => other.Preparation.Touches.Any(touch.ConflictsWith));

    private async Task<ToolResult> RunOneAsync(
        ISessionJournal journal,
        RequestedCall call,
        Task[] earlier,
        CancellationToken cancellationToken
    )
    {
        var (outcome, result) = await PermitAsync(journal, call, cancellationToken) switch
        {
            { Refusal: { } refusal, Outcome: var how } => (how, refusal),
            { Answers: var answers } => await ExecuteAsync(journal, call, answers, earlier, cancellationToken),
        };
        result = await CutAsync(journal, result);
        await journal.RecordAsync([new CallCompleted(call.Call.Id, outcome, result), .. result.Facts]);
        return result;
    }

    private async Task<Permit> PermitAsync(ISessionJournal journal, RequestedCall call, CancellationToken cancellationToken)
    {
        if (call.Preparation.Refusal is { } wrong)
        {
            if (call.Pending.WasAsked)
            {
                await journal.UnaskAsync(call.Call.Id, "The call can no longer run.");
            }

            return new Permit(CallOutcome.Failed, wrong, []);
        }

        var judgement = call is { Pending.WasAsked: false, Preparation.Questions: [] }
            ? policy.Judge(call.Tool!, call.Preparation, journal.ApprovalMode)
            : new Judgement(Verdict.Ask, call.Preparation.Title);
        switch (judgement.Verdict)
        {
            case Verdict.Allow:
                return new Permit(CallOutcome.Succeeded, null, []);
            case Verdict.Deny:
                return new Permit(CallOutcome.Refused, ToolResult.Failed(ToolErrors.PermissionDenied, judgement.Reason), []);
        }

        var answer = await journal.AskAsync(
            new PermissionRequested(call.Call.Id, judgement.Reason, call.Preparation.Questions),
            cancellationToken
        );
        return answer.Allow
            ? new Permit(CallOutcome.Succeeded, null, answer.Answers)
            : new Permit(
                CallOutcome.Refused,
                ToolResult.Failed(ToolErrors.PermissionDenied, answer.Reason ?? "The user did not permit this call."),
                []
            );
    }

    private async Task<(CallOutcome, ToolResult)> ExecuteAsync(
        ISessionJournal journal,
        RequestedCall call,
        IReadOnlyList<string> answers,
        Task[] earlier,
        CancellationToken cancellationToken
    )
    {
        await Task.WhenAll(earlier).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (cancellationToken.IsCancellationRequested)
        {
            return (
                CallOutcome.NotStarted,
                ToolResult.Failed(ToolErrors.Interrupted, "This call did not start: the turn was interrupted.")
            );
        }

        // What a command touches cannot be known: it waits for nobody else's files, or one long build would hold up every session.
        var known = call.Preparation.Touches.Where(touch => touch != Touch.Anything).Select(touch => touch.Key);
        var held = await gate.EnterAsync([.. known], cancellationToken);
        var running = Task.FromResult(ToolResult.Ok(""));
        try
        {
            await journal.RecordAsync(new CallStarted(call.Call.Id));
            running = call.Preparation.RunAsync(answers, cancellationToken).AsTask();
            var result = await WithGraceAsync(running, cancellationToken);
            return (
                result switch
                {
                    { Error: ToolErrors.Interrupted } => CallOutcome.Interrupted,
                    { Error: not null } => CallOutcome.Failed,
                    _ => CallOutcome.Succeeded,
                },
                result
            );
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return (
                CallOutcome.Interrupted,
                ToolResult.Failed(ToolErrors.Interrupted, "The call was interrupted; what it had done by then is done.")
            );
        }
        catch (TimeoutException) when (cancellationToken.IsCancellationRequested)
        {
            return (
                CallOutcome.Unknown,
                ToolResult.Failed(
                    ToolErrors.Unknown,
                    "The call was interrupted, did not stop in time and was given up: its effects are not known."
                )
            );
        }
        finally
        {
            // A call that was given up may still be at its files: they stay held until it comes back, if it ever does.
            _ = ((Task)running).ContinueWith(
                static (ended, held) =>
                {
                    _ = ended.Exception; // observed: nobody waits for it any more
                    ((IDisposable)held!).Dispose();
                },
                held,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private async Task<ToolResult> WithGraceAsync(Task<ToolResult> running, CancellationToken cancellationToken)
    {
        await ((Task)running).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return running.IsCompleted ? await running : await running.WaitAsync(s_grace, time, CancellationToken.None);
    }

    private static async Task<ToolResult> CutAsync(ISessionJournal journal, ToolResult result)
    {
        if (result.FullText is not null)
        {
            return result;
        }

        var (shown, wasCut) = OutputText.HeadAndTail(result.Text, MaxCharacters, MaxLines);
        return wasCut
            ? result with
            {
                Text = shown,
                FullText = await journal.Hands.Blobs.TryStoreAsync(System.Text.Encoding.UTF8.GetBytes(result.Text)),
            }
            : result;
    }

    private sealed record Permit(CallOutcome Outcome, ToolResult? Refusal, IReadOnlyList<string> Answers);
}

/// <summary>A call that the model made, understood or refused, before it runs. <paramref name="Tool"/> is null where there is none of that name.</summary>
internal sealed record RequestedCall(PendingCall Pending, ITool? Tool, ToolKind Kind, Preparation Preparation)
{
    public ToolCall Call => Pending.Call;
}
