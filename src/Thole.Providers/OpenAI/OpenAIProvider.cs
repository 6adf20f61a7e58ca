using Thole.Providers.Endpoints;

namespace Thole.Providers.OpenAI;

/// <summary>OpenAI, and every server that speaks its chat completions when the base address names it.</summary>
internal static class OpenAIProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "openai",
            BaseUrl = "https://api.openai.com/v1",
            KeyVariables = ["OPENAI_API_KEY"],
            BaseUrlVariables = ["OPENAI_BASE_URL"],
            Wire = static (options, model) => new ChatWire(options, ChatQuirks.For(options.BaseAddress, model)),
        };
}
