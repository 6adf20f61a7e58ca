using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>DeepSeek's own service.</summary>
internal static class DeepSeekProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "deepseek",
            Title = "DeepSeek",
            BaseUrl = "https://api.deepseek.com/v1",
            KeyVariables = ["DEEPSEEK_API_KEY"],
            BaseUrlVariables = ["DEEPSEEK_BASE_URL"],
            KeyPage = "https://platform.deepseek.com/api_keys",
            Wire = ChatWire.Speak,
            Models =
            [
                new(
                    "deepseek-chat",
                    new()
                    {
                        ContextWindow = 131_072,
                        MaxOutput = 8_192,
                        Takes = Modalities.None,
                        Price = new(0.28m, 0.42m, 0.028m),
                    }
                ),
                new(
                    "deepseek-reasoner",
                    new()
                    {
                        ContextWindow = 131_072,
                        MaxOutput = 64_000,
                        Takes = Modalities.None,
                        Price = new(0.28m, 0.42m, 0.028m),
                    }
                ),
            ],
        };
}
