using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>What the name of a model says of what it takes; a name that we do not know says nothing, and nothing special is sent.</summary>
internal sealed record GeminiTraits
{
    public const string ThinkingField = "thinkingConfig";

    private const string Family = "gemini-";

    // What the documentation says low, medium and high come to where there are no levels.
    private static readonly long[] s_budgets = [1_024, 8_192, 24_576];

    /// <summary>Whether a request is refused in which the first call of a step comes back without a signature: Gemini 3 and what follows.</summary>
    public bool DemandsSignatures { get; private init; }

    private bool IsKnown { get; init; }

    private bool Thinks { get; init; }

    private bool TakesLevels { get; init; }

    /// <summary>The least that can be asked for.</summary>
    private string LeastLevel { get; init; } = "low";

    private bool TakesMedium { get; init; } = true;

    private (long Off, long Least, long Most) Budget { get; init; } = (0, 1, long.MaxValue);

    public static GeminiTraits Of(string model)
    {
        var name = model[(model.LastIndexOf('/') + 1)..].ToLowerInvariant();
        if (!name.StartsWith(Family, StringComparison.Ordinal))
        {
            return new GeminiTraits();
        }

        var isPro = name.Contains("-pro", StringComparison.Ordinal);
        var isLite = name.Contains("-lite", StringComparison.Ordinal);
        var speaks = !name.Contains("-image", StringComparison.Ordinal) && !name.Contains("-tts", StringComparison.Ordinal);
        var version = name.AsSpan(Family.Length);
        if (version is ['1' or '2', ..])
        {
            return new GeminiTraits
            {
                IsKnown = true,
                Thinks = speaks && version.StartsWith("2.5"),
                Budget =
                    isPro ? (128, 128, 32_768)
                    : isLite ? (0, 512, 24_576)
                    : (0, 1, 24_576),
            };
        }

        // Without a number (gemini-flash-latest) it is the newest; others, experiments among them, are unknown.
        var isThird = version is [>= '3' and <= '9', ..] || version.EndsWith("-latest");
        return new GeminiTraits
        {
            IsKnown = isThird,
            Thinks = isThird && speaks,
            TakesLevels = isThird,
            TakesMedium = !version.StartsWith("3-pro"),
            LeastLevel = version.StartsWith("3-flash") || version.StartsWith("3.1-flash-lite") ? "minimal" : "low",
            DemandsSignatures = isThird,
        };
    }

    /// <summary>
    /// Whether there is anything to say of thinking: thoughts are asked for of every model that has some to show, and those without
    /// refuse the question. Of a model that we do not know only what was set is said.
    /// </summary>
    public bool MayThink(ReasoningSetting? setting) => IsKnown ? Thinks : setting is not null;

    /// <summary>Writes <c>thinkingConfig</c>. A level and a budget together are refused.</summary>
    public void WriteThinking(Utf8JsonWriter json, ReasoningSetting? setting)
    {
        json.WriteStartObject(ThinkingField);
        if (setting is not { IsOff: true })
        {
            json.WriteBoolean("includeThoughts", true);
        }

        switch (setting)
        {
            case { IsOff: true } when TakesLevels:
                json.WriteString("thinkingLevel", LeastLevel);
                break;
            case { IsOff: true }:
                json.WriteNumber("thinkingBudget", Budget.Off);
                break;
            case { Effort: { } effort } when TakesLevels || (!IsKnown && setting.Budget is null):
                json.WriteString("thinkingLevel", Level(effort));
                break;
            case { Budget: { } tokens }:
                json.WriteNumber("thinkingBudget", Math.Clamp(tokens, Budget.Least, Budget.Most));
                break;
            case { Effort: { } effort }:
                json.WriteNumber("thinkingBudget", Tokens(effort));
                break;
        }

        json.WriteEndObject();
    }

    private string Level(ReasoningEffort effort) =>
        effort switch
        {
            ReasoningEffort.Low => "low",
            ReasoningEffort.Medium when TakesMedium => "medium",
            _ => "high",
        };

    private long Tokens(ReasoningEffort effort) => effort > ReasoningEffort.High ? Budget.Most : s_budgets[(int)effort];
}
