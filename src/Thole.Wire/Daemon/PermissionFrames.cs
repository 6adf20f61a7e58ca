using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Daemon;

/// <summary>Questions and votes in the daemon protocol.</summary>
internal static class PermissionFrames
{
    /// <summary>A question that was settled since is told without the call's arguments: they stand in the frame of the call.</summary>
    public static DaemonFrame Request(
        SessionId session,
        PermissionRequested asked,
        ToolCall? call = null,
        ToolKind kind = ToolKind.Other,
        string? title = null
    ) =>
        new(
            "permission_request",
            data =>
            {
                data.WriteString("requestId", DaemonWords.RequestId(session, asked.Call));
                data.WriteString("sessionId", session.Value);
                data.WriteStartObject("toolCall");
                data.WriteString("toolCallId", asked.Call.Value);
                data.WriteString("title", title ?? asked.Question);
                data.WriteString("kind", DaemonWords.Word(kind));
                data.WriteString("status", "pending");
                data.WriteStartArray("content");
                data.WriteEndArray();
                data.WriteStartArray("locations");
                data.WriteEndArray();
                if (call is not null)
                {
                    RawJson.Write(data, "rawInput", call.Arguments);
                    data.WriteStartObject("_meta");
                    data.WriteString("toolName", call.Tool);
                    data.WriteEndObject();
                }

                data.WriteEndObject();
                data.WriteString("question", asked.Question);
                WriteQuestions(data, asked.Questions);
                data.WriteStartArray("options");
                WriteOption(data, DaemonWords.AllowOnce, "Yes, allow once", "allow_once");
                WriteOption(data, DaemonWords.Reject, "No", "reject_once");
                data.WriteEndArray();
                if (asked.Election is { } election)
                {
                    data.WriteString("policy", DaemonWords.Word(election.Policy));
                    data.WriteNumber("quorum", election.Quorum);
                }
            }
        );

    public static DaemonFrame Resolved(SessionId session, PermissionAnswered answered, Actor voter) =>
        new(
            "permission_resolved",
            data =>
            {
                data.WriteString("requestId", DaemonWords.RequestId(session, answered.Call));
                data.WriteString("sessionId", session.Value);
                data.WriteStartObject("outcome");
                data.WriteString("outcome", answered.Cancelled ? "cancelled" : "selected");
                if (!answered.Cancelled)
                {
                    data.WriteString("optionId", answered.Allow ? DaemonWords.AllowOnce : DaemonWords.Reject);
                }

                data.WriteEndObject();
                data.WriteString("decidedBy", voter.Identity);
                if (voter.Client is { } client)
                {
                    data.WriteString("voterClientId", client);
                }

                if (answered.Reason is { } reason)
                {
                    data.WriteString("reason", reason);
                }
            }
        );

    public static DaemonFrame PartialVote(SessionId session, PermissionVoted voted) =>
        new(
            "permission_partial_vote",
            data =>
            {
                data.WriteString("requestId", DaemonWords.RequestId(session, voted.Call));
                data.WriteString("sessionId", session.Value);
                data.WriteNumber("votesReceived", voted.Allowing + voted.Refusing);
                data.WriteNumber("votesNeeded", Math.Max(0, voted.Quorum - Math.Max(voted.Allowing, voted.Refusing)));
                data.WriteNumber("quorum", voted.Quorum);
                data.WriteStartObject("optionTallies");
                data.WriteNumber(DaemonWords.AllowOnce, voted.Allowing);
                data.WriteNumber(DaemonWords.Reject, voted.Refusing);
                data.WriteEndObject();
            }
        );

    public static DaemonFrame Forbidden(SessionId session, VoteRefused refused, Actor voter) =>
        new(
            "permission_forbidden",
            data =>
            {
                data.WriteString("requestId", DaemonWords.RequestId(session, refused.Call));
                data.WriteString("sessionId", session.Value);
                data.WriteString("identity", voter.Identity);
                if (voter.Client is { } client)
                {
                    data.WriteString("clientId", client);
                }

                data.WriteString("reason", refused.Reason);
            }
        );

    private static void WriteQuestions(Utf8JsonWriter data, IReadOnlyList<Question> questions)
    {
        if (questions is [])
        {
            return;
        }

        data.WriteStartArray("questions");
        foreach (var (index, question) in questions.Index())
        {
            data.WriteStartObject();
            data.WriteString("answerKey", $"{index}");
            data.WriteString("header", question.Header);
            data.WriteString("question", question.Text);
            data.WriteBoolean("multiSelect", question.MultiSelect);
            data.WriteStartArray("options");
            foreach (var choice in question.Choices)
            {
                data.WriteStartObject();
                data.WriteString("label", choice.Label);
                data.WriteString("description", choice.Description);
                data.WriteEndObject();
            }

            data.WriteEndArray();
            data.WriteEndObject();
        }

        data.WriteEndArray();
    }

    private static void WriteOption(Utf8JsonWriter data, string id, string name, string kind)
    {
        data.WriteStartObject();
        data.WriteString("optionId", id);
        data.WriteString("name", name);
        data.WriteString("kind", kind);
        data.WriteEndObject();
    }
}
