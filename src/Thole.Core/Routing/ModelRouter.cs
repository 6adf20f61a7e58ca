using Thole.Core.Models;

namespace Thole.Core.Routing;

/// <summary>What is to be done, for which a model is looked for.</summary>
public sealed record ModelNeed
{
    public required ModelRole Role { get; init; }

    /// <summary>The model that the session's user chose.</summary>
    public required string SessionModel { get; init; }

    /// <summary>The workspace, whole and with its links resolved.</summary>
    public required string Root { get; init; }

    /// <summary>All that the session has touched, as its log says it.</summary>
    public required IReadOnlyCollection<string> Touched { get; init; }

    /// <summary>What the context holds.</summary>
    public required long Tokens { get; init; }

    public string? Agent { get; init; }
}

/// <summary>Who is asked, and why it is not the session's model; null where it is.</summary>
public sealed record Route(ModelEndpoint Endpoint, string? Reason);

/// <summary>
/// Finds the model for what is to be done: what must stay on this machine first, then the rules, then the roles, then the session's
/// model; and who steps in where that one fails.
/// </summary>
public sealed class ModelRouter(IModelCatalog catalog, RoutingRules rules)
{
    /// <exception cref="ModelException">There is no such model, no credential for it, or none that may be shown what the session knows.</exception>
    public Route Choose(ModelNeed need)
    {
        var confined = rules.LocalPaths.FirstOrDefault(rule =>
            IsTouched(rule, need, guesses: true) || rule.CoversRoot(need.Root)
        );
        var (name, reason) = Preferred(need);
        return confined is null ? new Route(WithFallbacks(catalog.Find(name)), reason) : Local(name, reason, confined);
    }

    private (string Name, string? Reason) Preferred(ModelNeed need)
    {
        foreach (var (number, rule) in rules.Rules.Index())
        {
            if (
                (rule.Roles is [] || rule.Roles.Contains(need.Role))
                && (rule.Agent is null || rule.Agent == need.Agent)
                && (rule.MinTokens is null || need.Tokens >= rule.MinTokens)
                && (rule.Paths is [] || rule.Paths.Any(path => IsTouched(path, need, guesses: false)))
            )
            {
                return (rule.Model, $"rule {number + 1} of the routes");
            }
        }

        return need.Role is not ModelRole.Main && rules.Roles.TryGetValue(need.Role, out var model)
            ? (model, $"the role {need.Role.ToString().ToLowerInvariant()}")
            : (need.SessionModel, null);
    }

    /// <summary>The first that is on this machine, of those who would be asked anyway; and of those who step in, the same.</summary>
    private Route Local(string preferred, string? reason, PathRule confined)
    {
        var why = $"what it knows of {confined} may not leave this machine";
        IEnumerable<string?> names = [preferred, rules.LocalModel, .. rules.Fallbacks];
        List<ModelEndpoint> local =
        [
            .. names
                .OfType<string>()
                .Distinct(StringComparer.Ordinal)
                .Select(Find)
                .OfType<ModelEndpoint>()
                .Where(static endpoint => endpoint.IsLocal),
        ];

        return local switch
        {
            [] => throw new ModelException(
                ModelFailure.MustStayLocal,
                $"The session has touched {confined}, which may not leave this machine, and {preferred} is elsewhere:"
                    + " choose a model on this machine, or name one in localModel. Nothing was sent."
            ),
            [var first, ..] => new Route(
                Chain(first, local[1..], confined),
                first.Name == preferred || first.Model == preferred ? reason : why
            ),
        };
    }

    private ModelEndpoint WithFallbacks(ModelEndpoint first) =>
        Chain(
            first,
            [.. rules.Fallbacks.Select(Find).OfType<ModelEndpoint>().Where(next => next.Name != first.Name)],
            confined: null
        );

    private static ModelEndpoint Chain(ModelEndpoint first, IReadOnlyList<ModelEndpoint> next, PathRule? confined) =>
        next is [] && confined is null ? first : first with { Client = new FallbackModel([first, .. next], confined?.Text) };

    /// <summary>One that steps in may be unknown or without a key: then it does not step in.</summary>
    private ModelEndpoint? Find(string name)
    {
        try
        {
            return catalog.Find(name);
        }
        catch (ModelException)
        {
            return null;
        }
    }

    private static bool IsTouched(PathRule rule, ModelNeed need, bool guesses) =>
        need.Touched.Any(touched => rule.Covers(need.Root, touched, guesses));
}
