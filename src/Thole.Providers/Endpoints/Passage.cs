using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Endpoints;

/// <summary>
/// A piece of the context in the order in which every wire wants it: the results of calls directly after the message that asked for
/// them, all of them, and no others.
/// </summary>
internal abstract record Passage
{
    /// <param name="takesId">Which ids of providers the wire lets us use again; those it does not, or that repeat, give way to ours.</param>
    public static IReadOnlyList<Passage> Arrange(IReadOnlyList<ContextItem> items, Predicate<string> takesId)
    {
        var arranger = new Arranger(takesId);
        foreach (var item in items)
        {
            arranger.Add(item);
        }

        return arranger.Close();
    }

    private sealed class Arranger(Predicate<string> takesId)
    {
        private readonly List<Passage> _passages = [];
        private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
        private readonly List<ContextItem> _waiting = [];
        private AskedPassage? _asked;
        private Dictionary<CallId, ResultItem> _results = [];

        public void Add(ContextItem item)
        {
            switch (item)
            {
                case AssistantItem assistant:
                    EndResults();
                    Ask(assistant);
                    break;
                case ResultItem result:
                    // One that nobody asked for (its call lies before a compaction) would make an endpoint refuse the whole request.
                    if (_asked?.Item.Calls.Any(call => call.Id == result.Call) is true && _results.TryAdd(result.Call, result))
                    {
                        if (_results.Count == _asked.Item.Calls.Count)
                        {
                            EndResults();
                        }
                    }

                    break;
                case UserItem or NoteItem when _asked is not null:
                    _waiting.Add(item);
                    break;
                case UserItem user:
                    _passages.Add(new UserPassage(user.Content));
                    break;
                case NoteItem note:
                    _passages.Add(new UserPassage([new TextContent(NoteFrame.Around(note))]));
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        public List<Passage> Close()
        {
            EndResults();
            return _passages;
        }

        private void Ask(AssistantItem assistant)
        {
            var asked = new AskedPassage(assistant, [.. assistant.Calls.Select(Id)]);
            _passages.Add(asked);
            _asked = assistant.Calls is [] ? null : asked;
        }

        private string Id(ToolCall call)
        {
            var id = call.ProviderId is { Length: > 0 } given && takesId(given) && _ids.Add(given) ? given : call.Id.Value;
            _ids.Add(id);
            return id;
        }

        private void EndResults()
        {
            if (_asked is { } asked)
            {
                _asked = null;
                _passages.Add(
                    new ResultsPassage([
                        .. asked.Item.Calls.Zip(
                            asked.Ids,
                            (call, id) => new AnsweredCall(id, call.Tool, _results.GetValueOrDefault(call.Id)?.Result ?? s_none)
                        ),
                    ])
                );
                _results = [];
            }

            ContextItem[] waiting = [.. _waiting];
            _waiting.Clear();
            foreach (var item in waiting)
            {
                Add(item);
            }
        }

        private static readonly ToolResult s_none = ToolResult.Failed(
            ToolErrors.Interrupted,
            "This call has no result: it was interrupted."
        );
    }
}

/// <summary>A person, or the runtime in the user's place.</summary>
internal sealed record UserPassage(IReadOnlyList<Content> Content) : Passage;

/// <summary>The model, with the ids by which its calls go on this wire, in the order of the calls.</summary>
internal sealed record AskedPassage(AssistantItem Item, IReadOnlyList<string> Ids) : Passage;

/// <summary>The results of the calls of the passage before it, in the order of the calls.</summary>
internal sealed record ResultsPassage(IReadOnlyList<AnsweredCall> Results) : Passage;

/// <param name="Id">As in <see cref="AskedPassage.Ids"/>.</param>
/// <param name="Tool">The name that the model called.</param>
internal readonly record struct AnsweredCall(string Id, string Tool, ToolResult Result);
