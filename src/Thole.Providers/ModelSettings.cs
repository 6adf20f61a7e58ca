using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers;

/// <summary>
/// How a model is asked. A value that is null is left to the next level: what the user set for the model, then for its provider,
/// then what we know of the model, then the endpoint. Values that are objects or lists replace, they do not merge.
/// </summary>
public sealed record ModelSettings
{
    /// <summary>Tokens.</summary>
    public long? ContextWindow { get; init; }

    /// <summary>Tokens of one answer.</summary>
    public long? MaxOutput { get; init; }

    public Modalities? Takes { get; init; }

    /// <summary>Fields such as <c>temperature</c> and <c>top_p</c>, sent verbatim, as a JSON object.</summary>
    public JsonElement? Sampling { get; init; }

    public ReasoningSetting? Reasoning { get; init; }

    /// <summary>Fields for the body of every request, over ours, as a JSON object.</summary>
    public JsonElement? ExtraBody { get; init; }

    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Whether requests mark where a cache may begin, on wires that want it marked.</summary>
    public bool? CacheControl { get; init; }

    /// <summary>How the model writes its calls where its server passes them on as text; never guessed.</summary>
    public TextCallFormat? TextCalls { get; init; }

    /// <summary>Whether reasoning comes as <c>&lt;think&gt;</c> at the beginning of the text.</summary>
    public bool? ThinksInText { get; init; }

    /// <summary>What a test of the endpoint found of its ways.</summary>
    public ChatRepairs? Repairs { get; init; }

    /// <summary>How long an answer may be silent.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>How long an answer may take.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>Attempts after the first; 0 for none.</summary>
    public int? Retries { get; init; }

    /// <summary>An HTTP proxy on the way to the endpoint; null for the one of the environment.</summary>
    public Uri? Proxy { get; init; }

    public ModelPrice? Price { get; init; }

    /// <summary>These settings, and what they leave open from a level below.</summary>
    public ModelSettings Over(ModelSettings below) =>
        new()
        {
            ContextWindow = ContextWindow ?? below.ContextWindow,
            MaxOutput = MaxOutput ?? below.MaxOutput,
            Takes = Takes ?? below.Takes,
            Sampling = Sampling ?? below.Sampling,
            Reasoning = Reasoning ?? below.Reasoning,
            ExtraBody = ExtraBody ?? below.ExtraBody,
            Headers = Headers ?? below.Headers,
            CacheControl = CacheControl ?? below.CacheControl,
            TextCalls = TextCalls ?? below.TextCalls,
            ThinksInText = ThinksInText ?? below.ThinksInText,
            Repairs = Repairs ?? below.Repairs,
            IdleTimeout = IdleTimeout ?? below.IdleTimeout,
            Lifetime = Lifetime ?? below.Lifetime,
            Retries = Retries ?? below.Retries,
            Proxy = Proxy ?? below.Proxy,
            Price = Price ?? below.Price,
        };

    /// <summary>Headers and fields may hold secrets: this says none of them.</summary>
    public override string ToString() => "ModelSettings";
}

/// <summary>Settings of one level.</summary>
/// <param name="Origin">Which, in a few words.</param>
internal sealed record SettingsLayer(string Origin, ModelSettings Settings);
