using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Thole.Cli.Configuration;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Server;
using Thole.Testing;

namespace Thole.Cli.Tests;

/// <summary>The workspace as a client sees it: the whole house behind a real socket.</summary>
public sealed class WorkspaceOverHttpSpecs : IAsyncLifetime, IAccessTokens
{
    private const string Owner = "owner-token-of-a-test";

    private readonly TempFolder _folder = new();
    private readonly HttpClient _client = new();
    private Composition _house = null!;
    private DaemonHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_folder.File("work"));
        _house = new Composition(
            Settings.Load(
                new Locations(_folder.File("config"), _folder.File("state")),
                Workspace.RealPath(_folder.File("work")),
                _ => null,
                new Dictionary<string, IReadOnlyList<string>>()
            )
        );
        _host = new DaemonHost(
            new DaemonOptions
            {
                Port = 0,
                Rates = new RateLimits { Read = 0, Mutation = 0 },
            },
            Parts()
        );
        _client.BaseAddress = await _host.StartAsync(Token);
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Owner);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
        await _house.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_is_made_read_edited_and_seen_by_git()
    {
        Assert.SkipUnless(Git.IsThere, "needs git");
        await Git.RunAsync(_folder.File("work"), "", "init", "--quiet", "--initial-branch=main");

        var made = await SendAsync("/file/write", """{"path":"src/ü b.txt","content":"one\r\ntwo\r\n","mode":"create"}""");
        var read = await GetAsync("/file?path=src/%C3%BC%20b.txt");
        var hash = read.Body.GetProperty("hash").GetString();
        var edited = await SendAsync(
            "/file/edit",
            $$"""{"path":"src/ü b.txt","oldText":"two","newText":"zwei","expectedHash":"{{hash}}"}"""
        );
        var stale = await SendAsync(
            "/file/edit",
            $$"""{"path":"src/ü b.txt","oldText":"one","newText":"eins","expectedHash":"{{hash}}"}"""
        );
        var diff = await GetAsync("/workspace/git/diff");

        Assert.Equal((HttpStatusCode.Created, "crlf"), (made.Status, made.Body.GetProperty("lineEnding").GetString()));
        Assert.Equal("one\r\ntwo\r\n", read.Body.GetProperty("content").GetString());
        Assert.Equal(HttpStatusCode.OK, edited.Status);
        Assert.Equal((HttpStatusCode.Conflict, "hash_mismatch"), (stale.Status, stale.Body.GetProperty("errorKind").GetString()));
        Assert.Equal("one\r\nzwei\r\n", File.ReadAllText(_folder.File("work/src/ü b.txt")));
        Assert.Equal("src/ü b.txt", diff.Body.GetProperty("files")[0].GetProperty("path").GetString());
    }

    [Fact]
    public async Task S66_no_hostile_path_leads_anywhere()
    {
        var dictionary = Path.Join(Acceptance.Folder, "attacks/dictionaries.json");
        Assert.SkipUnless(File.Exists(dictionary), "needs the acceptance data: attacks/dictionaries.json");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: links");
        _folder.Write("outside/x", "secret");
        File.CreateSymbolicLink(_folder.File("work/link-to-outside"), _folder.File("outside"));
        File.CreateSymbolicLink(_folder.File("work/link-to-link-to-outside"), "link-to-outside");
        using var json = JsonDocument.Parse(File.ReadAllText(dictionary));

        foreach (
            var path in json.RootElement.GetProperty("workspace_paths_refuse").EnumerateArray().Select(one => one.GetString()!)
        )
        {
            var sent = Uri.EscapeDataString(path);
            foreach (
                var target in (string[])
                    [
                        $"/file?path={sent}",
                        $"/file/bytes?path={sent}",
                        $"/stat?path={sent}",
                        $"/list?path={sent}",
                        $"/glob?pattern=*&cwd={sent}",
                    ]
            )
            {
                var answer = await GetAsync(target);
                Assert.InRange((int)answer.Status, 400, 499);
                Assert.DoesNotContain(_folder.Path, answer.Body.GetRawText());
            }
        }

        Assert.Equal("secret", File.ReadAllText(_folder.File("outside/x")));
    }

    [Fact]
    public async Task A_tool_that_is_switched_off_is_told_as_such()
    {
        var toggled = await SendAsync("/workspace/tools/web_fetch/enable", """{"enabled":false}""");
        var unknown = await SendAsync("/workspace/tools/Web_fetch/enable", """{"enabled":false}""");
        var tools = await GetAsync("/workspace/tools");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (toggled.Status, unknown.Status));
        Assert.Equal(
            ["web_fetch"],
            tools
                .Body.GetProperty("tools")
                .EnumerateArray()
                .Where(tool => !tool.GetProperty("enabled").GetBoolean())
                .Select(tool => tool.GetProperty("name").GetString())
        );
    }

    public Identity? Identify(string token) => token == Owner ? new Identity("owner", Scope.All) : null;

    public bool IsCurrent(Identity identity) => true;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private DaemonParts Parts() =>
        new()
        {
            Runtime = _house.Runtime,
            Live = _house.Runtime,
            Catalog = _house.Catalog,
            Files = _house.Files,
            Repository = _house.Repository,
            Inventory = _house.Inventory,
            Tokens = this,
            Workspace = _folder.File("work"),
            RealPath = path => path,
            ResolveModel = model => model,
            Sessions = new SessionOptions { Model = "test/model" },
            Version = "1",
            Time = TimeProvider.System,
            NewId = Guid.NewGuid,
            Log = line => TestContext.Current.TestOutputHelper?.WriteLine(line),
            ClientKey = new byte[32],
        };

    private async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string target)
    {
        using var answer = await _client.GetAsync(target, Token);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Token));
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(string target, string body)
    {
        using var content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await _client.PostAsync(target, content, Token);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Token));
    }
}
