using Microsoft.Extensions.AI;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;
using TextContent = Microsoft.Extensions.AI.TextContent;

namespace Thole.Extensions.AI;

/// <summary>The context as messages: the results of calls directly after the message that asked for them, all of them, and no others.</summary>
internal static class ChatMessages
{
    public static async ValueTask<IReadOnlyList<ChatMessage>> WriteAsync(
        ModelRequest request,
        CancellationToken cancellationToken
    )
    {
        List<ChatMessage> messages = [new(ChatRole.System, request.System)];
        foreach (var passage in Passage.Arrange(request.Items, static _ => true))
        {
            switch (passage)
            {
                case UserPassage user:
                    messages.Add(new ChatMessage(ChatRole.User, await ContentsAsync(user.Content, request, cancellationToken)));
                    break;
                case AskedPassage asked:
                    messages.Add(new ChatMessage(ChatRole.Assistant, [.. Said(asked)]));
                    break;
                case ResultsPassage answered:
                    messages.Add(new ChatMessage(ChatRole.Tool, [.. answered.Results.Select(Result)]));
                    Content[] images = [.. answered.Results.SelectMany(static answer => answer.Result.Images)];
                    if (images is not [])
                    {
                        Content[] shown = [new Protocol.TextContent("Images of the tool results above:"), .. images];
                        messages.Add(new ChatMessage(ChatRole.User, await ContentsAsync(shown, request, cancellationToken)));
                    }

                    break;
            }
        }

        return messages;
    }

    private static AIContent Result(AnsweredCall answer) => new FunctionResultContent(answer.Id, answer.Result.Text);

    /// <summary>Reasoning is not sent back: whether a client's provider may see it again, and signed by whom, the client does not tell.</summary>
    private static IEnumerable<AIContent> Said(AskedPassage asked)
    {
        if (asked.Item.Text.Length > 0 || asked.Item.Calls is [])
        {
            yield return new TextContent(asked.Item.Text);
        }

        foreach (var (call, id) in asked.Item.Calls.Zip(asked.Ids))
        {
            yield return new FunctionCallContent(id, WireText.Name(call.Tool), JsonText.ToArguments(WireText.Arguments(call)));
        }
    }

    private static async ValueTask<IList<AIContent>> ContentsAsync(
        IReadOnlyList<Content> content,
        ModelRequest request,
        CancellationToken cancellationToken
    )
    {
        List<AIContent> contents = [];
        foreach (var piece in content)
        {
            contents.Add(
                piece is MediaContent media && await request.ReadBlob(media.Blob, cancellationToken) is { } bytes
                    ? new DataContent(bytes, media.MediaType)
                    : new TextContent(WireText.Of(piece))
            );
        }

        return contents;
    }
}
