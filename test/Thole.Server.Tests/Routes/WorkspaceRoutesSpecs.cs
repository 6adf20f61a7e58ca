using System.Text;
using System.Text.Json;
using Thole.Protocol;
using Thole.Server.OpenApi;
using Thole.Server.Routes;

namespace Thole.Server.Tests.Routes;

public sealed class WorkspaceRoutesSpecs : IInventory
{
    private const string Head = "\"v\":1,\"workspaceCwd\":\"/srv/work\"";
    private const string Live = Head + ",\"acpChannelLive\":true";

    private readonly FakeFiles _files = new();
    private readonly List<(string Tool, bool Enabled)> _toggled = [];
    private readonly List<WorkspaceNews> _news = [];
    private RefusedException? _refusal;

    [Theory]
    [InlineData(
        "tools",
        Live,
        """ "initialized":true,"tools":[{"name":"edit","kind":"edit","description":"Edits.","enabled":false}] """
    )]
    [InlineData(
        "providers",
        Live,
        """ "initialized":true,"current":{"authType":"openai","modelId":"openai/m"},"approvalMode":"auto-edit","providers":[{"kind":"model_provider","status":"ok","authType":"openai","current":true,"models":[{"modelId":"openai/m","baseModelId":"m","name":"m","contextLimit":9,"isCurrent":true,"isRuntime":false}]}] """
    )]
    [InlineData("mcp", Head, """ "initialized":false,"discoveryState":"not_started","servers":[] """)]
    [InlineData("skills", Head, """ "initialized":false,"skills":[] """)]
    [InlineData(
        "memory",
        Head,
        """ "initialized":true,"files":[{"kind":"memory_file","path":"AGENTS.md","scope":"workspace","bytes":3}],"totalBytes":3,"fileCount":1,"ruleCount":0 """
    )]
    [InlineData(
        "env",
        Live,
        """ "initialized":true,"cells":[{"kind":"env_var","status":"ok","name":"OPENAI_API_KEY","present":true}] """
    )]
    [InlineData(
        "preflight",
        Live,
        """ "initialized":true,"cells":[{"kind":"git","status":"warning","locality":"daemon","error":"None.","errorKind":"missing_binary","hint":"Install it."}] """
    )]
    public async Task A_question_is_answered_in_the_form_that_clients_know(string about, string head, string rest)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("GET", $"/workspace/{about}", "", ("Authorization", $"Bearer {FakeTokens.Observer}"));

