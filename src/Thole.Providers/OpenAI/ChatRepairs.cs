namespace Thole.Providers.OpenAI;

/// <summary>What a test found of an endpoint that speaks chat completions in its own way; null is what is known of its host.</summary>
/// <param name="Echo">Whether it wants to see the model's own reasoning again.</param>
/// <param name="AsksForUsage">Whether usage may be asked for with <c>stream_options</c>.</param>
/// <param name="OutputLimitField">One of <see cref="OutputLimitFields"/>.</param>
public sealed record ChatRepairs(ReasoningEcho? Echo = null, bool? AsksForUsage = null, string? OutputLimitField = null)
{
    /// <summary>The names under which endpoints take the limit of an answer.</summary>
    public static IReadOnlyList<string> OutputLimitFields { get; } = ["max_tokens", "max_completion_tokens"];
}
