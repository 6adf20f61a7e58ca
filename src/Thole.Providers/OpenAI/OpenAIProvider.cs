using Thole.Providers.Endpoints;

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
        };
}
