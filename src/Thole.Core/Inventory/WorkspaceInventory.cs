using System.Runtime.InteropServices;
using Thole.Core.Context.Sources;
using Thole.Core.Models;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Inventory;

/// <summary>Looks at what there is when it is asked, and remembers nothing but the choice of tools.</summary>
public sealed class WorkspaceInventory(
    IWorkspace workspace,
    ToolToggles tools,
    IModelCatalog models,
    InstructionFiles instructions,
    InventoryScope scope
) : IInventory
{
    private const string Here = "daemon";

    private static readonly string[] s_proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

    public ValueTask<ToolInventory> ToolsAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(
            new ToolInventory(
                Initialized: true,
                [
                    .. tools
                        .All.OrderBy(static tool => tool.Name, StringComparer.Ordinal)
                        .Select(tool => new ToolListing(tool.Name, tool.Kind, tool.Description, tools.IsEnabled(tool.Name))),
                ]
            )
        );

    public ValueTask<ToolToggle> SetToolEnabledAsync(string tool, bool enabled, CancellationToken cancellationToken)
    {
        try
        {
            tools.Set(tool, enabled);
        }
        catch (WorkspaceException failed)
        {
            throw new RefusedException(
                FileRefusals.IoError,
                "The choice could not be kept on the disk, so nothing changed: look at the space and permissions of the state folder.",
                failed
            );
        }

        return ValueTask.FromResult(new ToolToggle(tool, enabled));
    }

    public ValueTask<ProviderInventory> ProvidersAsync(CancellationToken cancellationToken)
    {
        var (endpoint, failure) = Model();
        var name = endpoint?.Name ?? scope.Model;
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (provider, model) = slash < 0 ? ("", name) : (name[..slash], endpoint?.Model ?? name[(slash + 1)..]);
        var current = new ModelListing(name, model, model, endpoint?.Limits.ContextWindow, IsCurrent: true, IsRuntime: false);
        var others = scope.Providers();
        var ofCurrent = others.FirstOrDefault(listed => listed.AuthType == provider)?.Models ?? [];
        return ValueTask.FromResult(
            new ProviderInventory(
                Initialized: true,
                new ProviderCurrent(provider, name),
                scope.ApprovalMode,
                [
                    new ProviderListing(
                        "model_provider",
                        failure is null ? InventoryStatus.Ok : InventoryStatus.Error,
                        provider,
                        Current: true,
                        [current, .. ofCurrent.Where(other => other.ModelId != name)],
                        failure?.Message,
                        failure is null ? null : ErrorKindOf(failure)
                    ),
                    .. others.Where(listed => listed.AuthType != provider),
                ]
            )
        );
    }

    public ValueTask<McpInventory> McpAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new McpInventory(Initialized: false, "not_started", []));

    public ValueTask<SkillInventory> SkillsAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new SkillInventory(Initialized: false, []));

    public async ValueTask<MemoryInventory> MemoryAsync(CancellationToken cancellationToken)
    {
        var files = await instructions.ListAsync(workspace, cancellationToken);
        return new MemoryInventory(Initialized: true, files, files.Sum(static file => file.Bytes), files.Count, RuleCount: 0);
    }

    public ValueTask<EnvironmentInventory> EnvironmentAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(
            new EnvironmentInventory(
                Initialized: true,
                [
                    new EnvironmentCell(EnvironmentKind.Runtime, InventoryStatus.Ok, "thole", Present: true, scope.Version),
                    new EnvironmentCell(
                        EnvironmentKind.Runtime,
                        InventoryStatus.Ok,
                        "dotnet",
                        Present: true,
                        Environment.Version.ToString()
                    ),
                    new EnvironmentCell(
                        EnvironmentKind.Platform,
                        InventoryStatus.Ok,
                        Platform,
                        Present: true,
                        $"{RuntimeInformation.OSArchitecture}"
                    ),
                    new EnvironmentCell(EnvironmentKind.Sandbox, InventoryStatus.Disabled, "sandbox", Present: false, "none"),
                    .. s_proxies.Select(Proxy),
                    .. scope.Variables.Order(StringComparer.Ordinal).Select(Variable),
                ]
            )
        );

    public ValueTask<PreflightInventory> PreflightAsync(CancellationToken cancellationToken)
    {
        var failure = Model().Failure;
        return ValueTask.FromResult(
            new PreflightInventory(
                Initialized: true,
                [
                    Workspace.IsWritable(workspace.Root)
                        ? new PreflightCell("workspace_dir", InventoryStatus.Ok, Here)
                        : new PreflightCell(
                            "workspace_dir",
                            InventoryStatus.Error,
                            Here,
                            "The workspace is not there, or may not be written.",
                            "missing_file",
                            "Create it, or give the user that runs the daemon the right to write it."
                        ),
                    Programs.Find("git", scope.Environment("PATH"), workspace.Root) is not null
                        ? new PreflightCell("git", InventoryStatus.Ok, Here)
                        : new PreflightCell(
                            "git",
                            InventoryStatus.Warning,
                            Here,
                            "Git is not in the search path.",
                            "missing_binary",
                            "Install git: without it branches, differences and history are not told."
                        ),
                    new PreflightCell(
                        "ripgrep",
                        InventoryStatus.Disabled,
                        Here,
                        Hint: "Search is built in; ripgrep is not used."
                    ),
                    failure is { Failure: ModelFailure.Unauthorized }
                        ? new PreflightCell("auth", InventoryStatus.Error, Here, failure.Message, ErrorKindOf(failure))
                        : new PreflightCell("auth", failure is null ? InventoryStatus.Ok : InventoryStatus.Unknown, Here),
                    failure is null
                        ? new PreflightCell("providers", InventoryStatus.Ok, Here)
                        : new PreflightCell("providers", InventoryStatus.Error, Here, failure.Message, ErrorKindOf(failure)),
                    new PreflightCell("tool_registry", InventoryStatus.Ok, Here),
                    new PreflightCell("mcp_discovery", InventoryStatus.Disabled, Here, Hint: "No servers are configured."),
                    new PreflightCell("skills", InventoryStatus.Disabled, Here, Hint: "There are none."),
                    new PreflightCell(
                        "sandbox",
                        InventoryStatus.Disabled,
                        Here,
                        Hint: "Commands run as the user that runs the daemon, with all that this user may do."
                    ),
                    new PreflightCell(
                        "egress",
                        InventoryStatus.NotStarted,
                        Here,
                        Hint: "The provider is asked when a turn begins."
                    ),
                ]
            )
        );
    }

    private static string Platform =>
        OperatingSystem.IsWindows() ? "windows"
        : OperatingSystem.IsMacOS() ? "macos"
        : "linux";

    private (ModelEndpoint? Endpoint, ModelException? Failure) Model()
    {
        try
        {
            return (models.Find(scope.Model), null);
        }
        catch (ModelException failure)
        {
            return (null, failure);
        }
    }

    private static string ErrorKindOf(ModelException failure) =>
        failure.Failure is ModelFailure.Unauthorized ? "auth_env_error" : "invalid_config";

    private EnvironmentCell Variable(string name) =>
        scope.Environment(name) is { Length: > 0 }
            ? new EnvironmentCell(EnvironmentKind.EnvVar, InventoryStatus.Ok, name, Present: true)
            : new EnvironmentCell(EnvironmentKind.EnvVar, InventoryStatus.Disabled, name, Present: false);

    // A proxy's address may hold a name and a password.
    private EnvironmentCell Proxy(string name)
    {
        var set = scope.Environment(name) ?? scope.Environment(name.ToLowerInvariant());
        return string.IsNullOrWhiteSpace(set)
                ? new EnvironmentCell(EnvironmentKind.Proxy, InventoryStatus.Disabled, name, Present: false)
            : HostOf(set.Trim()) is { } host
                ? new EnvironmentCell(EnvironmentKind.Proxy, InventoryStatus.Ok, name, Present: true, host)
            : new EnvironmentCell(EnvironmentKind.Proxy, InventoryStatus.Warning, name, Present: true);
    }

    private static string? HostOf(string proxy) =>
        Uri.TryCreate(
            proxy.Contains("://", StringComparison.Ordinal) ? proxy : $"http://{proxy}",
            UriKind.Absolute,
            out var address
        )
        && address.Host.Length > 0
            ? $"{address.Host}:{address.Port}"
            : null;
}
