using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>
/// The items of an answer, told apart. Each should have a place (<c>output_index</c>) and an id; some servers leave one out, give all
/// the same, or another id with every event.
/// </summary>
internal sealed class OutputItems
{
    // Looking one up is a search through all of them: more than any answer holds would be an attack.
    private const int Most = 4096;

    private readonly List<OutputItem> _items = [];
    private int _first;

    public IReadOnlyList<OutputItem> All => _items;

    /// <summary>From here on places are counted anew: one stream can hold several answers, of an endpoint that goes on by itself.</summary>
    public void BeginAnswer() => _first = _items.Count;

    /// <summary>The item to which an event within it belongs.</summary>
    public OutputItem At(string kind, JsonElement data)
    {
        var (index, id) = (data.GetNumber("output_index"), data.GetText("item_id"));
        return Find(kind, index, id, callId: null) ?? New(kind, index, id);
    }

    /// <summary>The item that an event describes; null where it describes none.</summary>
    public OutputItem? Described(JsonElement data, bool isOver)
    {
        if (data.Get("item") is not { ValueKind: JsonValueKind.Object } item || Kind(item) is not { } kind)
        {
            return null;
        }

        var (index, id) = (data.GetNumber("output_index"), item.GetText("id") ?? data.GetText("item_id"));
        var callId = item.GetText("call_id");
        var found = Find(kind, index, id, callId);
        var isAnother =
            found is not null
            && (callId is null || found.CallId != callId)
            && (
                isOver
                    ? found.IsDone && index is null && id is null
                    : (index is null && id is null) || (found.IsDone && found.Id != id)
            );
        found = found is null || isAnother ? New(kind, index, id) : found;
        found.Learn(item, isOver);
        return found;
    }

    /// <summary>The items of the list with which an answer ends, each with its description; those that are new come last.</summary>
    public List<(OutputItem Item, JsonElement Description)> Listed(JsonElement list)
    {
        List<(OutputItem, JsonElement)> listed = [];
        HashSet<OutputItem> taken = [];
        var place = 0;
        foreach (var description in list.EnumerateArray())
        {
            if (Kind(description) is { } kind)
            {
                var (id, callId) = (description.GetText("id"), description.GetText("call_id"));
                var free = _items.Skip(_first).Where(item => !taken.Contains(item) && item.MayBe(kind, callId)).ToList();
                var item =
                    (callId is null ? null : free.Find(known => known.CallId == callId))
                    ?? free.Find(known => known.Index == place)
                    ?? (id is null ? null : free.Find(known => known.Id == id))
                    ?? free.FirstOrDefault()
                    ?? New(kind, place, id);
                taken.Add(item);
                item.Learn(description, isOver: true);
                listed.Add((item, description));
            }

            place++;
        }

        return listed;
    }

    private OutputItem? Find(string kind, long? index, string? id, string? callId)
    {
        OutputItem? byIndex = null;
        OutputItem? byId = null;
        for (var at = _items.Count - 1; at >= _first; at--)
        {
            var item = _items[at];
            if (!item.MayBe(kind, callId))
            {
                continue;
            }

            var (isThere, isCalled) = (index is not null && item.Index == index, id is not null && item.Id == id);
            if ((isThere && isCalled) || (index is null && id is null))
            {
                return item;
            }

            byIndex ??= isThere ? item : null;
            byId ??= isCalled ? item : null;
        }

        return byIndex ?? byId;
    }

    private OutputItem New(string kind, long? index, string? id)
    {
        if (_items.Count == Most)
        {
            throw new FormatException("An answer of so many items is none.");
        }

        var item = new OutputItem(kind) { Index = index, Id = id };
        _items.Add(item);
        return item;
    }

    private static string? Kind(JsonElement item) =>
        item.GetText("type")
        ?? (
            item.GetText("call_id") is not null ? OutputItem.Call
            : item.GetText("role") is not null ? OutputItem.Message
            : null
        );
}
