using Thole.Protocol;
using Thole.Wire.Daemon;

namespace Thole.Server.Sessions;

/// <summary>
/// The form of the first preview: the answer comes when the turn has ended, and a client that leaves before takes its prompt with it.
/// </summary>
internal sealed class BlockingPrompt(SessionDirectory sessions, SessionId session, PromptId prompt, Actor actor)
{
    public async Task AnswerAsync(Exchange exchange, long after)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted, exchange.Stopping);
        var turn = (TurnId?)null;
        try
        {
            await foreach (var envelope in sessions.ReadAsync(session, after, leaving.Token))
            {
                switch (envelope.Event)
                {
                    case TurnStarted started when started.Prompt == prompt:
                        turn = started.Turn;
                        break;
                    case PromptWithdrawn withdrawn when withdrawn.Prompt == prompt:
                        await ReplyAsync(exchange, "cancelled");
                        return;
                    case TurnEnded ended when ended.Turn == turn:
                        await ReplyAsync(
                            exchange,
                            DaemonWords.StopReason(ended)
                                ?? throw new ProblemException(
                                    ended.DeadlinePassed ? 504 : 500,
                                    DaemonWords.ErrorCode(ended),
                                    ended.Message ?? "The turn failed.",
                                    ("promptId", prompt.Value)
                                )
                        );
                        return;
                }
            }
        }
        catch (OperationCanceledException)
            when (exchange.Stopping.IsCancellationRequested && !exchange.Aborted.IsCancellationRequested)
        {
            throw new ProblemException(
                503,
                "daemon_draining",
                "The daemon is stopping; the prompt was accepted, and its turn is told by the session's events.",
                ("promptId", prompt.Value)
            );
        }
        catch (OperationCanceledException)
        {
            await TakeBackAsync();
            throw;
        }
    }

    /// <summary>It is asked for by its name and not by what was read of it: it may have begun a moment ago.</summary>
    private async Task TakeBackAsync()
    {
        var withdrawn = await sessions.SubmitAsync(session, new Withdraw(prompt), actor, CancellationToken.None);
        var status = await sessions.OpenAsync(session, CancellationToken.None);
        if (withdrawn.First == 0 && status.Turn is { } running && running.Prompt == prompt)
        {
            await sessions.SubmitAsync(session, new Interrupt(running.Turn), actor, CancellationToken.None);
        }
    }

    private Task ReplyAsync(Exchange exchange, string reason) =>
        exchange.ReplyAsync(new PromptResult(reason, prompt.Value), SessionJson.Default.PromptResult, status: 200);
}
