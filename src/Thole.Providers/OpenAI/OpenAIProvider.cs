using Thole.Core.Models;

namespace Thole.Providers.OpenAI;

/// <summary>OpenAI, and every server that speaks its chat completions when the base address names it.</summary>
internal static class OpenAIProvider
{
    public static Provider Definition { get; } =
        new("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL", Open);

    private static ChatCompletionsModel Open(ProviderAccess access)
    {
        var settings = access.Settings;
        var ordinary = new ChatOptions
        {
            Provider = access.Provider,
            BaseAddress = access.BaseAddress,
            Credential = access.Credential,
            Headers = [.. settings.Headers.OrderBy(static header => header.Key, StringComparer.Ordinal)],
            ExtraBody = settings.ExtraBody,
            MaxOutput = access.MaxOutput,
            Quirks = ChatQuirks.For(access.BaseAddress, access.Model),
        };
        var options = ordinary with
        {
            IdleTimeout = settings.IdleTimeout ?? ordinary.IdleTimeout,
            Lifetime = settings.Lifetime ?? ordinary.Lifetime,
        };

        return ChatFailures.BeforeSending(options) is { } impossible
            ? throw impossible
            : new ChatCompletionsModel(options, access.Http, access.Time);
    }
}
