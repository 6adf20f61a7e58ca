using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>ModelScope's inference service: open models, a million tokens of context, thinking on.</summary>
internal static class ModelScopeProvider
{
    public static Provider Definition { get; } =
        new()
        {
            Name = "modelscope",
            Title = "ModelScope",
            BaseUrl = "https://api-inference.modelscope.cn/v1",
            KeyVariables = ["MODELSCOPE_API_KEY"],
            BaseUrlVariables = ["MODELSCOPE_BASE_URL"],
            KeyPage = "https://modelscope.cn/my/myaccesstoken",
            HasOpenList = true,
            Wire = ChatWire.Speak,
            Defaults = new() { ContextWindow = 1_000_000, Reasoning = new ReasoningSetting() },
            Models =
            [
                new(
                    "deepseek-ai/DeepSeek-V4-Flash",
                    new()
                    {
                        ContextWindow = 1_000_000,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                    }
                ),
                new(
                    "Qwen/Qwen3.5-397B-A17B",
                    new()
                    {
                        ContextWindow = 1_000_000,
                        MaxOutput = 32_000,
                        Takes = Modalities.Image,
                    }
                ),
                new(
                    "ZhipuAI/GLM-5.1",
                    new()
                    {
                        ContextWindow = 1_000_000,
                        MaxOutput = 32_000,
                        Takes = Modalities.None,
                    }
                ),
            ],
        };
}
