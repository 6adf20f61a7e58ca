using Thole.Providers.OpenAI;

namespace Thole.Providers.Responses;

/// <summary>OpenAI by its newer wire, and every server that speaks it when the base address names it.</summary>
internal static class ResponsesProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "openai-responses",
            Title = "OpenAI, and servers that speak its Responses",
            BaseUrl = "https://api.openai.com/v1",
            KeyVariables = ["OPENAI_API_KEY"],
            BaseUrlVariables = ["OPENAI_BASE_URL"],
            KeyPage = OpenAIProvider.Definition.KeyPage,
            Models = OpenAIProvider.Definition.Models,
            Protocol = "openai-responses",
            Wire = static (options, model) => new ResponsesWire(options, ResponsesQuirks.For(options.BaseAddress, model)),
        };
}
