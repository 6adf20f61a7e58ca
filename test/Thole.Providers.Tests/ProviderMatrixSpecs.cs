using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.Providers.Tests;

/// <summary>
/// What must hold of every provider there is, asked through the catalogue over a socket. A new provider is in here without a change:
/// the scripted server speaks what is spoken where the request went.
/// </summary>
public sealed class ProviderMatrixSpecs : IAsyncDisposable
{
    private const string Key = "key-0123456789-secret";
    private const string Schema = """{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}""";

    private static readonly ToolCall s_read = new(new CallId("c1"), "read_file", """{"path":"a.cs"}""", "id_1");
    private static readonly ToolCall s_list = new(new CallId("c2"), "list_directory", """{"path":"src"}""", "id_2");

    private readonly ScriptedModelServer _server = ScriptedModelServer.Start();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public static TheoryData<string> Providers() => new(ProviderCatalog.All.Select(provider => provider.Name));

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Text_and_reasoning_come_in_pieces_and_end(string provider)
    {
        _server.Reply(reply => reply.Reasoning("Let me see. ").Text("Here it is: naïve 😀 \"quoted\" \\ \n done.").Done());

        var asked = await AskAsync(provider, User("Where is it?"));

        Assert.Null(asked.Failure);
        Assert.Equal("Let me see. ", asked.Reasoning);
        Assert.Equal("Here it is: naïve 😀 \"quoted\" \\ \n done.", asked.Text);
        Assert.True(asked.Events.OfType<TextDelta>().Count() > 3);
        Assert.Equal(StopReason.Done, asked.Finished!.Stop);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_request_carries_what_is_asked_and_the_key_in_a_header_alone(string provider)
    {
        _server.Reply(reply => reply.Text("Yes.").Done());

        await AskAsync(provider, User("A question with ünïcode 😀 and a lone \ud83d half."));

        var request = Assert.Single(_server.Requests);
        Assert.Equal("POST", request.Method);
        Assert.Contains(request.Headers.Values, value => value.Contains(Key, StringComparison.Ordinal));
        Assert.DoesNotContain(Key, request.Text);
        Assert.DoesNotContain(Key, request.Path);
        var strings = Strings(request.Json).ToList();
        Assert.Contains("A question with ünïcode 😀 and a lone \ufffd half.", strings);
        Assert.Contains("You are a test.", strings);
        Assert.Contains("read_file", strings);
        Assert.Contains("Reads a file.", strings);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Parallel_calls_come_whole_and_in_order(string provider)
    {
        _server.Reply(reply =>
            reply
                .Text("I look.")
                .Call("read_file", """{"path":"ä \"b\".cs"}""", "id_a")
                .Call("list_directory", """{"path":"src","deep":[1,{"x":null}]}""", "id_b")
                .Call("read_file", "{}", "id_c")
                .Done()
        );

        var asked = await AskAsync(provider, User("Look."));

        Assert.Null(asked.Failure);
        Assert.Equal(["read_file", "list_directory", "read_file"], asked.Calls.Select(call => call.Name));
        Assert.All(asked.Calls, call => Assert.Null(call.Problem));
        Assert.Equal("ä \"b\".cs", Parse(asked.Calls[0]).GetProperty("path").GetString());
        Assert.Equal(1, Parse(asked.Calls[1]).GetProperty("deep")[0].GetInt32());
        Assert.Empty(Parse(asked.Calls[2]).EnumerateObject());
        Assert.Equal(3, asked.Calls.Select(call => call.ProviderId).Distinct().Count());
        Assert.Equal(StopReason.Done, asked.Finished!.Stop);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Calls_and_their_results_are_sent_back_together(string provider)
    {
        _server.Reply(reply => reply.Text("Good.").Done());

        await AskAsync(
            provider,
            User("Look."),
            new AssistantItem(2, "I look.", "Hm.", [s_read, s_list], "other/model", null),
            new ResultItem(3, s_read.Id, "id_1", "read_file", CallOutcome.Succeeded, ToolResult.Ok("class A;")),
            new NoteItem(4, "AGENTS.md", "Be kind."),
            new ResultItem(5, s_list.Id, "id_2", "list_directory", CallOutcome.Failed, ToolResult.Failed("not_found", "No src."))
        );

        var body = _server.Requests[0].Text;
        Assert.Equal(
            ["Look.", "I look.", "a.cs", "class A;", "No src.", "Be kind."],
            new[] { "Look.", "I look.", "a.cs", "class A;", "No src.", "Be kind." }.OrderBy(text =>
                body.IndexOf(text, StringComparison.Ordinal)
            )
        );
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_call_without_a_result_is_given_one_and_a_result_without_a_call_is_left_out(string provider)
    {
        _server.Reply(reply => reply.Text("Good.").Done());

        await AskAsync(
            provider,
            new ResultItem(1, new CallId("gone"), "id_0", "x", CallOutcome.Succeeded, ToolResult.Ok("of before the compaction")),
            User("Look."),
            new AssistantItem(2, "", "", [s_read], "other/model", null),
            User("And now?")
        );

        var body = _server.Requests[0].Text;
        Assert.Contains("This call has no result: it was interrupted.", body);
        Assert.DoesNotContain("of before the compaction", body);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Images_are_sent_of_prompts_and_of_results(string provider)
    {
        _server.Reply(reply => reply.Text("Pretty.").Done());
        var result = ToolResult.Ok("an image") with { Images = [new ImageContent("image/png", new BlobId("second"))] };

        await AskAsync(
            provider,
            new UserItem(1, [new TextContent("See:"), new ImageContent("image/png", new BlobId("first"))]),
            new AssistantItem(2, "", "", [s_read], "other/model", null),
            new ResultItem(3, s_read.Id, "id_1", "read_file", CallOutcome.Succeeded, result),
            new UserItem(4, [new ImageContent("image/png", new BlobId("gone"))])
        );

        var body = _server.Requests[0].Text;
        Assert.Contains(Convert.ToBase64String("first"u8), body);
        Assert.Contains(Convert.ToBase64String("second"u8), body);
        Assert.Contains("[an image (image/png) that is no longer there]", body);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Documents_and_sounds_are_sent_where_the_wire_can_carry_them_and_named_where_not(string provider)
    {
        _server.Reply(reply => reply.Text("Read.").Done());

        await AskAsync(
            provider,
            new UserItem(
                1,
                [
                    new TextContent("Read:"),
                    new FileContent("application/pdf", new BlobId("document"), "plan.pdf"),
                    new FileContent("audio/wav", new BlobId("sound")),
                    new FileContent("audio/wav", new BlobId("gone")),
                ]
            )
        );

        var body = _server.Requests[0].Text;
        foreach (
            var (blob, words) in new[] { ("document", "a PDF document (application/pdf)"), ("sound", "a sound (audio/wav)") }
        )
        {
            Assert.True(
                body.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes(blob)), StringComparison.Ordinal)
                    ^ body.Contains($"[{words} that this model cannot be shown]", StringComparison.Ordinal),
                body
            );
        }

        Assert.Contains("a sound (audio/wav) that", body);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Usage_counts_all_input_and_says_how_much_of_it_came_from_a_cache(string provider)
    {
        _server.Reply(reply => reply.Text("Yes.").Usage(input: 1100, output: 70, cached: 1000).Done());

        var usage = (await AskAsync(provider, User("Count."))).Finished!.Usage;

        Assert.Equal((1100, 70, 1000), (usage.InputTokens, usage.OutputTokens, usage.CachedTokens));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_same_context_gives_the_same_bytes_and_what_grows_comes_last(string provider)
    {
        _server.ReplyOtherwise(reply => reply.Text("Yes.").Done());
        List<ContextItem> items = [User("Go.")];

        await AskAsync(provider, [.. items]);
        await AskAsync(provider, [.. items]);
        items.Add(new AssistantItem(2, "Yes.", "", [], "other/model", null));
        items.Add(User("On."));
        await AskAsync(provider, [.. items]);

        Assert.Equal(_server.Requests[0].Text, _server.Requests[1].Text);
        var (before, now) = (_server.Requests[0].Text, _server.Requests[2].Text);
        var common = before.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.True(common >= before.IndexOf("Go.", StringComparison.Ordinal), $"only {common} of {before.Length} are the same");
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_connection_that_breaks_is_a_cut_and_proposes_no_call(string provider)
    {
        _server
            .Reply(reply => reply.Text("I look. ").Call("read_file", """{"path":"a.cs"}""").Cut())
            .Reply(reply => reply.Text("I look. ").Call("read_file", """{"path":"a.cs"}"""));

        for (var way = 0; way < 2; way++)
        {
            var asked = await AskAsync(provider, User("Look."));

            Assert.Equal(ModelFailure.StreamCut, asked.Failure!.Failure);
            Assert.Empty(asked.Calls);
            Assert.Equal("I look. ", asked.Text);
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task An_error_inside_the_stream_is_a_failure_with_its_words_and_without_the_key(string provider)
    {
        _server
            .Reply(reply => reply.Text("I look. ").Error($"Overloaded, said {Key}", "overloaded_error"))
            .Reply(reply => reply.Error("slow down", "rate_limit_error"));

        var overloaded = (await AskAsync(provider, User("Look."))).Failure!;
        var slowDown = (await AskAsync(provider, User("Look."))).Failure!;

        Assert.Equal(ModelFailure.Overloaded, overloaded.Failure);
        Assert.Contains("Overloaded, said ***", overloaded.Message);
        Assert.DoesNotContain(Key, Encoding.Latin1.GetString(overloaded.Raw.Span));
        Assert.Equal(ModelFailure.RateLimited, slowDown.Failure);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_context_that_is_too_long_a_wrong_key_and_no_money_are_told_apart(string provider)
    {
        _server
            .Reply(reply => reply.Status(400, """{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}"""))
            .Reply(reply => reply.Status(401, """{"error":{"message":"no"}}"""))
            .Reply(reply => reply.Status(402, """{"error":{"message":"pay"}}"""))
            .Reply(reply => reply.Status(404, """{"error":{"message":"model: scripted"}}"""));
        List<ModelFailure> failures = [];
        for (var request = 0; request < 4; request++)
        {
            failures.Add((await AskAsync(provider, User("Look."))).Failure!.Failure);
        }

        Assert.Equal(
            [ModelFailure.ContextOverflow, ModelFailure.Unauthorized, ModelFailure.QuotaExhausted, ModelFailure.UnknownModel],
            failures
        );
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Whoever_cancels_is_let_go_at_once_and_the_provider_hears_of_it(string provider)
    {
        _server.Reply(reply => reply.Text("I think").Hang());
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Now);
        using var catalogue = Catalogue(provider);
        var model = catalogue.Find($"{provider}/scripted");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in model.Client.StreamAsync(Request(model, [User("Look.")]), cancelling.Token))
            {
                await cancelling.CancelAsync();
            }
        });

        await _server.Requests[0].Abandoned.WaitAsync(Now);
    }

    private static UserItem User(string text) => new(1, [new TextContent(text)]);

    private static JsonElement Parse(CallProposed call) => JsonDocument.Parse(call.Arguments).RootElement;

    private static IEnumerable<string> Strings(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.String => [element.GetString()!],
            JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
            JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Strings(property.Value)),
            _ => [],
        };

    private async Task<Asked> AskAsync(string provider, params IReadOnlyList<ContextItem> items)
    {
        using var catalogue = Catalogue(provider);
        var model = catalogue.Find($"{provider}/scripted");
        return await Asked.AskAsync(model.Client, Request(model, items));
    }

    private ProviderCatalog Catalogue(string provider) =>
        new(
            new Dictionary<string, ProviderSettings>
            {
                [provider] = new()
                {
                    BaseUrl = _server.BaseAddress.ToString(),
                    ApiKey = Key,
                    Defaults = new() { Retries = 0, Takes = Modalities.Image | Modalities.Pdf | Modalities.Audio },
                },
            },
            static _ => null,
            TimeProvider.System,
            Random.Shared
        );

    private static ModelRequest Request(ModelEndpoint model, IReadOnlyList<ContextItem> items) =>
        new()
        {
            Model = model.Model,
            System = "You are a test.",
            Items = items,
            Tools = [new ToolDefinition("read_file", "Reads a file.", Schema)],
            CacheKey = "session",
            ReadBlob = static (blob, _) =>
                new ValueTask<byte[]?>(blob.Value is "gone" ? null : Encoding.UTF8.GetBytes(blob.Value)),
        };
}
