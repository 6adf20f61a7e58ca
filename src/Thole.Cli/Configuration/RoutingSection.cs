using System.Text.Json;
using Thole.Core.Routing;

namespace Thole.Cli.Configuration;

/// <summary>The settings that say which model does what: <c>roles</c>, <c>routes</c>, <c>fallbacks</c>, <c>localPaths</c>, <c>localModel</c>.</summary>
internal static class RoutingSection
{
    private static readonly string[] s_fields = ["roles", "agent", "paths", "minTokens", "model"];

    /// <param name="home">What <c>~</c> means in a path; null where there is no home directory.</param>
    /// <exception cref="UsageException">A rule or a path cannot be what it should be.</exception>
    public static RoutingRules Read(Settings settings, string? home) =>
        new()
        {
            Roles = Enum.GetValues<ModelRole>()
                .Select(role => (Role: role, Model: settings.Text($"roles.{Word(role)}")))
                .Where(static set => set.Model is not null)
                .ToDictionary(static set => set.Role, static set => set.Model!),
            Rules = settings.Find("routes") is { Value: JsonElement rules } value
                ? [.. rules.EnumerateArray().Select((rule, index) => ReadRule(rule, $"{value.Origin}: routes[{index}]", home))]
                : [],
            Fallbacks = settings.List("fallbacks"),
            LocalPaths = [.. settings.List("localPaths").Select(path => ReadPath(path, "localPaths", home))],
            LocalModel = settings.Text("localModel"),
        };

    private static RoutingRule ReadRule(JsonElement rule, string place, string? home)
    {
        foreach (var field in rule.EnumerateObject())
        {
            if (!s_fields.Contains(field.Name, StringComparer.Ordinal))
            {
                // A condition that nobody knows would be a rule that holds where it should not.
                throw new UsageException(
                    $"{place}: '{field.Name}' is no part of a rule; there are {string.Join(", ", s_fields)}."
                );
            }
        }

        return new RoutingRule(
            Text(rule, "model", place) ?? throw new UsageException($"{place} names no model; add \"model\": \"provider/model\"."),
            [.. Texts(rule, "roles", place).Select(role => ReadRole(role, place))],
            Text(rule, "agent", place),
            [.. Texts(rule, "paths", place).Select(path => ReadPath(path, place, home))],
            MinTokens(rule, place)
        );
    }

    private static ModelRole ReadRole(string text, string place) =>
        Enum.GetValues<ModelRole>().Where(role => Word(role) == text).Select(static role => (ModelRole?)role).FirstOrDefault()
        ?? throw new UsageException(
            $"{place}: '{text}' is no role; there are {string.Join(", ", Enum.GetValues<ModelRole>().Select(Word))}."
        );

    private static PathRule ReadPath(string text, string place, string? home)
    {
        try
        {
            return PathRule.Parse(text, home);
        }
        catch (FormatException wrong)
        {
            throw new UsageException($"{place}: {wrong.Message}", wrong);
        }
    }

    private static string? Text(JsonElement rule, string field, string place) =>
        !rule.TryGetProperty(field, out var value) ? null
        : value.ValueKind is JsonValueKind.String ? value.GetString()
        : throw new UsageException($"{place}: '{field}' must be a text.");

    private static IEnumerable<string> Texts(JsonElement rule, string field, string place) =>
        !rule.TryGetProperty(field, out var value) ? []
        : value.ValueKind is JsonValueKind.Array
        && value.EnumerateArray().All(static item => item.ValueKind is JsonValueKind.String)
            ? value.EnumerateArray().Select(static item => item.GetString()!)
        : throw new UsageException($"{place}: '{field}' must be a list of texts.");

    private static long? MinTokens(JsonElement rule, string place) =>
        !rule.TryGetProperty("minTokens", out var value) ? null
        : value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var tokens) && tokens > 0 ? tokens
        : throw new UsageException($"{place}: 'minTokens' must be a whole number of tokens.");

    private static string Word(ModelRole role) => role.ToString().ToLowerInvariant();
}
