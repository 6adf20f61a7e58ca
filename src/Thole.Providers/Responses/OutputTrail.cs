using System.Buffers;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>
/// In which order the model thought, spoke and asked, so that it can be sent back to it so: reasoning as it came, texts by their
/// lengths, calls by their numbers. <c>{"output":[{"reasoning":{…}},{"text":52,"phase":"commentary"},{"call":0}]}</c>
/// </summary>
internal sealed class OutputTrail
{
    private const string OutputKey = "output";
    private const string ReasoningKey = "reasoning";
    private const string TextKey = "text";
    private const string PhaseKey = "phase";
    private const string CallKey = "call";

    private readonly List<OutputItem> _speakers = [];

    public bool HasText => _speakers is not [];

    /// <summary>So many letters of the item's text were told.</summary>
    public void Speaks(OutputItem item, int length)
    {
        item.TextLength += length;
        if (_speakers is not [.., var last] || last != item)
        {
            _speakers.Add(item);
        }
    }

    /// <summary>Null where the text and then the calls are all there is to know.</summary>
    public JsonElement? ToProviderData(IReadOnlyList<OutputItem> items, IReadOnlyList<OutputItem> calls)
    {
        var steps = Steps(items, calls);
        if (!steps.Any(static step => step is ReasoningStep or TextStep { Phase: not null }))
        {
            return null;
        }

        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteStartArray(OutputKey);
            foreach (var step in steps)
            {
                json.WriteStartObject();
                Write(json, step);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(output.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>The steps as they were kept; null where they do not account for all of the text and all calls.</summary>
    public static IReadOnlyList<OutputStep>? Read(JsonElement data, int textLength, int calls)
    {
        if (data.Get(OutputKey) is not { ValueKind: JsonValueKind.Array } output)
        {
            return null;
        }

        List<OutputStep> steps = [];
        foreach (var kept in output.EnumerateArray())
        {
            if (kept.Get(ReasoningKey) is { ValueKind: JsonValueKind.Object } reasoning)
            {
                steps.Add(new ReasoningStep(reasoning));
            }
            else if (kept.GetNumber(TextKey) is > 0 and <= int.MaxValue and var length)
            {
                steps.Add(new TextStep((int)length, kept.GetText(PhaseKey)));
            }
            else if (kept.GetNumber(CallKey) is >= 0 and <= int.MaxValue and var number)
            {
                steps.Add(new CallStep((int)number));
            }
        }

        return
            steps.OfType<TextStep>().Sum(static step => (long)step.Length) == textLength
            && steps.OfType<CallStep>().Select(static step => step.Number).Order().SequenceEqual(Enumerable.Range(0, calls))
            ? steps
            : null;
    }

    private List<OutputStep> Steps(IReadOnlyList<OutputItem> items, IReadOnlyList<OutputItem> calls)
    {
        // Texts that were told one through the other can only be sent back as one.
        var speakers = _speakers.ToHashSet();
        var isMixed = speakers.Count < _speakers.Count || !_speakers.SequenceEqual(items.Where(speakers.Contains));
        var length = speakers.Sum(static speaker => speaker.TextLength);
        List<OutputStep> steps = [];
        List<OutputStep> waiting = [];
        foreach (var item in items)
        {
            OutputStep? step = item switch
            {
                { IsCall: true } => IndexOf(calls, item) is >= 0 and var number ? new CallStep(number) : null,
                { TextLength: > 0 } => isMixed
                    ? (item == items.First(static first => first.TextLength > 0) ? new TextStep(length, null) : null)
                    : new TextStep(item.TextLength, item.Phase),
                { Kind: OutputItem.Reasoning } => Kept(item),
                _ => null,
            };
            if (step is ReasoningStep)
            {
                waiting.Add(step);
            }
            else if (step is not null)
            {
                steps.AddRange(waiting);
                steps.Add(step);
                waiting.Clear();
            }
            else if (item.Kind is not (OutputItem.Reasoning or OutputItem.Message) && !item.IsCall)
            {
                // Reasoning is refused without the item that it led to, and what an endpoint did by itself is not sent back.
                waiting.Clear();
            }
        }

        return steps;
    }

    private static int IndexOf(IReadOnlyList<OutputItem> calls, OutputItem item)
    {
        for (var at = 0; at < calls.Count; at++)
        {
            if (calls[at] == item)
            {
                return at;
            }
        }

        return -1;
    }

    private static ReasoningStep? Kept(OutputItem item) =>
        item.Whole is { } whole && (ReasoningItem.IsEncrypted(whole) || ReasoningItem.IsPlain(whole))
            ? new ReasoningStep(whole)
            : null;

    private static void Write(Utf8JsonWriter json, OutputStep step)
    {
        switch (step)
        {
            case ReasoningStep reasoning:
                json.WritePropertyName(ReasoningKey);
                ReasoningItem.Write(json, reasoning.Item, withId: true);
                break;
            case TextStep text:
                json.WriteNumber(TextKey, text.Length);
                if (text.Phase is not null)
                {
                    json.WriteString(PhaseKey, text.Phase);
                }

                break;
            case CallStep call:
                json.WriteNumber(CallKey, call.Number);
                break;
        }
    }
}

internal abstract record OutputStep;

internal sealed record ReasoningStep(JsonElement Item) : OutputStep;

internal sealed record TextStep(int Length, string? Phase) : OutputStep;

internal sealed record CallStep(int Number) : OutputStep;
