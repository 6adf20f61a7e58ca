using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Text;
using Microsoft.Extensions.AI;
using OpenAI;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing.Models;
using TextContent = Thole.Protocol.TextContent;

namespace Thole.Extensions.AI.Tests;

public sealed class ChatClientModelSpecs
{
    private const string Schema = """{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}""";

    private static readonly ToolCall s_read = new(
        new CallId("c1"),
        "read_file",
        """{"path":"a.cs","n":[1,{"x":null}]}""",
        "id_1"
    );

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_others_wrote_works_as_a_model_with_tools_results_and_images()
    {
        await using var server = ScriptedModelServer.Start();
        server
            .Reply(reply =>
                reply
                    .Text("I look. ")
                    .Call("read_file", """{"path":"ä \"b\".cs"}""", "id_a")
                    .Call("read_file", "{}", "id_b")
                    .Usage(1100, 70, 1000)
                    .Done()
            )
            .Reply(reply => reply.Text("Done.").Done());
        var model = new ChatClientModel(OpenAI(server));

        var asked = await AskAsync(
            model,
            new UserItem(1, [new TextContent("See:"), new ImageContent("image/png", new BlobId("i"))])
        );
        var again = await AskAsync(
            model,
            new UserItem(1, [new TextContent("Look.")]),
            new AssistantItem(2, "I look.", "Hm.", [s_read], "other/model", null),
            new NoteItem(3, "AGENTS.md", "Be kind."),
            new ResultItem(4, s_read.Id, "id_1", "read_file", CallOutcome.Succeeded, ToolResult.Ok("class A;"))
        );

        Assert.Equal("I look. ", string.Concat(asked.OfType<TextDelta>().Select(said => said.Text)));
        Assert.Equal(
            [("id_a", "read_file", """{"path":"ä \"b\".cs"}"""), ("id_b", "read_file", "{}")],
            asked.OfType<CallProposed>().Select(call => (call.ProviderId!, call.Name, Compact(call.Arguments)))
        );
        Assert.Equal((1100, 70, 1000), Counted(asked));
        Assert.Contains(Convert.ToBase64String("i"u8), server.Requests[0].Text);
        Assert.Equal(["read_file"], server.Requests[0].ToolNames);
        Assert.Equal("Done.", string.Concat(again.OfType<TextDelta>().Select(said => said.Text)));
        Assert.Equal(
            ["system", "user", "assistant", "tool", "user"],
            server.Requests[1].Messages.Select(message => message.GetProperty("role").GetString())
        );
        Assert.Equal("id_1", server.Requests[1].Messages[3].GetProperty("tool_call_id").GetString());
        var function = server.Requests[1].Messages[2].GetProperty("tool_calls")[0].GetProperty("function");
        Assert.Equal(s_read.Arguments, Compact(function.GetProperty("arguments").GetString()!));
    }

    [Theory]
    [InlineData(429, ModelFailure.RateLimited)]
    [InlineData(503, ModelFailure.Overloaded)]
    [InlineData(401, ModelFailure.Unauthorized)]
    public async Task A_refusal_means_what_it_means_for_every_provider(int status, ModelFailure failure)
    {
        var model = new ChatClientModel(
            new FakeClient(_ => throw new HttpRequestException("no\e[31m", null, (HttpStatusCode)status))
        );

        var failed = await Assert.ThrowsAsync<ModelException>(() => AskAsync(model, new UserItem(1, [new TextContent("x")])));

        Assert.Equal(failure, failed.Failure);
        Assert.DoesNotContain('\e', failed.Message);
    }

    [Fact]
    public async Task Who_ends_without_a_word_has_failed_and_who_cancels_is_not_told_of_a_failure()
    {
        var silent = new ChatClientModel(new FakeClient(_ => []));
        var failed = await Assert.ThrowsAsync<ModelException>(() => AskAsync(silent, new UserItem(1, [new TextContent("x")])));
        Assert.Equal(ModelFailure.StreamError, failed.Failure);

        using var cancelling = new CancellationTokenSource();
        var leaving = new ChatClientModel(
            new FakeClient(_ =>
            {
                cancelling.Cancel();
                throw new OperationCanceledException(cancelling.Token);
            })
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in leaving.StreamAsync(Request(new UserItem(1, [new TextContent("x")])), cancelling.Token)) { }
        });
    }

    [Fact]
    public async Task An_answer_that_was_cut_proposes_its_last_call_as_one_that_must_not_run()
    {
        var model = new ChatClientModel(
            new FakeClient(_ =>
                [
                    new ChatResponseUpdate(
                        ChatRole.Assistant,
                        [new FunctionCallContent("a", "first"), new FunctionCallContent("b", "second")]
                    ),
                    new ChatResponseUpdate { FinishReason = ChatFinishReason.Length },
                ]
            )
        );

        var said = await AskAsync(model, new UserItem(1, [new TextContent("x")]));

        var calls = said.OfType<CallProposed>().ToList();
        Assert.Null(calls[0].Problem);
        Assert.NotNull(calls[1].Problem);
        Assert.Equal(StopReason.OutputLimit, Assert.IsType<ModelFinished>(said[^1]).Stop);
    }

    private static string Compact(string json) => System.Text.Json.Nodes.JsonNode.Parse(json)!.ToJsonString(s_compact);

    private static readonly System.Text.Json.JsonSerializerOptions s_compact = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static (long?, long?, long?) Counted(IReadOnlyList<ModelEvent> said)
    {
        var usage = said.OfType<ModelFinished>().Single().Usage;
        return (usage.InputTokens, usage.OutputTokens, usage.CachedTokens);
    }

    private static IChatClient OpenAI(ScriptedModelServer server) =>
        new OpenAIClient(
            new ApiKeyCredential("key"),
            new OpenAIClientOptions { Endpoint = server.BaseAddress, RetryPolicy = new ClientRetryPolicy(0) }
        )
            .GetChatClient("scripted")
            .AsIChatClient();

    private static async Task<IReadOnlyList<ModelEvent>> AskAsync(IModel model, params ContextItem[] items)
    {
        List<ModelEvent> said = [];
        await foreach (var one in model.StreamAsync(Request(items), Now))
        {
            said.Add(one);
        }

        return said;
    }

    private static ModelRequest Request(params ContextItem[] items) =>
        new()
        {
            Model = "scripted",
            System = "You are a test.",
            Items = items,
            Tools = [new ToolDefinition("read_file", "Reads.", Schema)],
            ReadBlob = static (blob, _) => new ValueTask<byte[]?>(Encoding.UTF8.GetBytes(blob.Value)),
        };

    private sealed class FakeClient(Func<IEnumerable<ChatMessage>, IEnumerable<ChatResponseUpdate>> answer) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            CancellationToken cancellationToken = default
        ) => throw new NotSupportedException("The model streams.");

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default
        )
        {
            await Task.Yield();
            foreach (var update in answer(messages))
            {
                yield return update;
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }
    }
}
