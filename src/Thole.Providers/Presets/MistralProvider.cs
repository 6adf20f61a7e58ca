using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>Mistral's own service.</summary>
internal static class MistralProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "mistral",
            Title = "Mistral",
            BaseUrl = "https://api.mistral.ai/v1",
            KeyVariables = ["MISTRAL_API_KEY"],
            BaseUrlVariables = ["MISTRAL_BASE_URL"],
            KeyPage = "https://console.mistral.ai/api-keys",
            Wire = ChatWire.Speak,
            Models =
            [
                new(
                    "devstral-medium-latest",
                    new()
                    {
                        ContextWindow = 131_072,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                        Price = new(0.4m, 2m),
                    }
                ),
                new(
                    "mistral-large-latest",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 32_000,
                        Takes = Modalities.Image,
                        Price = new(0.5m, 1.5m),
                    }
                ),
                new(
                    "mistral-medium-latest",
                    new()
                    {
                        ContextWindow = 131_072,
                        MaxOutput = 32_000,
                        Takes = Modalities.Image,
                        Price = new(0.4m, 2m),
                    }
                ),
                new(
                    "codestral-latest",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                        Price = new(0.3m, 0.9m),
                    }
                ),
            ],
        };
}
