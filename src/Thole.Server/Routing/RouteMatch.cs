namespace Thole.Server.Routing;

/// <summary>What a path leads to: an operation, or only other methods, or (where nothing matched) nothing.</summary>
internal readonly record struct RouteMatch(Operation? Operation, string[]? Names, string[]? Values, string? Allow)
{
    public bool IsKnownPath => Allow is not null;

    public string Value(string name)
    {
        var index = Array.IndexOf(Names!, name);
        return index >= 0 ? Values![index] : throw new ArgumentException($"The path has no {{{name}}}.", nameof(name));
    }
}
