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

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../outside/x")]
    [InlineData("a/../../outside/x")]
    [InlineData("..")]
    [InlineData("link-to-outside/x")]
    [InlineData("link-to-link-to-outside/x")]
    [InlineData("link-to-itself")]
    [InlineData("link-to-nothing")]
    [InlineData("/proc/self/root/etc/passwd")]
    [InlineData("/proc/self/environ")]
    [InlineData("~/x")]
    [InlineData("..\\outside\\x")]
    [InlineData("%2e%2e/outside/x")]
    [InlineData("a\0b")]
    [InlineData(".git/config")]
    public async Task S66_no_path_leads_out_of_the_workspace_by_reading_or_writing(string path)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: links");
        _folder.Write("outside/x", "secret");
        _folder.Write("work/.git/config", "[core]");
        File.CreateSymbolicLink(_folder.File("work/link-to-outside"), _folder.File("outside"));
        File.CreateSymbolicLink(_folder.File("work/link-to-link-to-outside"), "link-to-outside");
        File.CreateSymbolicLink(_folder.File("work/link-to-itself"), "link-to-itself");
        File.CreateSymbolicLink(_folder.File("work/link-to-nothing"), _folder.File("outside/new"));
        var name = JsonSerializer.Serialize(path);

        var written = await SendAsync("/file/write", $$"""{"path":{{name}},"content":"evil","mode":"create"}""");
        var read = path is ".git/config" ? written : await GetAsync($"/file?path={Uri.EscapeDataString(path)}");

        foreach (var (status, body) in ((HttpStatusCode, JsonElement)[])[written, read])
        {
            // A name that is only odd names a file of the workspace.
            Assert.True(
                (int)status < 500 && ((int)status >= 400 || path is ['~', ..] or ['%', ..] or ['.', '.', '\\', ..]),
                $"{status} {body}"
            );
            Assert.DoesNotContain("secret", body.GetRawText());
            Assert.DoesNotContain(_folder.Path, body.GetRawText());
        }

        Assert.Equal([_folder.File("outside/x")], Directory.GetFiles(_folder.File("outside")));
        Assert.Equal("secret", File.ReadAllText(_folder.File("outside/x")));
        Assert.Equal("[core]", File.ReadAllText(_folder.File("work/.git/config")));
    }

    [Fact]
    public async Task S64_a_file_name_with_a_line_break_breaks_no_line_of_an_answer()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: such names");
        const string Name = "a\r\nX-Evil: yes\r\n\r\nb.txt";
        _folder.Write($"work/{Name}", "content");

        foreach (var route in (string[])["file", "file/bytes", "stat"])
        {
            using var answer = await _client.GetAsync($"/{route}?path={Uri.EscapeDataString(Name)}", Token);
            Assert.False(answer.Headers.Contains("X-Evil") || answer.Content.Headers.Contains("X-Evil"), route);
            Assert.True((int)answer.StatusCode is 200 or 400, $"{route}: {answer.StatusCode}");
        }

        using var all = await _client.GetAsync("/list", Token);
        Assert.DoesNotContain("\nX-Evil", await all.Content.ReadAsStringAsync(Token)); // escaped, as JSON has it
    }

    [Fact]
    public async Task S65_the_id_of_a_session_is_random_in_all_its_bits()
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var number = 0; number < 64; number++)
        {
            var opened = await SendAsync("/session", """{"sessionScope":"thread"}""");
            var id = opened.Body.GetProperty("sessionId").GetString()!;
            Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", id);
            ids.Add(id);
        }

        // Of a counter or a clock some digit would be the same in all of them, or nearly.
        int[] fixedPlaces = [8, 13, 14, 18, 19, 23];
        Assert.All(
            Enumerable.Range(0, 36).Except(fixedPlaces),
            place => Assert.True(ids.Select(id => id[place]).Distinct().Count() > 8, $"place {place}")
        );
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
