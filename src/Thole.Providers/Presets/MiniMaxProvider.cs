using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>MiniMax's own service; in mainland China the address is https://api.minimaxi.com/v1.</summary>
internal static class MiniMaxProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "minimax",
            Title = "MiniMax",
            BaseUrl = "https://api.minimax.io/v1",
            KeyVariables = ["MINIMAX_API_KEY"],
            BaseUrlVariables = ["MINIMAX_BASE_URL"],
            KeyPage = "https://platform.minimax.io/user-center/basic-information/interface-key",
            Wire = ChatWire.Speak,
            Models =
            [
                new(
                    "MiniMax-M2.5",
                    new()
                    {
                        ContextWindow = 196_608,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                        Price = new(0.3m, 1.2m),
                    }
                ),
                new(
                    "MiniMax-M2",
                    new()
                    {
                        ContextWindow = 200_000,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                        Price = new(0.3m, 1.2m),
                    }
                ),
            ],
        };
}
