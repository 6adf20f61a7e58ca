using Thole.Server.Requests;

namespace Thole.Server.Routing;

/// <summary>
/// Finds the operation of a path. The path is compared as it was sent: no case is folded, no segment is skipped, and only what fills
/// a placeholder is decoded, once, after the path was cut at its slashes.
/// </summary>
internal sealed class OperationTable
{
    private readonly Pattern[] _patterns;

    public OperationTable(IReadOnlyList<Operation> operations)
    {
        Operations = operations;
        _patterns =
        [
            .. operations
                .GroupBy(operation => operation.Path, StringComparer.Ordinal)
                .Select(group => new Pattern(group.Key, [.. group])),
        ];
        Check();
    }

    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>Literal segments win over placeholders, from left to right.</summary>
    public RouteMatch Find(string method, ReadOnlySpan<char> path)
    {
        Span<Range> segments = stackalloc Range[17];
        var count = path is ['/', ..] ? path[1..].Split(segments, '/') : 0;
        if (count is 0 or > 16)
        {
            return default;
        }

        Pattern? best = null;
        foreach (var pattern in _patterns)
        {
            if (pattern.Fits(path[1..], segments[..count]) && (best is null || pattern.IsMoreExactThan(best)))
            {
                best = pattern;
            }
        }

        if (best is null)
        {
            return default;
        }

        var values = best.Values(path[1..], segments[..count]);
        return values is null
            ? default
            : new RouteMatch(
                best.Operations.FirstOrDefault(operation => operation.Method == method),
                best.Names,
                values,
                best.Allow
            );
    }

    private void Check()
    {
        if (
            Operations.GroupBy(operation => (operation.Method, operation.Path)).FirstOrDefault(group => group.Count() > 1) is
            { } twice
        )
        {
            throw new ArgumentException($"{twice.Key.Method} {twice.Key.Path} is there twice.");
        }

        if (
            Operations.GroupBy(operation => operation.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is
            { } named
        )
        {
            throw new ArgumentException($"Two operations are called {named.Key}.");
        }

        // A body with a name in it twice is read differently by different readers; that is said where the type is, so it is checked here.
        if (Operations.FirstOrDefault(operation => operation.Request?.Options.AllowDuplicateProperties == true) is { } lax)
        {
            throw new ArgumentException(
                $"The JSON context of the request of {lax.Name} must have AllowDuplicateProperties = false."
            );
        }
    }

    private sealed class Pattern
    {
        private readonly string[] _segments;

        public Pattern(string path, Operation[] operations)
        {
            _segments = path[1..].Split('/');
            Operations = operations;
            Names = [.. _segments.Where(IsPlaceholder).Select(segment => segment[1..^1])];
            Allow = string.Join(", ", operations.Select(operation => operation.Method).Order(StringComparer.Ordinal));
        }

        public Operation[] Operations { get; }
        public string[] Names { get; }
        public string Allow { get; }

        public bool Fits(ReadOnlySpan<char> path, ReadOnlySpan<Range> segments)
        {
            if (segments.Length != _segments.Length)
            {
                return false;
            }

            for (var index = 0; index < segments.Length; index++)
            {
                var segment = path[segments[index]];
                if (IsPlaceholder(_segments[index]) ? segment.IsEmpty : !segment.SequenceEqual(_segments[index]))
                {
                    return false;
                }
            }

            return true;
        }

        public bool IsMoreExactThan(Pattern other)
        {
            for (var index = 0; index < _segments.Length; index++)
            {
                if (IsPlaceholder(_segments[index]) != IsPlaceholder(other._segments[index]))
                {
                    return IsPlaceholder(other._segments[index]);
                }
            }

            return false;
        }

        /// <summary>Null where a segment is no text, or one that file systems give a meaning of their own.</summary>
        public string[]? Values(ReadOnlySpan<char> path, ReadOnlySpan<Range> segments)
        {
            var values = new string[Names.Length];
            var count = 0;
            for (var index = 0; index < segments.Length; index++)
            {
                if (IsPlaceholder(_segments[index]))
                {
                    if (PercentText.Decode(path[segments[index]]) is not { } value || value is "." or "..")
                    {
                        return null;
                    }

                    values[count++] = value;
                }
            }

            return values;
        }

        private static bool IsPlaceholder(string segment) => segment is ['{', .., '}'];
    }
}
