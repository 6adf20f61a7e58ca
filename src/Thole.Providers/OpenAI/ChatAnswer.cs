using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;
using Thole.Providers.TextCalls;

namespace Thole.Providers.OpenAI;

/// <summary>Understands the chunks of a chat completion.</summary>
/// <param name="textCalls">Reads calls out of the text; null where the endpoint does that.</param>
internal sealed class ChatAnswer(ChatQuirks quirks, TextCallParser? textCalls = null) : IAnswer
{
    private readonly CallAssembler _calls = new();
    private readonly ReasoningTrail _trail = new();
    private readonly ThinkTag? _thinkTag = quirks.ThinksInText ? new ThinkTag() : null;
    private string? _finish;
    private bool _hasText;
    private Usage _usage = new();
    private WholeLetters _heldText;
    private WholeLetters _heldReasoning;

    public JsonElement? Complaint(string name, JsonElement chunk) =>
        name is "error"
        || chunk.Get("error") is not null and not { ValueKind: JsonValueKind.False }
        || chunk.Is("object", "error"u8)
        || (chunk.Get("choices") is null && chunk.Get("usage") is null && chunk.GetText("message") is not null)
            ? chunk
            : null;

    public bool Take(string name, JsonElement chunk, List<ModelEvent> said)
    {
        TakeWhole(chunk, said);
        return false; // the end mark of this wire is no JSON
    }

    public void TakeWhole(JsonElement chunk, List<ModelEvent> said)
    {
        TakeUsage(chunk.Get("usage") ?? chunk.Get("x_groq")?.Get("usage"));
        if (FirstChoice(chunk) is not { } choice)
        {
            return;
        }

        TakeUsage(choice.Get("usage"));
        if ((choice.Get("delta") ?? choice.Get("message")) is { } delta)
        {
            TakeDelta(delta, said);
        }
        else if (choice.GetText("text") is { } text)
        {
            SayText(text, said); // servers that know completions only
        }

        _finish = choice.GetText("finish_reason") ?? _finish;
    }

    /// <summary>
    /// What evidence says of the end. A reason to finish is evidence, whatever comes or does not come after it. Without one, the end
    /// mark is, where something whole was said: at least one gateway never gives a reason.
    /// </summary>
    public AnswerEnd Judge(bool hasEndMark)
    {
        switch (_finish)
        {
            case "error" or "network_error" or "insufficient_system_resource":
                return AnswerEnd.Failed;
            case "abort" or "cancelled" or "canceled":
                return AnswerEnd.Cut;
        }

        if (_finish is null)
        {
            return !hasEndMark ? AnswerEnd.Cut
                : !_calls.IsEmpty ? (_calls.AreWhole ? AnswerEnd.Whole : AnswerEnd.Cut)
                : textCalls is { IsOpen: true } ? AnswerEnd.Cut
                : _hasText ? AnswerEnd.Whole
                : AnswerEnd.Empty;
        }

        // With text beside it, the calls were the endpoint's own (a web search) and are over.
        return _finish is "tool_calls" or "function_call" && _calls.IsEmpty && !_hasText ? AnswerEnd.Empty : AnswerEnd.Whole;
    }

    public void Finish(List<ModelEvent> said)
    {
        var stop = Stop(_finish);
        var wasCut = stop is not StopReason.Done;
        SayText("", said, isLast: true);
        if (_heldReasoning.Rest() is { Length: > 0 } thought)
        {
            said.Add(new ReasoningDelta(thought));
        }

        if (_heldText.Add(textCalls?.Close(wasCut) ?? "") + _heldText.Rest() is { Length: > 0 } text)
        {
            said.Add(new TextDelta(text));
        }

        said.AddRange(_calls.Close(wasCut));
        said.AddRange(textCalls?.Calls ?? []);
        said.Add(new ModelFinished(stop, _usage, _trail.ToProviderData()));
    }

    private static JsonElement? FirstChoice(JsonElement chunk)
    {
        if (chunk.Get("choices") is not { ValueKind: JsonValueKind.Array } choices)
        {
            return null;
        }

        foreach (var choice in choices.EnumerateArray())
        {
            // One answer was asked for; where there are more, the others are not ours.
            if (choice.GetNumber("index") is null or 0)
            {
                return choice;
            }
        }

        return null;
    }

