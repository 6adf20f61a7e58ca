using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Protocol;
using Thole.Server.Sessions;
using Thole.Wire.Daemon;

namespace Thole.Server.Routes;

/// <summary>What the daemon can do, and how it is.</summary>
internal sealed partial class CapabilityRoutes(DaemonParts parts, Attendance attendance, DaemonOptions options)
{
    /// <summary>Only what works: a client looks here before it asks.</summary>
    private static readonly string[] s_features =
    [
        "health",
        "capabilities",
        "session_create",
        "session_list",
        "session_prompt",
        "session_cancel",
        "session_events",
        "session_set_model",
        "permission_vote",
        "session_scope_override",
        "session_id_override",
        "session_load",
        "unstable_session_resume",
        "slow_client_warning",
        "typed_event_schema",
        "client_identity",
        "client_heartbeat",
        "session_permission_vote",
        "permission_mediation",
        "session_context",
        "session_supported_commands",
        "session_close",
        "session_metadata",
        "session_approval_mode_control",
        "session_status",
        "session_transcript",
        "session_export",
        "non_blocking_prompt",
        "prompt_absolute_deadline",
        "pending_prompts",
        "mid_turn_message",
        "require_auth",
        "durable_event_ids",
        "idempotent_prompts",
        "daemon_status",
        "daemon_shutdown",
        "workspace_file_read",
        "workspace_file_bytes",
        "workspace_file_write",
        "workspace_git_read",
        "workspace_tools",
        "workspace_tool_toggle",
        "workspace_init",
        "workspace_memory",
        "workspace_mcp",
        "workspace_skills",
        "workspace_providers",
        "workspace_env",
        "workspace_preflight",
    ];

    private readonly long _startedAt = parts.Time.GetTimestamp();

    public IReadOnlyList<Operation> Operations =>
        [
            new("GET", "/capabilities", "getCapabilities", Scope.Observe, "What the daemon can do, and its limits.")
            {
                Handle = async exchange => await exchange.ReplyAsync(Describe(), CapabilityJson.Default.Capabilities),
                Reply = CapabilityJson.Default.Capabilities,
            },
            new("GET", "/daemon/status", "getDaemonStatus", Scope.Observe, "How the daemon is.")
            {
                Handle = async exchange => await exchange.ReplyAsync(Status(), CapabilityJson.Default.DaemonStatus),
                Reply = CapabilityJson.Default.DaemonStatus,
            },
        ];

    public ValueTask<Health> HealthAsync()
    {
        var open = parts.Live.All;
        return ValueTask.FromResult(new Health("ok", open.Count, open.Sum(session => session.Questions.Count)));
    }

    private Capabilities Describe() =>
        new()
        {
            ProtocolVersions = new Versions("v1", ["v1"]),
            TholeVersion = parts.Version,
            Features = [.. s_features.Where(feature => !options.InsecureNoAuth || feature is not "require_auth")],
            WorkspaceCwd = parts.Workspace,
            Policy = new PolicyShape(DaemonWords.Word(parts.Sessions.PermissionPolicy)),
            Limits = new LimitsShape(
                parts.Sessions.MaxPendingPrompts,
                parts.Sessions.MaxSessions is 0 ? null : parts.Sessions.MaxSessions,
                parts.Sessions.MaxReadersPerSession,
                options.MaxBodyBytes,
                SessionRestoreTimeoutMs: 60_000
            ),
            Workspaces =
            [
                new WorkspaceShape(
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts.Workspace)).AsSpan(0, 8)),
                    parts.Workspace,
                    Primary: true,
                    Trusted: true
                ),
            ],
        };

    private DaemonStatus Status()
    {
        var open = parts.Live.All;
        return new DaemonStatus
        {
            GeneratedAt = parts.Time.GetUtcNow(),
            Daemon = new ProcessShape(
                Environment.ProcessId,
                (long)parts.Time.GetElapsedTime(_startedAt).TotalMilliseconds,
                "native",
                parts.Workspace,
                parts.Version
            ),
            Security = new SecurityShape(
                TokenConfigured: !options.InsecureNoAuth,
                RequireAuth: !options.InsecureNoAuth,
                AllowOriginConfigured: options.AllowedOrigins is [_, ..]
            ),
            Runtime = new RuntimeShape(
                open.Count,
                open.Count(session => session.Turn is not null),
                open.Sum(session => session.Waiting.Count),
                open.Sum(session => session.Questions.Count),
                open.Sum(session => attendance.Readers(session.Session)),
                attendance.Count,
                Environment.WorkingSet
            ),
        };
    }

    internal sealed record Capabilities
    {
        public int V { get; init; } = 1;
        public required Versions ProtocolVersions { get; init; }
        public required string TholeVersion { get; init; }
        public string Mode { get; init; } = "native";
        public required IReadOnlyList<string> Features { get; init; }
        public IReadOnlyList<string> ModelServices { get; init; } = [];
        public IReadOnlyList<string> Transports { get; init; } = ["rest"];
        public required string WorkspaceCwd { get; init; }
        public required PolicyShape Policy { get; init; }
        public required LimitsShape Limits { get; init; }
        public required IReadOnlyList<WorkspaceShape> Workspaces { get; init; }
    }

    internal sealed record Versions(string Current, IReadOnlyList<string> Supported);

    internal sealed record PolicyShape(string Permission);

    internal sealed record LimitsShape(
        int MaxPendingPromptsPerSession,
        int? MaxSessionsPerWorkspace,
        int MaxReadersPerSession,
        long MaxBodyBytes,
        int SessionRestoreTimeoutMs
    );

    internal sealed record WorkspaceShape(string Id, string Cwd, bool Primary, bool Trusted);

    internal sealed record DaemonStatus
    {
        public int V { get; init; } = 1;
        public string Detail { get; init; } = "summary";
        public required DateTimeOffset GeneratedAt { get; init; }
        public string Status { get; init; } = "ok";
        public IReadOnlyList<string> Issues { get; init; } = [];
        public required ProcessShape Daemon { get; init; }
        public required SecurityShape Security { get; init; }
        public required RuntimeShape Runtime { get; init; }
    }

    internal sealed record ProcessShape(int Pid, long UptimeMs, string Mode, string WorkspaceCwd, string Version);

    internal sealed record SecurityShape(bool TokenConfigured, bool RequireAuth, bool AllowOriginConfigured);

    internal sealed record RuntimeShape(
        int OpenSessions,
        int ActivePrompts,
        int QueuedPrompts,
        int PendingPermissions,
        int Readers,
        int Clients,
        long WorkingSetBytes
    );

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(Capabilities))]
    [JsonSerializable(typeof(DaemonStatus))]
    internal sealed partial class CapabilityJson : JsonSerializerContext;
}
