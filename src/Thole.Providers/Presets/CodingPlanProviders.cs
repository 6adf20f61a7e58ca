using Thole.Core.Models;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Presets;

/// <summary>The subscription of Alibaba's Model Studio, whose keys begin with sk-sp-, in both regions: a key is of one of them.</summary>
internal static class CodingPlanProviders
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
            }
        ),
        new(
            "glm-5",
            new()
            {
                ContextWindow = 202_752,
                MaxOutput = 32_000,
                Takes = Modalities.None,
            }
        ),
        new(
            "kimi-k2.5",
            new()
            {
                ContextWindow = 262_144,
                MaxOutput = 32_000,
                Takes = Modalities.Image,
            }
        ),
        new(
            "MiniMax-M2.5",
            new()
            {
                ContextWindow = 196_608,
                MaxOutput = 32_000,
                Takes = Modalities.None,
            }
        ),
    ];

    public static Provider Mainland { get; } =
        new()
        {
            Name = "coding-plan",
            Title = "Alibaba Cloud Coding Plan, mainland China",
            BaseUrl = "https://coding.dashscope.aliyuncs.com/v1",
            KeyVariables = ["BAILIAN_CODING_PLAN_API_KEY"],
            KeyPage = "https://bailian.console.aliyun.com/?tab=plan#/coding-plan",
            Wire = ChatWire.Speak,
            Models = s_models,
        };

    public static Provider International { get; } =
        new()
        {
            Name = "coding-plan-intl",
            Title = "Alibaba Cloud Coding Plan, international",
            BaseUrl = "https://coding-intl.dashscope.aliyuncs.com/v1",
            KeyVariables = ["BAILIAN_CODING_PLAN_INTL_API_KEY", "BAILIAN_CODING_PLAN_API_KEY"],
            KeyPage = "https://modelstudio.console.alibabacloud.com/?tab=plan#/coding-plan",
            Wire = ChatWire.Speak,
            Models = s_models,
        };
}
