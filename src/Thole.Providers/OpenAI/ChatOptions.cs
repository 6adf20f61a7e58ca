using System.Text.Json;
using Thole.Core.Models;

namespace Thole.Providers.OpenAI;

/// <summary>How an endpoint that speaks chat completions is asked.</summary>
public sealed record ChatOptions
{
    /// <summary>What sentences call the provider.</summary>
    public required string Provider { get; init; }

    /// <summary>Without <c>/chat/completions</c>, which is tolerated; a query is kept, for gateways that want one.</summary>
    public required Uri BaseAddress { get; init; }

    public required Credential Credential { get; init; }

    /// <summary>Sent with every request; one named Authorization takes the place of ours.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Fields for the body of every request, over ours. Not those that say what is asked.</summary>
    public JsonElement? ExtraBody
    {
        get;
        init => field = Checked(value);
    }

    /// <summary>Tokens; null leaves it to the endpoint.</summary>
    public long? MaxOutput { get; init; }

    public ChatQuirks Quirks { get; init; } = new();

    /// <summary>How long the endpoint may send nothing at all, before its answer and within it. Keep-alive comments count as something.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>How long one answer may take, however lively it is.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromSeconds(900);

    /// <summary>Headers and fields may hold secrets: this says none of them.</summary>
    public override string ToString() => $"{Provider} at {BaseAddress.Host}";

    private static JsonElement? Checked(JsonElement? extra)
    {
        if (extra is not { } body)
        {
            return null;
        }

        if (body.ValueKind is not JsonValueKind.Object)
        {
            throw new ModelException(
                ModelFailure.InvalidRequest,
                "The extra body of a provider must be a JSON object: correct it in the settings."
            );
        }

        foreach (var field in (ReadOnlySpan<string>)["model", "messages", "tools", "stream"])
        {
            if (body.TryGetProperty(field, out _))
            {
                throw new ModelException(
                    ModelFailure.InvalidRequest,
                    $"The extra body of a provider may not set \"{field}\": remove it from the settings."
                );
            }
        }

        return body;
    }
}
