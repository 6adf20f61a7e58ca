using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>
/// Understands the chunks of <c>streamGenerateContent</c>. Text counts and thoughts do; what Google's own tools ran and found (code,
/// its result, grounding) is not said by the model and is left out.
/// </summary>
internal sealed class GeminiAnswer : IAnswer
{
    private readonly GeminiCalls _calls = new();
    private readonly PartTrail _trail = new();
    private string? _finish;
    private bool _isBlocked;
    private bool _hasText;
    private Counts _counts;
    private string _heldText = "";
    private string _heldReasoning = "";

    public JsonElement? Complaint(string name, JsonElement chunk)
    {
        if (chunk.ValueKind is JsonValueKind.Array)
        {
            foreach (var element in chunk.EnumerateArray())
            {
                if (Complaint(name, element) is { } complaint)
                {
                    return complaint;
                }
            }

            return null;
        }

        return name is "error" || chunk.Get("error") is not null and not { ValueKind: JsonValueKind.False } ? chunk : null;
    }

    public bool Take(string name, JsonElement chunk, List<ModelEvent> said)
    {
        TakeWhole(chunk, said);
        return false; // this wire has no end mark, and usage may follow the reason
    }

    /// <summary>A chunk, or a list of them: what is sent where the stream's own format was not asked for, or not understood.</summary>
    public void TakeWhole(JsonElement document, List<ModelEvent> said)
    {
        if (document.ValueKind is JsonValueKind.Array)
        {
            foreach (var chunk in document.EnumerateArray())
            {
                TakeWhole(chunk, said);
            }

            return;
        }

        _counts.Take(document.Get("usageMetadata"));
        _isBlocked |= document.Get("promptFeedback")?.GetText("blockReason") is not null and not "BLOCK_REASON_UNSPECIFIED";
        if (First(document.Get("candidates"), static other => other.GetNumber("index") is null or 0) is not { } candidate)
        {
            return;
        }

        foreach (var part in All(candidate.Get("content")?.Get("parts")))
        {
            TakePart(part, said);
        }

        if (candidate.GetText("finishReason")?.ToUpperInvariant() is { } reason and not "FINISH_REASON_UNSPECIFIED")
        {
            _finish = reason;
        }
    }

    /// <summary>
    /// A reason to finish is the only evidence of the end. Without one, a document that is whole holds, where something whole is said
    /// in it. What went wrong in the model (a call that it garbled, a reason it does not name) is asked for anew.
    /// </summary>
    public AnswerEnd Judge(bool hasEndMark)
    {
        var isEmpty = !_hasText && _calls.IsEmpty;
        if (isEmpty && (_isBlocked || Stop(_finish) is StopReason.Filtered))
        {
            return AnswerEnd.Refused;
        }

        return _finish switch
        {
            null when _isBlocked => AnswerEnd.Whole,
            null when !hasEndMark || !_calls.AreWhole => AnswerEnd.Cut,
            null when isEmpty => AnswerEnd.Empty,
            "UNEXPECTED_TOOL_CALL" when _calls.IsEmpty => AnswerEnd.Failed,
            "MALFORMED_FUNCTION_CALL"
            or "MALFORMED_RESPONSE"
            or "MISSING_THOUGHT_SIGNATURE"
            or "TOO_MANY_TOOL_CALLS"
            or "NO_IMAGE"
            or "IMAGE_OTHER"
            or "OTHER" => AnswerEnd.Failed,
            _ => AnswerEnd.Whole,
        };
    }

    public void Finish(List<ModelEvent> said)
    {
        Say(ref _heldReasoning, "", said, static text => new ReasoningDelta(text), isLast: true);
        Say(ref _heldText, "", said, static text => new TextDelta(text), isLast: true);
        var stop = _isBlocked ? StopReason.Filtered : Stop(_finish);
        said.AddRange(_calls.Close(wasCut: stop is not StopReason.Done));
        said.Add(new ModelFinished(stop, _counts.ToUsage(), _trail.ToProviderData()));
    }

