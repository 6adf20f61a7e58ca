using System.Text.Json;

namespace Thole.Providers.Tests.Google;

/// <summary>How much to think is said in the words of the model's generation.</summary>
public sealed class GeminiThinkingSpecs
{
    [Theory]
    [InlineData("gemini-3-pro-preview", """{"includeThoughts":true}""")]
    [InlineData("gemini-2.5-flash", """{"includeThoughts":true}""")]
    [InlineData("gemini-pro-latest", """{"includeThoughts":true}""")]
    [InlineData("gemini-2.0-flash", null)]
    [InlineData("gemini-2.5-flash-image", null)]
    [InlineData("gemini-exp-1206", null)]
    [InlineData("gemma-4-27b", null)]
    public async Task Thoughts_are_asked_for_of_models_that_have_some_to_show(string model, string? thinking) =>
        Assert.Equal(thinking, await ThinkingAsync(model, null));

    [Theory]
    [InlineData("gemini-3-pro-preview", ReasoningEffort.Low, null, "\"thinkingLevel\":\"low\"")]
    [InlineData("gemini-3-pro-preview", ReasoningEffort.Medium, null, "\"thinkingLevel\":\"high\"")]
    [InlineData("gemini-3.1-pro-preview", ReasoningEffort.Medium, null, "\"thinkingLevel\":\"medium\"")]
    [InlineData("gemini-3.8-flash", ReasoningEffort.High, 99L, "\"thinkingLevel\":\"high\"")]
    [InlineData("models/gemini-4-flash", ReasoningEffort.Max, null, "\"thinkingLevel\":\"high\"")]
    [InlineData("gemini-3-flash-preview", null, 99L, "\"thinkingBudget\":99")]
    [InlineData("gemini-2.5-pro", ReasoningEffort.Low, null, "\"thinkingBudget\":1024")]
    [InlineData("gemini-2.5-pro", ReasoningEffort.XHigh, null, "\"thinkingBudget\":32768")]
    [InlineData("gemini-2.5-pro", ReasoningEffort.High, 1L, "\"thinkingBudget\":128")]
    [InlineData("gemini-2.5-flash", ReasoningEffort.Max, null, "\"thinkingBudget\":24576")]
    [InlineData("gemini-2.5-flash-lite", null, 100L, "\"thinkingBudget\":512")]
    [InlineData("my-tuned-model", ReasoningEffort.Medium, null, "\"thinkingLevel\":\"medium\"")]
    [InlineData("my-tuned-model", ReasoningEffort.Medium, 77L, "\"thinkingBudget\":77")]
    public async Task An_effort_is_a_level_or_a_budget_and_never_both(
        string model,
        ReasoningEffort? effort,
        long? budget,
        string said
    ) =>
        Assert.Equal($$"""{"includeThoughts":true,{{said}}}""", await ThinkingAsync(model, new ReasoningSetting(effort, budget)));

    [Theory]
    [InlineData("gemini-3-pro-preview", """{"thinkingLevel":"low"}""")]
    [InlineData("gemini-3-flash-preview", """{"thinkingLevel":"minimal"}""")]
    [InlineData("gemini-3.8-flash", """{"thinkingLevel":"low"}""")]
    [InlineData("gemini-2.5-pro", """{"thinkingBudget":128}""")]
    [InlineData("gemini-2.5-flash", """{"thinkingBudget":0}""")]
    [InlineData("gemini-2.0-flash", null)]
    public async Task A_model_that_should_not_think_is_told_to_think_as_little_as_it_can(string model, string? thinking) =>
        Assert.Equal(thinking, await ThinkingAsync(model, new ReasoningSetting(IsOff: true)));

    private static async Task<string?> ThinkingAsync(string model, ReasoningSetting? setting)
    {
        var body = JsonDocument
            .Parse(await GeminiAsked.BodyAsync([], model, GeminiAsked.Options with { Reasoning = setting }))
            .RootElement;
        return body.TryGetProperty("generationConfig", out var config) ? config.GetProperty("thinkingConfig").GetRawText() : null;
    }
}
