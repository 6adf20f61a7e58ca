using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>
/// Understands the events of a response. It is over when the endpoint says so with the whole response; what that holds and events
/// left out is said then.
/// </summary>
internal sealed class ResponsesAnswer : IAnswer
{
    private const string Document = "document";

    private readonly OutputItems _items = new();
    private readonly OutputTrail _trail = new();
    private string? _status;
    private string? _reason;
    private Usage _usage = new();

    public JsonElement? Complaint(string name, JsonElement data)
    {
        var type = data.GetText("type") ?? name;
        var response = data.Get("response") ?? data;
        return type is "error"
            || IsError(data)
            || (data.GetText("type") ?? data.GetText("object") ?? data.GetText("id")) is null
                && data.Get("response") is null
                && data.GetText("message") is not null
                ? data
            : IsError(response) ? response
            : null;
    }

    /// <summary>An end mark that is no JSON may follow, or another answer.</summary>
    public bool ReadsOn => true;

    public bool Take(string name, JsonElement data, List<ModelEvent> said)
    {
        if (data.ValueKind is not JsonValueKind.Object)
        {
            return _status is not null;
        }

        var type = data.GetText("type") ?? name;
        switch (type)
        {
            case "response.created":
                if (_status is not null)
                {
                    _items.BeginAnswer();
                    (_status, _reason) = (null, null);
                }

                break;
            case "response.output_item.added" or "response.output_item.done":
                var isOver = type is "response.output_item.done";
                if (_items.Described(data, isOver) is { } item && isOver)
                {
                    SayMissing(item, data.GetProperty("item"), said);
                }

                break;
            case "response.completed" or "response.incomplete" or "response.failed" or "response.cancelled" or "response.done":
                End(data.Get("response") ?? data, type["response.".Length..], said);
                break;
            default:
                TakePart(type, data, said);
                break;
        }

        return _status is not null;
    }

    public void TakeWhole(JsonElement document, List<ModelEvent> said)
    {
        var response = document.Get("response") ?? document;
        if (response.Get("output") is not null || response.GetText("status") is not null)
        {
            End(response, Document, said);
        }
    }

    public AnswerEnd Judge(bool hasEndMark) =>
        _status switch
        {
            null when hasEndMark && _items.All is [] => AnswerEnd.Empty,
            null or "cancelled" or "in_progress" or "queued" => AnswerEnd.Cut,
            "failed" => AnswerEnd.Failed,
            _ when Stop is StopReason.Filtered && !_trail.HasText && !_items.All.Any(item => item.IsCall) => AnswerEnd.Refused,
            _ => AnswerEnd.Whole,
        };

    public void Finish(List<ModelEvent> said)
    {
        foreach (var item in _items.All)
        {
            Reason(item.Summary.Rest() + item.Thoughts.Rest(), said);
            Speak(item, item.Text.Rest(), said);
        }

        var calls = ClosedCalls.Of(_items.All, wasCut: Stop is not StopReason.Done);
        said.AddRange(calls.Select(call => call.Proposed));
        said.Add(new ModelFinished(Stop, _usage, _trail.ToProviderData(_items.All, [.. calls.Select(call => call.Item)])));
    }

    private StopReason Stop =>
        _status is not "incomplete" ? StopReason.Done
        : _reason is "content_filter" ? StopReason.Filtered
        : StopReason.OutputLimit;

    private static bool IsError(JsonElement data) => data.Get("error") is not null and not { ValueKind: JsonValueKind.False };

    /// <summary>What happens within an item.</summary>
    private void TakePart(string type, JsonElement data, List<ModelEvent> said)
    {
        var content = data.GetNumber("content_index");
        switch (type)
        {
            case "response.output_text.delta" or "response.refusal.delta":
                var speaker = _items.At(OutputItem.Message, data);
                Speak(speaker, speaker.Text.Add(content, Delta(data)), said);
                break;
            case "response.output_text.done" or "response.refusal.done":
                speaker = _items.At(OutputItem.Message, data);
                Speak(speaker, speaker.Text.Fill(content, data.GetText("text") ?? data.GetText("refusal") ?? ""), said);
                break;
            case "response.reasoning_summary_text.delta":
                var thinker = _items.At(OutputItem.Reasoning, data);
                Reason(thinker.Summary.Add(data.GetNumber("summary_index"), Delta(data)), said);
                break;
            case "response.reasoning_summary_text.done":
                thinker = _items.At(OutputItem.Reasoning, data);
                Reason(thinker.Summary.Fill(data.GetNumber("summary_index"), data.GetText("text") ?? ""), said);
                break;
            case "response.reasoning_text.delta" or "response.reasoning.delta":
                thinker = _items.At(OutputItem.Reasoning, data);
                Reason(thinker.Thoughts.Add(content, Delta(data)), said);
                break;
            case "response.reasoning_text.done" or "response.reasoning.done":
                thinker = _items.At(OutputItem.Reasoning, data);
                Reason(thinker.Thoughts.Fill(content, data.GetText("text") ?? ""), said);
                break;
            case "response.reasoning_summary_part.done":
                thinker = _items.At(OutputItem.Reasoning, data);
                Reason(thinker.Summary.Fill(data.GetNumber("summary_index"), data.Get("part")?.GetText("text") ?? ""), said);
                break;
            case "response.content_part.done" when data.Get("part") is { } part:
                TakeContent(part, content, data, said);
                break;
            case "response.function_call_arguments.delta":
                _items.At(OutputItem.Call, data).AddArguments(Delta(data));
                break;
            case "response.function_call_arguments.done":
                _items.At(OutputItem.Call, data).EndArguments(data.GetText("arguments"));
                break;
            case "response.custom_tool_call_input.delta":
                _items.At(OutputItem.CustomCall, data).AddArguments(Delta(data));
                break;
            case "response.custom_tool_call_input.done":
                _items.At(OutputItem.CustomCall, data).EndArguments(data.GetText("input"));
                break;
        }
    }

