using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Thole.Cli.Configuration;
using Thole.Cli.Keys;
using Thole.Cli.Profiles;
using Thole.Core.Budgets;
using Thole.Core.Context;
using Thole.Core.Context.Sources;
using Thole.Core.Inventory;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Permissions;
using Thole.Core.Sessions;
using Thole.Core.Tools;
using Thole.Core.Turns;
using Thole.Core.Workspaces;
using Thole.Core.Workspaces.Repositories;
using Thole.Core.Workspaces.Search;
using Thole.Protocol;
using Thole.Providers;
using Thole.Providers.Listing;
using Thole.Tools;

namespace Thole.Cli;

/// <summary>The one file that hires everyone. What a path does not need is not made.</summary>
internal sealed class Composition(
    Settings settings,
    IModelCatalog? models = null,
    SessionRules? rules = null,
    Elect? elect = null
) : IAsyncDisposable
{
    public static string Version { get; } =
        typeof(Composition).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public IModelCatalog Models => field ??= models ?? Providers;

    public ProviderCatalog Providers => field ??= MakeProviders();

    public StoredKeys Keys =>
        field ??= new StoredKeys(
            new KeyFile(settings.Locations.Config, TimeProvider.System),
            () => Keyrings.Find(settings.Workspace)
        );

    public ProfileFolder Profiles =>
        field ??= new ProfileFolder(
            settings.Locations.Profiles,
            TimeProvider.System,
            static warning => Terminal.Error.WriteLine($"thole: {TerminalText.EscapeLine(warning)}")
        );

    public ICatalog Catalog => field ??= _catalogue = new Catalogue(settings.Locations.Sessions);

    /// <summary>Counts what models of <see cref="Providers"/> use, and stops where a budget is spent.</summary>
    public MeteredCatalog Meters => field ??= MakeMeters();

    /// <summary>Opened by the first request, or the first question.</summary>
    public Ledger Ledger => field ??= _ledger = new Ledger(settings.Locations.Ledger, TimeProvider.System);

    public IReadOnlyList<string> ToolNames => [.. Tools.Enabled.Definitions.Select(tool => tool.Name)];

    /// <summary>The workspace for clients that are no session; the folders included for tools are none of their business.</summary>
    public IWorkspaceFiles Files =>
        field ??= new WorkspaceFiles(Root, new Searcher(Root), _gate, TimeProvider.System, settings.Locations.Config);

    public IRepository Repository =>
        field ??= new Repository(
            Root,
            _processes = new ProcessRunner(new ChildEnvironment([]), TimeProvider.System),
            new ChildEnvironment([]),
            TimeProvider.System
        );

    public IInventory Inventory =>
        field ??= new WorkspaceInventory(
            Root,
            Tools,
            Models,
            Instructions,
            new InventoryScope(
                settings.Model,
                settings.ApprovalMode,
                [
                    .. SettingDefinitions.All.SelectMany(setting => setting.Variables ?? []),
                    .. ProviderCatalog
                        .Known.SelectMany(provider =>
                            provider.KeyVariables.Concat(provider.BaseUrlVariables).Append(provider.ModelVariable)
                        )
                        .OfType<string>()
                        .Distinct(StringComparer.Ordinal),
                    "THOLE_HOME",
                ],
                Environment.GetEnvironmentVariable,
                Version
            )
            {
                Providers = () => new KeyedProviders(new ProviderDirectory(Providers), Keys).List(),
            }
        );

    public Func<Guid> NewId { get; } = Guid.NewGuid;

    /// <summary>For files that the user names outside of any session.</summary>
    public static ValueTask WriteFileAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        new FileWriter(TimeProvider.System).Write(Path.GetFullPath(path), content.Span, Basis.Anything);
        return ValueTask.CompletedTask;
    }

    public Runtime Runtime => field ??= _runtime = MakeRuntime();

    public async ValueTask DisposeAsync()
    {
        // An index that nobody closes keeps its write-ahead file, and everybody after us reads that from its beginning.
        _catalogue?.Dispose();
        if (_runtime is not null)
        {
            await _runtime.DisposeAsync();
        }

        _ledger?.Dispose(); // after the runtime: turns that are stopped settle what they used

        if (_processes is not null)
        {
            await _processes.DisposeAsync();
        }
    }

    private readonly FileGate _gate = new();
    private ProcessRunner? _processes;
    private Catalogue? _catalogue;
    private Runtime? _runtime;
    private Ledger? _ledger;

    private Workspace Root => field ??= new Workspace(settings.Workspace, [], TimeProvider.System);

    private InstructionFiles Instructions =>
        field ??= new InstructionFiles(settings.Locations.Config, Environment.GetEnvironmentVariable("HOME"), TrustedFile.Read);

    private ToolToggles Tools => field ??= MakeTools();

    private ToolToggles MakeTools()
    {
        try
        {
            return new ToolToggles(BuiltInTools.All, Path.Join(settings.Locations.StateOf(settings.Workspace), "tools.json"));
        }
        catch (WorkspaceException damaged)
        {
            throw new UsageException(damaged.Message, damaged);
        }
    }

    private Runtime MakeRuntime()
    {
        // Said now, not at the first call: an entry that cannot be read would allow nothing, silently.
        IPermissionPolicy policy;
        try
        {
            policy = new ApprovalPolicy(settings.AllowedTools);
        }
        catch (FormatException wrong)
        {
            throw new UsageException(wrong.Message, wrong);
        }

        if (settings.IncludeDirectories.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing)
        {
            throw new UsageException(
                $"There is no directory {missing}; make it, or take it out of {(settings.LevelOf("includeDirectories") is SettingLevel.Flag ? "--include-directories" : "includeDirectories in the settings")}."
            );
        }

        var tools = Tools;
        var prompt = settings.SystemPrompt ?? SystemPrompt.Text;
        return new Runtime(
            new RuntimeParts
            {
                Store = new SqliteEventStore(settings.Locations.Sessions, TimeProvider.System, BootId.Read, EventUpgrades.All),
                Models = Metered(),
                Routing = RoutingSection.Read(settings, Environment.GetEnvironmentVariable("HOME")),
                Tools = () => tools.Enabled,
                Policy = policy,
                OpenHands = OpenHands,
                Gate = _gate,
                SystemPrompt = settings.AppendSystemPrompt is { } more ? $"{prompt}\n\n{more}" : prompt,
                Sources = [new EnvironmentSource(TimeProvider.System, TrustedFile.Read), Instructions],
                Limits = new TurnLimits(settings.MaxTurns),
                Rules = rules ?? new SessionRules(),
                Elect = elect ?? (static (_, _) => null),
                CompactionThreshold = settings.CompactAt,
                Time = TimeProvider.System,
                NewId = NewId,
                Logger = NullLogger.Instance,
                Version = Version,
            }
        );
    }

    /// <summary>Models that were brought along, as to the demo, cost nothing and are not counted.</summary>
    private IModelCatalog Metered() => models ?? Meters;

    private ToolContext OpenHands(string root, IBlobStore blobs, IEnumerable<FileSeen> seen)
    {
        var workspace = new Workspace(root, settings.IncludeDirectories, TimeProvider.System);
        var files = new FileLedger();
        foreach (var fact in seen)
        {
            files.Apply(fact);
        }

        return new ToolContext
        {
            Workspace = workspace,
            Search = new Searcher(workspace),
            Processes = new ProcessRunner(new ChildEnvironment(settings.PassEnvironment), TimeProvider.System),
            Files = files,
            Blobs = blobs,
            Time = TimeProvider.System,
        };
    }

    private MeteredCatalog MakeMeters()
    {
        var budgets = new BudgetSection(settings);
        return new MeteredCatalog(Providers, Ledger, () => budgets.Caps);
    }

    private ProviderCatalog MakeProviders()
    {
        try
        {
            return new ProviderCatalog(
                ProviderSection.Read(settings),
                Environment.GetEnvironmentVariable,
                TimeProvider.System,
                Random.Shared,
                provider => Keys.Find(provider),
                place => Profiles.Read(place),
                // Where somebody else can be asked, nobody is waited for for long.
                retries: settings.List("fallbacks") is [] ? null : new RetryOptions { Attempts = 3 }
            );
        }
        catch (ModelException wrong)
        {
            throw new UsageException(wrong.Message, wrong);
        }
    }
}
