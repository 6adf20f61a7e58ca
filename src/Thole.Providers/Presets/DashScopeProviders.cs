using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>Qwen from Alibaba's Model Studio, in both regions: a key is of one of them.</summary>
internal static class DashScopeProviders
{
    private static readonly IReadOnlyList<ModelCard> s_models =
    [
        new(
            "qwen3.5-plus",
            new()
            {
                ContextWindow = 1_000_000,
                MaxOutput = 64_000,
                Takes = Modalities.Image | Modalities.Video,
            }
        ),
        new(
            "qwen3-coder-plus",
            new()
            {
                ContextWindow = 1_000_000,
                MaxOutput = 64_000,
                Takes = Modalities.None,
                Price = new(1m, 5m),
            }
        ),
        new(
            "qwen3-coder-flash",
            new()
            {
                ContextWindow = 1_000_000,
                MaxOutput = 64_000,
                Takes = Modalities.None,
                Price = new(0.3m, 1.5m),
            }
        ),
        new(
            "qwen3-max",
            new()
            {
                ContextWindow = 262_144,
                MaxOutput = 64_000,
                Takes = Modalities.None,
                Price = new(1.2m, 6m),
            }
        ),
    ];

    public static Provider Mainland { get; } =
        new()
        {
            Name = "dashscope",
            Title = "Alibaba Cloud Model Studio (Qwen), mainland China",
            BaseUrl = "https://dashscope.aliyuncs.com/compatible-mode/v1",
            KeyVariables = ["DASHSCOPE_API_KEY"],
            BaseUrlVariables = ["DASHSCOPE_BASE_URL"],
            KeyPage = "https://bailian.console.aliyun.com/?tab=model#/api-key",
            Wire = ChatWire.Speak,
            Models = s_models,
        };

    public static Provider International { get; } =
        new()
        {
            Name = "dashscope-intl",
            Title = "Alibaba Cloud Model Studio (Qwen), international",
            BaseUrl = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            KeyVariables = ["DASHSCOPE_INTL_API_KEY", "DASHSCOPE_API_KEY"],
            BaseUrlVariables = ["DASHSCOPE_INTL_BASE_URL"],
            KeyPage = "https://modelstudio.console.alibabacloud.com/?tab=playground#/api-key",
            Wire = ChatWire.Speak,
            Models = s_models,
        };
}