    private void TakePart(JsonElement part, List<ModelEvent> said)
    {
        var signature = part.GetText("thoughtSignature");
        if (part.Get("functionCall") is { ValueKind: JsonValueKind.Object } call)
        {
            if (_calls.Add(call, signature) is { } begun)
            {
                _trail.AddCall(begun);
            }
        }
        else if (part.Get("text") is { ValueKind: JsonValueKind.String } words)
        {
            var text = words.Text();
            var isThought = part.Get("thought") is { ValueKind: JsonValueKind.True };
            _trail.AddText(text.Length, isThought, signature);
            if (isThought)
            {
                Say(ref _heldReasoning, text, said, static whole => new ReasoningDelta(whole), isLast: false);
            }
            else
            {
                _hasText |= text.Length > 0;
                Say(ref _heldText, text, said, static whole => new TextDelta(whole), isLast: false);
            }
        }
        else if (
            signature is not null
            && part.EnumerateObject().All(static field => field.Name is "thoughtSignature" or "thought")
        )
        {
            // Gateways leave empty texts out, and a signature without words is left.
            _trail.AddText(0, isThought: false, signature);
        }
    }

    /// <summary>Says it, but holds back half a surrogate pair: a letter must not be torn when its halves are stored apart.</summary>
    private static void Say(ref string held, string text, List<ModelEvent> said, Func<string, ModelEvent> as_, bool isLast)
    {
        text = held.Length > 0 ? held + text : text;
        held = "";
        if (!isLast && text is [.., var last] && char.IsHighSurrogate(last))
        {
            (text, held) = (text[..^1], text[^1..]);
        }

        if (text.Length > 0)
        {
            said.Add(as_(text));
        }
    }

    private static IEnumerable<JsonElement> All(JsonElement? list) =>
        list switch
        {
            { ValueKind: JsonValueKind.Array } many => many.EnumerateArray(),
            { } one => [one],
            null => [],
        };

    private static JsonElement? First(JsonElement? list, Func<JsonElement, bool> isMeant)
    {
        foreach (var element in All(list))
        {
            // One answer was asked for; where there are more, the others are not ours.
            if (isMeant(element))
            {
                return element;
            }
        }

        return null;
    }

    private static StopReason Stop(string? finish) =>
        finish switch
        {
            "MAX_TOKENS" => StopReason.OutputLimit,
            "SAFETY"
            or "RECITATION"
            or "LANGUAGE"
            or "BLOCKLIST"
            or "PROHIBITED_CONTENT"
            or "SPII"
            or "MODEL_ARMOR"
            or "IMAGE_SAFETY"
            or "IMAGE_PROHIBITED_CONTENT"
            or "IMAGE_RECITATION" => StopReason.Filtered,
            _ => StopReason.Done,
        };

    /// <summary>Counts grow from chunk to chunk, and some chunks hold only some of them: of each, the last one holds.</summary>
    private struct Counts
    {
        private long? _prompt;
        private long? _toolUse;
        private long? _cached;
        private long? _candidates;
        private long? _thoughts;

        public void Take(JsonElement? usage)
        {
            if (usage is { } counted)
            {
                _prompt = counted.GetNumber("promptTokenCount") ?? _prompt;
                _toolUse = counted.GetNumber("toolUsePromptTokenCount") ?? _toolUse;
                _cached = counted.GetNumber("cachedContentTokenCount") ?? _cached;
                _candidates = counted.GetNumber("candidatesTokenCount") ?? _candidates;
                _thoughts = counted.GetNumber("thoughtsTokenCount") ?? _thoughts;
            }
        }

        /// <summary>What Google's own tools put before the model is read by it like the prompt; thoughts are said like the answer.</summary>
        public readonly Usage ToUsage() => new(Sum(_prompt, _toolUse), Sum(_candidates, _thoughts), _cached, _thoughts);

        private static long? Sum(long? one, long? other) => one is null ? other : one + (other ?? 0);
    }
}