    private void TakeDelta(JsonElement delta, List<ModelEvent> said)
    {
        TakeReasoning(delta, said);
        switch (delta.Get("content"))
        {
            case { ValueKind: JsonValueKind.String } text:
                SayText(text.Text(), said);
                break;
            case { ValueKind: JsonValueKind.Array } parts:
                foreach (var part in parts.EnumerateArray())
                {
                    TakePart(part, said);
                }

                break;
        }

        if (delta.GetText("refusal") is { } refusal)
        {
            SayText(refusal, said);
        }

        switch (delta.Get("tool_calls"))
        {
            case { ValueKind: JsonValueKind.Array } calls:
                foreach (var call in calls.EnumerateArray())
                {
                    TakeCall(call);
                }

                break;
            case { } call:
                TakeCall(call);
                break;
        }

        if (delta.Get("function_call") is { } old)
        {
            TakeCall(old);
        }
    }

    private void TakeCall(JsonElement call)
    {
        if (call.ValueKind is JsonValueKind.Object)
        {
            _calls.Add(call);
        }
    }

    private void TakeReasoning(JsonElement delta, List<ModelEvent> said)
    {
        // Some endpoints send the same words under both names.
        var field = delta.GetText("reasoning_content") is not null ? "reasoning_content" : "reasoning";
        var text = delta.GetText(field);
        if (text is not null)
        {
            _trail.Field ??= field;
            SayReasoning(text, said);
        }

        if (delta.Get("reasoning_details") is { ValueKind: JsonValueKind.Array } details)
        {
            foreach (var detail in details.EnumerateArray())
            {
                _trail.Add(detail);
                if (text is null && (detail.GetText("text") ?? detail.GetText("summary")) is { } words)
                {
                    SayReasoning(words, said);
                }
            }
        }
    }

    /// <summary>Content in typed parts: text, or thinking which is again text or parts of text.</summary>
    private void TakePart(JsonElement part, List<ModelEvent> said)
    {
        if (part.ValueKind is JsonValueKind.String)
        {
            SayText(part.Text(), said);
        }
        else if (part.Get("thinking") is { ValueKind: JsonValueKind.Array } thoughts)
        {
            foreach (var thought in thoughts.EnumerateArray())
            {
                SayReasoning(thought.GetText("text") ?? "", said);
            }
        }
        else if (part.GetText("thinking") is { } thinking)
        {
            SayReasoning(thinking, said);
        }
        else if (part.GetText("text") is { } text)
        {
            SayText(text, said);
        }
    }

    private void SayText(string text, List<ModelEvent> said, bool isLast = false)
    {
        _hasText |= text.Length > 0;
        if (_thinkTag is not null)
        {
            (var thought, text) = _thinkTag.Take(text, isLast);
            if (thought.Length > 0)
            {
                _trail.Field ??= ReasoningTrail.ThinkTagField;
                SayReasoning(thought, said);
            }
        }

        text = textCalls?.Take(text) ?? text;
        if (_heldText.Add(text) is { Length: > 0 } whole)
        {
            said.Add(new TextDelta(whole));
        }
    }

    private void SayReasoning(string text, List<ModelEvent> said)
    {
        if (_heldReasoning.Add(text) is { Length: > 0 } whole)
        {
            said.Add(new ReasoningDelta(whole));
        }
    }

    private void TakeUsage(JsonElement? usage)
    {
        if (usage is not { ValueKind: JsonValueKind.Object } counted)
        {
            return;
        }

        _usage = new Usage(
            counted.GetNumber("prompt_tokens") ?? _usage.InputTokens,
            counted.GetNumber("completion_tokens") ?? _usage.OutputTokens,
            counted.Get("prompt_tokens_details")?.GetNumber("cached_tokens")
                ?? counted.GetNumber("prompt_cache_hit_tokens")
                ?? counted.GetNumber("cached_tokens")
                ?? _usage.CachedTokens,
            counted.Get("completion_tokens_details")?.GetNumber("reasoning_tokens") ?? _usage.ReasoningTokens
        );
    }

    private static StopReason Stop(string? finish) =>
        finish?.ToLowerInvariant() switch
        {
            "length" or "max_tokens" or "max_output_tokens" or "model_length" or "model_context_window_exceeded" =>
                StopReason.OutputLimit,
            "content_filter" or "safety" or "sensitive" or "prohibited_content" or "recitation" => StopReason.Filtered,
            _ => StopReason.Done,
        };
}
