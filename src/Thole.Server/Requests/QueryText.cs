using System.Text;

namespace Thole.Server.Requests;

/// <summary>The query of a request, decoded once and strictly: a name that comes twice has no meaning that everybody agrees on.</summary>
internal sealed class QueryText
{
    private static readonly QueryText s_empty = new([]);
    private readonly List<(string Name, string Value)> _pairs;

    private QueryText(List<(string Name, string Value)> pairs) => _pairs = pairs;

    public bool IsEmpty => _pairs.Count == 0;

    public string? Value(string name)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Name == name)
            {
                return pair.Value;
            }
        }

        return null;
    }

    /// <param name="text">What stands after the question mark.</param>
    public static QueryText Parse(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return s_empty;
        }

        var pairs = new List<(string Name, string Value)>();
        foreach (var range in text.Split('&'))
        {
            var pair = text[range];
            var equals = pair.IndexOf('=');
            var name = Decode(equals < 0 ? pair : pair[..equals]);
            if (name is "" && equals < 0)
            {
                continue;
            }

            if (pairs.Exists(other => other.Name == name))
            {
                throw new ProblemException(400, "invalid_query", "A query parameter was given twice; give it once.");
            }

            pairs.Add((name, equals < 0 ? "" : Decode(pair[(equals + 1)..])));
        }

        return new QueryText(pairs);
    }

    private static string Decode(ReadOnlySpan<char> text) =>
        PercentText.Decode(text, plusIsSpace: true)
        ?? throw new ProblemException(400, "invalid_query", "The query is not UTF-8 text in percent encoding.");
}
