using System.Text.Json;
using Thole.Cli.Configuration;
using Thole.Protocol;

namespace Thole.Cli.Headless;

/// <summary>
/// Prompts and control requests as JSON lines on standard input. A line that cannot be understood is answered, not obeyed and not
/// fatal: the conversation goes on.
/// </summary>
internal sealed class StreamJsonInput(TextReader input, JsonOutput output, IAgentRuntime runtime, SessionId session)
{
    public async Task ReadAsync(Func<IReadOnlyList<Content>, Task> promptAsync, Func<Task> stopTurnAsync)
    {
        while (await input.ReadLineAsync() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                using var message = JsonDocument.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
                await HandleAsync(message.RootElement, promptAsync, stopTurnAsync);
            }
            catch (Exception exception)
                when (exception is JsonException or InvalidOperationException or KeyNotFoundException or UsageException)
            {
                WriteError($"This line was not understood and was passed over: {Explain(exception)}");
            }
        }
    }

    private async Task HandleAsync(JsonElement message, Func<IReadOnlyList<Content>, Task> promptAsync, Func<Task> stopTurnAsync)
    {
        switch (message.GetProperty("type").GetString())
        {
            case "user":
                await promptAsync(ReadContent(message.GetProperty("message").GetProperty("content")));
                break;
            case "control_request":
                var id = message.GetProperty("request_id").GetString() ?? throw new UsageException("request_id is null.");
                await ControlAsync(id, message, stopTurnAsync);
                break;
            case "control_response" or "control_cancel_request":
                break; // answers to requests that we do not make
            case var other:
                throw new UsageException($"'{other}' is no type of message; use user or control_request.");
        }
    }

    /// <summary>Whoever sent a request waits for its answer: what is wrong with it is said there.</summary>
    private async Task ControlAsync(string id, JsonElement message, Func<Task> stopTurnAsync)
    {
        try
        {
            var request = message.GetProperty("request");
            var subtype = request.GetProperty("subtype").GetString();
            await ObeyAsync(subtype, request, stopTurnAsync);
            Answer(id, "success", json => WriteCapabilities(json, subtype));
        }
        catch (Exception wrong)
            when (wrong is InvalidOperationException or KeyNotFoundException or UsageException or RefusedException)
        {
            Answer(id, "error", json => json.WriteString("error", Explain(wrong)));
        }
    }

    // The parser's own words count from 0 and speak of elements.
    private static string Explain(Exception wrong) =>
        wrong switch
        {
            UsageException or RefusedException => wrong.Message,
            KeyNotFoundException => "a field is missing; docs/cli.md lists them.",
            InvalidOperationException => "a field has the wrong type; docs/cli.md lists them.",
            _ => "it is not a JSON object on a line of its own.",
        };

    private async Task ObeyAsync(string? subtype, JsonElement request, Func<Task> stopTurnAsync)
    {
        switch (subtype)
        {
            case "initialize":
                break;
            case "interrupt":
                await stopTurnAsync();
                break;
            case "set_model":
                var model = request.GetProperty("model").GetString();
                if (string.IsNullOrWhiteSpace(model))
                {
                    throw new UsageException("No model is named; send one, for example openai/gpt-5.");
                }

                await runtime.SubmitAsync(session, new SelectModel(model), Actor.User, CancellationToken.None);
                break;
            case "set_permission_mode":
                var mode = ParseMode(request.GetProperty("mode").GetString());
                await runtime.SubmitAsync(session, new SelectApprovalMode(mode), Actor.User, CancellationToken.None);
                break;
            default:
                throw new UsageException($"'{subtype}' is not supported here.");
        }
    }

    private void WriteCapabilities(Utf8JsonWriter json, string? subtype)
    {
        if (subtype is not "initialize")
        {
            return;
        }

        json.WriteStartObject("response");
        json.WriteString("subtype", "initialize");
        json.WriteString("session_id", session.Value);
        json.WriteStartObject("capabilities");
        json.WriteBoolean("can_handle_can_use_tool", false);
        json.WriteBoolean("can_set_permission_mode", true);
        json.WriteBoolean("can_set_model", true);
        json.WriteBoolean("can_interrupt", true);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Answer(string id, string subtype, Action<Utf8JsonWriter> body) =>
        output.Write(json =>
        {
            json.WriteString("type", "control_response");
            json.WriteStartObject("response");
            json.WriteString("subtype", subtype);
            json.WriteString("request_id", id);
            body(json);
            json.WriteEndObject();
        });

    private void WriteError(string text) =>
        output.Write(json =>
        {
            json.WriteString("type", "system");
            json.WriteString("subtype", "input_error");
            json.WriteString("session_id", session.Value);
            json.WriteString("message", text);
        });

    private static IReadOnlyList<Content> ReadContent(JsonElement content)
    {
        IReadOnlyList<TextContent> texts = ReadTexts(content);
        return texts.All(text => string.IsNullOrWhiteSpace(text.Text)) ? throw new UsageException("the prompt is empty.") : texts;
    }

    private static IReadOnlyList<TextContent> ReadTexts(JsonElement content) =>
        content.ValueKind is JsonValueKind.String
            ? [new TextContent(content.GetString()!)]
            :
            [
                .. content
                    .EnumerateArray()
                    .Select(block =>
                        block.GetProperty("type").GetString() is "text"
                            ? new TextContent(
                                block.GetProperty("text").GetString() ?? throw new UsageException("a text block has no text.")
                            )
                            : throw new UsageException("only text blocks are taken in a prompt.")
                    ),
            ];

    private static ApprovalMode ParseMode(string? name) =>
        SettingDefinitions.ApprovalModes.Contains(name, StringComparer.Ordinal)
            ? Enum.Parse<ApprovalMode>(name!.Replace("-", "", StringComparison.Ordinal), ignoreCase: true)
            : throw new UsageException(
                $"'{name}' is no mode; it must be one of {string.Join(", ", SettingDefinitions.ApprovalModes)}."
            );
}
