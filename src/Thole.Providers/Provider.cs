using Thole.Core.Models;

namespace Thole.Providers;

/// <summary>
/// Somebody who serves models: its name in <c>provider/model</c>, where people keep its key and address, and how it is asked.
/// A new one is a folder with such a value, and a line in <see cref="ProviderCatalog"/>.
/// </summary>
internal sealed record Provider(
    string Name,
    string BaseUrl,
    string KeyVariable,
    string BaseUrlVariable,
    Func<ProviderAccess, IModel> Open
);

/// <summary>All that a provider needs to ask one model.</summary>
internal sealed record ProviderAccess(
    string Provider,
    string Model,
    Uri BaseAddress,
    Credential Credential,
    ProviderSettings Settings,
    long? MaxOutput,
    Func<HttpMessageInvoker> Http,
    TimeProvider Time
)
{
    public override string ToString() => $"{Provider}/{Model}";
}
