using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>Moonshot's Kimi models; in mainland China the address is https://api.moonshot.cn/v1.</summary>
internal static class MoonshotProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "moonshot",
            Title = "Moonshot (Kimi)",
            BaseUrl = "https://api.moonshot.ai/v1",
            KeyVariables = ["MOONSHOT_API_KEY"],
            BaseUrlVariables = ["MOONSHOT_BASE_URL"],
            KeyPage = "https://platform.moonshot.ai/console/api-keys",
            Wire = ChatWire.Speak,
            Models =
            [
                new(
                    "kimi-k2.5",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 32_000,
                        Takes = Modalities.Image,
                        Price = new(0.6m, 3m, 0.1m),
                    }
                ),
                new(
                    "kimi-k2-thinking",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                        Price = new(0.6m, 2.5m, 0.15m),
                    }
                ),
                new(
                    "kimi-k2-turbo-preview",
                    new()
                    {
                        ContextWindow = 262_144,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                    }
                ),
            ],
        };
}
