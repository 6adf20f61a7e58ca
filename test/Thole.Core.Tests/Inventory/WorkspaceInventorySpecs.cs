using System.Text.Json;
using Thole.Core.Context.Sources;
using Thole.Core.Inventory;
using Thole.Core.Models;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;
using Thole.Testing.Models;
using Thole.Testing.Sessions;

namespace Thole.Core.Tests.Inventory;

public sealed class WorkspaceInventorySpecs : IDisposable, IModelCatalog
{
    private const string Secret = "sk-very-secret-value";

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _environment = new() { ["OPENAI_API_KEY"] = Secret };
    private readonly ScriptedModel _model = new();
    private ModelException? _failure;

    public WorkspaceInventorySpecs()
    {
        Directory.CreateDirectory(_folder.File("workspace"));
        Directory.CreateDirectory(_folder.File("user"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_tool_is_told_and_can_be_switched_off()
    {
        var inventory = Inventory();

        var toggle = await inventory.SetToolEnabledAsync("read", enabled: false, Token);
        var tools = (await inventory.ToolsAsync(Token)).Tools;

        Assert.Equal(new ToolToggle("read", Enabled: false), toggle);
        Assert.Equal([("edit", true), ("read", false)], tools.Select(tool => (tool.Name, tool.Enabled)));
        await Assert.ThrowsAsync<RefusedException>(async () => await inventory.SetToolEnabledAsync("none", enabled: true, Token));
    }

    [Fact]
    public async Task A_choice_that_cannot_be_kept_is_refused_without_a_path()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: a file where a folder should be");
        _folder.Write("state", "in the way");

        var refused = await Assert.ThrowsAsync<RefusedException>(async () =>
            await Inventory().SetToolEnabledAsync("read", enabled: false, Token)
        );

        Assert.Equal(FileRefusals.IoError, refused.Reason);
        Assert.DoesNotContain(_folder.Path, refused.Message);
    }

    [Fact]
    public async Task The_model_of_new_sessions_is_told()
    {
        var providers = await Inventory().ProvidersAsync(Token);

        Assert.Equal(new ProviderCurrent("openai", "openai/gpt-5"), providers.Current);
        var provider = Assert.Single(providers.Providers);
        Assert.Equal((InventoryStatus.Ok, "openai", true), (provider.Status, provider.AuthType, provider.Current));
        Assert.Equal(
            new ModelListing("openai/gpt-5", "gpt-5", "gpt-5", 1000, IsCurrent: true, IsRuntime: false),
            Assert.Single(provider.Models)
        );
    }

    [Fact]
    public async Task A_missing_key_is_told_with_its_cure()
    {
        _failure = new ModelException(ModelFailure.Unauthorized, "There is no key for openai: set OPENAI_API_KEY.");

        var provider = Assert.Single((await Inventory().ProvidersAsync(Token)).Providers);
        var cells = (await Inventory().PreflightAsync(Token)).Cells;

        Assert.Equal((InventoryStatus.Error, "auth_env_error"), (provider.Status, provider.ErrorKind));
        Assert.Equal("openai/gpt-5", Assert.Single(provider.Models).ModelId);
        Assert.All(
            cells.Where(cell => cell.Kind is "auth" or "providers"),
            cell => Assert.Equal((InventoryStatus.Error, _failure.Message), (cell.Status, cell.Error))
        );
    }

    [Fact]
    public async Task What_there_is_none_of_is_told_as_none()
    {
        Assert.Equal(
            """{"initialized":false,"discoveryState":"not_started","servers":[]}""",
            JsonSerializer.Serialize(await Inventory().McpAsync(Token), WorkspaceJson.Default.McpInventory)
        );
        Assert.Equal(
            """{"initialized":false,"skills":[]}""",
            JsonSerializer.Serialize(await Inventory().SkillsAsync(Token), WorkspaceJson.Default.SkillInventory)
        );
    }

    [Fact]
    public async Task The_files_that_people_wrote_for_agents_are_told_with_their_size()
    {
        _folder.Write("user/AGENTS.md", "Be kind.");
        _folder.Write("workspace/AGENTS.md", "Use tabs.\n");
        _folder.Write("workspace/CLAUDE.md", "é");
        _folder.Write("workspace/src/AGENTS.md", "not looked at before work goes there");

        var memory = await Inventory().MemoryAsync(Token);

        Assert.Equal(
            [
                new MemoryFile("memory_file", "~user/AGENTS.md", MemoryScope.Global, 8),
                new MemoryFile("memory_file", "AGENTS.md", MemoryScope.Workspace, 10),
                new MemoryFile("memory_file", "CLAUDE.md", MemoryScope.Workspace, 2),
            ],
            memory.Files
        );
        Assert.Equal((20, 3), (memory.TotalBytes, memory.FileCount));
    }

    [Theory]
    [InlineData("http://user:sk-very-secret-value@proxy.example:3128/path?x=y", "proxy.example:3128")]
    [InlineData("proxy.example:3128", "proxy.example:3128")]
    [InlineData("user:sk-very-secret-value@proxy.example", "proxy.example:80")]
    [InlineData("http://sk-very-secret-value bad", null)]
    public async Task A_proxy_is_told_by_host_and_port(string proxy, string? shown)
    {
        _environment["https_proxy"] = proxy;

        var cells = (await Inventory().EnvironmentAsync(Token)).Cells;

        var cell = cells.Single(cell => cell.Name == "HTTPS_PROXY");
        Assert.Equal((EnvironmentKind.Proxy, true, shown), (cell.Kind, cell.Present, cell.Value));
    }

    [Fact]
    public async Task Of_variables_only_the_presence_is_told_and_no_answer_holds_a_secret_or_a_path()
    {
        var inventory = Inventory();
        var environment = await inventory.EnvironmentAsync(Token);

        string[] answers =
        [
            JsonSerializer.Serialize(environment, WorkspaceJson.Default.EnvironmentInventory),
            JsonSerializer.Serialize(await inventory.ProvidersAsync(Token), WorkspaceJson.Default.ProviderInventory),
            JsonSerializer.Serialize(await inventory.PreflightAsync(Token), WorkspaceJson.Default.PreflightInventory),
            JsonSerializer.Serialize(await inventory.ToolsAsync(Token), WorkspaceJson.Default.ToolInventory),
        ];

        Assert.Contains("""{"kind":"env_var","status":"ok","name":"OPENAI_API_KEY","present":true}""", answers[0]);
        Assert.Contains("""{"kind":"env_var","status":"disabled","name":"THOLE_HOME","present":false}""", answers[0]);
        Assert.Contains("""{"kind":"sandbox","status":"disabled","name":"sandbox","present":false,"value":"none"}""", answers[0]);
        Assert.All(answers, answer => Assert.DoesNotContain(Secret, answer));
        Assert.All(answers, answer => Assert.DoesNotContain(_folder.Path, answer));
    }

    [Fact]
    public async Task What_would_be_in_the_way_is_told_with_its_cure()
    {
        _environment["PATH"] = _folder.Path;
        var inventory = Inventory();
        Directory.Delete(_folder.File("workspace"));

        var cells = (await inventory.PreflightAsync(Token)).Cells.ToDictionary(cell => cell.Kind);

        Assert.Equal((InventoryStatus.Error, "missing_file"), (cells["workspace_dir"].Status, cells["workspace_dir"].ErrorKind));
        Assert.Equal((InventoryStatus.Warning, "missing_binary"), (cells["git"].Status, cells["git"].ErrorKind));
        Assert.Equal(InventoryStatus.Disabled, cells["ripgrep"].Status);
        Assert.Equal(InventoryStatus.Disabled, cells["sandbox"].Status);
        Assert.Equal(InventoryStatus.Ok, cells["auth"].Status);
        Assert.All(cells.Values, cell => Assert.True(cell.Status is InventoryStatus.Ok || cell.Hint is not null, cell.Kind));
    }

    [Fact]
    public async Task Whoever_else_there_is_a_key_for_is_listed_with_what_is_known_of_it()
    {
        ModelListing Listing(string name) => new(name, name, name, 1000, IsCurrent: false, IsRuntime: false);
        ProviderListing[] others =
        [
            new("model_provider", InventoryStatus.Ok, "openai", false, [Listing("openai/gpt-5"), Listing("openai/gpt-5-mini")]),
            new("model_provider", InventoryStatus.Ok, "mistral", false, [Listing("mistral/large")]),
        ];

        var providers = (await Inventory(others).ProvidersAsync(Token)).Providers;

        Assert.Equal([("openai", true), ("mistral", false)], providers.Select(listed => (listed.AuthType, listed.Current)));
        Assert.Equal(
            [("openai/gpt-5", true), ("openai/gpt-5-mini", false)],
            providers[0].Models.Select(model => (model.ModelId, model.IsCurrent))
        );
    }

    public ModelEndpoint Find(string name) =>
        _failure is null ? new ModelEndpoint("openai/gpt-5", "gpt-5", _model, new ModelLimits(1000, 100)) : throw _failure;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkspaceInventory Inventory(IReadOnlyList<ProviderListing>? others = null) =>
        new(
            new Workspace(_folder.File("workspace"), [], TimeProvider.System),
            new ToolToggles([new TestTool("read", "done"), new TestTool("edit", "done")], _folder.File("state/tools.json")),
            this,
            new InstructionFiles(_folder.File("user"), homeFolder: null, TrustedFile.Read),
            new InventoryScope(
                "openai/gpt-5",
                ApprovalMode.Default,
                ["THOLE_HOME", "OPENAI_API_KEY"],
                name => _environment.GetValueOrDefault(name),
                "1.2.3"
            )
            {
                Providers = () => others ?? [],
            }
        );
}
