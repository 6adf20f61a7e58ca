using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>Z.ai's GLM models; the coding plan has the address https://api.z.ai/api/coding/paas/v4.</summary>
internal static class ZaiProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "zai",
            Title = "Z.ai (GLM)",
            BaseUrl = "https://api.z.ai/api/paas/v4",
            KeyVariables = ["ZAI_API_KEY"],
            BaseUrlVariables = ["ZAI_BASE_URL"],
            KeyPage = "https://z.ai/manage-apikey/apikey-list",
            Wire = ChatWire.Speak,
            Models =
            [
                new(
                    "glm-5.1",
                    new()
                    {
                        ContextWindow = 202_752,
                        MaxOutput = 131_072,
                        Takes = Modalities.None,
                    }
                ),
                new(
                    "glm-5",
                    new()
                    {
                        ContextWindow = 202_752,
                        MaxOutput = 131_072,
                        Takes = Modalities.None,
                    }
                ),
                new(
                    "glm-4.6",
                    new()
                    {
                        ContextWindow = 202_752,
                        MaxOutput = 131_072,
                        Takes = Modalities.None,
                        Price = new(0.6m, 2.2m, 0.11m),
                    }
                ),
                new(
                    "glm-4.5-air",
                    new()
                    {
                        ContextWindow = 131_072,
                        MaxOutput = 98_304,
                        Takes = Modalities.None,
                        Price = new(0.2m, 1.1m, 0.03m),
                    }
                ),
            ],
        };
}
