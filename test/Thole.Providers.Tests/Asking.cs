using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Testing.Models;

namespace Thole.Providers.Tests;

/// <summary>Asks as a provider is asked, with and without a socket.</summary>
internal sealed class Asking(Provider provider)
{
    public EndpointOptions Options(Uri? address = null) =>
        new()
        {
            Provider = provider.Name,
            BaseAddress = address ?? new Uri("http://model.test/v1"),
            Credential = new Credential(provider.KeyVariables[0], Asked.Key),
        };

    public IModel Model(EndpointOptions options, Func<HttpMessageInvoker> http, TimeProvider time, string model = "scripted") =>
        new EndpointModel(provider.Wire(options, model), options, http, time);

    /// <summary>Over a real socket.</summary>
    public async Task<Asked> AskAsync(ScriptedModelServer server, ModelRequest? request = null)
    {
        using var http = ProviderConnections.Open(isLoopback: true);
        return await Asked.AskAsync(Model(Options(server.BaseAddress), () => http, TimeProvider.System), request);
    }

    /// <summary>Without a socket, where the size of each read matters.</summary>
    public async Task<Asked> AskAsync(byte[] answer, Func<int>? pieceSize = null, EndpointOptions? options = null)
    {
        using var http = new HttpMessageInvoker(new Canned(answer, pieceSize ?? (() => int.MaxValue)));
        return await Asked.AskAsync(Model(options ?? Options(), () => http, TimeProvider.System));
    }

    public Task<Asked> AskAsync(string answer) => AskAsync(Encoding.UTF8.GetBytes(answer));

    private sealed class Canned(byte[] answer, Func<int> pieceSize) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new StreamContent(new Pieces(answer, pieceSize));
            content.Headers.ContentType = new MediaTypeHeaderValue("text/event-stream");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content });
        }
    }

    private sealed class Pieces(byte[] content, Func<int> size) : MemoryStream(content)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, size()));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, size())], cancellationToken);
    }
}