        Assert.Equal((200, $"{{{head},{rest.Trim()}}}"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task A_tool_is_switched_by_its_exact_name()
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("POST", "/workspace/tools/web%20fetch/enable", """{"enabled":false}""");

        Assert.Equal((200, """{"toolName":"web fetch","enabled":false}"""), (answer.Status, answer.Body));
        Assert.Equal([("web fetch", false)], _toggled);
        Assert.Equal([new ToolToggled("web fetch", false)], _news);
    }

    [Fact]
    public async Task What_is_no_tool_or_no_choice_is_refused()
    {
        await using var daemon = await StartAsync();

        var nothing = await daemon.SendAsync("POST", "/workspace/tools/edit/enable", "{}");
        var long_ = await daemon.SendAsync("POST", $"/workspace/tools/{new string('x', 257)}/enable", """{"enabled":true}""");
        _refusal = new RefusedException("tool_not_registered", "There is no tool of that name.");
        var unknown = await daemon.SendAsync("POST", "/workspace/tools/none/enable", """{"enabled":true}""");
        var observer = await daemon.SendAsync(
            "POST",
            "/workspace/tools/edit/enable",
            """{"enabled":true}""",
            ("Authorization", $"Bearer {FakeTokens.Observer}")
        );

        Assert.Equal([400, 400, 404, 403], new[] { nothing, long_, unknown, observer }.Select(answer => answer.Status));
        Assert.Equal("tool_not_registered", unknown.Code);
        Assert.Empty(_toggled);
        Assert.Empty(_news);
    }

    [Fact]
    public async Task Something_is_written_down_for_agents_and_that_is_news()
    {
        await using var daemon = await StartAsync();

        var appended = await daemon.SendAsync("POST", "/workspace/memory", """{"scope":"workspace","content":"Be kind."}""");
        var replaced = await daemon.SendAsync(
            "POST",
            "/workspace/memory",
            """{"scope":"global","content":"","mode":"replace","expectedHash":"sha256:11"}"""
        );
        _files.Remembered = 0;
        var known = await daemon.SendAsync(
            "POST",
            "/workspace/memory",
            """{"scope":"workspace","content":"","mode":"replace"}"""
        );

        Assert.Equal(
            (200, """{"ok":true,"filePath":"AGENTS.md","bytesWritten":7,"mode":"append","changed":true,"hash":"sha256:00"}"""),
            (appended.Status, appended.Body)
        );
        Assert.Equal([200, 200], new[] { replaced, known }.Select(answer => answer.Status));
        Assert.Equal(
            [
                new MemoryWrite(MemoryScope.Workspace, "Be kind."),
                new MemoryWrite(MemoryScope.Global, "") { Mode = MemoryMode.Replace, ExpectedHash = "sha256:11" },
                new MemoryWrite(MemoryScope.Workspace, "") { Mode = MemoryMode.Replace },
            ],
            _files.Asked
        );
        Assert.Equal(
            [
                new MemoryChanged(MemoryScope.Workspace, "AGENTS.md", MemoryMode.Append, 7),
                new MemoryChanged(MemoryScope.Global, "AGENTS.md", MemoryMode.Replace, 7),
            ],
            _news
        );
    }

    [Theory]
    [InlineData("""{"content":"x"}""")]
    [InlineData("""{"scope":"managed","content":"x"}""")]
    [InlineData("""{"scope":"workspace"}""")]
    [InlineData("""{"scope":"workspace","content":null}""")]
    [InlineData("""{"scope":"workspace","content":"x","mode":"prepend"}""")]
    public async Task What_cannot_be_written_down_is_refused_before_anything_is(string body)
    {
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("POST", "/workspace/memory", body);

        Assert.Equal(400, answer.Status);
        Assert.Empty(_files.Asked);
    }

    [Theory]
    [InlineData(FileRefusals.HashMismatch, 409)]
    [InlineData(FileRefusals.TooLarge, 413)]
    [InlineData(FileRefusals.Binary, 422)]
    [InlineData(FileRefusals.ParseError, 400)]
    [InlineData(FileRefusals.IoError, 503)]
    public async Task A_memory_that_is_refused_is_no_news(string reason, int status)
    {
        _files.Refusal = new RefusedException(reason, "No.");
        await using var daemon = await StartAsync();

        var refused = await daemon.SendAsync("POST", "/workspace/memory", """{"scope":"workspace","content":"x"}""");
        var observer = await daemon.SendAsync(
            "POST",
            "/workspace/memory",
            """{"scope":"workspace","content":"x"}""",
            ("Authorization", $"Bearer {FakeTokens.Observer}")
        );

        Assert.Equal((status, reason, 403), (refused.Status, refused.Code, observer.Status));
        Assert.Empty(_news);
    }

    [Theory]
    [InlineData(InitAction.Created, "created")]
    [InlineData(InitAction.Noop, "noop")]
    [InlineData(InitAction.Overwrote, "overwrote")]
    public async Task The_instruction_file_is_made(InitAction action, string word)
    {
        _files.Init = action;
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("POST", "/workspace/init", """{"force":true}""");

        Assert.Equal((200, $$"""{"path":"AGENTS.md","action":"{{word}}"}"""), (answer.Status, answer.Body));
        Assert.Equal([true], _files.Asked);
        Assert.Equal([new WorkspaceInitialized("AGENTS.md", action)], _news);
    }

    [Fact]
    public async Task An_instruction_file_that_says_something_is_in_the_way()
    {
        _files.Init = InitAction.Conflict;
        await using var daemon = await StartAsync();

        var answer = await daemon.SendAsync("POST", "/workspace/init");

        Assert.Equal((409, "workspace_init_conflict"), (answer.Status, answer.Code));
        Assert.Equal(
            ("AGENTS.md", 12),
            (answer.Json!.Value.GetProperty("path").GetString(), answer.Json.Value.GetProperty("existingSize").GetInt32())
        );
        Assert.Equal([false], _files.Asked);
        Assert.Empty(_news);
    }

    [Fact]
    public void The_document_tells_what_every_reply_begins_with_and_never_where_the_workspace_is()
    {
        var document = Encoding.UTF8.GetString(
            OpenApiDocument.Create(
                [
                    .. FileRoutes.Create(_files),
                    .. GitRoutes.Create(new GitRoutesSpecs(), "/srv/work"),
                    .. WorkspaceRoutes.Create(this, _files, "/srv/work", Post),
                ],
                "1"
            )
        );

        var paths = JsonElement.Parse(document).GetProperty("paths");
        var write = paths.GetProperty("/file/write").GetProperty("post").GetProperty("responses");
        var created = write.GetProperty("201").GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Assert.Equal(
            "file_write",
            created.GetProperty("allOf")[0].GetProperty("properties").GetProperty("kind").GetProperty("const").GetString()
        );
        Assert.Equal("#/components/schemas/FileWritten", created.GetProperty("allOf")[1].GetProperty("$ref").GetString());
        Assert.DoesNotContain("/srv/work", document);
        Assert.DoesNotContain("mayMakeProgramsRun", document);
    }

    public ValueTask<ToolInventory> ToolsAsync(CancellationToken cancellationToken) =>
        new(new ToolInventory(Initialized: true, [new ToolListing("edit", ToolKind.Edit, "Edits.", Enabled: false)]));

    public ValueTask<ToolToggle> SetToolEnabledAsync(string tool, bool enabled, CancellationToken cancellationToken)
    {
        if (_refusal is not null)
        {
            throw _refusal;
        }

        _toggled.Add((tool, enabled));
        return new(new ToolToggle(tool, enabled));
    }

    public ValueTask<ProviderInventory> ProvidersAsync(CancellationToken cancellationToken) =>
        new(
            new ProviderInventory(
                Initialized: true,
                new ProviderCurrent("openai", "openai/m"),
                ApprovalMode.AutoEdit,
                [
                    new ProviderListing(
                        "model_provider",
                        InventoryStatus.Ok,
                        "openai",
                        Current: true,
                        [new ModelListing("openai/m", "m", "m", 9, IsCurrent: true, IsRuntime: false)]
                    ),
                ]
            )
        );

    public ValueTask<McpInventory> McpAsync(CancellationToken cancellationToken) =>
        new(new McpInventory(Initialized: false, "not_started", []));

    public ValueTask<SkillInventory> SkillsAsync(CancellationToken cancellationToken) =>
        new(new SkillInventory(Initialized: false, []));

    public ValueTask<MemoryInventory> MemoryAsync(CancellationToken cancellationToken) =>
        new(
            new MemoryInventory(
                Initialized: true,
                [new MemoryFile("memory_file", "AGENTS.md", MemoryScope.Workspace, 3)],
                3,
                1,
                0
            )
        );

    public ValueTask<EnvironmentInventory> EnvironmentAsync(CancellationToken cancellationToken) =>
        new(
            new EnvironmentInventory(
                Initialized: true,
                [new EnvironmentCell(EnvironmentKind.EnvVar, InventoryStatus.Ok, "OPENAI_API_KEY", Present: true)]
            )
        );

    public ValueTask<PreflightInventory> PreflightAsync(CancellationToken cancellationToken) =>
        new(
            new PreflightInventory(
                Initialized: true,
                [new PreflightCell("git", InventoryStatus.Warning, "daemon", "None.", "missing_binary", "Install it.")]
            )
        );

    private void Post(Exchange exchange, WorkspaceNews news) => _news.Add(news);

    private Task<TestDaemon> StartAsync() => TestDaemon.StartAsync([.. WorkspaceRoutes.Create(this, _files, "/srv/work", Post)]);
}
