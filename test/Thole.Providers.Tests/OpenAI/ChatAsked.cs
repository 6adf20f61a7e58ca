using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.OpenAI;
using Thole.Testing.Models;

namespace Thole.Providers.Tests.OpenAI;

/// <summary>Asks in chat completions.</summary>
internal static class ChatAsked
{
    public const string Key = Asked.Key;

    private static readonly Asking s_asking = new(OpenAIProvider.Definition);

    public static EndpointOptions Options(Uri? address = null) => s_asking.Options(address);

    public static IModel Model(EndpointOptions options, Func<HttpMessageInvoker> http, TimeProvider time) =>
        s_asking.Model(options, http, time);

    public static ModelRequest Request(params IReadOnlyList<ContextItem> items) => Asked.Request(items);

    public static Task<Asked> AskAsync(IModel model, ModelRequest? request = null) => Asked.AskAsync(model, request);

    public static Task<Asked> AskAsync(ScriptedModelServer server, ModelRequest? request = null) =>
        s_asking.AskAsync(server, request);

    public static Task<Asked> AskAsync(byte[] answer, Func<int>? pieceSize = null, EndpointOptions? options = null) =>
        s_asking.AskAsync(answer, pieceSize, options);

    public static Task<Asked> AskAsync(string answer) => s_asking.AskAsync(answer);

    public static void AssertHidesKey(string text) => Asked.AssertHidesKey(text);
}
