using Thole.Core.Models;
using Thole.Providers.Listing;
using Thole.Testing.Models;

namespace Thole.Providers.Tests.Listing;

public sealed class ProviderDirectorySpecs
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("openai", "/v1", "/v1/models", "Authorization")]
    [InlineData("openai", "/v1/chat/completions", "/v1/models", "Authorization")]
    [InlineData("openai-responses", "/v1/responses?v=1", "/v1/models?v=1", "Authorization")]
    [InlineData("anthropic", "/", "/v1/models?limit=1000", "x-api-key")]
    [InlineData("anthropic", "/v1", "/v1/models?limit=1000", "x-api-key")]
    [InlineData("anthropic", "/gate/v1/messages?k=1", "/gate/v1/models?k=1&limit=1000", "x-api-key")]
    [InlineData("gemini", "/", "/v1beta/models?pageSize=1000", "x-goog-api-key")]
    [InlineData("gemini", "/v1beta", "/v1beta/models?pageSize=1000", "x-goog-api-key")]
    [InlineData("gemini", "/v1beta/models/x:streamGenerateContent?k=1", "/v1beta/models?k=1&pageSize=1000", "x-goog-api-key")]
    public async Task Each_wire_has_its_own_address_of_the_list(string provider, string path, string asked, string header)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Models("one", "two"));
        using var catalog = Catalogs.Of(new Uri(server.BaseAddress, path), provider);

        var served = await new ProviderDirectory(catalog).ServedAsync(provider, Now);

        Assert.Equal(["one", "two"], served.Select(model => model.Id));
        var request = Assert.Single(server.Requests);
        Assert.Equal(("GET", asked), (request.Method, request.Path));
        Assert.Contains(Asked.Key, request.Headers[header]);
        Assert.Equal("application/json", request.Headers["Accept"]);
    }

    [Theory]
    [InlineData("""{"data":[{"id":"a"},{"id":"a"},{"id":7},{},null,[],"b",{"name":"models/c"},{"id":""}],"x":1}""", "a,b,c")]
    [InlineData("""["a","b"]""", "a,b")]
    [InlineData("""{"models":[{"model":"a","context_length":"4096"}]}""", "a")]
    [InlineData("""{"data":[]}""", "")]
    public async Task A_list_comes_in_many_shapes(string body, string names)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Json(body));
        using var catalog = Catalogs.Of(server);

        var served = await new ProviderDirectory(catalog).ServedAsync("openai", Now);

        Assert.Equal(names, string.Join(',', served.Select(model => model.Id)));
    }

    [Theory]
    [InlineData("<html>Welcome</html>")]
    [InlineData("{}")]
    [InlineData("7")]
    [InlineData("")]
    [InlineData("""{"data":"none"}""")]
    public async Task What_is_no_list_is_said_in_a_sentence(string body)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Json(body));
        using var catalog = Catalogs.Of(server);

        var failed = await Assert.ThrowsAsync<ModelException>(() => new ProviderDirectory(catalog).ServedAsync("openai", Now));

        Assert.Contains("no list of models: check the base address", failed.Message);
    }

    [Fact]
    public async Task A_list_without_end_is_not_read_to_its_end()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Json($$"""{"data":["{{new string('x', 9 * 1024 * 1024)}}"]}"""));
        using var catalog = Catalogs.Of(server);

        await Assert.ThrowsAsync<ModelException>(() => new ProviderDirectory(catalog).ServedAsync("openai", Now));
    }

    [Fact]
    public async Task To_list_what_is_known_connects_to_nobody()
    {
        await using var server = ScriptedModelServer.Start();
        using var catalog = Catalogs.Of(server, "ollama");

        var providers = new ProviderDirectory(catalog).All();

        Assert.Contains(providers, provider => provider.Name == "anthropic" && provider.Models.Count > 0);
        Assert.Equal(KeyPlace.Settings, providers.Single(provider => provider.Name == "ollama").Key.Place);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Servers_on_this_machine_are_looked_for_on_loopback_only()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Models("qwen3-coder"));
        var nobody = new Uri("http://127.0.0.1:1/v1").ToString();
        using var catalog = new ProviderCatalog(
            new Dictionary<string, ProviderSettings>
            {
                ["ollama"] = new() { BaseUrl = server.BaseAddress.ToString() },
                ["lmstudio"] = new() { BaseUrl = "http://192.0.2.1/v1" },
                ["llamacpp"] = new() { BaseUrl = nobody },
                ["vllm"] = new() { BaseUrl = nobody },
            },
            static _ => null,
            TimeProvider.System,
            new Random(1)
        );

        var found = await new ProviderDirectory(catalog).LocalAsync(Now);

        Assert.Equal(["ollama", "llamacpp", "vllm"], found.Select(local => local.Provider));
        Assert.Equal("qwen3-coder", Assert.Single(found[0].Models!).Id);
        Assert.Null(found[1].Models);
    }

    [Fact]
    public async Task A_key_is_checked_with_the_list_and_goes_nowhere_but_into_its_header()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Models("one"));
        using var catalog = Catalogs.Of(server, "mistral");

        Assert.Null(await new ProviderDirectory(catalog).CheckKeyAsync("mistral", "sk-typed", Now));

        var request = Assert.Single(server.Requests);
        Assert.Equal("Bearer sk-typed", request.Headers["Authorization"]);
    }

    [Theory]
    [InlineData("mistral", 404)] // it has no list
    [InlineData("openrouter", 200)] // it lists to anybody
    public async Task Where_a_list_proves_nothing_one_small_question_is_asked(string provider, int status)
    {
        await using var server = ScriptedModelServer.Start();
        server
            .ReplyWhen(
                request => request.Method is "GET",
                reply => _ = status == 200 ? reply.Models("one") : reply.Status(status, "{}")
            )
            .ReplyOtherwise(reply => reply.Status(401, """{"error":{"message":"no such key"}}"""));
        using var catalog = Catalogs.Of(server, provider);

        var failed = await Assert.ThrowsAsync<ModelException>(() =>
            new ProviderDirectory(catalog).CheckKeyAsync(provider, "sk-typed", Now)
        );

        Assert.Equal(ModelFailure.Unauthorized, failed.Failure);
        Assert.Contains($"run 'thole auth {provider}'", failed.Message);
        var asked = server.Requests[^1];
        Assert.Equal(("POST", 16), (asked.Method, asked.Json.GetProperty("max_tokens").GetInt32()));
    }

    [Fact]
    public async Task An_account_without_money_has_a_good_key()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(402, """{"error":{"message":"Insufficient Balance"}}"""));
        using var catalog = Catalogs.Of(server, "deepseek");

        Assert.Contains("no quota left", await new ProviderDirectory(catalog).CheckKeyAsync("deepseek", "sk-typed", Now));
    }

    [Fact]
    public void A_description_says_from_where_each_value_comes()
    {
        using var catalog = Catalogs.Of(new Uri("https://me:secret@api.test/v1?key=secret"), set: new() { MaxOutput = 7 });

        var model = new ProviderDirectory(catalog).Describe("openai/gpt-5");

        Assert.Equal("https://api.test/v1", model.Address);
        Assert.Equal("set for the provider", model.OriginOf(known => known.MaxOutput));
        Assert.Equal("known of the model", model.OriginOf(known => known.ContextWindow));
        Assert.Equal("assumed", model.OriginOf(known => known.Reasoning));
        Assert.Equal(7, model.Limits.MaxOutput);
    }
}
