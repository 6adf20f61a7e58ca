using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Daemon;

/// <summary>
/// Events that the daemon protocol has no word for, under our own names and with what a screen may want. Its readers pass over types
/// they do not know; the whole event is in the native stream.
/// </summary>
internal static class OtherFrames
{
    public static DaemonFrame Of(SessionId session, Envelope envelope) =>
        envelope.Event switch
        {
            SessionOpened opened => Say(
                session,
                "session_opened",
                data =>
                {
                    data.WriteString("modelId", opened.Model);
                    data.WriteString("approvalMode", DaemonWords.Word(opened.ApprovalMode));
                    data.WriteString("version", opened.Version);
                }
            ),
            StepStarted step => Say(
                session,
                "step_started",
                data =>
                {
                    data.WriteNumber("step", step.Step);
                    data.WriteString("modelId", step.Model);
                    if (step.Route is { } route)
                    {
                        data.WriteString("route", route);
                    }
                }
            ),
            AttemptFailed failed => Say(
                session,
                "attempt_failed",
                data =>
                {
                    data.WriteString("error", failed.Error);
                    data.WriteString("message", failed.Message);
                    data.WriteNumber("attempt", failed.Attempt);
                    if (failed.RetryIn is { } wait)
                    {
                        data.WriteNumber("retryInMs", (long)wait.TotalMilliseconds);
                    }

                    if (failed.Next is { } next)
                    {
                        data.WriteString("nextModelId", next);
                    }
                }
            ),
            ContextAdded added => Say(session, "context_added", data => data.WriteString("source", added.Source)),
            FileSeen seen => Say(session, "file_seen", data => data.WriteBoolean("exists", seen.Hash is not null)),
            SteeringReceived received => Say(
                session,
                "mid_turn_message_received",
                data =>
                {
                    data.WriteString("messageId", received.Prompt.Value);
                    data.WriteString("message", DaemonWords.TextOf(received.Content));
                }
            ),
            ContextCompacted compacted => Say(
                session,
                "context_compacted",
                data => data.WriteNumber("keepFrom", compacted.KeepFrom)
            ),
            CompactionFailed failed => Say(session, "compaction_failed", data => data.WriteString("message", failed.Message)),
            MediaDescribed described => Say(
                session,
                "media_described",
                data =>
                {
                    data.WriteString("mimeType", described.MediaType);
                    data.WriteString("modelId", described.Model);
                    data.WriteString("text", described.Text);
                }
            ),
            MediaLeftOut left => Say(
                session,
                "media_left_out",
                data =>
                {
                    data.WriteString("mimeType", left.MediaType);
                    data.WriteString("message", left.Message);
                }
            ),
            LogRecovered recovered => Say(
                session,
                "log_recovered",
                data =>
                {
                    data.WriteNumber("after", recovered.After);
                    data.WriteString("message", recovered.Message);
                }
            ),
            SessionReopened => Say(session, "session_reopened", static _ => { }),
            UnknownEvent unknown => Say(
                session,
                "unknown_event",
                data =>
                {
                    data.WriteString("name", unknown.Type);
                    data.WriteNumber("version", unknown.Version);
                }
            ),
            // A prompt without content.
            TurnStarted => Say(session, "turn_started", static _ => { }),
            var happened => throw new System.Diagnostics.UnreachableException($"{happened.GetType().Name} has no frame."),
        };

    private static DaemonFrame Say(SessionId session, string type, Action<Utf8JsonWriter> rest) =>
        new(
            type,
            data =>
            {
                data.WriteString("sessionId", session.Value);
                rest(data);
            }
        );
}
