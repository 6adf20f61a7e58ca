using Thole.Core.Models;
using Thole.Providers.Tests.OpenAI;
using Thole.Testing.Models;

namespace Thole.Providers.Tests;

public sealed class ProviderCatalogSpecs
{
    [Theory]
    [InlineData("gpt-5", "openai/gpt-5", "gpt-5")]
    [InlineData("openai/gpt-5", "openai/gpt-5", "gpt-5")]
    [InlineData("openai/Qwen/Qwen3", "openai/Qwen/Qwen3", "Qwen/Qwen3")]
    [InlineData("Qwen/Qwen3", "openai/Qwen/Qwen3", "Qwen/Qwen3")]
    [InlineData(" openai/openai/gpt-5 ", "openai/openai/gpt-5", "openai/gpt-5")]
    public void The_first_part_of_a_name_is_a_provider_only_where_one_is_known(string name, string full, string model)
    {
        using var catalog = Catalog(new() { ["OPENAI_API_KEY"] = ChatAsked.Key });

        var found = catalog.Find(name);

        Assert.Equal((full, model), (found.Name, found.Model));
    }

    [Theory]
    [InlineData("")]
    [InlineData("openai/")]
    public void A_name_without_a_model_is_refused(string name)
    {
        using var catalog = Catalog(new() { ["OPENAI_API_KEY"] = ChatAsked.Key });

        Assert.Equal(ModelFailure.UnknownModel, Assert.Throws<ModelException>(() => catalog.Find(name)).Failure);
    }

    [Fact]
    public void Without_a_key_there_is_one_sentence_with_the_cure()
    {
        using var catalog = Catalog([]);

        var failed = Assert.Throws<ModelException>(() => catalog.Find("gpt-5"));

        Assert.Equal(ModelFailure.Unauthorized, failed.Failure);
        Assert.Equal(
            "There is no key for openai: run 'thole auth openai', or set OPENAI_API_KEY or providers.openai.apiKey in your settings.",
            failed.Message
        );
    }

    [Theory]
    [InlineData("not an address")]
    [InlineData("ftp://host/v1")]
    [InlineData("/v1")]
    public void A_base_address_that_is_none_is_refused(string address)
    {
        using var catalog = Catalog(new() { ["OPENAI_BASE_URL"] = address, ["OPENAI_API_KEY"] = ChatAsked.Key });

        var failed = Assert.Throws<ModelException>(() => catalog.Find("gpt-5"));

        Assert.Equal($"\"{address}\" is no http or https address: correct OPENAI_BASE_URL or the settings.", failed.Message);
    }

