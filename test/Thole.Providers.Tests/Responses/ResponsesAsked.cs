using System.Text;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;
using Thole.Providers.Responses;

namespace Thole.Providers.Tests.Responses;

/// <summary>Asks in Responses.</summary>
internal static class ResponsesAsked
{
    private static readonly Asking s_asking = new(ResponsesProvider.Definition);

    public static EndpointOptions Options(string address = "http://model.test/v1") => s_asking.Options(new Uri(address));

    public static Task<Asked> AskAsync(params string[] stream) => s_asking.AskAsync(string.Concat(stream));

    /// <summary>One event, named by its type as they are.</summary>
    public static string Event(string data) => $"data: {data}\n\n";

    /// <summary>The end, with such a list of all output.</summary>
    public static string Completed(string output = "[]") =>
        Event($$$"""{"type":"response.completed","response":{"status":"completed","error":null,"output":{{{output}}}}}""");

    public static string Text(string piece, int place = 0) =>
        Event($$"""{"type":"response.output_text.delta","output_index":{{place}},"content_index":0,"delta":"{{piece}}"}""");

    public static async Task<string> WriteAsync(
        IReadOnlyList<ContextItem> items,
        EndpointOptions? options = null,
        string model = "scripted"
    )
    {
        var output = new PooledBuffer();
        var request = new ModelRequest
        {
            Model = model,
            System = "You are a test.",
            Items = items,
            Tools =
            [
                new ToolDefinition(
                    "read_file",
                    "Reads.",
                    """{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"""
                ),
            ],
            CacheKey = "session",
            ReadBlob = static (blob, _) => new ValueTask<byte[]?>(blob.Value == "blob" ? [1, 2, 3] : null),
        };
        options ??= Options();
        await ResponsesProvider
            .Definition.Wire(options, model)
            .WriteAsync(request, output, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(output.Written.Span);
    }
}
