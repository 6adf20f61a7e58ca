using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>Servers on this machine, on their usual ports. They need no key, and are looked for only when somebody asks.</summary>
internal static class LocalProviders
{
    public static Provider Ollama { get; } = Definition("ollama", "Ollama", "http://127.0.0.1:11434/v1", "OLLAMA");

    public static Provider LMStudio { get; } = Definition("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", "LMSTUDIO");

    public static Provider LlamaCpp { get; } = Definition("llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1", "LLAMACPP");

    public static Provider Vllm { get; } = Definition("vllm", "vLLM", "http://127.0.0.1:8000/v1", "VLLM");

    private static Provider Definition(string name, string title, string address, string variable) =>
        new()
        {
            Name = name,
            Title = $"{title}, on this machine",
            BaseUrl = address,
            KeyVariables = [$"{variable}_API_KEY"],
            BaseUrlVariables = [$"{variable}_BASE_URL"],
            IsLocalServer = true,
            Wire = ChatWire.Speak,
            // What a local server has loaded is nobody's guess: 32k is what most are started with, and settings go over it.
            Defaults = new()
            {
                ContextWindow = 32_768,
                MaxOutput = 8_192,
                Takes = Modalities.None,
            },
        };
}
