using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>OpenRouter, which passes requests on to many providers and prices each by its own list.</summary>
internal static class OpenRouterProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "openrouter",
            Title = "OpenRouter",
            BaseUrl = "https://openrouter.ai/api/v1",
            KeyVariables = ["OPENROUTER_API_KEY"],
            BaseUrlVariables = ["OPENROUTER_BASE_URL"],
            KeyPage = "https://openrouter.ai/keys",
            HasOpenList = true,
            Wire = ChatWire.Speak,
            Models =
            [
                new(
                    "anthropic/claude-sonnet-4.5",
                    new()
                    {
                        ContextWindow = 200_000,
                        MaxOutput = 64_000,
                        Takes = Modalities.Image | Modalities.Pdf,
                        Price = new(3m, 15m, 0.3m, 3.75m),
                    }
                ),
                new(
                    "openai/gpt-5",
                    new()
                    {
                        ContextWindow = 272_000,
                        MaxOutput = 128_000,
                        Takes = Modalities.Image | Modalities.Pdf,
                        Price = new(1.25m, 10m, 0.125m),
                    }
                ),
                new(
                    "google/gemini-2.5-pro",
                    new()
                    {
                        ContextWindow = 1_048_576,
                        MaxOutput = 65_536,
                        Takes = Modalities.Image | Modalities.Pdf,
                        Price = new(1.25m, 10m, 0.125m),
                    }
                ),
                new(
                    "qwen/qwen3-coder",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 65_536,
                        Takes = Modalities.None,
                    }
                ),
                new(
                    "deepseek/deepseek-chat-v3.1",
                    new()
                    {
                        ContextWindow = 163_840,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                    }
                ),
                new(
                    "moonshotai/kimi-k2",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                    }
                ),
                new(
                    "z-ai/glm-4.6",
                    new()
                    {
                        ContextWindow = 202_752,
                        MaxOutput = 65_536,
                        Takes = Modalities.None,
                    }
                ),
            ],
        };
}
