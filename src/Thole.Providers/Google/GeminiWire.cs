using System.Buffers;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Google;

/// <summary>Google's <c>streamGenerateContent</c>. Its caches hold by themselves as long as requests begin alike.</summary>
internal sealed class GeminiWire(EndpointOptions options, GeminiTraits traits) : IWire
{
    private const string Version = "/v1beta";
    private const string Models = "models/";
    private const string TunedModels = "tunedModels/";

    public IReadOnlyList<KeyValuePair<string, string>> Headers => [];

    public Uri Address(ModelRequest request)
    {
        var operation = $"/{Resource(request.Model)}:streamGenerateContent";
        var version = NamesVersion(options.BaseAddress, operation) ? "" : Version;
        var address = new UriBuilder(options.Below(version + operation));
        if (!address.Query.TrimStart('?').Split('&').Any(static part => part.StartsWith("alt=", StringComparison.Ordinal)))
        {
            address.Query = address.Query.Length > 1 ? $"{address.Query}&alt=sse" : "alt=sse";
        }

        return address.Uri;
    }

    public Uri ListAddress =>
        // A base address that names an operation names a model; the list stands above it.
        options.BaseAddress.AbsolutePath.IndexOf("/models/", StringComparison.Ordinal)
            is >= 0
                and var at
            ? new UriBuilder(options.Beside("/", "", "pageSize=1000"))
            {
                Path = options.BaseAddress.AbsolutePath[..at] + "/models",
            }.Uri
            : options.Beside("/", (NamesVersion(options.BaseAddress, "/models") ? "" : Version) + "/models", "pageSize=1000");

    public KeyValuePair<string, string> KeyHeader(string key) => new("x-goog-api-key", key);

    public ValueTask WriteAsync(ModelRequest request, IBufferWriter<byte> body, CancellationToken cancellationToken) =>
        new GeminiRequestWriter(options, traits, request).WriteAsync(body, cancellationToken);

    public IAnswer Listen(ModelRequest request) => new GeminiAnswer();

    /// <summary>Names of models come from settings, and one of them must not lead to another address: it is one segment of the path.</summary>
    private static string Resource(string model)
    {
        var (collection, name) =
            model.StartsWith(Models, StringComparison.Ordinal) ? (Models, model[Models.Length..])
            : model.StartsWith(TunedModels, StringComparison.Ordinal) ? (TunedModels, model[TunedModels.Length..])
            : (Models, model);
        return collection + Uri.EscapeDataString(name);
    }

    /// <summary>Whether it ends in v1, v1beta or the like, or names the operation already: people set base addresses in all these ways.</summary>
    private static bool NamesVersion(Uri baseAddress, string operation)
    {
        var path = baseAddress.AbsolutePath.TrimEnd('/');
        return path.EndsWith(operation, StringComparison.OrdinalIgnoreCase)
            || path[(path.LastIndexOf('/') + 1)..] is ['v' or 'V', >= '0' and <= '9', ..] last
                && last.All(char.IsAsciiLetterOrDigit);
    }
}
