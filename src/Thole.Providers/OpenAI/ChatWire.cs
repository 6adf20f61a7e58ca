using System.Buffers;
using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.TextCalls;

namespace Thole.Providers.OpenAI;

/// <summary>OpenAI's chat completions, and what half the world's servers make of them.</summary>
internal sealed class ChatWire(EndpointOptions options, ChatQuirks quirks) : IWire
{
    /// <summary>With what is known of the host and of the model.</summary>
    public static IWire Speak(EndpointOptions options, string model) =>
        new ChatWire(options, ChatQuirks.For(options.BaseAddress, model).With(options.Repairs, options.ThinksInText));

    public IReadOnlyList<KeyValuePair<string, string>> Headers => quirks.Headers;

    public Uri Address(ModelRequest request) => options.Below("/chat/completions");

    public Uri ListAddress => options.Beside("/chat/completions", "/models");

    public KeyValuePair<string, string> KeyHeader(string key) => new("Authorization", $"Bearer {key}");

    public ValueTask WriteAsync(ModelRequest request, IBufferWriter<byte> body, CancellationToken cancellationToken) =>
        new ChatRequestWriter(options, quirks, request).WriteAsync(body, cancellationToken);

    public IAnswer Listen(ModelRequest request) => new ChatAnswer(quirks, TextCallParser.For(options.TextCalls, request.Tools));
}
