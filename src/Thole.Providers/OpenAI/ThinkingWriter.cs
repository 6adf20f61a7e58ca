using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.OpenAI;

/// <summary>Says how much to think, in the field that the endpoint has for it; a field that the user set is left alone.</summary>
internal static class ThinkingWriter
{
    public static void Write(Utf8JsonWriter json, ChatQuirks quirks, EndpointOptions options)
    {
        if (options.Reasoning is not { } reasoning)
        {
            return;
        }

        var effort = quirks.Efforts.Of(reasoning);
        switch (quirks.Thinking)
        {
            case ThinkingField.Effort when effort is not null && !options.IsOverridden("reasoning_effort"):
                json.WriteString("reasoning_effort", effort);
                break;
            case ThinkingField.Reasoning when !options.IsOverridden("reasoning"):
                json.WriteStartObject("reasoning");
                if (reasoning.IsOff)
                {
                    json.WriteBoolean("enabled", false);
                }
                else if (reasoning.Budget is { } budget)
                {
                    json.WriteNumber("max_tokens", budget); // the endpoint takes one of the two
                }
                else if (effort is not null)
                {
                    json.WriteString("effort", effort);
                }

                json.WriteEndObject();
                break;
            case ThinkingField.EnableThinking when !options.IsOverridden("enable_thinking"):
                json.WriteBoolean("enable_thinking", !reasoning.IsOff);
                if (reasoning is { IsOff: false, Budget: { } tokens } && !options.IsOverridden("thinking_budget"))
                {
                    json.WriteNumber("thinking_budget", tokens);
                }

                break;
            case ThinkingField.Thinking when !options.IsOverridden("thinking"):
                json.WriteStartObject("thinking");
                json.WriteString("type", reasoning.IsOff ? "disabled" : "enabled");
                json.WriteEndObject();
                if (!reasoning.IsOff && effort is not null && !options.IsOverridden("reasoning_effort"))
                {
                    json.WriteString("reasoning_effort", effort);
                }

                break;
        }
    }
}
