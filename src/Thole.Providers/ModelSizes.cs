using Thole.Core.Models;

namespace Thole.Providers;

/// <summary>How much a model takes and says, where nobody configured it: by the beginning of its name, first fit.</summary>
internal static class ModelSizes
{
    private static readonly (string Prefix, long Window, long Output)[] s_table =
    [
        ("gpt-5", 272_000, 32_000),
        ("gpt-4.1", 1_000_000, 32_000),
        ("gpt-4o", 128_000, 16_384),
        ("gpt-4", 128_000, 4_096),
        ("gpt-oss", 131_072, 32_000),
        ("gpt-3.5", 16_385, 4_096),
        ("gpt-", 131_072, 16_384),
        ("o1", 200_000, 32_000),
        ("o3", 200_000, 32_000),
        ("o4", 200_000, 32_000),
        ("gemini", 1_000_000, 32_000),
        ("claude-3-5", 200_000, 8_192),
        ("claude-3-7", 200_000, 32_000),
        ("claude-3", 200_000, 4_096),
        ("claude-opus-4", 200_000, 32_000),
        ("claude", 200_000, 32_000),
        ("qwen3-coder-plus", 1_000_000, 32_000),
        ("qwen3-coder-flash", 1_000_000, 32_000),
        ("qwen3.", 1_000_000, 32_000),
        ("qwen-plus", 1_000_000, 32_000),
        ("qwen-flash", 1_000_000, 32_000),
        ("coder-model", 1_000_000, 32_000),
        ("qwen", 262_144, 32_000),
        ("deepseek-v4", 1_000_000, 32_000),
        ("deepseek", 131_072, 8_192),
        ("glm-5.0", 202_752, 32_000),
        ("glm-5.1", 202_752, 32_000),
        ("glm-5", 1_000_000, 32_000),
        ("glm", 202_752, 32_000),
        ("minimax-m3", 1_000_000, 32_000),
        ("minimax-m2.5", 196_608, 32_000),
        ("minimax", 200_000, 32_000),
        ("kimi-k3", 1_000_000, 32_000),
        ("kimi", 262_144, 32_000),
        ("seed-oss", 524_288, 32_000),
    ];

    /// <summary>Null for a model nobody told us of: what it may be asked to say is then left to the endpoint.</summary>
    public static ModelLimits? Find(string model)
    {
        // Names come as Qwen/Qwen3-Coder or z-ai/glm-5:free; the vendor before the slash says nothing.
        var name = model.AsSpan(model.LastIndexOf('/') + 1);
        foreach (var (prefix, window, output) in s_table)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return new ModelLimits(window, output);
            }
        }

        return null;
    }

    public static ModelLimits Unknown { get; } = new(200_000, 32_000);
}
