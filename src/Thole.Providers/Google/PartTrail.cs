using System.Buffers;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>One part of what a model said, to be sent back: text, a thought, or the call of that number.</summary>
internal readonly record struct SaidPart(string Text, bool IsThought, int? Call, string? Signature);

/// <summary>
/// In which parts an answer came, and which of them were signed: signatures go back on exactly the part they came with, in the same
/// order. Texts are kept as lengths, for the words are in the log already.
/// </summary>
internal sealed class PartTrail
{
    private const string PartsKey = "parts";
    private const string TextKey = "text";
    private const string ThoughtKey = "thought";
    private const string CallKey = "call";
    private const string SignatureKey = "signature";

    private readonly List<Entry> _entries = [];

    public void AddText(int length, bool isThought, string? signature)
    {
        if (signature is null && _entries is [.., { Call: null, Signature: null } last] && last.IsThought == isThought)
        {
            last.Length += length;
        }
        else if (signature is not null || length > 0)
        {
            _entries.Add(
                new Entry
                {
                    IsThought = isThought,
                    Length = length,
                    Signature = signature,
                }
            );
        }
    }

    public void AddCall(GeminiCalls.Call call) => _entries.Add(new Entry { Call = call });

    /// <summary>Null where nothing was signed. Calls must have their positions by now.</summary>
    public JsonElement? ToProviderData()
    {
        if (_entries.All(static entry => (entry.Call?.Signature ?? entry.Signature) is null))
        {
            return null;
        }

        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteStartArray(PartsKey);
            foreach (var entry in _entries.Where(static entry => entry.Call is not { Position: null }))
            {
                json.WriteStartObject();
                if (entry.Call is { Position: { } position })
                {
                    json.WriteNumber(CallKey, position);
                }
                else
                {
                    json.WriteNumber(entry.IsThought ? ThoughtKey : TextKey, entry.Length);
                }

                if ((entry.Call?.Signature ?? entry.Signature) is { } signature)
                {
                    json.WriteString(SignatureKey, signature);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(output.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>The parts of a message, as they came where that is known and the message is ours to repeat; else its text, then its calls.</summary>
    /// <param name="isOwn">Whether the model that is asked made them: another one refuses the signatures.</param>
    public static IReadOnlyList<SaidPart> Of(AssistantItem item, bool isOwn)
    {
        var entries =
            isOwn && item.ProviderData?.Get(PartsKey) is { ValueKind: JsonValueKind.Array } kept
                ? kept.EnumerateArray().ToList()
                : [];
        var parts = InOrder(item, entries) ?? Plain(item, entries);

        // No call is left out, for each of them has a result.
        var told = parts.Select(static part => part.Call).ToHashSet();
        for (var call = 0; call < item.Calls.Count; call++)
        {
            if (!told.Contains(call))
            {
                parts.Add(new SaidPart("", false, call, null));
            }
        }

        return parts;
    }

    /// <summary>Null where the lengths are not those of the text that was kept.</summary>
    private static List<SaidPart>? InOrder(AssistantItem item, List<JsonElement> entries)
    {
        List<SaidPart> parts = [];
        var (text, thought) = (0, 0);
        foreach (var entry in entries)
        {
            var signature = entry.GetText(SignatureKey);
            if (entry.GetNumber(CallKey) is { } call)
            {
                if (call >= 0 && call < item.Calls.Count && parts.TrueForAll(part => part.Call != call))
                {
                    parts.Add(new SaidPart("", false, (int)call, signature));
                }

                continue;
            }

            var isThought = entry.Get(ThoughtKey) is not null;
            ref var at = ref isThought ? ref thought : ref text;
            var whole = isThought ? item.Reasoning : item.Text;
            var length = entry.GetNumber(isThought ? ThoughtKey : TextKey);
            if (length is null or < 0 || length > whole.Length - at)
            {
                return null;
            }

            var words = whole.Substring(at, (int)length);
            at += (int)length;
            parts.Add(new SaidPart(words, isThought, null, signature));
        }

        return text == item.Text.Length && thought == item.Reasoning.Length ? parts : null;
    }

    private static List<SaidPart> Plain(AssistantItem item, List<JsonElement> entries) =>
        [
            new SaidPart(item.Text, false, null, null),
            .. item.Calls.Select(
                (_, call) =>
                    new SaidPart(
                        "",
                        false,
                        call,
                        entries
                            .Where(entry => entry.GetNumber(CallKey) == call)
                            .Select(static entry => entry.GetText(SignatureKey))
                            .FirstOrDefault()
                    )
            ),
        ];

    private sealed class Entry
    {
        public bool IsThought { get; init; }

        public int Length { get; set; }

        public string? Signature { get; init; }

        public GeminiCalls.Call? Call { get; init; }
    }
}
