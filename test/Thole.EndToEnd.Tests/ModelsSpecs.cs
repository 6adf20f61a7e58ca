using System.Text.Json;
using Thole.Testing.Models;
using static Thole.Testing.Models.ScriptedProbes;

namespace Thole.EndToEnd.Tests;

public sealed class ModelsSpecs : IAsyncDisposable
{
    private const string Key = "sk-planted-key-0123456789";

    private readonly TholeProgram _thole = new();

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Fact]
    public async Task The_list_names_every_provider_its_models_and_where_the_key_is_and_connects_to_nobody()
    {
        _thole.Variables["OLLAMA_BASE_URL"] = _thole.Server.BaseAddress.ToString();
        _thole.Variables["MISTRAL_API_KEY"] = Key;
        _thole.WriteSettings($$$"""{"providers":{"zai":{"apiKey":"{{{Key}}}"},"mine":{"baseUrl":"http://127.0.0.1:1/v1"} } }""");

        var table = (await _thole.RunAsync("models", "list")).MustSucceed();
        var json = (await _thole.RunAsync("models", "list", "--json")).MustSucceed();

        Assert.Matches(@"anthropic/claude-sonnet-4-5 +200,000 in +64,000 out +image, pdf +\$3.00 / \$15.00", table.Output);
        Assert.Contains("key in MISTRAL_API_KEY", table.Output);
        var providers = JsonElement
            .Parse(json.Output)
            .EnumerateArray()
            .ToDictionary(one => one.GetProperty("provider").GetString()!);
        Assert.Equal("variable", providers["mistral"].GetProperty("key").GetString());
        Assert.Equal("settings", providers["zai"].GetProperty("key").GetString());
        Assert.Equal("none", providers["anthropic"].GetProperty("key").GetString());
        Assert.Equal("not_needed", providers["mine"].GetProperty("key").GetString());
        Assert.Contains(
            providers["openai"].GetProperty("models").EnumerateArray(),
            model =>
                model.GetProperty("model").GetString() == "openai/gpt-5"
                && model.GetProperty("price").GetProperty("input").GetDecimal() == 1.25m
        );
        Assert.DoesNotContain(Key, table.Output + json.Output);
        Assert.Empty(_thole.Server.Requests);
    }

    [Fact]
    public async Task What_an_endpoint_says_that_it_serves_commands_no_terminal()
    {
        _thole.Variables["OPENAI_API_KEY"] = Key;
        _thole.Server.ReplyOtherwise(reply => reply.Models("fine", "evil\e[2J\e]0;owned\a", "two\nlines\u202e"));

        var table = (await _thole.RunAsync("models", "list", "openai", "--served")).MustSucceed();
        var json = (await _thole.RunAsync("models", "list", "openai", "--served", "--json")).MustSucceed();

        Assert.Contains("openai/fine", table.Output);
        Assert.DoesNotContain('\e', table.Output + json.Output);
        Assert.DoesNotContain('\u202e', table.Output + json.Output);
        Assert.Equal(3, table.Output.TrimEnd('\n').Split('\n').Length);
        Assert.Equal("openai/evil\e[2J\e]0;owned\a", JsonElement.Parse(json.Output)[1].GetProperty("model").GetString());
        Assert.All(_thole.Server.Requests, request => Assert.Equal(("GET", "/v1/models"), (request.Method, request.Path)));
    }

    [Theory]
    [InlineData(401, "{\"error\":{\"message\":\"\\u001b[31mno\\u001b[0m\"}}", 4)]
    [InlineData(500, "<html><body>\u001b[31mdown</body></html>", 5)]
    [InlineData(200, "<html>Welcome</html>", 5)]
    public async Task A_list_that_is_not_given_is_one_sentence(int status, string body, int exitCode)
    {
        _thole.Server.ReplyOtherwise(reply => reply.Status(status, body));

        var failed = (await _thole.RunAsync("models", "list", "openai", "--served")).MustFail(exitCode);

        Assert.DoesNotContain('\e', failed.Error);
        Assert.Empty(failed.Output);
    }

    [Theory]
    [InlineData("--served needs a provider", "models", "list", "--served")]
    [InlineData("There is no provider 'nobody'", "models", "list", "nobody")]
    [InlineData("exclude each other", "models", "test", "openai/x", "--keep", "--no-keep")]
    public async Task What_cannot_be_asked_is_bad_usage(string says, params string[] arguments)
    {
        (await _thole.RunAsync(arguments)).MustFail(2, says);
        Assert.Empty(_thole.Server.Requests);
    }

    [Fact]
    public async Task Servers_on_this_machine_are_found_when_somebody_asks()
    {
        _thole.Variables["OLLAMA_BASE_URL"] = _thole.Server.BaseAddress.ToString();
        foreach (var other in (string[])["LMSTUDIO", "LLAMACPP", "VLLM"])
        {
            _thole.Variables[$"{other}_BASE_URL"] = "http://127.0.0.1:1/v1";
        }

        _thole.Server.ReplyOtherwise(reply => reply.Models("qwen3-coder:30b"));
        var table = (await _thole.RunAsync("models", "list", "--local")).MustSucceed();
        var json = JsonElement.Parse((await _thole.RunAsync("models", "list", "--local", "--json")).MustSucceed().Output);

        Assert.Contains("ollama/qwen3-coder:30b", table.Output);
        Assert.Contains("lmstudio", table.Output);
        Assert.True(json[0].GetProperty("found").GetBoolean());
        Assert.False(json[1].GetProperty("found").GetBoolean());
    }

    [Fact]
    public async Task A_test_prints_each_result_and_what_it_found_is_used_from_then_on()
    {
        _thole
            .Server.ReplyWhen(
                request => Says("Call the tool record")(request) && !Says("written down")(request),
                reply => reply.Text($$"""<tool_call>{"name":"record","arguments":{{Arguments}}}</tool_call>""").Done()
            )
            .ReplyWhen(Says("image_url"), reply => reply.Status(400, "{\"error\":{\"message\":\"\\u001b[31mno images\"}}"))
            .AnswerProbes();

        var tested = (await _thole.RunAsync("models", "test")).MustSucceed();
        var shown = (await _thole.RunAsync("models", "show", "openai/scripted")).MustSucceed();
        var json = JsonElement.Parse((await _thole.RunAsync("models", "show", "--json")).MustSucceed().Output);

        Assert.Contains("Testing openai/scripted: at most 12 requests", tested.Error);
        Assert.Contains("$0.00 at most", tested.Error); // it is on this machine
        Assert.Matches("tool call +ok +as text, which is read as hermes", tested.Output);
        Assert.Matches("images +not supported +openai .*no images", tested.Output);
        Assert.DoesNotContain('\e', tested.Output + tested.Error + shown.Output);
        Assert.Matches(@"text calls +hermes +\(tested\)", shown.Output);
        Assert.Matches("takes +text ", shown.Output);
        Assert.Equal("hermes", json.GetProperty("profile").GetProperty("textCalls").GetString());
        Assert.Equal(10, json.GetProperty("profile").GetProperty("results").GetArrayLength());

        _thole
            .Server.Reply(reply =>
                reply.Text("""<tool_call>{"name":"read_file","arguments":{"file_path":"a.txt"}}</tool_call>""").Done()
            )
            .Reply(reply => reply.Text("Read.").Done());
        _thole.Write("a.txt", "what stands there");
        (await _thole.RunAsync("-p", "read it")).MustSucceed();
        Assert.Contains("what stands there", _thole.Server.Requests[^1].Text);
    }

    [Fact]
    public async Task A_test_may_be_one_document_and_leave_nothing_behind()
    {
        _thole.Server.AnswerProbes();

        var tested = (await _thole.RunAsync("models", "test", "--json", "--no-keep")).MustSucceed();

        var json = JsonElement.Parse(tested.Output);
        Assert.All(
            json.GetProperty("results").EnumerateArray(),
            row => Assert.Equal("ok", row.GetProperty("outcome").GetString())
        );
        Assert.True(json.GetProperty("takesImages").GetBoolean());
        Assert.False(Directory.Exists(Path.Join(_thole.Home, "profiles")));
    }

    [Fact]
    public async Task A_test_is_paid_for_like_any_other_request()
    {
        _thole.Server.AnswerProbes();
        _thole.WriteSettings("""{"budget":{"day":{"tokens":200}}}""");

        var tested = (await _thole.RunAsync("models", "test", "--no-keep")).MustSucceed();
        var requests = _thole.Server.Requests.Count;
        (await _thole.RunAsync("models", "test", "--no-keep")).MustEndWith(5);

        Assert.Contains("streaming", tested.Output);
        Assert.InRange(requests, 1, 7); // then the budget was spent
        Assert.Equal(requests, _thole.Server.Requests.Count);
    }

    [Fact]
    public async Task A_damaged_profile_is_passed_over_and_that_is_said()
    {
        _thole.Server.AnswerProbes().ReplyOtherwise(reply => reply.Text("Yes.").Done());
        (await _thole.RunAsync("models", "test")).MustSucceed();
        var file = Assert.Single(Directory.GetFiles(Path.Join(_thole.Home, "profiles"), "*.json"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        foreach (
            var content in (string[])
                [
                    "{",
                    "null",
                    "{}",
                    """{"version":1,"endpoint":"x","testedAt":"2026-01-01T00:00:00Z","rows":[null]}""",
                    """{"version":9,"endpoint":"x","testedAt":"2026-01-01T00:00:00Z","rows":[]}""",
                ]
        )
        {
            await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
            var ended = (await _thole.RunAsync("-p", "x")).MustSucceed();
            Assert.Equal("Yes.\n", ended.Output);
            Assert.Contains("was passed over", ended.Error);
            Assert.Contains("thole models test", ended.Error);
        }
    }

    [Fact]
    public async Task What_is_shown_of_a_model_holds_no_secret()
    {
        _thole.Variables["OPENAI_BASE_URL"] = "https://me:planted-password@models.test/v1?api-key=planted-query";
        _thole.Variables["OPENAI_API_KEY"] = Key;
        _thole.WriteSettings(
            """{"providers":{"openai":{"proxy":"http://me:planted-proxy@127.0.0.1:1","headers":{"X":"planted-header"},"extraBody":{"k":"planted-field"}}}}"""
        );

        var shown = (await _thole.RunAsync("models", "show", "openai/gpt-5")).MustSucceed();
        var json = (await _thole.RunAsync("models", "show", "openai/gpt-5", "--json")).MustSucceed();
        var list = (await _thole.RunAsync("models", "list", "openai")).MustSucceed();

        Assert.DoesNotContain("planted", shown.Output + json.Output + list.Output);
        Assert.Matches("key +key in OPENAI_API_KEY", shown.Output);
        Assert.Matches("asked at +https://models.test/v1", shown.Output);
    }
}
