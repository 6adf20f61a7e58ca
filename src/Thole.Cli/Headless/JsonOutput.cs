using System.Buffers;
using System.Text;
using System.Text.Json;
using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>
/// The messages that scripts of such agents read: <c>system/init</c>, <c>assistant</c>, <c>user</c> with tool results, <c>result</c>; each a
/// line as it happens, or all of them as one array at the end. docs/cli.md describes each.
/// </summary>
internal sealed class JsonOutput(TextWriter output, TextWriter error, OutputFormat format, bool includePartial) : IOutput
{
    private const int MaxResultLength = 65_536;

    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _reasoning = new();
    private readonly List<ToolCall> _calls = [];
    private readonly List<string> _array = [];
    private string _session = "";
    private string _model = "";
    private MessageCompleted? _completed;
    private bool _hasResult;

    public bool IsStream => format is OutputFormat.StreamJson;

    public void Begin(RunStart start)
    {
        (_session, _model) = (start.Session.Value, start.Model);
        Write(json =>
        {
            json.WriteString("type", "system");
            json.WriteString("subtype", "init");
            json.WriteString("session_id", _session);
            json.WriteString("cwd", start.Workspace);
            json.WriteString("model", start.Model);
            json.WriteString("permission_mode", Words.Kebab(start.ApprovalMode));
            json.WriteStartArray("tools");
            foreach (var tool in start.Tools)
            {
                json.WriteStringValue(tool);
            }

            json.WriteEndArray();
            json.WriteStartArray("mcp_servers");
            json.WriteEndArray();
            json.WriteString("thole_version", start.Version);
        });
    }

    public void Show(Envelope envelope)
    {
        // Calls follow their message: it is whole when something else comes.
        if (_completed is not null && envelope.Event is not CallRequested)
        {
            WriteMessage();
        }

        switch (envelope.Event)
        {
            case TurnStarted:
                _hasResult = false;
                break;
            case StepStarted started:
                _model = started.Model;
                Clear();
                break;
            case LogRecovered recovered:
                WriteNotice("log_recovered", recovered.Message);
                Tell(recovered.Message);
                break;
            case AttemptFailed failed:
                Clear();
                WriteAttempt(failed);
                break;
            case TextPiece { Text: var text }:
                _text.Append(text);
                WriteDelta("text_delta", "text", text);
                break;
            case ReasoningPiece { Text: var text }:
                _reasoning.Append(text);
                WriteDelta("thinking_delta", "thinking", text);
                break;
            case MessageCompleted completed:
                _completed = completed;
                break;
            case CallRequested requested:
                _calls.Add(requested.Call);
                break;
            case CallCompleted completed:
                WriteResult(completed);
                break;
        }
    }

