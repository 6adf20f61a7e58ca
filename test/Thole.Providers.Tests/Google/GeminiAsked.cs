using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.Endpoints;
using Thole.Providers.Google;

namespace Thole.Providers.Tests.Google;

/// <summary>Asks as Gemini is asked.</summary>
internal static class GeminiAsked
{
    public static Asking Asking { get; } = new(GeminiProvider.Definition);

    public static EndpointOptions Options { get; } = Asking.Options(new Uri("https://gemini.test"));

    /// <summary>What comes of an answer in these events.</summary>
    public static Task<Asked> AnswerAsync(params string[] chunks) =>
        Asking.AskAsync(string.Concat(chunks.Select(static chunk => $"data: {chunk}\n\n")));

    public static string Parts(string parts, string? finish = null) =>
        $$"""{"candidates":[{"content":{"parts":[{{parts}}],"role":"model"},"index":0{{(finish is null ? "" : $",\"finishReason\":\"{finish}\"")}}}]}""";

    public static async Task<string> BodyAsync(
        IReadOnlyList<ContextItem> items,
        string model = "scripted",
        EndpointOptions? options = null,
        IReadOnlyList<ToolDefinition>? tools = null
    )
    {
        var body = new PooledBuffer();
        var request = new ModelRequest
        {
            Model = model,
            System = "You are a test.",
            Items = items,
            Tools = tools ?? [],
            CacheKey = "session",
            ReadBlob = static (blob, _) => new ValueTask<byte[]?>(blob.Value == "blob" ? [1, 2, 3] : null),
        };
        var wire = GeminiProvider.Definition.Wire(options ?? Options, model);
        await wire.WriteAsync(request, body, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(body.Written.Span);
    }

    /// <summary>The contents of a body, one line each: its role, and its parts as JSON.</summary>
    public static async Task<IReadOnlyList<string>> ContentsAsync(IReadOnlyList<ContextItem> items, string model = "scripted") =>
        [
            .. JsonDocument
                .Parse(await BodyAsync(items, model))
                .RootElement.GetProperty("contents")
                .EnumerateArray()
                .Select(static content =>
                    $"{content.GetProperty("role").GetString()} {content.GetProperty("parts").GetRawText()}"
                ),
        ];
}
