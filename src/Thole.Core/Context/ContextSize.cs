using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Core.Context;

/// <summary>
/// How many tokens the next request has: what the provider counted last, and an estimate of what came since. There is no
/// tokenizer of every model; four bytes a token is the usual rule, and the provider's own count corrects it at each step.
/// </summary>
internal static class ContextSize
{
    private const int BytesPerToken = 4;

    /// <summary>An image costs what a large one costs at the providers that say.</summary>
    private const int TokensPerImage = 1_600;

    /// <summary>A page of a document costs about as much as an image; how many there are is not known here.</summary>
    private const int TokensPerFile = 16_000;

    public static long Of(ContextState context, long fixedBytes) =>
        context.CountedThrough == 0
            ? (fixedBytes + context.System.Length) / BytesPerToken + context.Items.Sum(Of)
            : context.Tokens + context.Items.Where(item => item.Sequence > context.CountedThrough).Sum(Of);

    /// <summary>Of any request, by what it holds.</summary>
    public static long Of(ModelRequest request) =>
        OfLength(request.System.Length + request.Tools.Sum(static tool => (long)tool.Schema.Length + tool.Description.Length))
        + request.Items.Sum(Of);

    /// <summary>Of a text of so many characters.</summary>
    public static long OfLength(long characters) => characters / BytesPerToken + 1;

    public static long Of(ContextItem item) =>
        item switch
        {
            UserItem user => user.Content.Sum(Of),
            NoteItem note => Of(note.Text),
            AssistantItem message => Of(message.Text)
                + Of(message.Reasoning)
                + message.Calls.Sum(call => Of(call.Arguments) + Of(call.Tool) + 8),
            ResultItem result => Of(result.Result.Text) + result.Result.Images.Count * TokensPerImage,
            _ => 0,
        };

    private static long Of(Content content) =>
        content switch
        {
            TextContent text => Of(text.Text),
            ImageContent => TokensPerImage,
            FileContent => TokensPerFile,
            _ => 0,
        };

    // UTF-8 without counting: exact for ASCII, and what is not ASCII costs more tokens a character anyway.
    private static long Of(string text) => OfLength(text.Length);
}
