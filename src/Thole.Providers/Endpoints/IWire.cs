using System.Buffers;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>
/// One protocol in which models are asked: what is sent, where to, and what is made of the answer. Connections, failures, clocks and
/// the framing of streams are the same for all, and <see cref="EndpointModel"/>'s business.
/// </summary>
internal interface IWire
{
    /// <summary>Where a request is posted. A query in the base address stays: some gateways carry their version in it.</summary>
    Uri Address(ModelRequest request);

    /// <summary>Where the endpoint lists the models it serves.</summary>
    Uri ListAddress { get; }

    /// <summary>The header that carries the key.</summary>
    KeyValuePair<string, string> KeyHeader(string key);

    /// <summary>What every request carries besides; a header that the user set takes its place.</summary>
    IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

    ValueTask WriteAsync(ModelRequest request, IBufferWriter<byte> body, CancellationToken cancellationToken);

    /// <summary>Somebody who understands the answer that is about to come.</summary>
    IAnswer Listen(ModelRequest request);
}
