using Thole.Providers.Probing;
using Thole.Testing.Models;

namespace Thole.Providers.Tests;

/// <summary>A catalogue whose one provider is a scripted server.</summary>
internal static class Catalogs
{
    public static ProviderCatalog Of(
        ScriptedModelServer server,
        string provider = "openai",
        ModelSettings? set = null,
        Func<ProfilePlace, ModelProfile?>? profiles = null
    ) => Of(server.BaseAddress, provider, set, profiles);

    public static ProviderCatalog Of(
        Uri address,
        string provider = "openai",
        ModelSettings? set = null,
        Func<ProfilePlace, ModelProfile?>? profiles = null
    ) =>
        new(
            new Dictionary<string, ProviderSettings>
            {
                [provider] = new()
                {
                    BaseUrl = address.ToString(),
                    ApiKey = Asked.Key,
                    Defaults = set ?? new ModelSettings(),
                },
            },
            static _ => null,
            TimeProvider.System,
            new Random(1),
            profiles: profiles
        );
}
