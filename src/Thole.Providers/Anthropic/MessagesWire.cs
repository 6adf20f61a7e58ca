using System.Buffers;
using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>Anthropic's messages.</summary>
internal sealed class MessagesWire(EndpointOptions options, string model) : IWire
{
    private readonly ThinkingPlan _thinking = ThinkingPlan.For(options, model);

    public IReadOnlyList<KeyValuePair<string, string>> Headers =>
        _thinking.Effort is null ? [s_version] : [s_version, new("anthropic-beta", "effort-2025-11-24")];

    public Uri Address(ModelRequest request) => Address();

    /// <summary>People set the base address with its version, as other providers want it, and without.</summary>
    private Uri Address()
    {
        var path = options.BaseAddress.AbsolutePath.TrimEnd('/');
        var last = path[(path.LastIndexOf('/') + 1)..];
        var namesVersion = last is ['v' or 'V', >= '0' and <= '9', ..];
        return options.Below(
            namesVersion || last.Equals("messages", StringComparison.OrdinalIgnoreCase) ? "/messages" : "/v1/messages"
        );
    }

    public Uri ListAddress
    {
        get
        {
            var operation = Address().AbsolutePath;
            return new UriBuilder(options.Beside("/", "", "limit=1000"))
            {
                Path = operation[..operation.LastIndexOf('/')] + "/models",
            }.Uri;
        }
    }

    public KeyValuePair<string, string> KeyHeader(string key) => new("x-api-key", key);

    public ValueTask WriteAsync(ModelRequest request, IBufferWriter<byte> body, CancellationToken cancellationToken) =>
        new MessagesRequestWriter(options, _thinking, request).WriteAsync(body, cancellationToken);

    public IAnswer Listen(ModelRequest request) => new MessagesAnswer();

    private static readonly KeyValuePair<string, string> s_version = new("anthropic-version", "2023-06-01");
}
