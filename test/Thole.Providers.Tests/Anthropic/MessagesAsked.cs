using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Anthropic;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Tests.Anthropic;

/// <summary>Asks in Anthropic's messages.</summary>
internal static class MessagesAsked
{
    public const string Schema = """{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}""";

    public static Asking To { get; } = new(AnthropicProvider.Definition);

    public static EndpointOptions Options { get; } = To.Options();

    public static Task<Asked> AskAsync(params string[] events) => To.AskAsync(string.Concat(events));

    /// <summary>An event of the stream; its name is the type of its data.</summary>
    public static string Event(string data) =>
        $"event: {JsonDocument.Parse(data).RootElement.GetProperty("type").GetString()}\ndata: {data}\n\n";

    public static string Begin(string usage = """{"input_tokens":10,"output_tokens":1}""") =>
        Event(
            $$$"""{"type":"message_start","message":{"role":"assistant","content":[],"stop_reason":null,"usage":{{{usage}}}}}"""
        );

    public static string Start(int index, string block) =>
        Event($$"""{"type":"content_block_start","index":{{index}},"content_block":{{block}}}""");

    public static string Delta(int index, string delta) =>
        Event($$"""{"type":"content_block_delta","index":{{index}},"delta":{{delta}}}""");

    public static string Stop(int index) => Event($$"""{"type":"content_block_stop","index":{{index}}}""");

    public static string Text(int index, string text) =>
        Start(index, """{"type":"text","text":""}""")
        + Delta(index, $$"""{"type":"text_delta","text":"{{text}}"}""")
        + Stop(index);

    public static string Thinking(int index, string text, string signature) =>
        Start(index, """{"type":"thinking","thinking":"","signature":""}""")
        + Delta(index, $$"""{"type":"thinking_delta","thinking":"{{text}}"}""")
        + Delta(index, $$"""{"type":"signature_delta","signature":"{{signature}}"}""")
        + Stop(index);

    /// <param name="pieces">As they stand between quotes.</param>
    public static string Call(int index, string id, string name, params string[] pieces) =>
        Start(index, $$$"""{"type":"tool_use","id":"{{{id}}}","name":"{{{name}}}","input":{}}""")
        + string.Concat(pieces.Select(piece => Delta(index, $$"""{"type":"input_json_delta","partial_json":"{{piece}}"}""")))
        + Stop(index);

    public static string End(string reason = "end_turn", string usage = """{"output_tokens":5}""") =>
        Event($$$"""{"type":"message_delta","delta":{"stop_reason":"{{{reason}}}","stop_sequence":null},"usage":{{{usage}}}}""")
        + EndMark;

    public static string EndMark => Event("""{"type":"message_stop"}""");

    public static void AssertCalls(Asked asked, params (string?, string, string)[] expected)
    {
        Assert.Null(asked.Failure);
        Assert.Equal(expected, asked.Calls.Select(call => (call.ProviderId, call.Name, call.Arguments)));
        Assert.All(asked.Calls, call => Assert.Null(call.Problem));
    }

    public static async Task<IReadOnlyList<JsonElement>> MessagesAsync(params IReadOnlyList<ContextItem> items) =>
        [.. (await BodyAsync(items)).GetProperty("messages").EnumerateArray()];

    public static async Task<JsonElement> BodyAsync(
        IReadOnlyList<ContextItem> items,
        EndpointOptions? options = null,
        string model = "scripted"
    ) => JsonDocument.Parse(await WriteAsync(items, options, model)).RootElement;

    /// <summary>Without marks for the cache, where the options do not say otherwise.</summary>
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
            Tools = [new ToolDefinition("list_directory", "Lists.", "{}"), new ToolDefinition("read_file", "Reads.", Schema)],
            CacheKey = "session",
            ReadBlob = static (blob, _) => new ValueTask<byte[]?>(s_blobs.GetValueOrDefault(blob.Value)),
        };
        options ??= Options with { MaxOutput = 32000, CacheControl = false };
        await new MessagesWire(options, model).WriteAsync(request, output, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(output.Written.Span);
    }

    private static readonly Dictionary<string, byte[]> s_blobs = new()
    {
        ["blob"] = [1, 2, 3],
        ["jpeg"] = [0xff, 0xd8, 0xff, 0xe0],
        ["huge"] = new byte[4 * 1024 * 1024],
        ["empty"] = [],
    };

    public static UserItem User(string text) => new(1, [new TextContent(text)]);

    public static ResultItem Result(ToolCall call, string text) =>
        new(1, call.Id, call.ProviderId, call.Tool, CallOutcome.Succeeded, ToolResult.Ok(text));
}
