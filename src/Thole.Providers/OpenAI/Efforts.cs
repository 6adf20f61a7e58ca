namespace Thole.Providers.OpenAI;

/// <summary>The words that an endpoint has for efforts; one that it lacks is said as the nearest it has.</summary>
/// <param name="Off">For no thinking at all; null where there is no word for it.</param>
internal sealed record Efforts(string Low, string Medium, string High, string XHigh, string Max, string? Off)
{
    /// <summary>OpenAI's own, and what others copied.</summary>
    public static Efforts Usual { get; } = new("low", "medium", "high", "xhigh", "xhigh", "none");

    /// <summary>Endpoints that stop at high.</summary>
    public static Efforts UpToHigh { get; } = new("low", "medium", "high", "high", "high", null);

    /// <summary>Endpoints that know only much and more.</summary>
    public static Efforts HighOrMax { get; } = new("high", "high", "high", "max", "max", null);

    public string? Of(ReasoningSetting reasoning) =>
        reasoning.IsOff
            ? Off
            : reasoning.Effort switch
            {
                ReasoningEffort.Low => Low,
                ReasoningEffort.Medium => Medium,
                ReasoningEffort.High => High,
                ReasoningEffort.XHigh => XHigh,
                ReasoningEffort.Max => Max,
                _ => null,
            };
}