    public void EndTurn(RunSummary summary)
    {
        _hasResult = true;
        Write(json =>
        {
            json.WriteString("type", "result");
            json.WriteString("subtype", Subtype(summary.Outcome));
            json.WriteString("session_id", _session);
            json.WriteBoolean("is_error", summary.Outcome is not TurnOutcome.Completed);
            json.WriteNumber("duration_ms", (long)summary.Duration.TotalMilliseconds);
            json.WriteNumber("num_turns", summary.Steps);
            json.WriteNumber("exit_code", summary.ExitCode);
            json.WriteString("result", summary.Text);
            if (summary.Outcome is not TurnOutcome.Completed)
            {
                WriteError(json, Subtype(summary.Outcome), summary.Message ?? "");
            }

            WriteUsage(json, summary.Usage);
            json.WriteStartArray("permission_denials");
            foreach (var refused in summary.Refused)
            {
                json.WriteStartObject();
                json.WriteString("tool_name", refused.Call.Tool);
                json.WriteString("tool_use_id", refused.Call.Id.Value);
                WriteArguments(json, "tool_input", refused.Call.Arguments);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
        foreach (var sentence in summary.Complaints)
        {
            Tell(sentence);
        }
    }

    public void End(string? failure, int exitCode)
    {
        if (failure is not null && !_hasResult)
        {
            Write(json =>
            {
                json.WriteString("type", "result");
                json.WriteString("subtype", "error_during_execution");
                json.WriteString("session_id", _session);
                json.WriteBoolean("is_error", true);
                json.WriteNumber("exit_code", exitCode);
                WriteError(json, "error_during_execution", failure);
            });
        }

        if (format is OutputFormat.Json)
        {
            output.WriteLine($"[{string.Join(",\n", _array)}]");
            output.Flush();
        }

        if (failure is not null)
        {
            Tell(failure);
        }
    }

    private void Tell(string sentence) => error.WriteLine($"thole: {TerminalText.EscapeLine(sentence)}");

    /// <summary>One more message of a caller's own, for answers to control requests.</summary>
    public void Write(Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }

        var line = Encoding.UTF8.GetString(buffer.WrittenSpan);
        lock (_gate) // events come from the run, answers to control requests from the input
        {
            if (format is OutputFormat.Json)
            {
                _array.Add(line);
                return;
            }

            output.WriteLine(line);
            output.Flush();
        }
    }

    private void Clear()
    {
        _text.Clear();
        _reasoning.Clear();
        _calls.Clear();
        _completed = null;
    }

    private void WriteMessage()
    {
        var completed = _completed!;
        Write(json =>
        {
            json.WriteString("type", "assistant");
            json.WriteString("session_id", _session);
            json.WriteNull("parent_tool_use_id");
            json.WriteStartObject("message");
            json.WriteString("type", "message");
            json.WriteString("role", "assistant");
            json.WriteString("model", _model);
            json.WriteStartArray("content");
            WriteBlock(json, "thinking", "thinking", _reasoning);
            WriteBlock(json, "text", "text", _text);
            foreach (var call in _calls)
            {
                json.WriteStartObject();
                json.WriteString("type", "tool_use");
                json.WriteString("id", call.Id.Value);
                json.WriteString("name", call.Tool);
                WriteArguments(json, "input", call.Arguments);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString(
                "stop_reason",
                _calls.Count > 0 ? "tool_use"
                    : completed.Stop is "output_limit" ? "max_tokens"
                    : "end_turn"
            );
            WriteUsage(json, completed.Usage);
            json.WriteEndObject();
        });
        Clear();
    }

    private void WriteResult(CallCompleted completed) =>
        Write(json =>
        {
            json.WriteString("type", "user");
            json.WriteString("session_id", _session);
            json.WriteNull("parent_tool_use_id");
            json.WriteStartObject("message");
            json.WriteString("role", "user");
            json.WriteStartArray("content");
            json.WriteStartObject();
            json.WriteString("type", "tool_result");
            json.WriteString("tool_use_id", completed.Call.Value);
            json.WriteBoolean("is_error", completed.Result.IsError);
            json.WriteString("outcome", Words.Snake(completed.Outcome));
            var text = completed.Result.Text;
            json.WriteString(
                "content",
                text.Length <= MaxResultLength ? text : string.Concat(text.AsSpan(0, MaxResultLength), "…")
            );
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        });

    private void WriteNotice(string subtype, string message) =>
        Write(json =>
        {
            json.WriteString("type", "system");
            json.WriteString("subtype", subtype);
            json.WriteString("session_id", _session);
            json.WriteString("message", message);
        });

    private void WriteAttempt(AttemptFailed failed) =>
        Write(json =>
        {
            json.WriteString("type", "system");
            json.WriteString("subtype", "attempt_failed");
            json.WriteString("session_id", _session);
            json.WriteString("error", failed.Error);
            json.WriteString("message", failed.Message);
            json.WriteNumber("attempt", failed.Attempt);
            if (failed.RetryIn is { } wait)
            {
                json.WriteNumber("retry_in_ms", (long)wait.TotalMilliseconds);
            }
        });

    private void WriteDelta(string kind, string name, string text)
    {
        if (!includePartial || format is not OutputFormat.StreamJson)
        {
            return;
        }

        Write(json =>
        {
            json.WriteString("type", "stream_event");
            json.WriteString("session_id", _session);
            json.WriteNull("parent_tool_use_id");
            json.WriteStartObject("event");
            json.WriteString("type", "content_block_delta");
            json.WriteStartObject("delta");
            json.WriteString("type", kind);
            json.WriteString(name, text);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static void WriteBlock(Utf8JsonWriter json, string type, string name, StringBuilder text)
    {
        if (text.Length == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString(name, text.ToString());
        json.WriteEndObject();
    }

    // What a model sends as arguments need not be JSON, or be JSON that no text can hold (half a surrogate pair, escaped): then it is
    // shown as the text it is. It is tried apart, because half a value cannot be taken back.
    private static void WriteArguments(Utf8JsonWriter json, string name, string arguments)
    {
        json.WritePropertyName(name);
        var value = new ArrayBufferWriter<byte>();
        try
        {
            using var parsed = JsonDocument.Parse(arguments);
            using var writer = new Utf8JsonWriter(value, s_options);
            parsed.RootElement.WriteTo(writer);
        }
        catch (Exception unusable) when (unusable is JsonException or InvalidOperationException)
        {
            json.WriteStringValue(arguments);
            return;
        }

        json.WriteRawValue(value.WrittenSpan, skipInputValidation: true);
    }

    private static void WriteError(Utf8JsonWriter json, string type, string message)
    {
        json.WriteStartObject("error");
        json.WriteString("type", type);
        json.WriteString("message", message);
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, Usage usage)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", usage.InputTokens ?? 0);
        json.WriteNumber("output_tokens", usage.OutputTokens ?? 0);
        json.WriteNumber("cache_read_input_tokens", usage.CachedTokens ?? 0);
        json.WriteNumber("cache_creation_input_tokens", usage.CacheWriteTokens ?? 0);
        json.WriteNumber("reasoning_tokens", usage.ReasoningTokens ?? 0);
        json.WriteNumber("total_tokens", (usage.InputTokens ?? 0) + (usage.OutputTokens ?? 0));
        json.WriteEndObject();
    }

    private static string Subtype(TurnOutcome outcome) =>
        outcome switch
        {
            TurnOutcome.Completed => "success",
            TurnOutcome.LimitReached => "error_max_turns",
            TurnOutcome.BudgetExhausted => "error_budget",
            TurnOutcome.Interrupted => "interrupted",
            TurnOutcome.Unauthorized => "error_unauthorized",
            TurnOutcome.ProviderFailed => "error_provider",
            _ => "error_during_execution",
        };
}
