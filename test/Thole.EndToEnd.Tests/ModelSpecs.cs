using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>The program against servers that speak each of the four wires.</summary>
public sealed class ModelSpecs : IAsyncDisposable
{
    // A red dot.
    private static readonly byte[] s_image = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    );

    private readonly TholeProgram _thole = new();

    public static TheoryData<string> Wires => ["openai", "openai-responses", "anthropic", "gemini"];

    public ModelSpecs()
    {
        _thole.Variables.Remove("OPENAI_MODEL");
        _thole.Variables.Remove("OPENAI_BASE_URL");
        var address = _thole.Server.BaseAddress;
        _thole.Variables["OPENAI_BASE_URL"] = address.ToString();
        _thole.Variables["ANTHROPIC_BASE_URL"] = address.ToString();
        _thole.Variables["GEMINI_BASE_URL"] = address.ToString();
    }

    public ValueTask DisposeAsync() => _thole.DisposeAsync();

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_task_with_tools_and_an_image_is_done(string provider)
    {
        _thole.Write("total.txt", "1\n2\n");
        _thole.Write("dot.png", s_image);
        _thole
            .Server.Reply(reply =>
                reply
                    .Reasoning("Let me see. ")
                    .Text("I look.")
                    .Call("read_file", """{"file_path":"total.txt"}""")
                    .Call("read_file", """{"file_path":"dot.png"}""")
                    .Done()
            )
            .Reply(reply => reply.Call("write_file", """{"file_path":"sum.txt","content":"3\n"}""").Done())
            .Reply(reply => reply.Text("The sum is 3.").Done());

        var ended = (
            await _thole.RunAsync("-p", "Add them.", "--approval-mode", "yolo", "--model", $"{provider}/scripted")
        ).MustSucceed();

        Assert.Contains("The sum is 3.", ended.Output);
        Assert.Equal("3\n", _thole.Read("sum.txt"));
        Assert.Contains(Convert.ToBase64String(s_image), _thole.Server.Requests[1].Text);
        Assert.Equal(3, _thole.Server.Requests.Count);
    }

    [Fact]
    public async Task A_session_goes_on_with_a_model_of_each_wire_and_all_of_them_read_what_was_said_and_done()
    {
        _thole.Write("a.txt", "alpha\n");
        string[] providers = ["anthropic", "gemini", "openai-responses", "openai", "anthropic"];
        foreach (var (number, provider) in providers.Index())
        {
            _thole
                .Server.Reply(reply =>
                    reply.Reasoning($"thought {number}. ").Call("read_file", """{"file_path":"a.txt"}""", "same_id").Done()
                )
                .Reply(reply => reply.Text($"said {number}").Done());
            string[] first = ["-p", $"asked {number}", "--model", $"{provider}/scripted"];
            (await _thole.RunAsync(number == 0 ? first : [.. first, "--continue"])).MustSucceed();
        }

        var last = _thole.Server.Requests[^1].Text;
        Assert.All(Enumerable.Range(0, 5), number => Assert.Contains($"asked {number}", last));
        Assert.All(Enumerable.Range(0, 4), number => Assert.Contains($"said {number}", last));
        // Ids that repeat are told apart, and every call has its result.
        var blocks = _thole
            .Server.Requests[^1]
            .Messages.SelectMany(message =>
                message.GetProperty("content") is { ValueKind: JsonValueKind.Array } content ? content.EnumerateArray() : default
            )
            .ToList();
        var calls = Ids("tool_use", "id");
        Assert.Equal(5, calls.Distinct().Count());
        Assert.Equal(calls, Ids("tool_result", "tool_use_id"));

        List<string> Ids(string type, string name) =>
            [
                .. blocks
                    .Where(block => block.GetProperty("type").GetString() == type)
                    .Select(block => block.GetProperty(name).GetString()!),
            ];
    }

    [Fact]
    public async Task Where_a_model_is_down_another_steps_in_and_the_log_says_why()
    {
        _thole.WriteSettings("""{"fallbacks":["anthropic/second"],"providers":{"openai":{"maxRetries":0}}}""");
        _thole
            .Server.Reply(reply => reply.Status(503, """{"error":{"message":"down for repairs"}}"""))
            .Reply(reply => reply.Text("I step in.").Done());

        var ended = (await _thole.RunAsync("-p", "x", "--model", "openai/first")).MustSucceed();

        Assert.Contains("I step in.", ended.Output);
        Assert.EndsWith("/chat/completions", _thole.Server.Requests[0].Path);
        Assert.EndsWith("/messages", _thole.Server.Requests[1].Path);
        var log = (await _thole.RunAsync("sessions", "export", _thole.OnlySession(), "--format", "jsonl")).MustSucceed().Output;
        Assert.Contains("down for repairs", log);
        Assert.Contains("\"next\":\"anthropic/second\"", log);
    }

    [Fact]
    public async Task What_may_not_leave_the_machine_is_sent_to_nobody_where_the_local_model_is_down()
    {
        _thole.Write("private/plan.txt", "the secret plan\n");
        _thole.WriteSettings(Confined());
        _thole
            .Server.Reply(reply => reply.Call("read_file", """{"file_path":"private/plan.txt"}""").Done())
            .ReplyOtherwise(reply => reply.Text("I have it!").Done());

        var ended = await _thole.RunAsync("-p", "Read the plan.");

        Assert.NotEqual(0, ended.ExitCode);
        Assert.Contains("which may not leave this machine", ended.Error + ended.Output);
        var sent = Assert.Single(_thole.Server.Requests);
        Assert.StartsWith("http://cloud.test/", sent.Path);
        Assert.DoesNotContain("the secret plan", sent.Text);
    }

    [Theory]
    [InlineData("read_file", """{"file_path":"public/plan.txt"}""")]
    [InlineData("read_file", """{"file_path":"shelf/plan.txt"}""")]
    [InlineData("grep_search", """{"pattern":"secret","path":"public"}""")]
    [InlineData("grep_search", """{"pattern":"secret","path":"shelf"}""")]
    [InlineData("grep_search", """{"pattern":"secret"}""")]
    [InlineData("run_shell_command", """{"command":"cat private/plan.txt"}""")]
    public async Task Whatever_way_leads_there_it_stays(string tool, string arguments)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
        _thole.Write("private/plan.txt", "the secret plan\n");
        Directory.CreateDirectory(_thole.File("public"));
        File.CreateSymbolicLink(_thole.File("public/plan.txt"), "../private/plan.txt");
        Directory.CreateSymbolicLink(_thole.File("shelf"), "private");
        _thole.WriteSettings(Confined());
        _thole.Server.Reply(reply => reply.Call(tool, arguments).Done()).ReplyOtherwise(reply => reply.Text("I have it!").Done());

        await _thole.RunAsync("-p", "Read the plan.", "--approval-mode", "yolo");

        Assert.NotEmpty(_thole.Server.Requests);
        Assert.All(_thole.Server.Requests, sent => Assert.DoesNotContain("the secret plan", sent.Text));
    }

    [Theory]
    [InlineData("private/notes.md")]
    [InlineData("alias.md")]
    public async Task An_instruction_file_that_imports_it_is_shown_to_nobody_elsewhere(string import)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
        _thole.Write("private/notes.md", "the secret plan\n");
        File.CreateSymbolicLink(_thole.File("alias.md"), "private/notes.md");
        _thole.Write("AGENTS.md", $"Be kind. See @{import}\n");
        _thole.WriteSettings(Confined());
        _thole.Server.ReplyOtherwise(reply => reply.Text("I have it!").Done());

        var ended = await _thole.RunAsync("-p", "Go.");

        Assert.NotEqual(0, ended.ExitCode);
        Assert.Empty(_thole.Server.Requests);
    }

    [Fact]
    public async Task And_where_it_is_up_it_gets_the_work_and_a_folder_of_the_project_s_own_choice_stays_too()
    {
        await using var local = ScriptedModelServer.Start();
        _thole.Write(".thole/settings.json", """{"localPaths":["secrets"]}""");
        _thole.Write("secrets/plan.txt", "the secret plan\n");
        _thole.WriteSettings(
            $$"""
            {
              "model": "cloud/strong",
              "localPaths": ["private/**"],
              "localModel": "ollama/small",
              "providers": {
                "cloud": { "baseUrl": "http://cloud.test/v1", "apiKey": "cloud-key-0123456789", "proxy": "http://{{Authority(
                _thole.Server
            )}}" },
                "ollama": { "baseUrl": "{{local.BaseAddress}}" }
              }
            }
            """
        );
        _thole.Server.Reply(reply => reply.Call("read_file", """{"file_path":"secrets/plan.txt"}""").Done());
        local.ReplyOtherwise(reply => reply.Text("It is a good plan.").Done());

        Assert.Contains("It is a good plan.", (await _thole.RunAsync("-p", "Read it.")).MustSucceed().Output);
        Assert.Contains("It is a good plan.", (await _thole.RunAsync("-p", "And?", "--continue")).MustSucceed().Output);

        Assert.Single(_thole.Server.Requests);
        Assert.Equal(2, local.Requests.Count);
        Assert.Contains("the secret plan", local.Requests[0].Text);
    }

    [Fact]
    public async Task One_key_is_enough_to_be_asked_for_a_model_of_that_provider()
    {
        _thole.Variables["ANTHROPIC_API_KEY"] = "key-of-anthropic-0123";
        _thole.Server.Reply(reply => reply.Text("Yes.").Done());

        (await _thole.RunAsync("-p", "x")).MustSucceed();

        var sent = Assert.Single(_thole.Server.Requests);
        Assert.EndsWith("/messages", sent.Path);
        Assert.Equal("key-of-anthropic-0123", sent.Headers["x-api-key"]);
    }

    [Fact]
    public async Task A_model_is_named_by_the_vendor_s_variable_and_settings_of_a_model_hold_for_it()
    {
        _thole.Variables["ANTHROPIC_MODEL"] = "tested";
        _thole.WriteSettings(
            """{"providers":{"anthropic":{"maxOutputTokens":900,"models":{"tested":{"maxOutputTokens":700,"sampling":{"top_k":3}}}}}}"""
        );
        _thole.Server.Reply(reply => reply.Text("Yes.").Done());

        (await _thole.RunAsync("-p", "x")).MustSucceed();

        var body = _thole.Server.Requests[0].Json;
        Assert.Equal("tested", body.GetProperty("model").GetString());
        Assert.Equal((700, 3), (body.GetProperty("max_tokens").GetInt32(), body.GetProperty("top_k").GetInt32()));
    }

    [Theory]
    [InlineData("""{"routes":[{"path":["x"],"model":"a/b"}]}""", "'path' is no part of a rule")]
    [InlineData("""{"routes":[{"paths":["x"]}]}""", "names no model")]
    [InlineData("""{"routes":[{"roles":["boss"],"model":"a/b"}]}""", "'boss' is no role")]
    [InlineData("""{"localPaths":["../.."]}""", "names no folder within the workspace")]
    [InlineData("""{"providers":{"mine":{"protocol":"soap"}}}""", "which nobody here speaks")]
    [InlineData("""{"providers":{"mine":{"price":{"input":1}}}}""", "set price.output as well")]
    [InlineData("""{"providers":{"mine":{"proxy":"nowhere"}}}""", "must be an http address")]
    public async Task What_cannot_be_is_said_before_anything_is_sent(string settings, string sentence)
    {
        _thole.WriteSettings(settings);

        (await _thole.RunAsync("-p", "x", "--model", "openai/scripted")).MustFail(2, sentence);

        Assert.Empty(_thole.Server.Requests);
    }

    /// <summary>A model elsewhere, one on this machine that is down, and a folder that may not leave it.</summary>
    private string Confined()
    {
        var proxy = $"http://{Authority(_thole.Server)}";
        return $$"""
            {
              "model": "cloud/strong",
              "fallbacks": ["cloud/other"],
              "localPaths": ["private/**"],
              "localModel": "ollama/small",
              "providers": {
                "cloud": { "baseUrl": "http://cloud.test/v1", "apiKey": "cloud-key-0123456789", "proxy": "{{proxy}}" },
                "ollama": { "baseUrl": "http://127.0.0.1:{{FreePort()}}/v1", "maxRetries": 0 }
              }
            }
            """;
    }

    private static string Authority(ScriptedModelServer server) => server.BaseAddress.Authority;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
