using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Daemon;

/// <summary>
/// An event in the frames of the daemon protocol. Every event has exactly one frame with its number, also those that the protocol
/// has no word for, so that a reader can count; what must be said beside it comes before it, without a number.
/// </summary>
public sealed class DaemonFrames(SessionId session, IFrameContext context)
{
    public IEnumerable<DaemonFrame> Of(Envelope envelope)
    {
        foreach (var beside in Beside(envelope.Event))
        {
            yield return beside with
            {
                At = envelope.At,
                Originator = envelope.Actor.Client,
            };
        }

        yield return Main(envelope) with
        {
            Id = envelope.Sequence,
            At = envelope.At,
            Originator = OriginatorOf(envelope),
        };
    }

    /// <summary>A question that is open now, for a client that came after it was asked.</summary>
    public DaemonFrame Again(OpenQuestion question) =>
        PermissionFrames.Request(session, question.Request, question.Call, question.Kind, question.Title) with
        {
            At = question.AskedAt,
            Originator = context.Asker,
        };

    /// <summary>A question is the runtime's; what a screen wants to know of it is whose prompt it stands in the way of.</summary>
    private string? OriginatorOf(Envelope envelope) =>
        envelope.Event is PermissionRequested asked && context.OpenCall(asked.Call) is not null
            ? context.Asker
            : envelope.Actor.Client;

    private IEnumerable<DaemonFrame> Beside(SessionEvent happened)
    {
        switch (happened)
        {
            case TurnStarted { QueuedAt: not null } started:
                yield return Pending("pending_prompt_started", started.Prompt, DaemonWords.TextOf(started.Content));
                break;
            case TurnEnded { HadWaited: true, Prompt: { } prompt }:
                yield return PendingEnd(prompt, "completed");
                break;
            case PromptWithdrawn(var prompt):
                yield return PendingEnd(prompt, "removed");
                break;
        }

        if (happened is TurnStarted { Content: [_, _, ..] content })
        {
            foreach (var block in content.SkipLast(1))
            {
                yield return Update.UserBlock(session, block);
            }
        }
    }

    private DaemonFrame Main(Envelope envelope) =>
        envelope.Event switch
        {
            TextPiece(var text) => Update.Text(session, "agent_message_chunk", text),
            ReasoningPiece(var text) => Update.Text(session, "agent_thought_chunk", text),
            TurnStarted { Content: [.., var last] } => Update.UserBlock(session, last),
            MessageCompleted message => Update.Usage(session, message),
            CallRequested requested => Update.Call(session, requested),
            CallStarted started => Update.CallStatus(session, started.Call, "in_progress"),
            CallCompleted completed => Update.CallResult(session, completed),
            TodosChanged changed => Update.Plan(session, changed),
            PermissionRequested asked => context.OpenCall(asked.Call) is { } open
                ? PermissionFrames.Request(session, asked, open.Call, open.Kind, open.Title)
                : PermissionFrames.Request(session, asked),
            PermissionVoted voted => PermissionFrames.PartialVote(session, voted),
            VoteRefused refused => PermissionFrames.Forbidden(session, refused, envelope.Actor),
            PermissionAnswered answered => PermissionFrames.Resolved(session, answered, envelope.Actor),
            PromptQueued queued => Say(
                "pending_prompt_added",
                data =>
                {
                    data.WriteString("promptId", queued.Prompt.Value);
                    data.WriteString("text", DaemonWords.TextOf(queued.Content));
                    data.WriteNumber("queuedAt", envelope.At.ToUnixTimeMilliseconds());
                }
            ),
            PromptWithdrawn(var prompt) => TurnComplete("cancelled", prompt, message: null),
            TurnEnded ended when DaemonWords.StopReason(ended) is { } reason => TurnComplete(reason, ended.Prompt, ended.Message),
            TurnEnded ended => Say(
                "turn_error",
                data =>
                {
                    data.WriteString("message", ended.Message is { Length: > 0 } message ? message : "The turn failed.");
                    data.WriteString("code", DaemonWords.ErrorCode(ended));
                    data.WriteString("errorKind", DaemonWords.ErrorCode(ended));
                    WriteIfAny(data, "promptId", ended.Prompt?.Value);
                }
            ),
            InterruptRequested interrupt => Say(
                "prompt_cancelled",
                data => WriteIfAny(data, "promptId", interrupt.Prompt?.Value)
            ),
            SteeringTaken taken => Say("mid_turn_message_injected", data => WriteMessages(data, taken)),
            ModelSelected(var model) => Say("model_switched", data => data.WriteString("modelId", model)),
            ApprovalModeSelected selected => Say(
                "approval_mode_changed",
                data =>
                {
                    data.WriteString("previous", DaemonWords.Word(selected.Previous ?? ApprovalMode.Default));
                    data.WriteString("next", DaemonWords.Word(selected.Mode));
                    data.WriteBoolean("persisted", false);
                }
            ),
            SessionRenamed renamed => Say(
                "session_metadata_updated",
                data =>
                {
                    WriteIfAny(data, "displayName", renamed.Name);
                    data.WriteString("titleSource", renamed.Name is null ? "auto" : "manual");
                }
            ),
            SessionClosed when context.IsClosed => Say(
                "session_closed",
                data =>
                {
                    data.WriteString("reason", "client_close");
                    WriteIfAny(data, "closedBy", envelope.Actor.Client ?? envelope.Actor.Identity);
                }
            ),
            SessionClosed => Say("session_was_closed", static _ => { }), // it was reopened since: no reader may take it for the end
            _ => OtherFrames.Of(session, envelope),
        };

