using Thole.Core.Models;

namespace Thole.Providers.Google;

/// <summary>Google's Gemini API, with a key; and every gateway that speaks it.</summary>
internal static class GeminiProvider
{
    private const Modalities PicturesAndPapers = Modalities.Image | Modalities.Pdf;

    public static Provider Definition { get; } =
        new()
        {
            Name = "gemini",
            Title = "Google Gemini",
            BaseUrl = "https://generativelanguage.googleapis.com",
            KeyVariables = ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
            BaseUrlVariables = ["GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"],
            ModelVariable = "GEMINI_MODEL",
            KeyPage = "https://aistudio.google.com/apikey",
            Protocol = "gemini",
            Wire = static (options, model) => new GeminiWire(options, GeminiTraits.Of(model)),
            // Of prices that rise with the length of the prompt, the lower ones.
            Models =
            [
                Card("gemini-3.1-pro-preview", new(2m, 12m, 0.2m)),
                Card("gemini-3.8-flash", new(1.5m, 7.5m, 0.15m)),
                Card("gemini-3.1-flash-lite", new(0.25m, 1.5m, 0.025m)),
                Card("gemini-2.5-pro", new(1.25m, 10m, 0.125m)),
                Card("gemini-2.5-flash", new(0.3m, 2.5m, 0.03m)),
            ],
        };

    private static ModelCard Card(string id, ModelPrice price) =>
        new(
            id,
            new()
            {
                ContextWindow = 1_048_576,
                MaxOutput = 65_536,
                Takes = PicturesAndPapers,
                Price = price,
            }
        );
}