    private void TakeContent(JsonElement part, long? index, JsonElement data, List<ModelEvent> said)
    {
        switch (part.GetText("type"))
        {
            case "output_text" or "refusal":
                var speaker = _items.At(OutputItem.Message, data);
                Speak(speaker, speaker.Text.Fill(index, part.GetText("text") ?? part.GetText("refusal") ?? ""), said);
                break;
            case "reasoning_text":
                Reason(_items.At(OutputItem.Reasoning, data).Thoughts.Fill(index, part.GetText("text") ?? ""), said);
                break;
        }
    }

    private void End(JsonElement response, string told, List<ModelEvent> said)
    {
        if (response.Get("output") is { ValueKind: JsonValueKind.Array } output)
        {
            foreach (var (item, description) in _items.Listed(output))
            {
                SayMissing(item, description, said);
            }
        }

        TakeUsage(response.Get("usage"));
        _reason = response.Get("incomplete_details")?.GetText("reason") ?? _reason;
        _status = (told, response.GetText("status")) switch
        {
            ("failed" or "cancelled" or "incomplete", _) => told,
            (_, ("completed" or "incomplete" or "failed" or "cancelled") and var status) => status,
            (Document, ("in_progress" or "queued") and var status) => status,
            // A gateway that translates may leave the status of the beginning in the response at the end: the event knows better.
            _ => "completed",
        };
    }

    private void SayMissing(OutputItem item, JsonElement description, List<ModelEvent> said)
    {
        switch (item.Kind)
        {
            case OutputItem.Message:
                Speak(item, item.Text.FillAll(Parts(description.Get("content"))), said);
                break;
            case OutputItem.Reasoning:
                Reason(item.Summary.FillAll(Parts(description.Get("summary"))), said);
                Reason(item.Thoughts.FillAll(Parts(description.Get("content"))), said);
                break;
        }
    }

    private static IReadOnlyList<string?> Parts(JsonElement? content) =>
        content switch
        {
            { ValueKind: JsonValueKind.String } text => [text.Text()],
            { ValueKind: JsonValueKind.Array } parts =>
            [
                .. parts
                    .EnumerateArray()
                    .Select(part =>
                        part.ValueKind is JsonValueKind.String ? part.Text() : part.GetText("text") ?? part.GetText("refusal")
                    ),
            ],
            _ => [],
        };

    private static string Delta(JsonElement data) => data.GetText("delta") ?? data.Get("delta")?.GetText("text") ?? "";

    private void Speak(OutputItem item, string text, List<ModelEvent> said)
    {
        if (text.Length > 0)
        {
            _trail.Speaks(item, text.Length);
            said.Add(new TextDelta(text));
        }
    }

    private static void Reason(string text, List<ModelEvent> said)
    {
        if (text.Length > 0)
        {
            said.Add(new ReasoningDelta(text));
        }
    }

    private void TakeUsage(JsonElement? usage)
    {
        if (usage is { ValueKind: JsonValueKind.Object } counted)
        {
            var input = counted.Get("input_tokens_details") ?? counted.Get("prompt_tokens_details");
            var output = counted.Get("output_tokens_details") ?? counted.Get("completion_tokens_details");
            _usage = new Usage(
                counted.GetNumber("input_tokens") ?? counted.GetNumber("prompt_tokens"),
                counted.GetNumber("output_tokens") ?? counted.GetNumber("completion_tokens"),
                input?.GetNumber("cached_tokens"),
                output?.GetNumber("reasoning_tokens"),
                input?.GetNumber("cache_write_tokens")
            );
        }
    }
}
