using System.Text;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>
/// The parts of one item as they were said. The same words come as pieces, then whole with the end of the part, of the item and of
/// the answer, and any of these may be missing: what is told here is told once.
/// </summary>
internal sealed class SpokenParts
{
    // Where pieces come without the number of their part, what they belong to can only be all of it.
    private const long All = -1;

    private readonly Dictionary<long, Part> _parts = [];

    public string Add(long? index, string piece) => At(index ?? All).Add(piece);

    /// <summary>What is still to say of a part, now that it is known whole.</summary>
    public string Fill(long? index, string whole) =>
        _parts.TryGetValue(All, out var all) ? (all.EndsWith(whole) ? "" : all.Fill(whole)) : At(index ?? 0).Fill(whole);

    /// <summary>What is still to say, now that all parts are known whole; null for what is no text.</summary>
    public string FillAll(IReadOnlyList<string?> parts)
    {
        if (_parts.TryGetValue(All, out var all))
        {
            return all.Fill(string.Concat(parts));
        }

        var missing = new StringBuilder();
        for (var index = 0; index < parts.Count; index++)
        {
            missing.Append(parts[index] is { } whole ? At(index).Fill(whole) : "");
        }

        return missing.ToString();
    }

    public string Rest() => string.Concat(_parts.OrderBy(part => part.Key).Select(part => part.Value.Rest()));

    private Part At(long index)
    {
        if (!_parts.TryGetValue(index, out var part))
        {
            _parts.Add(index, part = new Part());
        }

        return part;
    }

    private sealed class Part
    {
        private readonly StringBuilder _said = new();
        private WholeLetters _letters;

        public string Add(string piece)
        {
            _said.Append(piece);
            return _letters.Add(piece);
        }

        public string Fill(string whole) =>
            // Where the two differ, what was said stays said.
            whole.Length > _said.Length
            && _said.Equals(whole.AsSpan(0, _said.Length))
                ? Add(whole[_said.Length..])
                : "";

        public bool EndsWith(string text) =>
            text.Length <= _said.Length && _said.ToString(_said.Length - text.Length, text.Length) == text;

        public string Rest() => _letters.Rest();
    }
}
