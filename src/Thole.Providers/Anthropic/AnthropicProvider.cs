namespace Thole.Providers.Anthropic;

/// <summary>Anthropic, and whoever else speaks its messages: the base address names it.</summary>
internal static class AnthropicProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "anthropic",
            BaseUrl = "https://api.anthropic.com",
            KeyVariables = ["ANTHROPIC_API_KEY"],
            BaseUrlVariables = ["ANTHROPIC_BASE_URL"],
            Wire = static (options, model) => new MessagesWire(options, model),
        };
}
