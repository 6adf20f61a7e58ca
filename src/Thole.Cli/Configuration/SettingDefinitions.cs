namespace Thole.Cli.Configuration;

/// <summary>Everything that can be set, in the order in which <c>thole config show</c> prints it.</summary>
internal static class SettingDefinitions
{
    public static readonly IReadOnlyList<string> ApprovalModes = ["plan", "default", "auto-edit", "yolo"];

    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        new(
            "model",
            SettingType.Text,
            "The model that works: provider/model, or a name the default provider knows.",
            "--model",
            ["THOLE_MODEL", "OPENAI_MODEL"],
            "openai/gpt-5",
            ProjectMaySet: true
        ),
        new(
            "approvalMode",
            SettingType.Text,
            "How much may be done without a question. A project may only make it stricter.",
            "--approval-mode",
            ["THOLE_APPROVAL_MODE"],
            "default",
            ProjectMaySet: true,
            Choices: ApprovalModes
        ),
        new(
            "allowedTools",
            SettingType.TextList,
            "Tools that run without a question: name, or name(exact command).",
            "--allowed-tools"
        ),
        new(
            "maxTurns",
            SettingType.Number,
            "The most model requests for one prompt.",
            "--max-turns",
            ["THOLE_MAX_TURNS"],
            ProjectMaySet: true
        ),
        new(
            "includeDirectories",
            SettingType.TextList,
            "More directories that tools may read and change.",
            "--include-directories"
        ),
        new("systemPrompt", SettingType.Text, "Replaces the built-in system prompt.", "--system-prompt"),
        new("appendSystemPrompt", SettingType.Text, "Added after the system prompt.", "--append-system-prompt"),
        new(
            "context.compactAt",
            SettingType.Share,
            "The share of the context window at which older conversation is summarised.",
            Default: 0.85,
            ProjectMaySet: true
        ),
        new(
            "shell.passEnvironment",
            SettingType.TextList,
            "Environment variables that commands may see although they look like secrets."
        ),
        new(
            "providers.openai.apiKey",
            SettingType.Text,
            "The key for OpenAI, or for the server at the base address.",
            Variables: ["OPENAI_API_KEY"],
            IsSecret: true
        ),
        new(
            "providers.openai.baseUrl",
            SettingType.Text,
            "Where chat completions are served.",
            Variables: ["OPENAI_BASE_URL"],
            Default: "https://api.openai.com/v1"
        ),
        new("providers.openai.headers", SettingType.TextMap, "HTTP headers sent with each request.", IsSecret: true),
        new(
            "providers.openai.contextWindow",
            SettingType.Number,
            "Tokens the model takes, where we do not know it or it differs."
        ),
        new("providers.openai.maxOutputTokens", SettingType.Number, "Tokens of one answer."),
        new(
            "providers.openai.idleTimeoutSeconds",
            SettingType.Number,
            "How long a stream may be silent.",
            Default: 240,
            Most: 86_400
        ),
        new(
            "providers.openai.maxRetries",
            SettingType.Number,
            "How often a failed request is made again.",
            Default: 6,
            Least: 0,
            Most: 100
        ),
    ];

    public static SettingDefinition? Find(string path) =>
        All.FirstOrDefault(definition => string.Equals(definition.Path, path, StringComparison.Ordinal));
}
