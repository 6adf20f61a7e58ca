using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Endpoints;

/// <summary>How an endpoint is asked, whatever it speaks.</summary>
internal sealed record EndpointOptions
{
    private static readonly string[] s_keyHeaders = ["Authorization", "api-key", "x-api-key", "x-goog-api-key"];

    /// <summary>What sentences call the provider.</summary>
    public required string Provider { get; init; }

    /// <summary>Without the path of the operation, which is tolerated; a query is kept, for gateways that want one.</summary>
    public required Uri BaseAddress { get; init; }

    public required Credential Credential { get; init; }

    /// <summary>Sent with every request; one that carries a key (Authorization, api-key and the like) takes the place of ours.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Fields for the body of every request, over ours. Not those that say what is asked.</summary>
    public JsonElement? ExtraBody
    {
        get;
        init => field = Checked(value);
    }

    /// <summary>Fields of the wire's own such as <c>temperature</c>, sent verbatim, under the extra body.</summary>
    public JsonElement? Sampling
    {
        get;
        init => field = Checked(value);
    }

    /// <summary>Tokens; null leaves it to the endpoint.</summary>
    public long? MaxOutput { get; init; }

    /// <summary>Null leaves it to the endpoint.</summary>
    public ReasoningSetting? Reasoning { get; init; }

    /// <summary>Whether the request marks where a cache may begin, on wires that want it marked.</summary>
    public bool CacheControl { get; init; } = true;

    /// <summary>How the model writes its calls where the endpoint does not read them out of its text; null where it does.</summary>
    public TextCallFormat? TextCalls { get; init; }

    /// <summary>Whether reasoning comes as <c>&lt;think&gt;</c> at the beginning of the text; null for what is known of the host.</summary>
    public bool? ThinksInText { get; init; }

    /// <summary>What a test of the endpoint found of its ways; null where nobody tested it.</summary>
    public ChatRepairs? Repairs { get; init; }

    /// <summary>How long the endpoint may send nothing at all, before its answer and within it. Keep-alive comments count as something.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>How long one answer may take, however lively it is.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromSeconds(900);

    public bool HasOwnAuthorization =>
        Headers.Any(static header => s_keyHeaders.Any(name => name.Equals(header.Key, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The address of an operation below the base address, which may name it already; the query of the base address stays.</summary>
    public Uri Below(string path)
    {
        var address = new UriBuilder(BaseAddress) { UserName = "", Password = "" };
        var stem = address.Path.TrimEnd('/');
        address.Path = stem.EndsWith(path, StringComparison.OrdinalIgnoreCase) ? stem : stem + path;
        return address.Uri;
    }

    /// <summary>The address of something that stands beside an operation, which the base address may name.</summary>
    /// <param name="query">Added to the query of the base address.</param>
    public Uri Beside(string operation, string path, string query = "")
    {
        var address = new UriBuilder(BaseAddress) { UserName = "", Password = "" };
        var stem = address.Path.TrimEnd('/');
        address.Path = (stem.EndsWith(operation, StringComparison.OrdinalIgnoreCase) ? stem[..^operation.Length] : stem) + path;
        if (query.Length > 0)
        {
            address.Query = address.Query.Length > 1 ? $"{address.Query}&{query}" : query;
        }

        return address.Uri;
    }

    /// <summary>Whether the user set this field of the body: then it is not ours to set.</summary>
    public bool IsOverridden(string field) => Has(ExtraBody, field) || Has(Sampling, field);

    /// <summary>Writes the fields that the user set; of two with one name the one of the extra body.</summary>
    /// <param name="without">Fields that this request cannot have.</param>
    public void WriteFields(Utf8JsonWriter json, params ReadOnlySpan<string> without)
    {
        foreach (var field in Sampling?.EnumerateObject() ?? default)
        {
            if (!Has(ExtraBody, field.Name) && !without.Contains(field.Name))
            {
                field.WriteTo(json);
            }
        }

        foreach (var field in ExtraBody?.EnumerateObject() ?? default)
        {
            if (!without.Contains(field.Name))
            {
                field.WriteTo(json);
            }
        }
    }

    private static bool Has(JsonElement? body, string field) => body is { } fields && fields.TryGetProperty(field, out _);

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
                "The extra body and the sampling of a model must be JSON objects: correct them in the settings."
            );
        }

        foreach (var field in (ReadOnlySpan<string>)["model", "messages", "input", "contents", "tools", "stream"])
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
