using Thole.Core.Models;

namespace Thole.Providers.Anthropic;

/// <summary>Anthropic, and whoever else speaks its messages: the base address names it.</summary>
internal static class AnthropicProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "anthropic",
            Title = "Anthropic, and servers that speak its messages",
            BaseUrl = "https://api.anthropic.com",
            KeyVariables = ["ANTHROPIC_API_KEY"],
            BaseUrlVariables = ["ANTHROPIC_BASE_URL"],
            ModelVariable = "ANTHROPIC_MODEL",
            KeyPage = "https://platform.claude.com/settings/keys",
            Protocol = "anthropic",
            Wire = static (options, model) => new MessagesWire(options, model),
            Models =
            [
                Claude("claude-opus-5-5", 1_000_000, new ModelPrice(4m, 20m, 0.2m, 5m)),
                Claude("claude-sonnet-5-5", 1_000_000, new ModelPrice(2m, 10m, 0.1m, 2.5m)),
                // Its price for long prompts: a short one costs a fifth, but nobody should be told too little.
                Claude("claude-haiku-5-5", 1_000_000, new ModelPrice(0.5m, 2.5m, 0.05m, 0.625m)),
                Claude("claude-fable-5-1", 1_000_000, new ModelPrice(10m, 50m, 0.25m, 12.5m)),
                Claude("claude-opus-5", 1_000_000, new ModelPrice(5m, 25m, 0.5m, 6.25m)),
                Claude("claude-opus-4-8", 1_000_000, new ModelPrice(5m, 25m, 0.5m, 6.25m)),
                Claude("claude-opus-4-5", 200_000, new ModelPrice(5m, 25m, 0.5m, 6.25m)),
                Claude("claude-sonnet-4-5", 200_000, new ModelPrice(3m, 15m, 0.3m, 3.75m)),
                Claude("claude-haiku-4-5", 200_000, new ModelPrice(1m, 5m, 0.1m, 1.25m)),
            ],
        };

    private static ModelCard Claude(string id, long window, ModelPrice price) =>
        new(
            id,
            new()
            {
                ContextWindow = window,
                MaxOutput = 64_000,
                Takes = Modalities.Image | Modalities.Pdf,
                Price = price,
            }
        );
}
