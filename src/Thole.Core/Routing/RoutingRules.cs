namespace Thole.Core.Routing;

/// <summary>Which model does what, as the user set it. Models are named <c>provider/model</c>.</summary>
public sealed record RoutingRules
{
    public static RoutingRules None { get; } = new();

    public IReadOnlyDictionary<ModelRole, string> Roles { get; init; } = new Dictionary<ModelRole, string>();

    /// <summary>The first that fits holds, over the roles and over the session's model.</summary>
    public IReadOnlyList<RoutingRule> Rules { get; init; } = [];

    /// <summary>Who is asked, in this order, where a model is out of reach, overloaded or out of quota.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>
    /// What may not leave this machine. Once a session has touched any of it, it is shown to models on this machine only; no rule, no
    /// fallback and no choice of a person's goes over that.
    /// </summary>
    public IReadOnlyList<PathRule> LocalPaths { get; init; } = [];

    /// <summary>Who works where <see cref="LocalPaths"/> rule a model out.</summary>
    public string? LocalModel { get; init; }
}

/// <summary>A condition and a model. What is null or empty fits everything.</summary>
/// <param name="Agent">The name of the agent that asks.</param>
/// <param name="Paths">One of which the session has touched by name. A command that may have touched anything counts for nothing here.</param>
/// <param name="MinTokens">What the context holds at least.</param>
public sealed record RoutingRule(
    string Model,
    IReadOnlyList<ModelRole> Roles,
    string? Agent,
    IReadOnlyList<PathRule> Paths,
    long? MinTokens
);
