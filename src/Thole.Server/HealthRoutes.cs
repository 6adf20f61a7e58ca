using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Protocol;

namespace Thole.Server;

/// <summary>Whether we live: bare for whoever starts and watches processes, deep for those who may know what runs.</summary>
internal static partial class HealthRoutes
{
    public static Operation Create(Func<CancellationToken, ValueTask<Health>> deep) =>
        new("GET", "/health", "getHealth", Scope.Observe, "Whether the daemon lives; with ?deep also what it holds.")
        {
            IsAnonymous = true,
            Tier = RateTier.Exempt,
            Reply = HealthJson.Default.Health,
            Parameters =
            [
                new Parameter(ParameterPlace.Query, "deep", "Counts sessions and pending permission requests; needs a token.")
                {
                    Type = ParameterType.Flag,
                },
            ],
            Handle = async exchange =>
                await exchange.ReplyAsync(
                    exchange.QueryFlag("deep") ? await deep(exchange.Aborted) : new Health("ok"),
                    HealthJson.Default.Health
                ),
        };

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(Health))]
    internal sealed partial class HealthJson : JsonSerializerContext;
}

/// <summary>The counts are absent from the bare probe.</summary>
internal sealed record Health(string Status, int? Sessions = null, int? PendingPermissions = null);