    private DaemonFrame TurnComplete(string reason, PromptId? prompt, string? message) =>
        Say(
            "turn_complete",
            data =>
            {
                data.WriteString("stopReason", reason);
                WriteIfAny(data, "promptId", prompt?.Value);
                WriteIfAny(data, "message", message);
            }
        );

    private DaemonFrame Pending(string type, PromptId prompt, string text) =>
        Say(
            type,
            data =>
            {
                data.WriteString("promptId", prompt.Value);
                data.WriteString("text", text);
            }
        );

    private DaemonFrame PendingEnd(PromptId prompt, string state) =>
        Say(
            "pending_prompt_completed",
            data =>
            {
                data.WriteString("promptId", prompt.Value);
                data.WriteString("state", state);
            }
        );

    private DaemonFrame Say(string type, Action<Utf8JsonWriter> rest) =>
        new(
            type,
            data =>
            {
                data.WriteString("sessionId", session.Value);
                rest(data);
            }
        );

    private static void WriteMessages(Utf8JsonWriter data, SteeringTaken taken)
    {
        data.WriteStartArray("messages");
        foreach (var message in taken.Messages)
        {
            data.WriteStringValue(DaemonWords.TextOf(message.Content));
        }

        data.WriteEndArray();
        data.WriteStartArray("messageIds");
        foreach (var message in taken.Messages)
        {
            data.WriteStringValue(message.Prompt.Value);
        }

        data.WriteEndArray();
    }

    /// <summary>The protocol's readers take an absent member, and not a null, for "none".</summary>
    private static void WriteIfAny(Utf8JsonWriter data, string name, string? value)
    {
        if (value is not null)
        {
            data.WriteString(name, value);
        }
    }
}

/// <summary>What a frame tells beyond its event: only what is so now.</summary>
public interface IFrameContext
{
    /// <summary>The session takes no prompts.</summary>
    bool IsClosed { get; }

    /// <summary>The question that is open for a call; null where it is settled.</summary>
    OpenQuestion? OpenCall(CallId call);

    /// <summary>The client whose prompt is worked on; null where none is, or it came without a name.</summary>
    string? Asker { get; }
}