    [Fact]
    public async Task A_server_on_loopback_needs_no_key()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Done());
        using var catalog = Catalog(new() { ["OPENAI_BASE_URL"] = server.BaseAddress.ToString() });

        var asked = await ChatAsked.AskAsync(catalog.Find("anything").Client);

        Assert.Equal("Hi.", asked.Text);
        Assert.DoesNotContain("Authorization", server.Requests[0].Headers.Keys);
        Assert.False(server.Requests[0].Json.TryGetProperty("max_tokens", out _));
    }

    [Fact]
    public async Task Settings_go_over_the_environment_and_over_what_is_known_of_a_model()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Status(500)).Reply(reply => reply.Status(503));
        using var catalog = Catalog(
            new() { ["OPENAI_BASE_URL"] = "http://nobody.invalid", ["OPENAI_API_KEY"] = "sk-another" },
            new ProviderSettings
            {
                BaseUrl = server.BaseAddress.ToString(),
                ApiKey = ChatAsked.Key,
                Defaults = new()
                {
                    ContextWindow = 1000,
                    MaxOutput = 100,
                    Retries = 0,
                    Headers = new Dictionary<string, string> { ["X-A"] = "b" },
                },
            }
        );

        var found = catalog.Find("gpt-5");
        var asked = await ChatAsked.AskAsync(found.Client);

        Assert.Equal(new ModelLimits(1000, 100), found.Limits);
        Assert.Equal(ModelFailure.Overloaded, asked.Failure!.Failure);
        var request = Assert.Single(server.Requests);
        Assert.Equal(($"Bearer {ChatAsked.Key}", "b"), (request.Headers["Authorization"], request.Headers["X-A"]));
        Assert.Equal(100, request.Json.GetProperty("max_tokens").GetInt64());
    }

    [Theory]
    [InlineData("gpt-5.1-codex", 272_000)]
    [InlineData("Qwen/Qwen3-Coder-480B", 262_144)]
    [InlineData("z-ai/GLM-5.2", 1_000_000)]
    [InlineData("nobody-knows", 200_000)]
    public void Sizes_are_known_by_the_beginning_of_a_name(string model, long window)
    {
        using var catalog = Catalog(new() { ["OPENAI_API_KEY"] = ChatAsked.Key });

        Assert.Equal(window, catalog.Find(model).Limits.ContextWindow);
    }

    [Fact]
    public async Task What_is_set_for_a_model_goes_over_its_provider_and_over_what_we_know()
    {
        await using var server = ScriptedModelServer.Start();
        server.ReplyOtherwise(reply => reply.Text("Hi.").Done());
        using var catalog = Catalog(
            new() { ["MODELSCOPE_API_KEY"] = ChatAsked.Key },
            new ProviderSettings
            {
                BaseUrl = server.BaseAddress.ToString(),
                Defaults = new() { MaxOutput = 100, Retries = 0 },
                Models = new Dictionary<string, ModelSettings>
                {
                    ["Qwen/Qwen3.5-397B-A17B"] = new() { MaxOutput = 50, Price = new ModelPrice(1, 2) },
                },
            },
            "modelscope"
        );

        var set = catalog.Find("modelscope/Qwen/Qwen3.5-397B-A17B");
        var other = catalog.Find("modelscope/deepseek-ai/DeepSeek-V4-Flash");

        Assert.Equal((new ModelLimits(1_000_000, 50), Modalities.Image), (set.Limits, set.Takes));
        Assert.Equal((new ModelLimits(1_000_000, 100), Modalities.None), (other.Limits, other.Takes));
        Assert.Equal((new ModelPrice(1, 2), ModelPrice.Free), (set.Price, other.Price)); // the second is on loopback here
    }

    [Fact]
    public async Task A_provider_of_the_users_own_has_its_address_its_key_and_its_protocol()
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text("Hi.").Done());
        using var catalog = Catalog(
            new() { ["MY_HOST_API_KEY"] = ChatAsked.Key },
            new ProviderSettings { Protocol = "openai", BaseUrl = server.BaseAddress.ToString() },
            "my-host"
        );

        var asked = await ChatAsked.AskAsync(catalog.Find("my-host/some/model").Client);

        Assert.Equal("Hi.", asked.Text);
        Assert.Equal($"Bearer {ChatAsked.Key}", server.Requests[0].Headers["Authorization"]);
    }

    [Fact]
    public void A_protocol_that_nobody_speaks_is_refused_with_those_that_there_are()
    {
        var failed = Assert.Throws<ModelException>(() => Catalog([], new ProviderSettings { Protocol = "soap" }, "mine"));

        Assert.StartsWith(
            "providers.mine.protocol is \"soap\", which nobody here speaks: it must be one of openai,",
            failed.Message
        );
    }

    [Fact]
    public void A_stored_key_is_asked_for_last_and_never_for_this_machine()
    {
        List<string> asked = [];
        using var catalog = new ProviderCatalog(
            new Dictionary<string, ProviderSettings>(),
            name => name is "DEEPSEEK_API_KEY" ? "of-the-environment" : null,
            TimeProvider.System,
            new Random(1),
            provider =>
            {
                asked.Add(provider);
                return provider is "openai" ? "of-the-keyring" : null;
            }
        );

        catalog.Find("openai/gpt-5");
        catalog.Find("deepseek/deepseek-chat");
        Assert.True(catalog.Find("ollama/qwen3-coder").IsLocal);
        Assert.Throws<ModelException>(() => catalog.Find("mistral/x"));

        Assert.Equal(["openai", "mistral"], asked);
    }

    [Fact]
    public void One_account_has_one_key_whatever_is_spoken_with_it_but_at_no_other_address()
    {
        Func<string, string?> ofOpenAI = static provider => provider is "openai" ? "of-the-keyring" : null;
        using var same = new ProviderCatalog(
            new Dictionary<string, ProviderSettings>(),
            static _ => null,
            TimeProvider.System,
            new Random(1),
            ofOpenAI
        );
        using var elsewhere = new ProviderCatalog(
            new Dictionary<string, ProviderSettings> { ["openai-responses"] = new() { BaseUrl = "https://gateway.test/v1" } },
            static _ => null,
            TimeProvider.System,
            new Random(1),
            ofOpenAI
        );

        same.Find("openai-responses/gpt-5");
        Assert.Throws<ModelException>(() => elsewhere.Find("openai-responses/gpt-5"));
    }

    private static ProviderCatalog Catalog(
        Dictionary<string, string> environment,
        ProviderSettings? settings = null,
        string provider = "openai"
    ) =>
        new(
            settings is null
                ? new Dictionary<string, ProviderSettings>()
                : new Dictionary<string, ProviderSettings> { [provider] = settings },
            environment.GetValueOrDefault,
            TimeProvider.System,
            new Random(1)
        );
}
