namespace Thole.Providers;

/// <summary>How much a model is to think before it answers; each wire says it in its own words, or not at all.</summary>
/// <param name="Effort">Null leaves it to the model.</param>
/// <param name="Budget">Tokens it may think for at most, where the wire has such a limit.</param>
/// <param name="IsOff">It is asked not to think, where the wire can ask that.</param>
public sealed record ReasoningSetting(ReasoningEffort? Effort = null, long? Budget = null, bool IsOff = false);

/// <summary>The efforts of all vendors; a wire that knows fewer takes the nearest.</summary>
public enum ReasoningEffort
{
    Low,
    Medium,
    High,
    XHigh,
    Max,
}
