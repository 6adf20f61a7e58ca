using Thole.Core.Models;

namespace Thole.Providers.OpenAI;

/// <summary>OpenAI, and every server that speaks its chat completions when the base address names it.</summary>
internal static class OpenAIProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "openai",
            Title = "OpenAI, and servers that speak its chat completions",
            BaseUrl = "https://api.openai.com/v1",
            KeyVariables = ["OPENAI_API_KEY"],
            BaseUrlVariables = ["OPENAI_BASE_URL"],
            ModelVariable = "OPENAI_MODEL",
            KeyPage = "https://platform.openai.com/api-keys",
            Wire = ChatWire.Speak,
            Models =
            [
                Gpt("gpt-5", new ModelPrice(1.25m, 10m, 0.125m)),
                Gpt("gpt-5-codex", new ModelPrice(1.25m, 10m, 0.125m)),
                Gpt("gpt-5-mini", new ModelPrice(0.25m, 2m, 0.025m)),
                Gpt("gpt-5-nano", new ModelPrice(0.05m, 0.4m, 0.005m)),
                new(
                    "gpt-4.1",
                    new()
                    {
                        ContextWindow = 1_000_000,
                        MaxOutput = 32_000,
                        Takes = Modalities.Image | Modalities.Pdf,
                        Price = new ModelPrice(2m, 8m, 0.5m),
                    }
                ),
            ],
        };

    private static ModelCard Gpt(string id, ModelPrice price) =>
        new(
            id,
            new()
            {
                ContextWindow = 272_000,
                MaxOutput = 32_000,
                Takes = Modalities.Image | Modalities.Pdf,
                Price = price,
            }
        );
}
