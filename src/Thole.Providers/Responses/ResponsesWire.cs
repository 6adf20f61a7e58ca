using System.Buffers;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>OpenAI's Responses, asked without state: nothing is kept at the endpoint, and all of the context is sent each time.</summary>
internal sealed class ResponsesWire(EndpointOptions options, ResponsesQuirks quirks) : IWire
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers => [];

    public Uri Address(ModelRequest request) => options.Below("/responses");

    public Uri ListAddress => options.Beside("/responses", "/models");

    public KeyValuePair<string, string> KeyHeader(string key) => new("Authorization", $"Bearer {key}");

    public ValueTask WriteAsync(ModelRequest request, IBufferWriter<byte> body, CancellationToken cancellationToken) =>
        new ResponsesRequestWriter(options, quirks, request).WriteAsync(body, cancellationToken);

    public IAnswer Listen(ModelRequest request) => new ResponsesAnswer();
}
