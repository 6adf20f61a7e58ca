using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Probing;

/// <summary>
/// The endpoint while it is tested: asked once for each question, never again by itself, with what was found of it so far and
/// without what an earlier test found.
/// </summary>
/// <param name="meter">Puts a meter before a model.</param>
internal sealed class ProbeSession(
    ProviderCatalog catalog,
    Provider provider,
    string model,
    Func<ModelEndpoint, ModelEndpoint> meter
)
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(120);

    private readonly ModelSettings _set = catalog.SettingsOf(provider, model);

    public string Model => model;

    public string FullName => $"{provider.Name}/{model}";

    public TimeProvider Time => catalog.Time;

    /// <summary>Whether it speaks chat completions, of which there are as many kinds as servers.</summary>
    public bool IsChat => provider.Protocol == "openai";

    public ChatRepairs Repairs { get; set; } = new();

    public TextCallFormat? TextCalls { get; set; }

    public bool ThinksInText { get; set; }

    public int Requests { get; private set; }

    /// <summary>The name under which the answer's limit is sent where nothing was found.</summary>
    public string OutputLimitField => ChatQuirks.For(catalog.AddressOf(provider), model).OutputLimitField;

    /// <param name="asFound">Whether what was found so far is used; else the answer is heard as it comes.</param>
    public Task<ProbeAnswer> AskAsync(
        ModelRequest request,
        CancellationToken cancellationToken,
        long output = Probes.Output,
        bool asFound = false
    )
    {
        if (++Requests > ModelTest.MostRequests)
        {
            throw new InvalidOperationException("A test asks no more than it says.");
        }

        var options = catalog.Options(provider, _set) with
        {
            MaxOutput = output,
            TextCalls = null,
            ThinksInText = asFound && ThinksInText,
            Repairs = Repairs,
            IdleTimeout = s_silence,
            Lifetime = s_longest,
        };
        var asked = new EndpointModel(
            provider.Wire(options, model),
            options,
            () => catalog.ConnectionTo(options.BaseAddress, _set.Proxy),
            Time
        );
        var address = options.BaseAddress;
        var metered = meter(
            new ModelEndpoint(FullName, model, asked, new ModelLimits(_set.ContextWindow ?? Probes.InputTokens, output))
            {
                Price = _set.Price ?? (address.IsLoopback ? ModelPrice.Free : null),
                IsLocal = address.IsLoopback && _set.Proxy is null,
            }
        );
        return ProbeAnswer.HearAsync(metered.Client, request, Time, cancellationToken);
    }
}
