using System.Text.Json;
using Thole.Protocol;

namespace Thole.Wire.Daemon;

/// <summary>Frames of type <c>session_update</c>: the Agent Client Protocol's updates, which the daemon protocol carries as they are.</summary>
internal static class Update
{
    public static DaemonFrame Text(SessionId session, string kind, string text) =>
        Make(session, kind, update => WriteText(update, text));

    public static DaemonFrame UserBlock(SessionId session, Content block) =>
        Make(session, "user_message_chunk", update => WriteBlock(update, block));

    /// <summary>An empty chunk closes each message and carries what it cost.</summary>
    public static DaemonFrame Usage(SessionId session, MessageCompleted message) =>
        Make(
            session,
            "agent_message_chunk",
            update =>
            {
                WriteText(update, "");
                update.WriteStartObject("_meta");
                update.WriteString("stop", message.Stop);
                update.WriteStartObject("usage");
                var usage = message.Usage;
                WriteCount(update, "inputTokens", usage.InputTokens);
                WriteCount(update, "outputTokens", usage.OutputTokens);
                WriteCount(update, "totalTokens", usage.InputTokens + usage.OutputTokens);
                WriteCount(update, "thoughtTokens", usage.ReasoningTokens);
                WriteCount(update, "cachedReadTokens", usage.CachedTokens);
                WriteCount(update, "cachedWriteTokens", usage.CacheWriteTokens);
                update.WriteEndObject();
                update.WriteEndObject();
            }
        );

    public static DaemonFrame Call(SessionId session, CallRequested requested) =>
        Make(
            session,
            "tool_call",
            update =>
            {
                update.WriteString("toolCallId", requested.Call.Id.Value);
                update.WriteString("title", requested.Title);
                update.WriteString("kind", DaemonWords.Word(requested.Kind));
                update.WriteString("status", "pending");
                update.WriteStartArray("content");
                update.WriteEndArray();
                update.WriteStartArray("locations");
                update.WriteEndArray();
                RawJson.Write(update, "rawInput", requested.Call.Arguments);
                update.WriteStartObject("_meta");
                update.WriteString("toolName", requested.Call.Tool);
                update.WriteEndObject();
            }
        );

    public static DaemonFrame CallStatus(SessionId session, CallId call, string status) =>
        Make(
            session,
            "tool_call_update",
            update =>
            {
                update.WriteString("toolCallId", call.Value);
                update.WriteString("status", status);
            }
        );

    public static DaemonFrame CallResult(SessionId session, CallCompleted completed) =>
        Make(
            session,
            "tool_call_update",
            update =>
            {
                update.WriteString("toolCallId", completed.Call.Value);
                update.WriteString("status", completed.Outcome is CallOutcome.Succeeded ? "completed" : "failed");
                update.WriteStartArray("content");
                foreach (
                    var shown in completed.Result.Display is []
                        ? [new TextContent(completed.Result.Text)]
                        : completed.Result.Display
                )
                {
                    update.WriteStartObject();
                    update.WriteString("type", "content");
                    WriteBlock(update, shown);
                    update.WriteEndObject();
                }

                update.WriteEndArray();
                update.WriteString("rawOutput", completed.Result.Text);
                update.WriteStartObject("_meta");
                update.WriteString("outcome", DaemonWords.Word(completed.Outcome));
                if (completed.Result.Error is { } error)
                {
                    update.WriteString("error", error);
                }

                update.WriteEndObject();
            }
        );

    public static DaemonFrame Plan(SessionId session, TodosChanged changed) =>
        Make(
            session,
            "plan",
            update =>
            {
                update.WriteStartArray("entries");
                foreach (var todo in changed.Todos)
                {
                    update.WriteStartObject();
                    update.WriteString("content", todo.Content);
                    update.WriteString("priority", "medium");
                    update.WriteString("status", DaemonWords.Word(todo.Status));
                    update.WriteEndObject();
                }

                update.WriteEndArray();
            }
        );

    private static DaemonFrame Make(SessionId session, string kind, Action<Utf8JsonWriter> rest) =>
        new(
            "session_update",
            data =>
            {
                data.WriteString("sessionId", session.Value);
                data.WriteStartObject("update");
                data.WriteString("sessionUpdate", kind);
                rest(data);
                data.WriteEndObject();
            }
        );

    private static void WriteText(Utf8JsonWriter update, string text)
    {
        update.WriteStartObject("content");
        update.WriteString("type", "text");
        update.WriteString("text", text);
        update.WriteEndObject();
    }

    private static void WriteBlock(Utf8JsonWriter update, Content block)
    {
        switch (block)
        {
            case MediaContent media:
                // The bytes are a blob of the session: a reader that wants them asks for them by this name.
                update.WriteStartObject("content");
                update.WriteString("type", "resource_link");
                update.WriteString("uri", $"blob:{media.Blob}");
                update.WriteString(
                    "name",
                    media is FileContent { Name: { } name } ? name
                        : media is ImageContent ? "image"
                        : "file"
                );
                update.WriteString("mimeType", media.MediaType);
                update.WriteEndObject();
                break;
            case DiffContent diff:
                WriteText(update, diff.UnifiedDiff);
                break;
            case TerminalContent terminal:
                WriteText(update, $"$ {terminal.Command}\n{terminal.Output}");
                break;
            case TextContent text:
                WriteText(update, text.Text);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static void WriteCount(Utf8JsonWriter update, string name, long? count)
    {
        if (count is { } known)
        {
            update.WriteNumber(name, known);
        }
    }
}
