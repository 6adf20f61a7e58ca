using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.OpenAI;

namespace Thole.Providers.Tests.OpenAI;

/// <summary>All that came of one request.</summary>
internal sealed record ChatAsked(IReadOnlyList<ModelEvent> Events, ModelException? Failure)
{
    public const string Key = "sk-very-secret-key-0123456789";

    public string Text => string.Concat(Events.OfType<TextDelta>().Select(said => said.Text));

    public string Reasoning => string.Concat(Events.OfType<ReasoningDelta>().Select(said => said.Text));

    public IReadOnlyList<CallProposed> Calls => [.. Events.OfType<CallProposed>()];

    public ModelFinished? Finished => Events.OfType<ModelFinished>().SingleOrDefault();

    public static ChatOptions Options(Uri? address = null) =>
        new()
        {
            Provider = "openai",
            BaseAddress = address ?? new Uri("http://model.test/v1"),
            Credential = new Credential("OPENAI_API_KEY", Key),
        };

    public static ModelRequest Request(params IReadOnlyList<ContextItem> items) =>
        new()
        {
            Model = "scripted",
            System = "You are a test.",
            Items = items is [] ? [new UserItem(1, [new TextContent("Hello.")])] : items,
            Tools = [],
            ReadBlob = static (_, _) => new ValueTask<byte[]?>((byte[]?)null),
        };

    public static async Task<ChatAsked> AskAsync(IModel model, ModelRequest? request = null)
    {
        List<ModelEvent> events = [];
        try
        {
            await foreach (var said in model.StreamAsync(request ?? Request(), TestContext.Current.CancellationToken))
            {
                events.Add(said);
            }
        }
        catch (ModelException failed)
        {
            // Whatever failed, however it is printed: never the key, and never both an end and a failure.
            Assert.DoesNotContain(events, said => said is ModelFinished);
            AssertHidesKey(failed.ToString());
            AssertHidesKey(Encoding.Latin1.GetString(failed.Raw.Span));
            Assert.DoesNotContain('\n', failed.Message);
            return new ChatAsked(events, failed);
        }

        Assert.IsType<ModelFinished>(events[^1]);
        Assert.Single(events.OfType<ModelFinished>());
        return new ChatAsked(events, null);
    }

    /// <summary>Over a real socket.</summary>
    public static async Task<ChatAsked> AskAsync(Thole.Testing.Models.ScriptedModelServer server, ModelRequest? request = null)
    {
        using var http = ProviderConnection.Open(isLoopback: true);
        return await AskAsync(new ChatCompletionsModel(Options(server.BaseAddress), () => http, TimeProvider.System), request);
    }

    /// <summary>Without a socket, where the size of each read matters.</summary>
    public static async Task<ChatAsked> AskAsync(byte[] answer, Func<int>? pieceSize = null, ChatOptions? options = null)
    {
        using var http = new HttpMessageInvoker(new Canned(answer, pieceSize ?? (() => int.MaxValue)));
        return await AskAsync(new ChatCompletionsModel(options ?? Options(), () => http, TimeProvider.System));
    }

    public static Task<ChatAsked> AskAsync(string answer) => AskAsync(Encoding.UTF8.GetBytes(answer));

    public static void AssertHidesKey(string text) => Assert.DoesNotContain(Key, text, StringComparison.Ordinal);

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
