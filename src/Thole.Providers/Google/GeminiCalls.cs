using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>
/// The calls of one answer. Most come whole in one part; where arguments are streamed, a part with a name begins a call, parts
/// without go on with it as long as <c>willContinue</c> is said, and an empty one is nothing but its end.
/// </summary>
internal sealed class GeminiCalls
{
    private const string NotWhole = "The arguments of this call are not whole: make it again.";

    private readonly List<Call> _calls = [];
    private Call? _open;

    public bool IsEmpty => _calls is [];

    public bool AreWhole => _open is null;

    /// <returns>The call that the part began; null where it went on with one, or meant nothing.</returns>
    public Call? Add(JsonElement piece, string? signature)
    {
        var id = piece.GetText("id");
        var name = piece.GetText("name");
        var arguments = piece.Get("args");
        var partial = piece.Get("partialArgs");
        var goesOn = piece.Get("willContinue") is { ValueKind: JsonValueKind.True };
        var begun = Continues(id, name) ? null : new Call();
        if (begun is not null)
        {
            if (id is null && name is null && arguments is null && partial is null && !goesOn)
            {
                return null;
            }

            _open?.IsBroken = true;
            _calls.Add(begun);
        }

        var call = begun ?? _open!;
        call.Id ??= id;
        call.Name ??= name;
        call.Signature ??= signature;
        if (arguments is { } whole)
        {
            call.Whole = whole.ValueKind is JsonValueKind.String ? whole.Text() : whole.GetRawText();
        }

        foreach (var part in Parts(partial))
        {
            call.IsBroken |= !(call.Partial ??= new PartialArguments()).Add(part);
        }

        _open = goesOn ? call : null;
        return begun;
    }

    /// <param name="wasCut">The output limit, or a filter, ended the answer: its last call may not be what the model meant.</param>
    public IReadOnlyList<CallProposed> Close(bool wasCut)
    {
        _open?.IsBroken = true;
        List<CallProposed> closed = [];
        foreach (var call in _calls)
        {
            var name = call.Name ?? "";
            var arguments = call.Arguments;
            var twin = call.Id is null ? null : closed.Find(other => other.ProviderId == call.Id);
            if (twin is not null && twin.Name == name && twin.Arguments == arguments)
            {
                continue; // said twice, meant once
            }

            var problem =
                name.Length == 0 ? "The call has no name: say which tool is meant."
                : twin is not null ? $"Two different calls came with the id {call.Id}: make this one again."
                : wasCut && call == _calls[^1] ? "The answer was cut before this call was whole: make it again, in smaller parts."
                : call.IsBroken ? NotWhole
                : null;
            call.Position = closed.Count;
            closed.Add(new CallProposed(call.Id, name, arguments, problem));
        }

        return closed;
    }

    private bool Continues(string? id, string? name) =>
        _open is { } open && (id is null || open.Id is null || id == open.Id) && (name is null || name == open.Name);

    private static IEnumerable<JsonElement> Parts(JsonElement? partial) =>
        partial switch
        {
            { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
            { } one => [one],
            null => [],
        };

    internal sealed class Call
    {
        public string? Id { get; set; }

        public string? Name { get; set; }

        public string? Signature { get; set; }

        /// <summary>Arguments that came in one piece, which hold against any that came in parts.</summary>
        public string? Whole { get; set; }

        public PartialArguments? Partial { get; set; }

        public bool IsBroken { get; set; }

        /// <summary>Which of the proposed calls it is; null before they are, and for one that was said twice.</summary>
        public int? Position { get; set; }

        /// <summary>A call with a name alone is one without arguments.</summary>
        public string Arguments => Whole ?? Partial?.ToString() ?? "{}";
    }
}
