using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.OpenAI;

/// <summary>
/// Puts tool calls together from their pieces, whatever an endpoint leaves out. A piece belongs to the call of its index; an index
/// that comes with another id is another call; without an index the id decides, without an id a name begins a call, and what has
/// none of the three goes on with the last call that is not whole.
/// </summary>
internal sealed class CallAssembler
{
    private readonly List<Call> _calls = [];

    public bool IsEmpty => _calls is [];

    public bool AreWhole => _calls.All(static call => call.Shape.IsWholeOrEmpty);

    public void Add(JsonElement piece)
    {
        var function = piece.Get("function") ?? piece;
        var id = piece.GetText("id");
        var name = function.GetText("name");
        var index = piece.GetNumber("index") is >= 0 and var given ? given : (long?)null;

        var call = Find(index, id, name);
        if (call is null)
        {
            call = new Call();
            _calls.Add(call);
        }

        if (index is not null)
        {
            // The newest call of an index owns it from here on.
            foreach (var former in _calls.Where(other => other != call && other.Index == index))
            {
                former.Index = null;
            }

            call.Index = index;
        }

        call.Id ??= id;
        call.AddName(name);
        switch (function.Get("arguments"))
        {
            case { ValueKind: JsonValueKind.String } text:
                call.AddArguments(text.Text());
                break;
            case { } value:
                call.AddArguments(value.GetRawText());
                break;
        }
    }

    /// <param name="wasCut">The output limit, or a filter, ended the answer: its last call may not be what the model meant.</param>
    public IEnumerable<CallProposed> Close(bool wasCut)
    {
        List<CallProposed> closed = [];
        foreach (var call in _calls)
        {
            var arguments = call.Arguments.ToString();
            var twin = call.Id is null ? null : closed.Find(other => other.ProviderId == call.Id);
            if (twin is not null && twin.Name == call.Name && twin.Arguments == arguments)
            {
                continue; // said twice, meant once
            }

            var problem =
                call.Name.Length == 0 ? "The call has no name: say which tool is meant."
                : twin is not null ? $"Two different calls came with the id {call.Id}: make this one again."
                : wasCut && call == _calls[^1] ? "The answer was cut before this call was whole: make it again, in smaller parts."
                : !call.Shape.IsWholeOrEmpty ? "The arguments of this call are not whole: make it again."
                : null;
            closed.Add(new CallProposed(call.Id, call.Name, arguments, problem));
        }

        return closed;
    }

    private Call? Find(long? index, string? id, string? name)
    {
        if (index is not null && _calls.Find(call => call.Index == index) is { } owner)
        {
            var isOther =
                id is not null && owner.Id is not null ? id != owner.Id
                : id is not null || name is not null ? owner.Shape.IsWhole
                : false;
            return isOther ? ById(id) : owner;
        }

        if (id is not null)
        {
            // The same id at another index is another call, which Close tells apart.
            return ById(id) is { } known && (index is null || known.Index is null) ? known : null;
        }

        if (name is not null)
        {
            return index is null && _calls is [.., var last] && last.Name == name && !last.Shape.IsWhole ? last : null;
        }

        return _calls.FindLast(static call => !call.Shape.IsWhole) ?? (index is null ? _calls.LastOrDefault() : null);
    }

    private Call? ById(string? id) => id is null ? null : _calls.FindLast(call => call.Id == id);

    private sealed class Call
    {
        private JsonShape _shape;

        public long? Index { get; set; }

        public string? Id { get; set; }

        public string Name { get; private set; } = "";

        public StringBuilder Arguments { get; } = new();

        public JsonShape Shape => _shape;

        public void AddName(string? piece)
        {
            // Some endpoints repeat the name with every piece, others send it in parts before the arguments begin.
            if (piece is not null && piece != Name && Arguments.Length == 0)
            {
                Name += piece;
            }
        }

        public void AddArguments(string piece)
        {
            Arguments.Append(piece);
            _shape.Add(piece);
        }
    }
}
