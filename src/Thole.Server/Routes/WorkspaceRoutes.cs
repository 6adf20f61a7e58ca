using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Thole.Protocol;

namespace Thole.Server.Routes;

/// <summary>What there is to work with in the workspace, and the little of it that a client may change.</summary>
internal static partial class WorkspaceRoutes
{
    private const int LongestToolName = 256;

    /// <param name="workspace">As clients know it: its full path.</param>
    /// <param name="post">Tells all readers what the request has changed for them.</param>
    public static IReadOnlyList<Operation> Create(
        IInventory inventory,
        IWorkspaceFiles files,
        string workspace,
        Action<Exchange, WorkspaceNews> post
    )
    {
        ReplyMember[] known = [new("v", 1), new("workspaceCwd", workspace, IsConstant: false)];
        var head = new ReplyHead(known);

        // Others keep the agent in a process of its own; ours is always there.
        var live = new ReplyHead([.. known, new ReplyMember("acpChannelLive", true)]);
        return
        [
            Asking("tools", "getTools", "The tools there are.", live, inventory.ToolsAsync, WorkspaceJson.Default.ToolInventory),
            Asking(
                "providers",
                "getProviders",
                "Who serves models, and which one thinks in new sessions.",
                live,
                inventory.ProvidersAsync,
                WorkspaceJson.Default.ProviderInventory
            ),
            Asking("mcp", "getMcp", "Servers that bring tools.", head, inventory.McpAsync, WorkspaceJson.Default.McpInventory),
            Asking(
                "skills",
                "getSkills",
                "The skills there are.",
                head,
                inventory.SkillsAsync,
                WorkspaceJson.Default.SkillInventory
            ),
            Asking(
                "memory",
                "getMemory",
                "The files in which people wrote down something for agents.",
                head,
                inventory.MemoryAsync,
                WorkspaceJson.Default.MemoryInventory
            ),
            Asking(
                "env",
                "getEnvironment",
                "What the daemon runs in; of variables only whether they are set.",
                live,
                inventory.EnvironmentAsync,
                WorkspaceJson.Default.EnvironmentInventory
            ),
            Asking(
                "preflight",
                "getPreflight",
                "What would be in the way of work.",
                live,
                inventory.PreflightAsync,
                WorkspaceJson.Default.PreflightInventory
            ),
            new(
                "POST",
                "/workspace/tools/{name}/enable",
                "setToolEnabled",
                Scope.Administer,
                "Gives sessions a tool, or takes it away."
            )
            {
                Request = WorkspaceRoutesJson.Default.ToolChoice,
                Reply = WorkspaceJson.Default.ToolToggle,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                {
                    var choice = await exchange.ReadAsync(WorkspaceRoutesJson.Default.ToolChoice);
                    if (exchange.Route("name") is not { Length: <= LongestToolName } name)
                    {
                        throw new RefusedException(
                            FileRefusals.ParseError,
                            $"The name of a tool has at most {LongestToolName} characters."
                        );
                    }

                    var toggle = await inventory.SetToolEnabledAsync(name, choice.Enabled, exchange.Aborted);
                    post(exchange, new ToolToggled(toggle.ToolName, toggle.Enabled));
                    await exchange.ReplyAsync(toggle, WorkspaceJson.Default.ToolToggle);
                }),
            },
            new(
                "POST",
                "/workspace/memory",
                "writeMemory",
                Scope.Administer,
                "Writes something down for agents, in the AGENTS.md of the workspace or of the user."
            )
            {
                Request = WorkspaceJson.Default.MemoryWrite,
                Reply = WorkspaceJson.Default.MemoryWritten,
                Errors = [409, 422, 503],
                Handle = FileProblems.Answering(async exchange =>
                {
                    var request = await exchange.ReadAsync(WorkspaceJson.Default.MemoryWrite);
                    var written = await files.RememberAsync(request, exchange.Aborted);
                    if (written.Changed)
                    {
                        post(exchange, new MemoryChanged(request.Scope, written.FilePath, written.Mode, written.BytesWritten));
                    }

                    await exchange.ReplyAsync(written, WorkspaceJson.Default.MemoryWritten);
                }),
            },
            new("POST", "/workspace/init", "initWorkspace", Scope.Administer, "Makes an instruction file for agents.")
            {
                Request = WorkspaceRoutesJson.Default.InitChoice,
                Reply = WorkspaceJson.Default.WorkspaceInit,
                Errors = [409, 503],
                Handle = FileProblems.Answering(async exchange =>
                {
                    var choice = await exchange.ReadAsync(WorkspaceRoutesJson.Default.InitChoice);
                    var made = await files.InitAsync(choice.Force, exchange.Aborted);
                    if (made.Action is InitAction.Conflict)
                    {
                        throw new ProblemException(
                            409,
                            "workspace_init_conflict",
                            $"{made.Path} says something already; send force to replace it.",
                            ("path", made.Path),
                            ("existingSize", made.ExistingSize)
                        );
                    }

                    post(exchange, new WorkspaceInitialized(made.Path, made.Action));
                    await exchange.ReplyAsync(made, WorkspaceJson.Default.WorkspaceInit);
                }),
            },
        ];
    }

    private static Operation Asking<T>(
        string about,
        string name,
        string summary,
        ReplyHead head,
        Func<CancellationToken, ValueTask<T>> ask,
        JsonTypeInfo<T> reply
    ) =>
        new("GET", $"/workspace/{about}", name, Scope.Observe, summary)
        {
            Head = head,
            Reply = reply,
            Handle = FileProblems.Answering(async exchange => await exchange.ReplyAsync(await ask(exchange.Aborted), reply)),
        };

    internal sealed record ToolChoice(bool Enabled);

    internal sealed record InitChoice(bool Force = false);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false
    )]
    [JsonSerializable(typeof(ToolChoice))]
    [JsonSerializable(typeof(InitChoice))]
    private sealed partial class WorkspaceRoutesJson : JsonSerializerContext;
}
