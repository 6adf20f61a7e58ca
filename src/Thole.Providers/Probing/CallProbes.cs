using Thole.Core.Models;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Probing;

/// <summary>Tells how a probe ended, in a word and in a line.</summary>
internal delegate void Tell(string probe, ProbeOutcome outcome, string detail);

/// <summary>Whether calls come, come whole, come together, and may go back.</summary>
internal static class CallProbes
{
    extension(ModelException failure)
    {
        /// <summary>What an endpoint refuses it does not support; everything else may be different tomorrow.</summary>
        public ProbeOutcome Outcome =>
            failure.Failure is ModelFailure.InvalidRequest or ModelFailure.UnknownModel or ModelFailure.ContentRefused
                ? ProbeOutcome.NotSupported
                : ProbeOutcome.NotOk;
    }

    public static async Task CallAsync(ProbeSession session, Tell tell, CancellationToken cancellationToken)
    {
        var request = Probes.Recording(session.Model);
        var answer = await session.AskAsync(request, cancellationToken);
        session.TextCalls = answer.TextCalls;
        session.ThinksInText |= answer.ThinksInText;
        if (answer.Failure is { } failure)
        {
            tell("tool call", failure.Outcome, failure.Message);
            return;
        }

        if (answer.Calls.FirstOrDefault(static call => call.Name is Probes.RecordTool) is not { } call)
        {
            tell("tool call", ProbeOutcome.NotSupported, "it was asked for a call and made none");
        }
        else
        {
            tell(
                "tool call",
                ProbeOutcome.Ok,
                answer.TextCalls is { } format
                    ? $"as text, which is read as {TextCallFormats.WordOf(format)}"
                    : "in the words of the wire"
            );
            var differences = call.Problem is null ? Probes.Differences(call.Arguments) : ["not whole"];
            tell(
                "arguments",
                differences is [] ? ProbeOutcome.Ok : ProbeOutcome.NotOk,
                differences is []
                    ? "quotes, letters, lists, numbers and truth values arrive as they were meant"
                    : $"not as they were meant: {string.Join(", ", differences)}"
            );
        }

        await EchoAsync(session, request, answer, tell, cancellationToken);
    }

    private static async Task EchoAsync(
        ProbeSession session,
        ModelRequest request,
        ProbeAnswer said,
        Tell tell,
        CancellationToken cancellationToken
    )
    {
        var echo = Probes.Echo(session.Model, request, said.ToItem(session.FullName));
        var answer = await session.AskAsync(echo, cancellationToken, asFound: true);
        var found = session.Repairs;
        foreach (var way in session.IsChat ? [ReasoningEcho.Never, ReasoningEcho.Always] : Array.Empty<ReasoningEcho>())
        {
            if (answer.Failure?.Failure is not ModelFailure.InvalidRequest)
            {
                break;
            }

            session.Repairs = found with { Echo = way };
            answer = await session.AskAsync(echo, cancellationToken, asFound: true);
        }

        if (answer.Failure is { } failure)
        {
            session.Repairs = found;
            tell("reasoning echo", ProbeOutcome.NotOk, failure.Message);
            return;
        }

        var hasReasoning = said.Reasoning.Length > 0 || said.Finished?.ProviderData is not null;
        tell(
            "reasoning echo",
            ProbeOutcome.Ok,
            session.Repairs.Echo switch
            {
                ReasoningEcho.Never => "its own message is taken back without its reasoning only",
                ReasoningEcho.Always => "its own message is taken back with a field for reasoning only",
                _ => hasReasoning
                    ? "its own message is taken back with its reasoning"
                    : "its own message is taken back; it had no reasoning",
            }
        );
    }

    public static async Task CallTwiceAsync(ProbeSession session, Tell tell, CancellationToken cancellationToken)
    {
        var answer = await session.AskAsync(Probes.TwoCalls(session.Model), cancellationToken);
        session.TextCalls ??= answer.TextCalls;
        var (outcome, detail) =
            answer.Failure is { } failure ? (failure.Outcome, failure.Message)
            : answer.Calls.Count > 1 ? (ProbeOutcome.Ok, $"{answer.Calls.Count} calls in one answer")
            : (ProbeOutcome.NotSupported, answer.Calls is [] ? "no call" : "one call at a time");
        tell("parallel calls", outcome, detail);
    }
}
